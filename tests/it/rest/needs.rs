//! What definitions can say and the built-in ones do not need, on real servers: a selector in the query, a mask in
//! the place of a secret, and values that are no JSON.

use super::Checkout;
use crate::parts::{Gitea, Kinto, PowerDns};

/// A checkout with a definition of its own.
fn checkout(url: &str, definition: &str, more: &str, secret: &str) -> Checkout {
    let options = format!(
        "provider: rest, definition: mine.yaml, url: '{url}', {more}, credentials: {{USER file: ../home/secret}}, state: ../target/state.json"
    );
    let user = if definition.contains("scheme: basic") { "user: admin," } else { "" };
    let checkout = Checkout::new(&options.replace("USER", user), secret);
    checkout.sandbox.write("checkout/mine.yaml", format!("apiVersion: rest.trueup/v1\n{definition}"));
    checkout.run(&["providers", "check", "mine.yaml"], 0);
    checkout
}

const NAMES: &str = r#"provider: names
summary: single answers of a PowerDNS
base_url: "{url}/api/v1/servers/localhost"
auth: [{scheme: header, name: X-API-Key}]
scopes: {zone: {params: [zone], exists: "/zones/{zone}"}}
kinds:
  answer:
    scope: zone
    identity: {keys: [/name, /type]}
    read: {path: "/zones/{zone}", query: {rrset_name: "{name}", rrset_type: "{type}"}, body: /rrsets/0, absent_when: "!/rrsets/0"}
    create: &put
      method: PATCH
      path: "/zones/{zone}"
      template: {rrsets: [{name: {$: /name}, type: {$: /type}, ttl: {$: /ttl}, changetype: REPLACE, records: {$: /records}}]}
    update: *put
    delete: {method: PATCH, path: "/zones/{zone}", template: {rrsets: [{name: {$: /name}, type: {$: /type}, changetype: DELETE}]}}
    fields:
      "/{name,type,ttl}": {required: true}
      /records: {required: true, list: keyed, key: content}
      /comments: {access: read_only}
"#;

#[test]
fn one_of_two_objects_of_a_path_is_chosen_by_the_query() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = super::powerdns::alone();
    super::powerdns::zone(server, "chosen.example.");
    let checkout = checkout(&server.url, NAMES, "scope: {zone: chosen.example.}", PowerDns::KEY);
    let declared = |ttl: u32, other: &str| {
        format!(
            "answer:
  - {{name: a.chosen.example., type: A, ttl: {ttl}, records: [{{content: 192.0.2.1, disabled: false}}]}}
{other}"
        )
    };
    let other =
        "  - {name: a.chosen.example., type: TXT, ttl: 5, records: [{content: '\"x\"', disabled: false}]}\n";
    checkout.commit("a.yaml", &declared(5, other));
    checkout.apply(&[]);
    checkout.commit("a.yaml", &declared(6, other));
    let plan = checkout.run(&["plan"], 2).stdout;
    assert!(
        plan.contains("answer/chosen.example./a.chosen.example./A") && plan.contains("1 update"),
        "{plan}"
    );
    checkout.apply(&[]);
    assert_eq!(server.dig("a.chosen.example", "TXT"), "\"x\"");
    checkout.commit("a.yaml", &declared(6, ""));
    checkout.apply(&["--max-delete-percent", "50"]);
    assert_eq!(server.dig("a.chosen.example", "TXT"), "");
    assert_eq!(server.dig("a.chosen.example", "A"), "192.0.2.1");
}

const ACCOUNTS: &str = r#"provider: accounts
summary: the accounts of a Kinto, which answers a mask of each password
base_url: "{url}/v1"
auth: [{scheme: basic}]
kinds:
  account:
    risk: access
    identity: {keys: [/id]}
    list: {path: /accounts, items: /data, filter: '/id != "admin"'}
    read: {path: "/accounts/{id}", body: /data}
    create: {method: PUT, path: "/accounts/{id}", body_pointer: /data, body: declared, returns: /data}
    update: {method: PUT, path: "/accounts/{id}", body_pointer: /data, body: declared, returns: /data}
    delete: {path: "/accounts/{id}"}
    fields:
      /id: {required: true}
      /password: {required: true, access: write_only, sensitive: true, presence: /password}
      /last_modified: {access: read_only}
"#;

