//! Values that a server writes in its own way, and fields that it takes at times only.

use super::{Checkout, opening, powerdns};
use crate::parts::{Gitea, PowerDns};

fn on(gitea: &Gitea, org: &str) -> Checkout {
    gitea.curl("POST", "/orgs", &format!(r#"{{"username": "{org}"}}"#)).unwrap();
    opening::gitea(gitea, &gitea.url, &format!("scope: {{owner: {org}, repo: web}}"))
}

fn hook(events: &str, secret: &str) -> String {
    format!(
        "repository: [{{name: web}}]
webhook:
  - type: gitea
    config: {{url: 'http://127.0.0.1:1/h', content_type: json, secret: {{$env: HOOK}}}}
    events: [{events}]
    active: {}
    branch_filter: main
",
        secret.is_empty()
    )
}

#[test]
fn events_of_gitea_that_stand_for_others_are_those() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = on(gitea, "events");
    let events = |wanted: usize| {
        let hooks = gitea.curl("GET", "/repos/events/web/hooks", "").unwrap();
        let hooks: serde_json::Value = serde_json::from_str(&hooks).unwrap();
        assert_eq!(hooks[0]["events"].as_array().unwrap().len(), wanted, "{hooks}");
    };
    let declare = |events: &str| {
        let hook = hook(events, "").replace(", secret: {$env: HOOK}", "");
        checkout.commit("all.yaml", &hook);
        checkout.apply(&[]);
    };
    for (declared, wanted) in [
        ("push, pull_request", 9),
        ("push, pull_request_only", 2),
        ("issues", 5),
        ("issues_only, issue_comment", 2),
        ("pull_request, issues, release", 14),
    ] {
        declare(declared);
        events(wanted);
    }
    // What is there may be of somebody who chose one event only, which has another name when it is sent.
    gitea.curl("POST", "/repos/events/web/hooks", r#"{"type": "gitea", "events": ["pull_request_only"], "config": {"url": "http://127.0.0.1:1/other", "content_type": "json"}}"#).unwrap();
    checkout.run(&["import", "t", "webhook"], 0);
    let imported = checkout.sandbox.read("checkout/objects/webhook.yaml");
    assert!(
        imported.contains("[pull_request_only]") && !imported.contains("pull_request_sync"),
        "{imported}"
    );
    checkout.commit_all();
    checkout.run(&["plan"], 0);
}

#[test]
fn an_update_of_a_hook_of_gitea_leaves_alone_what_it_does_not_declare() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = on(gitea, "hooked");
    gitea.curl("POST", "/orgs/hooked/repos", r#"{"name": "web", "auto_init": true}"#).unwrap();
    let body = r#"{"type": "gitea", "events": ["push"], "branch_filter": "main", "authorization_header": "Bearer x",
        "config": {"url": "http://127.0.0.1:1/h", "content_type": "json"}}"#;
    gitea.curl("POST", "/repos/hooked/web/hooks", body).unwrap();
    let declared =
        "webhook: [{type: gitea, config: {url: 'http://127.0.0.1:1/h', content_type: json}, active: true}]\n";
    checkout.commit("all.yaml", declared);
    checkout.apply(&["--adopt", "**"]);
    let hooks = gitea.curl("GET", "/repos/hooked/web/hooks", "").unwrap();
    for kept in ["\"branch_filter\":\"main\"", "Bearer x", "\"active\":true", "\"push\""] {
        assert!(hooks.contains(kept), "{kept} in {hooks}");
    }
}

#[test]
fn a_team_of_gitea_says_what_it_may_do_by_unit() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = on(gitea, "units");
    let refused = |team: &str, words: &[&str]| {
        checkout.commit("team.yaml", &format!("team:\n  - {{name: writers, {team}}}\n"));
        let said = checkout.run(&["plan"], 65).stderr;
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    refused("permission: write", &["objects/team.yaml:2", "units_map"]);
    refused("permission: none, units: [repo.code]", &["server's own", "units_map"]);
    refused("permission: admin, units_map: {repo.code: read}", &["`units_map` means something only"]);
    for team in [
        "units_map: {repo.code: write, repo.issues: read}",
        "units_map: {repo.code: read}",
        "permission: admin",
        "permission: none, units_map: {repo.wiki: write}",
    ] {
        checkout.commit("team.yaml", &format!("team:\n  - {{name: writers, {team}}}\n"));
        checkout.apply(&[]);
    }
}

#[test]
fn a_secret_that_gitea_only_takes_once_makes_another_hook() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = on(gitea, "once");
    let id = || {
        let hooks = gitea.curl("GET", "/repos/once/web/hooks", "").unwrap();
        let hooks: serde_json::Value = serde_json::from_str(&hooks).unwrap();
        assert_eq!(hooks.as_array().unwrap().len(), 1);
        hooks[0]["id"].clone()
    };
    let run = |secret: &str, args: &[&str], exit: i32| {
        let mut command = checkout.sandbox.command_trueup(args);
        crate::sandbox::Ran::from(command.env("HOOK", secret).output().unwrap()).expect(exit)
    };
    checkout.commit("all.yaml", &hook("push", "x"));
    run("first", &["apply", "--yes"], 0);
    let made = id();
    checkout.commit("all.yaml", &hook("push, create", "x"));
    run("first", &["apply", "--yes"], 0);
    assert_eq!(id(), made);
    let plan = run("second", &["plan"], 2).stdout;
    assert!(plan.contains("1 replace") && plan.contains("/config/secret"), "{plan}");
    run("second", &["apply", "--yes", "--allow-replace", "webhook/**"], 0);
    assert_ne!(id(), made);
    run("second", &["plan"], 0);
}

