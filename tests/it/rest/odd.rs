//! What people made by hand, with names and values that no program would choose: it is imported, and nothing is
//! left to do.

use serde_json::{Value as Json, json};

use super::{Checkout, opening, powerdns};
use crate::parts::{Gitea, Kinto, PowerDns, RabbitMq};

/// Names that an address, a path, a query, YAML or a terminal could take for something else.
const NAMES: [&str; 14] = [
    "plain",
    "with space",
    "Ünïcödé 💡",
    "a/b/c",
    "50%25",
    "q?x=1&y",
    "#hash",
    "yes",
    "007",
    "- dash",
    "a: b",
    "'quote' \"double\"",
    "back\\slash",
    "{brace}",
];

/// Imports kinds, and finds that a plan is empty and an apply writes nothing but the record.
fn import(checkout: &Checkout, kinds: &[&str], objects: usize, state: &dyn Fn() -> String) {
    checkout.commit_all();
    checkout.run(&[&["import", &checkout.target][..], kinds].concat(), 0);
    checkout.commit_all();
    let before = state();
    let plan = checkout.run(&["plan"], 0).stdout;
    let shown: usize =
        plan.lines().next().unwrap().rsplit(", ").next().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(shown >= objects, "{shown} of {objects}: {plan}");
    checkout.apply(&[]);
    checkout.run(&["drift"], 0);
    assert_eq!(state(), before, "nothing was written");
}

#[test]
fn odd_things_of_gitea() {
    let Some(gitea) = Gitea::get() else { return };
    let send = |method: &str, path: &str, body: Json| {
        gitea.curl(method, path, &body.to_string()).unwrap_or_else(|| panic!("{method} {path} {body}"))
    };
    send("POST", "/orgs", json!({"username": "odd"}));
    send(
        "POST",
        "/orgs/odd/repos",
        json!({"name": "web.site_1", "auto_init": true, "description": "50% \"é\" # x"}),
    );
    let repo = "/repos/odd/web.site_1";
    for name in NAMES {
        send("POST", &format!("{repo}/labels"), json!({"name": name, "color": "#0A0", "description": name}));
    }
    for number in 0..150 {
        send("POST", &format!("{repo}/labels"), json!({"name": format!("l/{number}"), "color": "ffffff"}));
    }
    for rule in ["release/**", "feature/ü%20*", "**"] {
        send(
            "POST",
            &format!("{repo}/branch_protections"),
            json!({"rule_name": rule, "enable_push": true,
            "status_check_contexts": ["ci/a b", "ci: 50%"], "protected_file_patterns": "*.lock;a b/**"}),
        );
    }
    for (number, path) in ["?a=1&b=%20", "#x", "/a%2Fb"].iter().enumerate() {
        send(
            "POST",
            &format!("{repo}/hooks"),
            json!({"type": "gitea", "events": ["wiki"],
            "active": number == 0, "branch_filter": "{main,release/**}",
            "config": {"url": format!("http://127.0.0.1:1/{path}"), "content_type": "form", "secret": "x"}}),
        );
    }
    send(
        "POST",
        &format!("{repo}/hooks"),
        json!({"type": "slack", "events": ["issues_only"], "config":
        {"url": "http://127.0.0.1:1/slack", "content_type": "json", "channel": "#dev", "username": "bot", "color": "good"}}),
    );
    send("POST", &format!("{repo}/actions/variables/EMPTY"), json!({"value": " \n two\n lines \n"}));
    send(
        "PATCH",
        repo,
        json!({"has_wiki": true, "external_wiki": {"external_wiki_url": "https://w.example.org/"},
        "has_issues": true, "external_tracker": {"external_tracker_url": "https://t.example.org",
        "external_tracker_format": "https://t.example.org/{index}", "external_tracker_style": "alphanumeric"}}),
    );
    let state =
        || gitea.curl("GET", &format!("{repo}/hooks"), "").unwrap() + &gitea.curl("GET", repo, "").unwrap();
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: odd, repo: web.site_1}");
    let kinds = ["team", "repository", "label", "branch_protection", "webhook", "actions_variable"];
    import(&checkout, &kinds, 164 + 3 + 4 + 1 + 1 + 1, &state);
}

#[test]
fn odd_things_of_kinto() {
    let Some(kinto) = Kinto::get() else { return };
    let put = |path: &str, body: Json| {
        kinto.curl("PUT", path, &body.to_string()).unwrap_or_else(|| panic!("{path} {body}"))
    };
    put("/buckets/odd", json!({"permissions": {"read": ["system.Everyone"]}, "data": {"ü": null}}));
    put("/buckets/odd/collections/c", json!({"data": {"displayFields": ["a/b"], "cache_expires": 0}}));
    put(
        "/buckets/odd/groups/empty",
        json!({"data": {"members": []}, "permissions": {"read": ["system.Authenticated"]}}),
    );
    for (number, name) in NAMES.iter().enumerate() {
        put(
            &format!("/buckets/odd/collections/c/records/r{number}"),
            json!({"data": {"name": name, (*name): [name, null, "", 1.5, -0.0, 1e300,
            12345678901234567890u64, {"": {}}, []], "empty": "", "nothing": null, "lines": "a\n b\n\n", "tab": "\t", "sign": "\u{1}\u{85}\u{2028}"}}),
        );
    }
    for number in 0..300 {
        put(&format!("/buckets/odd/collections/c/records/n{number}"), json!({"data": {"n": number}}));
    }
    let records = || kinto.curl("GET", "/buckets/odd/collections/c/records?_sort=id", "").unwrap();
    let checkout =
        opening::kinto(&kinto.url, "scope: {bucket: odd, collection: c}, with: {memory_bucket: memory-odd}");
    import(&checkout, &["collection", "group", "record"], 2 + NAMES.len() + 300, &records);
}

