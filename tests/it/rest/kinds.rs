//! Kinds that few people declare, and what they lose with them, on the real servers.

use serde_json::Value as Json;

use super::{opening, powerdns};
use crate::{
    parts::{Gitea, PowerDns, RabbitMq},
    sandbox::Ran,
};

const PEOPLE: &str = "scope: {owner: people, repo: web, team: writers}
organisation:
  - {username: people}
team:
  - {name: writers, units_map: {repo.code: write}}
repository:
  - {name: web, auto_init: true}
team_member:
  - {login: Helper}
team_repository:
  - {name: web}
deploy_key:
  - {title: robot, read_only: true, key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlz/plvs2UfZF9vOvz0ra/TD+6B5BSN304cI/MH4FvP}
collaborator:
  - {login: loner, permission: write}
";

#[test]
fn people_and_keys_of_gitea_are_made_imported_and_pruned() {
    let Some(gitea) = Gitea::get() else { return };
    // Nobody's access is hidden behind that of a team.
    for name in ["helper", "loner"] {
        let person = format!(
            r#"{{"username": "{name}", "email": "{name}@example.org", "password": "Passw0rd2", "must_change_password": false}}"#
        );
        gitea.curl("POST", "/admin/users", &person).unwrap();
    }
    let checkout = opening::gitea(gitea, &gitea.url, "");
    checkout.commit("all.yaml", PEOPLE);
    checkout.apply(&[]);
    let held = |path: &str| gitea.curl("GET", path, "").unwrap();
    let teams: Json = serde_json::from_str(&held("/orgs/people/teams")).unwrap();
    let writers = &teams.as_array().unwrap().iter().find(|team| team["name"] == "writers").unwrap()["id"];
    assert!(held(&format!("/teams/{writers}/members")).contains("\"helper\""));
    assert!(held(&format!("/teams/{writers}/repos")).contains("\"people/web\""));
    assert!(held("/repos/people/web/keys").contains("\"robot\""));
    let permission = || held("/repos/people/web/collaborators/loner/permission");
    assert!(permission().contains("\"write\""));
    checkout.commit("all.yaml", &PEOPLE.replace("permission: write", "permission: read"));
    checkout.apply(&[]);
    assert!(permission().contains("\"read\"") && !permission().contains("\"write\""), "{}", permission());
    checkout.commit("all.yaml", PEOPLE);
    checkout.apply(&[]);
    import_people(gitea);
    let pruned: Vec<&str> =
        PEOPLE.lines().filter(|line| !line.contains("deploy_key") && !line.contains("robot")).collect();
    checkout.commit("all.yaml", &pruned.join("\n"));
    checkout.run(&["plan"], 2);
    checkout.apply(&["--allow-protected", "deploy_key"]);
    assert!(!held("/repos/people/web/keys").contains("\"robot\""));
    assert!(held("/repos/people/web/collaborators").contains("\"loner\""));
    let alone: Vec<&str> =
        pruned.into_iter().filter(|line| !line.contains("collaborator") && !line.contains("loner")).collect();
    checkout.commit("all.yaml", &alone.join("\n"));
    checkout.apply(&["--allow-protected", "collaborator"]);
    assert!(!held("/repos/people/web/collaborators").contains("\"loner\""));
}

#[test]
fn repositories_of_a_person_are_made_as_those_of_an_organisation() {
    let Some(gitea) = Gitea::get() else { return };
    let other = r#"{"username": "owner", "email": "o@example.org", "password": "Passw0rd4", "must_change_password": false}"#;
    gitea.curl("POST", "/admin/users", other).unwrap();
    for owner in ["admin1", "owner"] {
        let checkout = opening::gitea(gitea, &gitea.url, &format!("scope: {{owner: {owner}, repo: own}}"));
        let declared = "repository:\n  - {name: own, description: one, topics: [Go, b]}\n  - {name: own2}\nlabel:\n  - {name: bug, color: '00ff00'}\n";
        checkout.commit("all.yaml", declared);
        checkout.run(&["plan"], 2);
        checkout.apply(&[]);
        checkout.commit("all.yaml", &declared.replace("one", "two"));
        checkout.apply(&[]);
        let held = gitea.curl("GET", &format!("/repos/{owner}/own"), "").unwrap();
        assert!(held.contains("\"two\""), "{held}");
        checkout.sandbox.sh("git rm -q objects/all.yaml").expect(0);
        checkout.commit_all();
        checkout.run(&["import", "t", "repository", "label"], 0);
        assert!(checkout.sandbox.read("checkout/objects/repository.yaml").contains("name: own2"));
        checkout.commit_all();
        checkout.run(&["plan"], 0);
    }
}

