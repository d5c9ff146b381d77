//! What is there of every kind of a definition, made by hand, becomes declarations that leave nothing to do.

use std::collections::BTreeSet;

use super::{Checkout, opening, powerdns};
use crate::parts::{Gitea, Kinto, PowerDns, RabbitMq};

/// Imports every kind that the definition has and plans. `made` says what was made of each, in words that its
/// file has to hold.
fn import_all(checkout: &Checkout, provider: &str, made: &[(&str, &[&str])]) {
    let shown = checkout.sandbox.trueup(&["providers", "show", provider, "--definition"]).expect(0).stdout;
    let definition: serde_yaml::Value = serde_yaml::from_str(&shown).unwrap();
    let all = definition["kinds"].as_mapping().unwrap().keys().map(|kind| kind.as_str().unwrap());
    let known: BTreeSet<&str> = made.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(all.collect::<BTreeSet<&str>>(), known, "every kind of {provider}");
    checkout.commit_all();
    let kinds: Vec<&str> = made.iter().map(|(kind, _)| *kind).collect();
    checkout.run(&[&["import", &checkout.target][..], &kinds].concat(), 0);
    for (kind, words) in made {
        let file = format!("checkout/objects/{kind}.yaml");
        let text = checkout.sandbox.read(&file);
        for word in *words {
            assert!(text.replace('"', "").contains(word), "no `{word}` in {kind}.yaml:\n{text}");
        }
        if definition["kinds"][*kind].get("scope").is_none() {
            checkout.sandbox.write(&file, ours(&text, words));
        }
    }
    checkout.commit_all();
    let plan = checkout.run(&["plan"], 0);
    let objects: usize = made.iter().map(|(_, words)| words.len()).sum();
    assert!(!plan.stdout.contains("could not") && objects >= made.len(), "{}", plan.stdout);
    checkout.apply(&[]);
}