#[test]
fn odd_things_of_rabbitmq() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let host = encode("odd/host 50%");
    let send = |method: &str, path: &str, body: Json| {
        rabbit.curl(method, path, &body.to_string()).unwrap_or_else(|| panic!("{method} {path} {body}"))
    };
    send("PUT", &format!("/vhosts/{host}"), json!({"description": "ü \"x\"", "tags": ""}));
    for name in NAMES {
        let name = encode(name);
        send(
            "PUT",
            &format!("/exchanges/{host}/{name}"),
            json!({"type": "headers", "arguments": {"alternate-exchange": ""}}),
        );
        send(
            "PUT",
            &format!("/queues/{host}/{name}"),
            json!({"durable": true, "arguments": {
            "x-dead-letter-exchange": "", "x-message-ttl": 60000, "x-max-priority": 3, "ü/x": {"a": [1, true, "z"]}}}),
        );
        send(
            "POST",
            &format!("/bindings/{host}/e/{name}/q/{name}"),
            json!({"routing_key": "a/b %", "arguments": {"x-match": "any", "k": 1}}),
        );
        send("POST", &format!("/bindings/{host}/e/{name}/e/plain"), json!({"routing_key": ""}));
        send(
            "PUT",
            &format!("/policies/{host}/{name}"),
            json!({"pattern": "^a\\.(b|c)$", "priority": -1, "apply-to": "queues",
            "definition": {"dead-letter-routing-key": "", "max-length": 10, "overflow": "reject-publish"}}),
        );
    }
    let definitions = || {
        let all = rabbit.curl("GET", &format!("/definitions/{host}"), "").unwrap();
        serde_json::from_str::<Json>(&all).unwrap()["queues"].to_string()
    };
    let checkout = opening::rabbitmq("odd", &rabbit.url, "scope: {vhost: odd/host 50%}");
    let kinds = ["permission", "policy", "exchange", "queue", "binding", "exchange_binding"];
    import(&checkout, &kinds, NAMES.len() * 5, &definitions);
}

#[test]
fn odd_things_of_powerdns() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    powerdns::zone(server, "odd.example.");
    let set = |name: &str, kind: &str, records: &[&str]| {
        let records: Vec<Json> =
            records.iter().map(|content| json!({"content": content, "disabled": false})).collect();
        json!({"name": format!("{name}odd.example."), "type": kind, "ttl": 0, "changetype": "REPLACE", "records": records,
            "comments": [{"content": "by hand; \"50%\"", "account": "", "modified_at": 1}]})
    };
    let mut sets = vec![
        set("", "MX", &["10 mx1.odd.example.", "10 mx2.odd.example."]),
        set(
            "",
            "TXT",
            &[
                "\"v=spf1 -all\"",
                "\"a \\\"b\\\" \\\\ c\"",
                "\"one\" \"two; three\"",
                "\"\"",
                "\"\\195\\188\"",
            ],
        ),
        set("_sip._tcp.", "SRV", &["10 60 5060 sip.odd.example.", "0 0 0 ."]),
        set("*.", "A", &["192.0.2.1"]),
        set("\\052.", "A", &["192.0.2.2"]),
        set("v6.", "AAAA", &["2001:db8::1", "2001:db8:0:1::"]),
        set("xn--bcher-kva.", "CNAME", &["odd.example."]),
        set("alias.", "ALIAS", &["elsewhere.example."]),
        set("lua.", "LUA", &["A \"ifportup(443, {'192.0.2.1', '192.0.2.2'})\""]),
        set("", "CAA", &["0 issue \"ca.example.net; account=1\""]),
        set("sub.", "NS", &["ns1.sub.odd.example."]),
        set("sub.", "DS", &["1 13 2 aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"]),
        set("UPPER.", "TXT", &["\"UPPER\""]),
        set("www.", "HTTPS", &["1 . alpn=h2,h3 ipv4hint=192.0.2.1"]),
        set("loc.", "LOC", &["51 30 12.748 N 0 7 39.612 W 0.00m 0.00m 0.00m 0.00m"]),
        set("_25._tcp.", "TLSA", &["3 1 1 aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"]),
        set("ptr.", "PTR", &["Host.Example.NET."]),
    ];
    sets.extend((0..400).map(|number| set(&format!("h{number}."), "A", &["192.0.2.1"])));
    let count = sets.len();
    server.curl("PATCH", "/zones/odd.example.", &json!({"rrsets": sets}).to_string()).unwrap();
    server.curl("PUT", "/zones/odd.example.", r#"{"dnssec": true, "nsec3param": "1 0 0 -"}"#).unwrap();
    let zone = || {
        let zone = server.curl("GET", "/zones/odd.example.", "").unwrap();
        serde_json::from_str::<Json>(&zone).unwrap()["rrsets"].to_string()
    };
    let checkout = opening::powerdns(&server.url, "scope: {zone: odd.example.}");
    import(&checkout, &["rrset"], count, &zone);
}
