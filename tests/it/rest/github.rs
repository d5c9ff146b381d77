//! GitHub's API: its recorded answers, and its own description as the judge of what is asked and written.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value as Json, json};

use super::{
    Checkout,
    proxy::{self, Answer, Asked, Proxy, reply},
};
use crate::parts::{Prism, curl, programs};

/// A file of the packages that hold the description and the recorded answers.
fn file(path: &str) -> Option<Json> {
    let path: PathBuf = programs("github")?.join("../node_modules/@octokit").join(path);
    Some(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
}

/// A server that answers a request as it was answered when it was recorded, once all that was written
/// before it then is written now, and no other request.
fn recorded(scenario: &str) -> Option<(Vec<Json>, Proxy)> {
    let exchanges = file(&format!("fixtures/scenarios/api.github.com/{scenario}/normalized-fixture.json"))?;
    let exchanges = exchanges.as_array().unwrap().clone();
    let (known, written) = (exchanges.clone(), AtomicUsize::new(0));
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        let method = asked.method.to_lowercase();
        // What asks for more at a time than the recording did is answered the same.
        let path = asked.path.trim_end_matches("?per_page=100");
        let same = |one: &Json| one["method"] == method.as_str() && one["path"] == path;
        let before = |at: usize| known[..at].iter().filter(|one| one["method"] != "get").count();
        let at =
            (0..known.len()).find(|at| same(&known[*at]) && before(*at) <= written.load(Ordering::SeqCst));
        written.fetch_add(usize::from(at.is_some() && method != "get"), Ordering::SeqCst);
        at.map_or_else(|| proxy::json("404 Not Found", "{}"), |at| played(&known[at], asked))
    });
    Some((exchanges, proxy))
}

/// The recorded answer, with links to this server instead of the real one.
fn played(exchange: &Json, asked: &Asked) -> Answer {
    let host = asked.head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let here = format!("http://{host}");
    let link = exchange["headers"]["link"].as_str().map(|link| format!("Link: {link}\r\n"));
    let link = link.unwrap_or_default().replace("https://api.github.com", &here);
    let to = exchange["headers"]["location"].as_str().map(|to| format!("Location: {to}\r\n"));
    let to = to.unwrap_or_default().replace("https://api.github.com", &here);
    let headers = format!("Content-Type: application/json; charset=utf-8\r\n{link}{to}");
    let body = if exchange["status"] == 204 { String::new() } else { exchange["response"].to_string() };
    reply(&format!("{} Recorded", exchange["status"]), &headers, &body)
}

fn checkout(url: &str, scope: &str) -> Checkout {
    let options = format!("provider: github, url: '{url}', scope: {{{scope}}}, state: ../target/state.json");
    Checkout::new(&options, "")
}

#[test]
fn recorded_labels_are_imported_and_made_as_they_were_when_recorded() {
    let Some((exchanges, proxy)) = recorded("labels") else { return };
    let checkout = checkout(&proxy.url, "owner: octokit-fixture-org, repo: labels");
    checkout.commit_all();
    checkout.run(&["import", "t", "label"], 0);
    checkout.commit("more.yaml", "label:\n  - {name: test-label, color: '#663399'}\n");
    let plan = checkout.run(&["plan"], 2);
    let known = exchanges[0]["response"].as_array().unwrap().len();
    assert!(
        plan.stdout
            .contains(&format!("1 create, 0 update, 0 replace, 0 delete; 1 pending; {known} unchanged")),
        "{}",
        plan.stdout
    );
    checkout.run(&["apply", "--yes"], 0);
    let asked = proxy.asked.lock().unwrap();
    let writes: Vec<&Asked> = asked.iter().filter(|asked| asked.method != "GET").collect();
    assert_eq!(writes.len(), 1);
    assert_eq!(serde_json::from_str::<Json>(&writes[0].body).unwrap(), exchanges[1]["body"]);
}