/// The objects that a word of `words` tells to be ours: other tests have theirs on the same server.
fn ours(text: &str, words: &[&str]) -> String {
    let mut file: serde_yaml::Mapping = serde_yaml::from_str(text).unwrap();
    for objects in file.values_mut() {
        let objects = objects.as_sequence_mut().unwrap();
        objects.retain(|object| {
            let shown = serde_yaml::to_string(object).unwrap();
            words.iter().any(|word| shown.replace('"', "").contains(word))
        });
    }
    serde_yaml::to_string(&file).unwrap()
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBn0hmWrZdDlzHVO2Gs1Swxy1Wd8F1aHKDHqY4bZ7JdX";

#[test]
fn every_kind_of_gitea() {
    let Some(gitea) = Gitea::get() else { return };
    let send = |method: &str, path: &str, body: &str| {
        gitea.curl(method, path, body).unwrap_or_else(|| panic!("{method} {path} {body}"))
    };
    let person = r#"{"username": "imported", "email": "i@example.org", "password": "Passw0rd3", "must_change_password": false}"#;
    send("POST", "/admin/users", person);
    send("POST", "/orgs", r#"{"username": "imports", "description": "an organisation"}"#);
    let team = r#"{"name": "readers", "permission": "read", "units": ["repo.code", "repo.issues"], "units_map": {"repo.code": "read", "repo.issues": "write"}}"#;
    let team: serde_json::Value = serde_json::from_str(&send("POST", "/orgs/imports/teams", team)).unwrap();
    let (team, repo) = (format!("/teams/{}", team["id"]), "/repos/imports/web");
    send(
        "POST",
        "/orgs/imports/repos",
        r#"{"name": "web", "auto_init": true, "description": "the site", "private": true}"#,
    );
    send("PUT", &format!("{repo}/topics"), r#"{"topics": ["b", "a"]}"#);
    send("PUT", &format!("{team}/members/imported"), "");
    send("PUT", &format!("{team}/repos/imports/web"), "");
    send("POST", &format!("{repo}/labels"), r##"{"name": "bug", "color": "#AABBCC", "exclusive": false}"##);
    send(
        "POST",
        &format!("{repo}/branch_protections"),
        r#"{"rule_name": "release/*", "enable_push": true, "enable_push_whitelist": true, "push_whitelist_usernames": ["admin1"], "required_approvals": 2}"#,
    );
    let hook = r#"{"type": "gitea", "active": true, "events": ["push", "issues"], "config": {"url": "http://127.0.0.1:1/hook", "content_type": "json", "secret": "x"}}"#;
    send("POST", &format!("{repo}/hooks"), hook);
    send(
        "POST",
        &format!("{repo}/keys"),
        &format!(r#"{{"title": "robot", "read_only": true, "key": "{KEY} robot@example"}}"#),
    );
    send("PUT", &format!("{repo}/collaborators/imported"), r#"{"permission": "read"}"#);
    send("PUT", &format!("{repo}/actions/secrets/TOKEN"), r#"{"data": "x", "description": "told"}"#);
    send("POST", &format!("{repo}/actions/variables/COLOUR"), r#"{"value": "blue"}"#);
    let tags = r#"{"name_pattern": "v*", "whitelist_usernames": ["admin1"]}"#;
    send("POST", &format!("{repo}/tag_protections"), tags);
    send("POST", "/orgs/imports/labels", r##"{"name": "all", "color": "#112233"}"##);
    send("POST", "/orgs/imports/hooks", &hook.replace("/hook", "/all"));
    send("PUT", "/orgs/imports/actions/secrets/ALL", r#"{"data": "x", "description": "told to all"}"#);
    send("POST", "/orgs/imports/actions/variables/SHAPE", r#"{"value": "round"}"#);
    import_all(
        &opening::gitea(gitea, &gitea.url, "scope: {owner: imports, repo: web, team: readers}"),
        "gitea",
        &[
            ("organisation", &["username: imports", "description: an organisation"]),
            ("team", &["name: readers", "name: Owners", "repo.issues: write"]),
            ("team_member", &["login: imported"]),
            ("team_repository", &["name: web"]),
            ("repository", &["name: web", "description: the site", "private: true"]),
            ("label", &["name: bug", "color: aabbcc"]),
            ("branch_protection", &["rule_name: release/*", "required_approvals: 2", "admin1"]),
            ("webhook", &["url: http://127.0.0.1:1/hook", "issues"]),
            ("deploy_key", &["title: robot", "read_only: true"]),
            ("collaborator", &["login: imported", "permission: read"]),
            ("actions_secret", &["name: TOKEN", "description: told"]),
            ("actions_variable", &["name: COLOUR", "value: blue"]),
            ("tag_protection", &["name_pattern: v*", "admin1"]),
            ("organisation_label", &["name: all", "color: 112233"]),
            ("organisation_webhook", &["url: http://127.0.0.1:1/all", "issues"]),
            ("organisation_secret", &["name: ALL", "description: told to all"]),
            ("organisation_variable", &["name: SHAPE", "value: round"]),
        ],
    );
}

#[test]
fn every_kind_of_powerdns() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    let zone = r#"{"name": "imports.example.", "kind": "Master", "nameservers": ["ns.example.net."], "soa_edit_api": "EPOCH", "rrsets": [
        {"name": "www.imports.example.", "type": "AAAA", "ttl": 60, "records": [{"content": "2001:db8::1", "disabled": false}]},
        {"name": "imports.example.", "type": "TXT", "ttl": 60, "records": [{"content": "\"say \\\"hi\\\"\"", "disabled": false}]},
        {"name": "imports.example.", "type": "MX", "ttl": 60, "records": [{"content": "10 mx.imports.example.", "disabled": false}]},
        {"name": "*.imports.example.", "type": "CNAME", "ttl": 60, "records": [{"content": "www.imports.example.", "disabled": false}]}]}"#;
    server.curl("POST", "/zones", zone).unwrap();
    server.curl("POST", "/tsigkeys", r#"{"name": "imported", "algorithm": "hmac-sha256"}"#).unwrap();
    server
        .curl("PUT", "/zones/imports.example./metadata/ALSO-NOTIFY", r#"{"metadata": ["192.0.2.1"]}"#)
        .unwrap();
    import_all(
        &opening::powerdns(&server.url, "scope: {zone: imports.example.}"),
        "powerdns",
        &[
            ("tsigkey", &["name: imported.", "hmac-sha256"]),
            ("zone", &["name: imports.example.", "kind: Master", "soa_edit_api: EPOCH"]),
            ("metadata", &["kind: ALSO-NOTIFY", "192.0.2.1"]),
            (
                "rrset",
                &["2001:db8::1", "say", "10 mx.imports.example.", "*.imports.example.", "ns.example.net."],
            ),
        ],
    );
}

#[test]
fn every_kind_of_rabbitmq() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let put = |path: &str, body: &str| {
        rabbit.curl("PUT", path, body).unwrap_or_else(|| panic!("{path} {body}"));
    };
    put("/vhosts/imports", r#"{"description": "a host", "tags": "one,two"}"#);
    put("/users/imported", r#"{"password": "x", "tags": "monitoring"}"#);
    put("/permissions/imports/imported", r#"{"configure": "", "write": "^a", "read": ".*"}"#);
    put(
        "/policies/imports/ttl",
        r#"{"pattern": "^tmp", "definition": {"message-ttl": 1000}, "priority": 3, "apply-to": "queues"}"#,
    );
    put(
        "/exchanges/imports/jobs",
        r#"{"type": "topic", "durable": false, "arguments": {"alternate-exchange": "amq.fanout"}}"#,
    );
    put("/topic-permissions/imports/imported", r#"{"exchange": "jobs", "write": "^w", "read": "^r"}"#);
    put("/vhost-limits/imports/max-queues", r#"{"value": 50}"#);
    put("/user-limits/imported/max-channels", r#"{"value": 7}"#);
    put(
        "/operator-policies/imports/most",
        r#"{"pattern": "", "definition": {"max-length": 9}, "apply-to": "queues"}"#,
    );
    put(
        "/parameters/shovel/imports/move",
        r#"{"value": {"src-uri": "amqp://", "src-queue": "tmp", "dest-uri": "amqp://", "dest-queue": "q"}}"#,
    );
    put("/parameters/federation-upstream/imports/up", r#"{"value": {"uri": "amqp://", "expires": 1000}}"#);
    put("/queues/imports/tmp", r#"{"durable": true, "arguments": {"x-max-length": 10}}"#);
    put("/queues/imports/q", r#"{"durable": true, "arguments": {"x-queue-type": "quorum"}}"#);
    // An exchange looks at arguments, and has ways that differ in nothing else; a queue has its name.
    put("/exchanges/imports/tmp", r#"{"type": "headers"}"#);
    for (way, body) in [
        ("jobs/q/tmp", r#"{"routing_key": "a.b"}"#),
        ("jobs/q/tmp", r##"{"routing_key": "#", "arguments": {"x": 1}}"##),
        ("tmp/q/q", r#"{"routing_key": "", "arguments": {"x-match": "all", "format": "pdf"}}"#),
        ("tmp/q/q", r#"{"routing_key": "", "arguments": {"format": "doc", "x-match": "any"}}"#),
        ("jobs/e/tmp", r#"{"routing_key": "a.b"}"#),
        ("amq.topic/e/jobs", r##"{"routing_key": "deep/#", "arguments": {"y": "z"}}"##),
    ] {
        rabbit.curl("POST", &format!("/bindings/imports/e/{way}"), body).unwrap();
    }
    import_all(
        &opening::rabbitmq("imports", &rabbit.url, "scope: {vhost: imports, user: imported}"),
        "rabbitmq",
        &[
            ("vhost", &["name: imports", "description: a host", "one"]),
            ("user", &["name: imported", "monitoring", "name: guest"]),
            ("permission", &["user: imported", "write: ^a"]),
            ("policy", &["name: ttl", "message-ttl: 1000", "priority: 3"]),
            ("exchange", &["name: jobs", "type: topic", "alternate-exchange"]),
            ("queue", &["name: tmp", "x-max-length: 10", "quorum"]),
            ("binding", &["routing_key: a.b", "x: 1", "format: pdf", "format: doc"]),
            ("exchange_binding", &["destination: tmp", "deep/#"]),
            ("topic_permission", &["exchange: jobs", "write: ^w"]),
            ("vhost_limit", &["name: max-queues", "value: 50"]),
            ("user_limit", &["name: max-channels", "value: 7"]),
            ("operator_policy", &["name: most", "max-length: 9"]),
            ("shovel", &["name: move", "src-queue: tmp"]),
            ("federation_upstream", &["name: up", "expires: 1000"]),
        ],
    );
}

#[test]
fn every_kind_of_kinto() {
    let Some(kinto) = Kinto::get() else { return };
    let put =
        |path: &str, body: &str| kinto.curl("PUT", path, body).unwrap_or_else(|| panic!("{path} {body}"));
    put("/buckets/imports", r#"{"data": {"owner": "us"}, "permissions": {"read": ["system.Everyone"]}}"#);
    put(
        "/buckets/imports/collections/c",
        r#"{"data": {"schema": {"type": "object"}, "sort": "-last_modified"}}"#,
    );
    put("/buckets/imports/groups/g", r#"{"data": {"members": ["account:b", "account:a"]}}"#);
    put("/buckets/imports/collections/c/records/r", r#"{"data": {"n": 1, "deep": {"l": [1, {"x": null}]}}}"#);
    import_all(
        &opening::kinto(
            &kinto.url,
            "scope: {bucket: imports, collection: c}, with: {memory_bucket: memory-imports}",
        ),
        "kinto",
        &[
            ("bucket", &["id: imports", "owner: us", "read: [system.Everyone]"]),
            ("collection", &["id: c", "sort: -last_modified"]),
            ("group", &["id: g", "account:a", "write: [account:admin]"]),
            ("record", &["id: r", "n: 1"]),
        ],
    );
}
