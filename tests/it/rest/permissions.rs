//! Permissions of Kinto's objects, which stand beside their data and in no list.

use super::{
    Checkout, opening,
    proxy::{Answer, Proxy},
};
use crate::parts::Kinto;

fn checkout(url: &str, bucket: &str) -> Checkout {
    opening::kinto(url, &format!("with: {{memory_bucket: memory-{bucket}}}"))
}

/// Two collections of which one declares who may do what.
fn declared(bucket: &str, read: &str) -> String {
    format!(
        "scope: {{bucket: {bucket}}}
bucket:
  - id: {bucket}
    permissions:
      read: [{read}]
      write: ['account:admin']
collection:
  - id: open
    sort: name
    permissions: {{'record:create': [system.Authenticated], write: ['account:admin']}}
  - id: plain
    sort: name
"
    )
}

#[test]
fn permissions_go_the_whole_way() {
    let Some(kinto) = Kinto::get() else { return };
    let proxy = Proxy::start(&kinto.url, |_| Answer::Forward);
    let checkout = checkout(&proxy.url, "acl");
    checkout.commit("all.yaml", &declared("acl", "system.Everyone"));
    checkout.apply(&[]);
    let held = |path: &str| kinto.curl("GET", path, "").unwrap();
    assert!(held("/buckets/acl").contains("\"read\":[\"system.Everyone\"]"), "{}", held("/buckets/acl"));
    assert!(held("/buckets/acl/collections/open").contains("\"record:create\":[\"system.Authenticated\"]"));
    // Only what declares permissions is read by itself.
    proxy.asked.lock().unwrap().clear();
    checkout.run(&["plan"], 0);
    let mut asked = proxy.requests();
    asked.retain(|request| !request.contains("/memory-acl/"));
    asked.sort();
    assert_eq!(
        asked,
        ["GET /v1/buckets/acl", "GET /v1/buckets/acl/collections", "GET /v1/buckets/acl/collections/open"]
    );
    // Git moves: nothing is sent but what differs, and of the version that was seen.
    checkout.commit("all.yaml", &declared("acl", "system.Everyone, 'account:bob'"));
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("/permissions/read"), "{}", plan.stdout);
    checkout.apply(&[]);
    let sent = proxy.asked.lock().unwrap().iter().find(|asked| asked.method == "PATCH").unwrap().clone();
    assert!(!sent.body.contains("data") && sent.head.to_lowercase().contains("if-match"), "{sent:?}");
    // The server moves: what is not declared is left alone, and the rest is drift that can be adopted.
    kinto
        .curl(
            "PATCH",
            "/buckets/acl",
            r#"{"permissions": {"group:create": ["account:eve"], "read": ["account:eve"]}}"#,
        )
        .unwrap();
    let drift = checkout.run(&["drift"], 3);
    assert!(
        drift.stdout.contains("account:eve") && !drift.stdout.contains("group:create"),
        "{}",
        drift.stdout
    );
    checkout.run(&["drift", "--adopt"], 0);
    let file = checkout.sandbox.read("checkout/objects/all.yaml");
    assert_eq!(file, declared("acl", "account:eve"));
    checkout.commit_all();
    checkout.apply(&[]);
    // Taking away what somebody has needs a consent of its own; giving more does not.
    checkout.sandbox.sh("git revert --no-edit HEAD").expect(0);
    let refused = checkout.run(&["apply", "--yes"], 8);
    assert!(refused.stderr.contains("`/permissions/read`"), "{}", refused.stderr);
    checkout.apply(&["--allow-protected", "bucket/acl"]);
    let now = held("/buckets/acl");
    assert!(now.contains("account:bob") && now.contains("\"group:create\":[\"account:eve\"]"), "{now}");
}

#[test]
fn permissions_that_these_credentials_are_not_shown_are_unknown() {
    let Some(kinto) = Kinto::get() else { return };
    kinto.curl("PUT", "/accounts/owner", r#"{"data": {"password": "p"}}"#).unwrap();
    kinto
        .curl("PUT", "/buckets/hidden", r#"{"permissions": {"collection:create": ["account:owner"]}}"#)
        .unwrap();
    let theirs = format!("{}/v1/buckets/hidden/collections/theirs", kinto.url);
    let checkout = checkout(&kinto.url, "hidden");
    let body = r#"{"permissions": {"read": ["account:eve"]}}"#;
    checkout
        .sandbox
        .sh(&format!("curl -sf -u owner:p -X PUT {theirs} -H 'Content-Type: application/json' -d '{body}'"))
        .expect(0);
    let declared = "scope: {bucket: hidden}\ncollection:\n  - {id: theirs, permissions: {read: []}}\n";
    checkout.commit("all.yaml", declared);
    let plan = checkout.run(&["plan"], 77);
    let said = format!("{}{}", plan.stdout, plan.stderr);
    assert!(said.contains("does not show its `/permissions` to these credentials"), "{said}");
    checkout.run(&["apply", "--yes", "--adopt", "**"], 77);
    checkout.commit("all.yaml", "scope: {bucket: hidden}\ncollection:\n  - {id: theirs}\n");
    checkout.run(&["plan"], 0);
}

#[test]
fn whoever_writes_is_added_by_the_server_and_that_is_said() {
    let Some(kinto) = Kinto::get() else { return };
    let checkout = checkout(&kinto.url, "writer");
    checkout.commit("all.yaml", "bucket:\n  - {id: writer, permissions: {write: ['account:bob']}}\n");
    let ran = checkout.run(&["apply", "--yes"], 7);
    assert!(ran.stdout.contains("name that one too"), "{}", ran.stdout);
    let both = "bucket:\n  - {id: writer, permissions: {write: ['account:bob', 'account:admin']}}\n";
    checkout.commit("all.yaml", both);
    checkout.run(&["plan"], 0);
    // What Git does not declare any more is left alone, and that is said once.
    checkout.commit("all.yaml", "bucket: [{id: writer}]\n");
    let plan = checkout.run(&["plan"], 0);
    assert!(plan.stdout.contains("does not declare `/permissions/write` any more"), "{}", plan.stdout);
    checkout.apply(&[]);
    assert!(!checkout.run(&["plan"], 0).stdout.contains("any more"));
    let wrong = "bucket:\n  - {id: writer, permissions: {reed: []}}\n";
    checkout.commit("all.yaml", wrong);
    let refused = checkout.run(&["plan"], 65);
    assert!(refused.stderr.contains("did you mean `permissions/read`?"), "{}", refused.stderr);
}

#[test]
fn what_goes_with_a_collection_is_counted_to_the_last_page() {
    let Some(kinto) = Kinto::get() else { return };
    let checkout = checkout(&kinto.url, "pages");
    checkout.commit("all.yaml", "scope: {bucket: pages}\nbucket: [{id: pages}]\ncollection: [{id: c}]\n");
    checkout.apply(&[]);
    for index in 0..7 {
        kinto.curl("PUT", &format!("/buckets/pages/collections/c/records/r{index}"), "{}").unwrap();
    }
    checkout.commit("all.yaml", "bucket: [{id: pages}]\n");
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("deletes 7 records"), "{}", plan.stdout);
}