#[test]
fn a_mask_in_the_place_of_a_password_is_no_password() {
    let Some(kinto) = Kinto::get() else { return };
    let checkout = checkout(&kinto.url, ACCOUNTS, "concurrent_reads: 2", "p4ssw0rd-canary");
    let knows = |password: &str| {
        let login = format!("masked:{password}");
        let said = crate::parts::curl(&["-u", &login, &format!("{}/v1/", kinto.url)]).unwrap();
        said.contains("account:masked")
    };
    checkout.sandbox.write("home/field", "first-canary");
    checkout.commit("a.yaml", "account: [{id: masked, password: {$file: ../home/field}}]\n");
    checkout.apply(&[]);
    assert!(knows("first-canary"));
    checkout.sandbox.write("home/field", "second-canary");
    let plan = checkout.run(&["plan"], 2).stdout;
    assert!(
        plan.contains("/password (sensitive)") && !plan.contains("canary") && !plan.contains("$2"),
        "{plan}"
    );
    checkout.apply(&[]);
    assert!(knows("second-canary") && !knows("first-canary"));
    checkout.run(&["import", "t", "account"], 0);
    checkout.run(&["drift"], 0);
}

const PATCHED: &str = r#"provider: patched
summary: records of a Kinto, by merge patches
base_url: "{url}/v1/buckets/patched/collections/c"
auth: [{scheme: basic}]
kinds:
  record:
    identity: {keys: [/id]}
    list: {path: /records, items: /data}
    create: {method: PUT, path: "/records/{id}", body_pointer: /data, body: declared, returns: /data}
    update: {method: PATCH, path: "/records/{id}", body_pointer: /data, body: merge_patch, content_type: application/merge-patch+json, returns: /data}
    delete: {path: "/records/{id}"}
    version: {from: /last_modified, header: If-Match, format: '"{version}"'}
    fields:
      /id: {required: true}
      "/{labels,size}": {}
      /last_modified: {access: read_only}
"#;

#[test]
fn a_patch_takes_away_what_a_field_has_no_more() {
    let Some(kinto) = Kinto::get() else { return };
    for path in ["/buckets/patched", "/buckets/patched/collections/c"] {
        kinto.curl("PUT", path, "{}").unwrap();
    }
    let checkout = checkout(&kinto.url, PATCHED, "concurrent_reads: 2", "p4ssw0rd-canary");
    checkout.commit("r.yaml", "record: [{id: r, size: 1, labels: {a: 1, b: {c: 1, d: 2}}}]\n");
    checkout.apply(&[]);
    kinto
        .curl("PATCH", "/buckets/patched/collections/c/records/r", r#"{"data": {"theirs": {"x": 1}}}"#)
        .unwrap();
    checkout.commit("r.yaml", "record: [{id: r, labels: {b: {c: 2}}}]\n");
    checkout.apply(&[]);
    let held = kinto.curl("GET", "/buckets/patched/collections/c/records/r", "").unwrap();
    let held: serde_json::Value = serde_json::from_str(&held).unwrap();
    assert_eq!(held["data"]["labels"], serde_json::json!({"b": {"c": 2}}));
    assert_eq!(
        (&held["data"]["theirs"]["x"], &held["data"]["size"]),
        (&1.into(), &1.into()),
        "nobody's business"
    );
}

const PACKAGES: &str = r#"provider: packages
summary: files of generic packages of a Gitea, which are no JSON
base_url: "{url}/api/packages"
auth: [{scheme: header, name: Authorization, format: "token {secret}"}]
scopes: {package: {params: [owner, package, release]}}
kinds:
  file:
    scope: package
    identity: {keys: [/name]}
    read: {path: "/{owner}/generic/{package}/{release}/{name}", raw: /content}
    create: {method: PUT, path: "/{owner}/generic/{package}/{release}/{name}", body: raw, raw: /content, success: [201]}
    delete: {path: "/{owner}/generic/{package}/{release}/{name}", success: [204]}
    fields:
      /name: {required: true}
      /content: {required: true, access: immutable}
"#;

#[test]
fn what_is_no_json_is_written_and_read_as_it_is() {
    let Some(gitea) = Gitea::get() else { return };
    let scope = "scope: {owner: admin1, package: tools, release: 1.0.0}";
    let checkout = checkout(&gitea.url, PACKAGES, scope, &gitea.token);
    let held = || {
        let header = format!("Authorization: token {}", gitea.token);
        let url = format!("{}/api/packages/admin1/generic/tools/1.0.0/a.txt", gitea.url);
        crate::parts::curl(&["-H", &header, &url])
    };
    checkout.commit("f.yaml", "file:\n  - name: a.txt\n    content: |\n      {\"no\": json,\n      50% ü\n");
    checkout.apply(&[]);
    assert_eq!(held().unwrap(), "{\"no\": json,\n50% ü\n");
    checkout
        .commit("f.yaml", "file:\n  - {name: a.txt, content: '[1, 2]'}\n  - {name: b.txt, content: ' '}\n");
    checkout.apply(&["--allow-replace", "file/**"]);
    assert_eq!(held().unwrap(), "[1, 2]");
    checkout.commit("f.yaml", "file:\n  - {name: b.txt, content: ' '}\n");
    checkout.apply(&["--max-delete-percent", "50"]);
    assert!(held().is_none());
}
