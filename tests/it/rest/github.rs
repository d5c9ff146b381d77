//! GitHub's API as its own description has it: reads, and the shapes of writes.

use super::{
    Checkout,
    proxy::{Answer, Proxy, json, reply},
};
use crate::parts::{Prism, curl, programs};

/// Sends what trueup would write to the server that holds it against the description.
#[track_caller]
fn accepted(prism: &Prism, method: &str, path: &str, body: &str) {
    let url = format!("{}{path}", prism.url);
    let args = ["-X", method, &url, "-H", "Content-Type: application/json", "-d", body];
    assert!(curl(&args).is_some(), "{method} {path} {body}");
}

#[test]
fn the_description_takes_what_the_definition_writes() {
    let Some(prism) = Prism::get() else { return };
    let ruleset =
        r#"{"name": "r", "target": "branch", "enforcement": "active", "rules": [{"type": "deletion"}]}"#;
    accepted(prism, "POST", "/repos/o/r/labels", r#"{"name": "bug", "color": "ff0000", "description": "x"}"#);
    accepted(prism, "PATCH", "/repos/o/r/labels/bug", r#"{"new_name": "defect"}"#);
    accepted(prism, "POST", "/repos/o/r/rulesets", ruleset);
    accepted(prism, "PUT", "/repos/o/r/rulesets/1", ruleset);
    accepted(prism, "POST", "/orgs/o/teams", r#"{"name": "t", "privacy": "closed"}"#);
    accepted(prism, "PUT", "/orgs/o/teams/t/memberships/u", r#"{"role": "maintainer"}"#);
    accepted(prism, "POST", "/repos/o/r/actions/variables", r#"{"name": "A", "value": "b"}"#);
    accepted(prism, "PUT", "/repos/o/r/topics", r#"{"names": ["a"]}"#);
}

#[test]
fn a_plan_reads_what_the_description_answers() {
    let Some(prism) = Prism::get() else { return };
    // The examples' `Link` headers name the real host; they are cut off here.
    let proxy = Proxy::start(&prism.url, |asked| match asked.path.split('?').next() {
        Some("/repos/o/r/labels") => json(
            "200 OK",
            r#"[{"id": 1, "node_id": "x", "url": "u", "name": "bug", "color": "f29513", "default": true, "description": "Something isn't working"}]"#,
        ),
        _ => Answer::Forward,
    });
    let options = format!(
        "provider: github, url: '{}', scope: {{owner: o, repo: r}}, state: ../target/state.json",
        proxy.url
    );
    let checkout = Checkout::new(&options, "");
    checkout.commit(
        "labels.yaml",
        "label:\n  - {name: Bug, color: '#F29513'}\n  - {name: new, color: '00ff00'}\n",
    );
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("1 create") && plan.stdout.contains("1 unchanged"), "{}", plan.stdout);
    assert!(proxy.requests().iter().all(|request| request.starts_with("GET ")));
}

/// The recorded answers move from `/repos/…` to `/repositories/1000/…` and have links to the real host.
#[test]
fn recorded_pages_are_followed_on_the_same_server_only() {
    if programs("github").is_none() {
        return;
    }
    let page = |number: usize, next: bool, port: &str| {
        let link = format!(
            "Link: <http://{port}/repositories/1000/labels?per_page=100&page={}>; rel=\"next\"\r\n",
            number + 1
        );
        let link = if next { link } else { String::new() };
        let body = format!(r#"[{{"name": "l{number}", "color": "ffffff", "description": null}}]"#);
        reply("200 OK", &format!("Content-Type: application/json\r\n{link}"), &body)
    };
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        let host = asked
            .head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
        let host = host.unwrap_or_default();
        match asked.path.as_str() {
            "/repos/o/r/labels?per_page=100" => page(1, true, &host),
            "/repositories/1000/labels?per_page=100&page=2" => page(2, true, &host),
            "/repositories/1000/labels?per_page=100&page=3" => page(3, false, &host),
            _ => json("404 Not Found", "{}"),
        }
    });
    let options = format!(
        "provider: github, url: '{}', scope: {{owner: o, repo: r}}, state: ../target/state.json",
        proxy.url
    );
    let checkout = Checkout::new(&options, "");
    checkout.commit("l.yaml", "label:\n  - {name: l1, color: ffffff}\n  - {name: l2, color: ffffff}\n  - {name: l3, color: ffffff}\n");
    checkout.run(&["plan"], 0);
    assert_eq!(proxy.requests().len(), 3);
}