#[test]
fn settings_of_a_repository_go_together_as_gitea_wants_them() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = on(gitea, "settings");
    for settings in [
        "license: MIT, auto_init: true, trust_model: committer, has_code: true, allow_manual_merge: true",
        "internal_tracker: {enable_time_tracker: false}",
        "internal_tracker: {enable_time_tracker: false}, description: two",
        "external_tracker: {external_tracker_url: 'https://tracker.example.org', external_tracker_format: 'https://tracker.example.org/{index}'}, external_wiki: {external_wiki_url: 'https://wiki.example.org'}",
        "external_tracker: null, external_wiki: null, internal_tracker: {enable_issue_dependencies: false}",
        "has_projects: true, projects_mode: repo",
        "has_issues: false, has_wiki: false, has_projects: false",
        "has_pull_requests: true, default_merge_style: squash, allow_merge_commits: false, default_branch: main",
    ] {
        checkout.commit("repo.yaml", &format!("repository: [{{name: web, {settings}}}]\n"));
        checkout.apply(&[]);
    }
    checkout.commit("repo.yaml", "repository: [{name: web, license: Apache-2.0}]\n");
    let plan = checkout.run(&["plan"], 0);
    assert!(plan.stdout.contains("`/license` only counts when one is made"), "{}", plan.stdout);
}

#[test]
fn records_of_powerdns_that_are_not_served_stay() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    powerdns::zone(server, "resting.example.");
    let body = r#"{"rrsets": [{"name": "www.resting.example.", "type": "A", "ttl": 60, "changetype": "REPLACE", "records": [
        {"content": "192.0.2.1", "disabled": false}, {"content": "192.0.2.2", "disabled": true}]}]}"#;
    server.curl("PATCH", "/zones/resting.example.", body).unwrap();
    let checkout = powerdns::checkout(server, "resting.example.");
    let declare = |more: &str| {
        let records =
            format!("rrset: [{{name: www.resting.example, type: A, ttl: 60, records: [192.0.2.3]{more}}}]\n");
        checkout.commit("records.yaml", &records);
        checkout.apply(&["--adopt", "**"]);
        assert_eq!(server.dig("www.resting.example", "A"), "192.0.2.3");
        server.curl("GET", "/zones/resting.example.", "").unwrap().contains("192.0.2.2")
    };
    assert!(declare(""), "nobody asked for its end");
    assert!(!declare(", disabled: []"));
    assert!(declare(", disabled: [192.0.2.2]"));
}

#[test]
fn addresses_and_digests_of_powerdns_have_one_form() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    powerdns::zone(server, "formed.example.");
    let checkout = powerdns::checkout(server, "formed.example.");
    let digest = "AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00112233445566778899";
    let records = format!(
        "rrset:
  - {{name: v6.formed.example, type: AAAA, ttl: 60, records: ['2001:DB8:0:0::1']}}
  - {{name: _25._tcp.formed.example, type: TLSA, ttl: 60, records: [3 1 1 {digest}]}}
  - {{name: sub.formed.example, type: DS, ttl: 60, records: [1 13 2 {digest}]}}
  - {{name: formed.example, type: TXT, ttl: 60, records: ['a \"b\" \\ c; 50%', '\"two\" \"parts\"']}}
"
    );
    checkout.commit("records.yaml", &records);
    checkout.apply(&[]);
    assert_eq!(server.dig("v6.formed.example", "AAAA"), "2001:db8::1");
    // Keys of the zone are its own affair: records that it makes of them are none of ours.
    server.curl("PUT", "/zones/formed.example.", r#"{"dnssec": true}"#).unwrap();
    checkout.run(&["plan"], 0);
}

#[test]
fn a_zone_of_powerdns_has_two_words_for_its_kind_and_name_servers_at_first() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    let checkout = opening::powerdns(&server.url, opening::FILE);
    let declare = |kind: &str, ns: &str| {
        checkout.commit(
            "zone.yaml",
            &format!("zone: [{{name: worded.example, kind: {kind}, nameservers: [{ns}]}}]\n"),
        );
    };
    for kind in ["Primary", "Master", "Native"] {
        declare(kind, "ns.example.net");
        checkout.apply(&[]);
    }
    declare("Native", "other.example.net");
    let plan = checkout.run(&["plan"], 0);
    assert!(plan.stdout.contains("`/nameservers` only counts when one is made"), "{}", plan.stdout);
}