#[test]
fn a_recorded_refusal_names_the_field_and_the_declaration() {
    let Some((_, proxy)) = recorded("errors") else { return };
    let honest = Proxy::start(&proxy.url, |asked| match asked.method.as_str() {
        "GET" if asked.path.ends_with("/foo") => proxy::json("404 Not Found", "{}"),
        "GET" => proxy::json("200 OK", "{}"),
        _ => Answer::Forward,
    });
    let checkout = checkout(&honest.url, "owner: octokit-fixture-org, repo: errors");
    checkout.commit("l.yaml", "label:\n  - {name: foo, color: invalid}\n");
    let ran = checkout.run(&["apply", "--yes"], 1);
    for said in ["`objects/l.yaml:2`", "422", "Validation Failed", r#""field":"color""#] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
}

#[test]
fn a_repository_that_was_renamed_is_not_taken_for_the_one_that_is_declared() {
    let Some((exchanges, proxy)) = recorded("rename-repository") else { return };
    let (old, new) = (exchanges[0]["path"].as_str().unwrap(), exchanges[2]["path"].as_str().unwrap());
    curl(&["-X", "PATCH", &format!("{}{old}", proxy.url), "-d", "{}"]).unwrap();
    let checkout = checkout(&proxy.url, "owner: octokit-fixture-org");
    checkout.commit("r.yaml", "repository: [{name: rename-repository, description: x}]\n");
    let ran = checkout.run(&["apply", "--yes", "--adopt", "**"], 1);
    assert!(ran.stdout.contains(&format!("`{old}` has moved to `{new}`")), "{}", ran.stdout);
    assert_eq!(proxy.requests().iter().filter(|asked| asked.starts_with("PATCH")).count(), 1);
}

/// What is read on these pages is nothing that trueup manages; how they are linked holds for all.
const ISSUES: &str = r#"apiVersion: rest.trueup/v1
provider: issues
summary: issues
base_url: "{url}"
scopes:
  repo: {params: [owner, repo]}
kinds:
  issue:
    scope: repo
    identity: {keys: [/title]}
    list: {path: "/repos/{owner}/{repo}/issues", page: {style: link, size_param: per_page, size: 3}}
    fields:
      /title: {required: true}
      /state: {}
"#;

#[test]
fn recorded_pages_are_followed_to_another_path_of_the_same_server_only() {
    let Some((exchanges, proxy)) = recorded("paginate-issues") else { return };
    let options = |url: &str| {
        format!(
            "provider: rest, definition: issues.yaml, url: '{url}', scope: {{owner: octokit-fixture-org, repo: paginate-issues}}, state: ../target/state.json"
        )
    };
    let here = Checkout::new(&options(&proxy.url), "");
    here.sandbox.write("checkout/issues.yaml", ISSUES);
    here.commit_all();
    here.run(&["import", "t", "issue"], 0);
    assert_eq!(here.sandbox.read("checkout/objects/issue.yaml").matches("- title:").count(), 13);
    here.commit_all();
    proxy.asked.lock().unwrap().clear();
    here.run(&["plan"], 0);
    let paths: Vec<String> =
        exchanges.iter().map(|one| format!("GET {}", one["path"].as_str().unwrap())).collect();
    assert_eq!(proxy.requests(), paths, "from `/repos/…` to `/repositories/1000/…`, once each");
    // As it was recorded, the first page leads to the real server.
    let first = exchanges[0].clone();
    let real = Proxy::start("127.0.0.1:9", move |_| {
        let link = format!("Link: {}\r\n", first["headers"]["link"].as_str().unwrap());
        reply("200 OK", &link, &first["response"].to_string())
    });
    let away = Checkout::new(&options(&real.url), "");
    away.sandbox.write("checkout/issues.yaml", ISSUES);
    away.commit("i.yaml", "issue: [{title: x}]\n");
    let ran = away.run(&["plan"], 1);
    assert!(ran.stdout.contains("leads to `https://api.github.com`"), "{}", ran.stdout);
}

/// One object of each kind.
const DECLARED: &str = "scope: {owner: o, repo: r, team: Core}
repository:
  - {name: web, description: new, visibility: private, topics: [b, a], has_wiki: false, delete_branch_on_merge: true}
label:
  - {name: bug, color: '#F00', description: new}
ruleset:
  - name: r
    target: branch
    enforcement: active
    conditions: {ref_name: {include: [~DEFAULT_BRANCH], exclude: []}}
    rules: [{type: deletion}, {type: pull_request, parameters: {required_approving_review_count: 1, dismiss_stale_reviews_on_push: true, require_code_owner_review: false, require_last_push_approval: false, required_review_thread_resolution: false}}]
team:
  - {name: T, description: new, privacy: closed}
membership:
  - {login: U, role: maintainer}
team_repository:
  - {name: web, permission: push}
variable:
  - {name: a, value: new}
organisation_variable:
  - {name: b, value: new, visibility: private}
deploy_key:
  - {title: robot, key: ssh-ed25519 AAAA, read_only: true}
organisation_ruleset:
  - name: all
    target: branch
    enforcement: active
    bypass_actors: [{actor_id: 5, actor_type: Team, bypass_mode: always}, {actor_id: 4, actor_type: Team, bypass_mode: always}]
    conditions: {ref_name: {include: [~ALL], exclude: []}, repository_name: {include: [web], exclude: []}}
    rules: [{type: deletion}]
";

/// What the server holds of it before, by path; nothing but the scopes where nothing is `there`.
fn held(path: &str, there: bool) -> Option<Json> {
    let all = match path {
        "/repos/o/r" | "/orgs/o" | "/users/o" => return Some(json!({})),
        "/orgs/o/repos" => json!([{"name": "web"}]),
        "/repos/o/web" => {
            json!({"name": "web", "description": "old", "topics": ["c"], "visibility": "public", "has_wiki": true, "delete_branch_on_merge": false})
        }
        "/repos/o/r/labels/bug" => json!({"name": "bug", "color": "000000", "description": null}),
        "/repos/o/r/rulesets" => json!([{"id": 1, "name": "r", "source_type": "Repository"}]),
        "/repos/o/r/rulesets/1" => {
            json!({"id": 1, "name": "r", "source_type": "Repository", "target": "branch", "enforcement": "disabled", "bypass_actors": [], "rules": []})
        }
        "/orgs/o/teams" => {
            json!([
                {"id": 1, "name": "T", "slug": "t", "description": "old", "privacy": "secret"},
                {"id": 2, "name": "Core", "slug": "core"},
            ])
        }
        "/orgs/o/teams/core/members" => json!([{"login": "u"}]),
        "/orgs/o/teams/core/memberships/u" => json!({"role": "member", "state": "active"}),
        "/orgs/o/rulesets" => json!([{"id": 2, "name": "all", "source_type": "Organization"}]),
        "/orgs/o/rulesets/2" => {
            let actor = |id: u8| json!({"bypass_mode": "always", "actor_type": "Team", "actor_id": id});
            json!({"id": 2, "name": "all", "source_type": "Organization", "target": "branch", "enforcement": "evaluate",
                   "bypass_actors": [actor(4), actor(5)], "rules": [{"type": "deletion"}],
                   "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}, "repository_name": {"include": ["web"], "exclude": []}}})
        }
        "/orgs/o/teams/core/repos" => json!([{"name": "web", "role_name": "read"}]),
        "/orgs/o/actions/variables/B" => json!({"name": "B", "value": "old", "visibility": "all"}),
        "/repos/o/r/keys" => {
            json!([{"id": 3, "title": "robot", "key": "ssh-ed25519 AAAA", "read_only": true}])
        }
        "/repos/o/r/actions/variables/A" => json!({"name": "A", "value": "old"}),
        _ => return None,
    };
    match (there, &all) {
        (true, _) => Some(all),
        (false, Json::Array(_)) => Some(json!([])),
        (false, _) => None,
    }
}

/// What trueup sends to a server that holds everything, or nothing. It takes all writes and keeps none.
fn sent(there: bool) -> Vec<Asked> {
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        let path = asked.path.split('?').next().unwrap_or_default();
        match (asked.method.as_str(), held(path, there)) {
            ("GET", Some(body)) => proxy::json("200 OK", &body.to_string()),
            ("GET", None) => proxy::json("404 Not Found", "{}"),
            ("POST", _) => proxy::json("201 Created", "{}"),
            _ => proxy::json("200 OK", "{}"),
        }
    });
    let checkout = checkout(&proxy.url, "owner: o");
    // Nobody has to be kind to this server.
    let definition =
        checkout.sandbox.trueup(&["providers", "show", "github", "--definition"]).expect(0).stdout;
    let definition = definition.replace("provider: github", "provider: hub").replace("1000}", "0}");
    checkout.sandbox.write("checkout/hub.yaml", definition);
    let config = checkout.sandbox.read("checkout/trueup.yaml");
    checkout.sandbox.write(
        "checkout/trueup.yaml",
        config.replace("provider: github", "provider: rest, definition: hub.yaml"),
    );
    checkout.commit("all.yaml", DECLARED);
    // Who is in a team that is not there cannot be told.
    checkout.sandbox.trueup(&["apply", "--yes", "--adopt", "**", "--skip-unknown"]);
    proxy.asked.lock().unwrap().clone()
}

#[test]
fn the_description_takes_every_request_that_is_sent() {
    let Some(prism) = Prism::get() else { return };
    let (made, changed) = (sent(false), sent(true));
    let kinds = |requests: &[Asked], methods: &[&str]| {
        let writes = requests.iter().filter(|asked| methods.contains(&asked.method.as_str()));
        writes.map(|asked| asked.path.clone()).collect::<BTreeSet<String>>().len()
    };
    assert_eq!(
        kinds(&made, &["POST", "PUT"]),
        9,
        "one for each kind but what is in a team that is not there, and one for the topics"
    );
    assert_eq!(kinds(&changed, &["PATCH", "PUT"]), 10, "one for each kind but keys, and one for the topics");
    for asked in made.iter().chain(&changed) {
        let url = format!("{}{}", prism.url, asked.path);
        let mut args = vec!["-X", &asked.method, &url];
        if !asked.body.is_empty() {
            args.extend(["-H", "Content-Type: application/json", "-d", &asked.body]);
        }
        assert!(curl(&args).is_some(), "{} {} {}", asked.method, asked.path, asked.body);
    }
    // It would have said so.
    let wrong =
        [&format!("{}/repos/o/r/labels", prism.url), "-H", "Content-Type: application/json", "-d", "{}"];
    assert!(curl(&wrong).is_none());
}

#[test]
fn a_team_that_the_list_does_not_show_is_asked_for_by_its_slug() {
    // What is found under the slug of `My Team`: nothing, itself, or another team.
    for (found, exit, said) in [
        (None, 0, "1 create"),
        (Some("My Team"), 0, "nothing to do"),
        (Some("my team"), 0, "nothing to do"),
        (Some("my-team"), 1, "the server has `my-team` under the id of that name"),
    ] {
        let proxy = Proxy::start("127.0.0.1:9", move |asked| {
            let path = asked.path.split('?').next().unwrap_or_default();
            match (asked.method.as_str(), path, found) {
                ("GET", "/orgs/o/teams", _) => proxy::json("200 OK", "[]"),
                ("GET", "/orgs/o/teams/my-team", Some(name)) => {
                    proxy::json("200 OK", &json!({"name": name, "slug": "my-team"}).to_string())
                }
                ("GET", "/orgs/o", _) => proxy::json("200 OK", "{}"),
                ("POST", "/orgs/o/teams", None) => {
                    proxy::json("201 Created", &json!({"name": "My Team", "slug": "my-team"}).to_string())
                }
                _ => proxy::json("404 Not Found", "{}"),
            }
        });
        let checkout = checkout(&proxy.url, "owner: o");
        checkout.commit("t.yaml", "team: [{name: My Team}]\n");
        let ran = checkout.run(&["apply", "--yes", "--adopt", "**"], exit);
        assert!(ran.stdout.contains(said), "{}{}", ran.stdout, ran.stderr);
        let posts = proxy.requests().iter().filter(|asked| asked.starts_with("POST")).count();
        assert_eq!(posts, usize::from(found.is_none()));
    }
}

#[test]
fn who_is_invited_to_a_team_is_not_invited_again() {
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        match (asked.method.as_str(), asked.path.split('?').next().unwrap_or_default()) {
            ("GET", "/orgs/o/teams") => proxy::json("200 OK", r#"[{"name": "T", "slug": "t"}]"#),
            ("GET", "/orgs/o/teams/t/members") => proxy::json("200 OK", "[]"),
            ("GET", "/orgs/o/teams/t/memberships/u") => {
                proxy::json("200 OK", r#"{"role": "member", "state": "pending"}"#)
            }
            _ => proxy::json("404 Not Found", "{}"),
        }
    });
    let checkout = checkout(&proxy.url, "owner: o, team: T");
    checkout.commit("m.yaml", "membership: [{login: U}]\n");
    let ran = checkout.run(&["apply", "--yes", "--adopt", "**"], 0);
    assert!(ran.stdout.contains("nothing to do"), "{}", ran.stdout);
    let other = checkout.sandbox.read("checkout/objects/m.yaml").replace("U", "V");
    checkout.commit("m.yaml", &other);
    assert!(checkout.run(&["plan"], 2).stdout.contains("1 create"));
}

#[test]
fn a_repository_of_ones_own_is_made_where_the_server_says_who_one_is() {
    for (login, exit) in [("me", 0), ("other", 1)] {
        let proxy =
            Proxy::start("127.0.0.1:9", move |asked| match (asked.method.as_str(), asked.path.as_str()) {
                ("GET", "/users/me") => proxy::json("200 OK", "{}"),
                ("GET", "/user") => proxy::json("200 OK", &json!({"login": login}).to_string()),
                ("POST", "/user/repos") => proxy::json("201 Created", r#"{"name": "web"}"#),
                _ => proxy::json("404 Not Found", "{}"),
            });
        let checkout = checkout(&proxy.url, "owner: me");
        checkout.commit("r.yaml", "repository: [{name: web}]\n");
        checkout.run(&["apply", "--yes"], exit);
        let requests = proxy.requests();
        assert!(requests.contains(&"POST /orgs/me/repos".to_owned()));
        assert_eq!(requests.contains(&"POST /user/repos".to_owned()), exit == 0, "{requests:?}");
    }
}

/// `{owner}` and `{org}` are the same place.
fn places(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn the_description_has_every_path_of_the_definition() {
    let Some(description) = file("openapi/generated/api.github.com.json") else { return };
    let paths = description["paths"].as_object().unwrap();
    let known: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (method.clone(), places(path)))
        })
        .collect();
    let shown = Checkout::new("provider: github, url: x", "").sandbox.trueup(&[
        "providers",
        "show",
        "github",
        "--definition",
    ]);
    let definition: serde_yaml::Value = serde_yaml::from_str(&shown.expect(0).stdout).unwrap();
    let mut count = 0;
    for (name, kind) in definition["kinds"].as_mapping().unwrap() {
        let requests =
            [("list", "get"), ("read", "get"), ("create", ""), ("update", ""), ("delete", "delete")];
        for (verb, method) in requests {
            let Some(path) = kind[verb]["path"].as_str() else { continue };
            let method = kind[verb]["method"].as_str().unwrap_or(method).to_lowercase();
            let elsewhere = &kind[verb]["otherwise"];
            let others = elsewhere.as_sequence().into_iter().flatten();
            let paths = others.flat_map(|other| {
                [(&*method, other["path"].as_str()), ("get", other["provided"]["get"].as_str())]
            });
            for (method, path) in paths.chain([(&*method, elsewhere.as_str()), (&method, Some(path))]) {
                let Some(path) = path else { continue };
                assert!(known.contains(&(method.to_owned(), places(path))), "{name:?}: {method} {path}");
                count += 1;
            }
        }
    }
    assert!(count >= 30, "{count}");
}
