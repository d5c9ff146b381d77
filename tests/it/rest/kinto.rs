//! Kinto: a version on every object, and a memory in the target.

use super::Checkout;
use crate::parts::Kinto;

fn checkout(kinto: &Kinto, bucket: &str) -> Checkout {
    let options = format!(
        "provider: kinto, url: '{}', credentials: {{user: admin, file: ../home/secret}}, with: {{memory_bucket: memory-{bucket}}}",
        kinto.url
    );
    Checkout::new(&options, "p4ssw0rd-canary")
}

fn declarations(bucket: &str, color: &str) -> String {
    format!(
        "scope: {{bucket: {bucket}, collection: paints}}
bucket:
  - id: {bucket}
collection:
  - id: paints
    sort: name
group:
  - id: painters
    members: ['account:bob', 'account:alice']
record:
  - id: one
    color: {color}
    tags: [a, b]
  - id: two
    color: blue
"
    )
}

#[test]
fn kinto_goes_the_whole_way() {
    let Some(kinto) = Kinto::get() else { return };
    let checkout = checkout(kinto, "whole");
    checkout.commit("paints.yaml", &declarations("whole", "red"));
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("record/whole/paints/one"), "{}", plan.stdout);
    checkout.apply(&[]);
    let one = "/buckets/whole/collections/paints/records/one";
    assert!(kinto.curl("GET", one, "").unwrap().contains("\"red\""));
    // Git moves: one field of one record.
    checkout.commit("paints.yaml", &declarations("whole", "green"));
    let plan = checkout.run(&["plan"], 2);
    assert!(
        plan.stdout.contains("green") && !plan.stdout.contains("record/whole/paints/two"),
        "{}",
        plan.stdout
    );
    checkout.apply(&[]);
    // The server moves: drift says so, and apply brings it back.
    kinto.curl("PATCH", one, r#"{"data": {"color": "black", "unmanaged": 1}}"#).unwrap();
    let drift = checkout.run(&["drift"], 3);
    assert!(drift.stdout.contains("black") && !drift.stdout.contains("unmanaged"), "{}", drift.stdout);
    checkout.apply(&[]);
    let now = kinto.curl("GET", one, "").unwrap();
    assert!(now.contains("green") && now.contains("unmanaged"), "{now}");
    // A declaration goes, and so does what trueup made for it.
    let pruned = declarations("whole", "green").replace("  - id: two\n    color: blue\n", "");
    checkout.commit("paints.yaml", &pruned);
    checkout.apply(&[]);
    assert!(kinto.curl("GET", "/buckets/whole/collections/paints/records/two", "").is_none());
}

#[test]
fn what_is_there_already_is_not_taken_without_consent() {
    let Some(kinto) = Kinto::get() else { return };
    kinto.curl("PUT", "/buckets/theirs", "{}").unwrap();
    kinto.curl("PUT", "/buckets/theirs/collections/c", r#"{"data": {"sort": "z"}}"#).unwrap();
    let checkout = checkout(kinto, "theirs");
    checkout.commit("c.yaml", "scope: {bucket: theirs}\ncollection:\n  - {id: c, sort: name}\n");
    checkout.run(&["apply", "--yes"], 8);
    checkout.apply(&["--adopt", "collection/theirs/c"]);
    // Nothing of ours goes when the record is empty, and nothing of theirs ever.
    checkout.commit(
        "c.yaml",
        "scope: {bucket: theirs}\nmanaged: [collection]\ncollection:\n  - {id: c, sort: name}\n",
    );
    kinto.curl("PUT", "/buckets/theirs/collections/other", "{}").unwrap();
    let plan = checkout.run(&["plan"], 3);
    assert!(plan.stdout.contains("collection/theirs/other"), "{}", plan.stdout);
    checkout.run(&["apply", "--yes"], 0);
    assert!(kinto.curl("GET", "/buckets/theirs/collections/other", "").is_some());
}
