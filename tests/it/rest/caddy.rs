//! Caddy: an API that trueup has never heard of, by a definition in the checkout.

use super::opening;
use crate::parts::{Caddy, curl, free_port};

#[test]
fn an_api_of_ones_own_needs_a_definition_and_nothing_else() {
    let Some(caddy) = Caddy::get() else { return };
    let checkout = opening::defined("caddy", include_str!("caddy.yaml"), &caddy.url, "", "");
    let port = free_port();
    let declared = |body: &str| {
        format!(
            "managed: [server]\nserver:\n  - name: site\n    listen: ['127.0.0.1:{port}']\n    automatic_https: {{disable: true}}\n    routes: [{{handle: [{{handler: static_response, body: {body}}}]}}]\n"
        )
    };
    checkout.commit("servers.yaml", &declared("hello"));
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("providers/caddy.yaml"), "{}", plan.stdout);
    checkout.apply(&[]);
    assert_eq!(curl(&[&format!("http://127.0.0.1:{port}/")]).unwrap(), "hello");
    checkout.commit("servers.yaml", &declared("goodbye"));
    checkout.apply(&[]);
    assert_eq!(curl(&[&format!("http://127.0.0.1:{port}/")]).unwrap(), "goodbye");
    let by_hand = format!(r#"["127.0.0.1:{}"]"#, free_port());
    let url = format!("{}/config/apps/http/servers/site/listen", caddy.url);
    curl(&["-X", "PATCH", &url, "-H", "Content-Type: application/json", "-d", &by_hand]).unwrap();
    checkout.run(&["drift"], 3);
    checkout.apply(&[]);
    checkout.sandbox.sh("git rm -q objects/servers.yaml").expect(0);
    checkout.commit("other.yaml", "managed: [server]\n");
    checkout.run(&["apply", "--yes"], 8);
    checkout.run(&["apply", "--yes", "--allow-empty"], 0);
    assert!(curl(&[&format!("http://127.0.0.1:{port}/")]).is_none());
    // What others made is imported, and in sync.
    let other = format!("{}/config/apps/http/servers/other", caddy.url);
    let made = format!(
        r#"{{"listen": ["127.0.0.1:{port}"], "routes": [{{"handle": [{{"handler": "static_response", "body": "other"}}]}}]}}"#
    );
    curl(&["-X", "PUT", &other, "-H", "Content-Type: application/json", "-d", &made]).unwrap();
    checkout.run(&["import", "t", "server"], 0);
    checkout.commit_all();
    let plan = checkout.run(&["plan"], 0);
    assert!(plan.stdout.contains("1 object"), "{}", plan.stdout);
    checkout.apply(&[]);
    assert_eq!(curl(&[&format!("http://127.0.0.1:{port}/")]).unwrap(), "other");
}

#[test]
fn the_page_on_definitions_shows_this_one() {
    assert!(opening::PAGE.contains(include_str!("caddy.yaml")));
}