#[test]
fn what_a_server_makes_along_with_another_object_is_made_equal_at_once() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = opening::gitea(gitea, &gitea.url, "");
    // Every organisation of Gitea begins with the team of its owners.
    checkout.commit(
        "all.yaml",
        "scope: {owner: along}\norganisation: [{username: along}]\nteam: [{name: Owners, description: us, permission: owner}]\n",
    );
    checkout.apply(&[]);
    assert!(gitea.curl("GET", "/orgs/along/teams", "").unwrap().contains("\"us\""));
    // A team of everything has a repository that is made.
    checkout.commit(
        "all.yaml",
        "scope: {owner: along, team: Owners}
organisation: [{username: along}]
team: [{name: Owners, description: us, permission: owner}]
repository: [{name: late}]
team_repository: [{name: late}]
",
    );
    checkout.apply(&[]);
    let Some(rabbit) = RabbitMq::get() else { return };
    // Whoever makes a virtual host of RabbitMQ may do everything there.
    let checkout = opening::rabbitmq("along", &rabbit.url, "");
    checkout.commit(
        "all.yaml",
        "scope: {vhost: along}\nvhost: [{name: along}]\npermission: [{user: guest, configure: '', write: '.*', read: '.*'}]\n",
    );
    checkout.apply(&[]);
    assert!(rabbit.ctl(&["list_permissions", "-p", "along"]).contains("guest\t\t.*"));
}

#[test]
fn a_password_that_is_taken_away_is_seen_and_set_again() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let checkout = opening::rabbitmq("cleared", &rabbit.url, "");
    checkout.sandbox.write("home/field", "f1eld-canary");
    let declared = "user: [{name: cleared, password: {$file: ../home/field}}, {name: without}]\n";
    checkout.commit("all.yaml", declared);
    checkout.apply(&[]);
    let without = rabbit.curl("GET", "/users/without", "").unwrap();
    assert!(without.contains(r#""password_hash":"""#), "{without}");
    rabbit.ctl(&["clear_password", "cleared"]);
    let drift = checkout.run(&["drift"], 3);
    assert!(drift.stdout.contains("/password"), "{}", drift.stdout);
    checkout.apply(&[]);
    let who = crate::parts::curl(&["-u", "cleared:f1eld-canary", &format!("{}/api/overview", rabbit.url)]);
    assert!(who.is_none(), "it has no tags, so it may not look");
    assert!(rabbit.ctl(&["authenticate_user", "cleared", "f1eld-canary"]).contains("Success"));
}

/// What is there is written down by somebody else, for whom nothing is left to do then.
fn import_people(gitea: &Gitea) {
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: people, repo: web, team: writers}");
    checkout.commit_all();
    let kinds = ["team", "team_member", "team_repository", "repository", "deploy_key", "collaborator"];
    checkout.run(&[&["import", "t"][..], &kinds].concat(), 0);
    for (kind, word) in [("team_member", "helper"), ("team_repository", "web"), ("deploy_key", "robot")] {
        let text = checkout.sandbox.read(&format!("checkout/objects/{kind}.yaml"));
        assert!(text.contains(word), "{text}");
    }
    assert!(checkout.sandbox.read("checkout/objects/collaborator.yaml").contains("permission: write"));
    checkout.commit_all();
    checkout.run(&["plan"], 0);
}

#[test]
fn a_secret_of_gitea_behind_a_variable_rotates() {
    let Some(gitea) = Gitea::get() else { return };
    gitea.curl("POST", "/orgs", r#"{"username": "rotating"}"#).unwrap();
    gitea.curl("POST", "/orgs/rotating/repos", r#"{"name": "web", "auto_init": true}"#).unwrap();
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: rotating, repo: web}");
    checkout.commit(
        "secret.yaml",
        "actions_secret:
  - {name: token, data: {$env: HOOK}}
webhook:
  - type: gitea
    config: {url: 'http://127.0.0.1:1/h', content_type: json, secret: {$env: HOOK}}
    events: [push]
",
    );
    let run = |secret: &str, args: &[&str], exit: i32| {
        let ran: Ran = checkout.sandbox.command_trueup(args).env("HOOK", secret).output().unwrap().into();
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains("canary"), "{said}");
        ran.expect(exit)
    };
    run("first-canary", &["apply", "--yes"], 0);
    run("first-canary", &["plan"], 0);
    let plan = run("other-canary", &["plan"], 2);
    assert!(plan.stdout.contains("/data") && plan.stdout.contains("/config/secret"), "{}", plan.stdout);
    assert!(plan.stdout.contains("0 create, 1 update, 1 replace"), "{}", plan.stdout);
    // The server takes the secret of a hook once, when the hook is made.
    run("other-canary", &["apply", "--yes", "--allow-replace", "webhook/**"], 0);
    run("other-canary", &["plan"], 0);
    run("first-canary", &["plan"], 2);
}

