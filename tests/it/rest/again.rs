//! What was imported and is lost is made again as it was, on the real servers: an import leaves out nothing that
//! the server would make otherwise.

use serde_json::{Value as Json, json};

use super::opening;
use crate::parts::{Gitea, RabbitMq};

/// The `fields` of every object of a list, without any order.
fn held(answer: Option<String>, fields: &[&str]) -> Vec<Json> {
    let all: Vec<Json> = serde_json::from_str(&answer.unwrap()).unwrap();
    let value = |object: &Json, field: &str| {
        let mut value = object[field].clone();
        value.as_array_mut().into_iter().for_each(|items| items.sort_by_key(Json::to_string));
        value
    };
    let one = |object: &Json| fields.iter().map(|field| value(object, field)).collect::<Json>();
    let mut all: Vec<Json> = all.iter().map(one).collect();
    all.sort_by_key(Json::to_string);
    all
}

/// What people make by hand in a virtual host: paths and bodies.
const BROKER: [(&str, &str, &str); 17] = [
    ("PUT", "/vhosts/again", "{}"),
    ("PUT", "/users/again", r#"{"password": "x", "tags": ""}"#),
    ("PUT", "/permissions/again/again", r#"{"configure": "", "write": ".*", "read": "^q"}"#),
    ("PUT", "/exchanges/again/kept", r#"{"type": "topic", "durable": true}"#),
    ("PUT", "/exchanges/again/passing", r#"{"type": "fanout", "durable": false, "auto_delete": true}"#),
    (
        "PUT",
        "/exchanges/again/inner",
        r#"{"type": "headers", "durable": true, "internal": true, "arguments": {"alternate-exchange": "kept"}}"#,
    ),
    ("PUT", "/queues/again/kept", r#"{"durable": true, "arguments": {"x-max-length": 10}}"#),
    ("PUT", "/queues/again/quorum", r#"{"durable": true, "arguments": {"x-queue-type": "quorum"}}"#),
    ("PUT", "/queues/again/passing%2Fü", r#"{"durable": false, "auto_delete": true}"#),
    ("POST", "/bindings/again/e/kept/q/kept", r#"{"routing_key": "a.#"}"#),
    ("POST", "/bindings/again/e/kept/q/kept", r#"{"routing_key": "a.#", "arguments": {"n": 1}}"#),
    ("POST", "/bindings/again/e/amq.topic/e/inner", r#"{"routing_key": "~%/ "}"#),
    (
        "PUT",
        "/policies/again/p",
        r#"{"pattern": "^q", "definition": {"max-length": 5}, "priority": 3, "apply-to": "queues"}"#,
    ),
    (
        "PUT",
        "/operator-policies/again/o",
        r#"{"pattern": "", "definition": {"max-length": 9}, "priority": 1, "apply-to": "queues"}"#,
    ),
    ("PUT", "/topic-permissions/again/again", r#"{"exchange": "kept", "write": "^a", "read": "^b"}"#),
    ("PUT", "/vhost-limits/again/max-queues", r#"{"value": 100}"#),
    ("PUT", "/vhost-limits/again/max-connections", r#"{"value": 7}"#),
];

#[test]
fn a_virtual_host_that_is_lost_is_made_again_with_all_that_was_in_it() {
    let Some(rabbit) = RabbitMq::get() else { return };
    for (method, path, body) in BROKER {
        rabbit.curl(method, &path.replace('ü', "%C3%BC"), body).unwrap_or_else(|| panic!("{path}"));
    }
    let all = || {
        let list = |path: &str, fields: &[&str]| held(rabbit.curl("GET", path, ""), fields);
        let made = ["name", "type", "durable", "auto_delete", "internal", "arguments"];
        json!([
            list("/exchanges/again", &made),
            list("/queues/again?disable_stats=true", &made),
            list(
                "/bindings/again",
                &["source", "destination", "destination_type", "routing_key", "arguments"]
            ),
            list("/policies/again", &["name", "pattern", "definition", "priority", "apply-to"]),
            list("/operator-policies/again", &["name", "pattern", "definition", "priority", "apply-to"]),
            list("/vhosts/again/topic-permissions", &["user", "exchange", "write", "read"]),
            list("/vhosts/again/permissions", &["user", "configure", "write", "read"]),
            list("/vhost-limits/again", &["value"]),
        ])
    };
    let before = all();
    let checkout = opening::rabbitmq("again", &rabbit.url, "scope: {vhost: again}");
    checkout.commit("vhost.yaml", "vhost: [{name: again}]\n");
    let kinds = "permission topic_permission vhost_limit exchange queue binding exchange_binding policy operator_policy";
    checkout.run(&[&["import", "again"][..], &kinds.split(' ').collect::<Vec<_>>()].concat(), 0);
    checkout.commit_all();
    checkout.apply(&["--adopt", "vhost/again"]);
    rabbit.curl("DELETE", "/vhosts/again", "").unwrap();
    checkout.apply(&[]);
    assert_eq!(all(), before);
    // What is not said to be durable is durable: nobody wants to learn of it when the broker starts again.
    checkout.commit("more.yaml", "exchange: [{name: plain, type: direct}]\nqueue: [{name: plain}]\n");
    checkout.apply(&[]);
    for kind in ["exchanges", "queues"] {
        let plain = rabbit.curl("GET", &format!("/{kind}/again/plain"), "").unwrap();
        assert!(plain.contains("\"durable\":true"), "{plain}");
    }
}

#[test]
fn limits_and_shovels_are_changed_and_pruned_and_their_passwords_not_shown() {
    let Some(rabbit) = RabbitMq::get() else { return };
    rabbit.curl("PUT", "/users/limited", r#"{"password": "x", "tags": ""}"#).unwrap();
    let checkout = opening::rabbitmq("limits", &rabbit.url, "scope: {vhost: limits, user: limited}");
    checkout.sandbox.write("home/uri", "amqp://al:uri-canary@127.0.0.1:1");
    let declared = |most: u8, queue: &str, more: &str| {
        format!(
            "vhost: [{{name: limits}}]
user_limit: [{{name: max-connections, value: {most}}}]
vhost_limit: [{{name: max-queues, value: {most}}}]
operator_policy: [{{name: o, pattern: '', definition: {{max-length: {most}}}, apply-to: queues}}]
{more}shovel:
  - name: s
    value: {{src-uri: {{$file: ../home/uri}}, src-queue: {queue}, dest-uri: {{$file: ../home/uri}}, dest-queue: b}}
"
        )
    };
    let upstream = "federation_upstream: [{name: u, value: {uri: {$file: ../home/uri}, expires: 1000}}]\n";
    checkout.commit("all.yaml", &declared(1, "a", upstream));
    checkout.apply(&[]);
    checkout.commit("all.yaml", &declared(2, "c", upstream));
    let plan = checkout.run(&["plan"], 2).stdout;
    assert!(plan.contains("4 update") && !plan.contains("canary"), "{plan}");
    checkout.apply(&[]);
    let get = |path: &str| rabbit.curl("GET", path, "").unwrap();
    assert!(get("/user-limits/limited").contains("\"max-connections\":2"));
    assert!(get("/vhost-limits/limits").contains("\"max-queues\":2"));
    let shovel = get("/parameters/shovel/limits");
    assert!(shovel.contains("\"src-queue\":\"c\"") && shovel.contains("uri-canary"), "{shovel}");
    checkout.commit("all.yaml", &declared(2, "c", ""));
    checkout.apply(&[]);
    assert_eq!(get("/parameters/federation-upstream/limits"), "[]");
    let printed = checkout.run(&["import", "limits", "shovel", "user_limit", "--print"], 0).stdout;
    assert!(!printed.contains("canary"), "{printed}");
}

/// The same key on two repositories: the server keeps it once, with the comment that came first.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlz/plvs2UfZF9vOvz0ra/TD+6B5BSN304cI/MH4FvQ";

#[test]
fn what_an_organisation_of_gitea_loses_is_made_again_as_it_was() {
    let Some(gitea) = Gitea::get() else { return };
    let key = |comment: &str| format!(r#"{{"title": "k", "key": "{KEY} {comment}", "read_only": true}}"#);
    let (first, second) = (key("first"), key(""));
    let repo = "/repos/regained/web";
    let made: [(&str, &str, &str); 15] = [
        ("/orgs", "", r#"{"username": "regained"}"#),
        ("/orgs/regained/repos", "", r#"{"name": "other"}"#),
        ("/orgs/regained/repos", "", r#"{"name": "web", "auto_init": true, "private": true}"#),
        ("/repos/regained/other/keys", "", &first),
        (repo, "/keys", &second),
        (repo, "/labels", r##"{"name": "sc/ope: ü%?", "color": "#ABC", "exclusive": true}"##),
        (
            repo,
            "/branch_protections",
            r#"{"rule_name": "release/**", "enable_push": true, "enable_push_whitelist": true, "push_whitelist_usernames": ["admin1"], "required_approvals": 2}"#,
        ),
        (
            repo,
            "/branch_protections",
            r#"{"rule_name": "*", "enable_status_check": true, "status_check_contexts": ["ci/*"]}"#,
        ),
        (repo, "/tag_protections", r#"{"name_pattern": "v*", "whitelist_usernames": ["admin1"]}"#),
        (
            repo,
            "/hooks",
            r#"{"type": "slack", "config": {"url": "http://127.0.0.1:9/s", "content_type": "json", "channel": "x", "username": "u"}, "events": ["pull_request"], "active": false}"#,
        ),
        (repo, "/actions/variables/one", r#"{"value": "1\n2"}"#),
        ("/orgs/regained/teams", "", r#"{"name": "Adm", "permission": "admin"}"#),
        ("/orgs/regained/labels", "", r##"{"name": "all", "color": "#123456"}"##),
        (
            "/orgs/regained/hooks",
            "",
            r#"{"type": "gitea", "config": {"url": "http://127.0.0.1:9/o", "content_type": "form"}, "events": ["push"], "active": true}"#,
        ),
        ("/orgs/regained/actions/variables/two", "", r#"{"value": "x: y"}"#),
    ];
    for (path, more, body) in &made {
        gitea.curl("POST", &format!("{path}{more}"), body).unwrap_or_else(|| panic!("{path}{more}"));
    }
    let all = || {
        let list = |path: &str, fields: &[&str]| held(gitea.curl("GET", path, ""), fields);
        let hook = ["type", "config", "events", "active", "branch_filter"];
        json!([
            list("/repos/regained/web/keys", &["title", "key", "read_only"]),
            list("/repos/regained/web/labels", &["name", "color", "exclusive", "description"]),
            list(
                "/repos/regained/web/branch_protections",
                &[
                    "rule_name",
                    "priority",
                    "enable_push",
                    "push_whitelist_usernames",
                    "required_approvals",
                    "status_check_contexts"
                ]
            ),
            list("/repos/regained/web/tag_protections", &["name_pattern", "whitelist_usernames"]),
            list("/repos/regained/web/hooks", &hook),
            list("/repos/regained/web/actions/variables", &["name", "data"]),
            list("/orgs/regained/teams", &["name", "permission", "units_map", "includes_all_repositories"]),
            list("/orgs/regained/labels", &["name", "color"]),
            list("/orgs/regained/hooks", &hook),
            list("/orgs/regained/actions/variables", &["name", "data"]),
            list("/orgs/regained/repos", &["name", "private", "default_branch", "has_wiki", "allow_rebase"]),
        ])
    };
    let before = all();
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: regained, repo: web}");
    checkout.commit_all();
    let kinds = "repository label branch_protection tag_protection webhook deploy_key actions_variable team \
                 organisation_label organisation_webhook organisation_variable";
    checkout.run(&[&["import", "t"][..], &kinds.split_whitespace().collect::<Vec<_>>()].concat(), 0);
    checkout.commit_all();
    checkout.run(&["plan"], 0);
    checkout.apply(&[]);
    // Whoever changes what was imported changes that and nothing else.
    let teams = checkout.sandbox.read("checkout/objects/team.yaml");
    assert!(!teams.contains("units_map"), "{teams}");
    checkout.commit("team.yaml", &teams.replace("- name: Adm\n", "- name: Adm\n    description: ''\n"));
    gitea.curl("DELETE", repo, "").unwrap();
    for kind in ["labels", "hooks", "teams"] {
        let list: Vec<Json> =
            serde_json::from_str(&gitea.curl("GET", &format!("/orgs/regained/{kind}"), "").unwrap()).unwrap();
        let place = if kind == "teams" { "" } else { "/orgs/regained" };
        for one in list.iter().filter(|one| one["name"] != "Owners") {
            gitea.curl("DELETE", &format!("{place}/{kind}/{}", one["id"]), "").unwrap();
        }
    }
    gitea.curl("DELETE", "/orgs/regained/actions/variables/TWO", "").unwrap();
    checkout.apply(&["--overwrite", "team/regained/Adm"]);
    assert_eq!(all(), before);
    // Another comment is no other key.
    let declared = format!("deploy_key: [{{title: k, read_only: true, key: '{KEY} third@place'}}]\n");
    checkout.commit("deploy_key.yaml", &declared);
    checkout.run(&["plan"], 0);
}

#[test]
fn a_field_that_means_nothing_is_refused_in_its_line() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: nobody}");
    checkout
        .commit("t.yaml", "team:\n  - name: a\n    permission: admin\n    units_map: {repo.code: write}\n");
    let ran = checkout.run(&["plan"], 65);
    assert!(ran.stderr.contains("`objects/t.yaml:4:5`: `units_map` means something only"), "{}", ran.stderr);
}