#[test]
fn a_zone_is_made_and_a_name_changes_its_type_at_once() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    let checkout = opening::powerdns(&server.url, opening::FILE);
    let zone = "scope: {zone: kinds.example.}\nzone:\n  - {name: kinds.example, kind: Native, nameservers: [ns.example.net]}\n";
    let cname = "  - {name: www.kinds.example, type: CNAME, ttl: 60, records: [a.example.net]}\n";
    let a = "  - {name: www.kinds.example, type: A, ttl: 60, records: [192.0.2.7]}\n";
    // The server makes name servers with the zone, and not these ones for so long.
    let ns = "  - {name: kinds.example, type: NS, ttl: 86400, records: [ns.example.net, ns2.example.net]}\n";
    checkout.commit("zone.yaml", &format!("{zone}rrset:\n{ns}{cname}"));
    checkout.apply(&[]);
    assert_eq!(server.dig("www.kinds.example", "CNAME"), "a.example.net.");
    assert_eq!(server.dig("kinds.example", "NS"), "ns.example.net. ns2.example.net.");
    checkout.commit("zone.yaml", &format!("{zone}rrset:\n{ns}{a}"));
    checkout.apply(&[]);
    assert_eq!(server.dig("www.kinds.example", "CNAME"), "");
    assert_eq!(server.dig("www.kinds.example", "A"), "192.0.2.7");
    // Name servers of a zone go only with a consent of their own.
    checkout.commit("zone.yaml", &format!("{zone}rrset:\n{a}"));
    let refused = checkout.run(&["apply", "--yes"], 8);
    assert!(refused.stderr.contains("--allow-protected"), "{}", refused.stderr);
    assert_eq!(server.dig("kinds.example", "NS"), "ns.example.net. ns2.example.net.");
    // The start of authority is the server's own, whoever asks for its end.
    checkout.commit(
        "zone.yaml",
        &format!("{zone}rrset:\n{ns}{a}absent:\n  rrset: [{{name: kinds.example, type: SOA}}]\n"),
    );
    let refused = checkout.run(&["apply", "--yes", "--allow-protected", "**"], 77);
    assert!(refused.stdout.contains("the server protects it"), "{}{}", refused.stdout, refused.stderr);
    assert!(server.dig("kinds.example", "SOA").contains("hostmaster"));
}

#[test]
fn a_zone_goes_only_with_consent_and_with_its_records_counted() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    let checkout = opening::powerdns(&server.url, opening::FILE);
    let spared = "zone:\n  - {name: spared.example, kind: Native, nameservers: [ns.example.net]}\n";
    let both = format!("{spared}  - {{name: doomed.example, kind: Native, nameservers: [ns.example.net]}}\n");
    checkout.commit("zone.yaml", &both);
    checkout.apply(&[]);
    let there = || server.curl("GET", "/zones/doomed.example.", "").is_some();
    checkout.commit("zone.yaml", spared);
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("deletes 2 record sets with it"), "{}", plan.stdout);
    checkout.run(&["apply", "--yes"], 8);
    checkout.run(&["apply", "--yes", "--allow-protected", "zone/spared.example."], 8);
    assert!(there());
    checkout.apply(&["--allow-protected", "zone/doomed.example."]);
    assert!(!there() && server.dig("spared.example", "NS") == "ns.example.net.");
}

#[test]
fn a_virtual_host_goes_only_with_consent_and_with_its_queues_counted() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let checkout = opening::rabbitmq("doomed", &rabbit.url, "");
    checkout.commit("all.yaml", "vhost:\n  - {name: spared}\n  - {name: doomed}\n");
    checkout.apply(&[]);
    for queue in ["one", "two"] {
        rabbit.curl("PUT", &format!("/queues/doomed/{queue}"), r#"{"durable": true}"#).unwrap();
    }
    checkout.commit("all.yaml", "vhost:\n  - {name: spared}\n");
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("2 queues"), "{}", plan.stdout);
    checkout.run(&["apply", "--yes"], 8);
    checkout.run(&["apply", "--yes", "--allow-protected", "vhost/spared"], 8);
    assert!(rabbit.curl("GET", "/queues/doomed/two", "").is_some());
    checkout.apply(&["--allow-protected", "vhost/doomed"]);
    let left = rabbit.curl("GET", "/vhosts", "").unwrap();
    assert!(left.contains("\"spared\"") && !left.contains("\"doomed\""), "{left}");
}
