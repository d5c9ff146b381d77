//! Kinto: a version on every object, and a memory in the target.

use super::{Checkout, opening};
use crate::parts::Kinto;

fn checkout(kinto: &Kinto, bucket: &str) -> Checkout {
    opening::kinto(&kinto.url, &format!("with: {{memory_bucket: memory-{bucket}}}"))
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
    // What moved is taken into Git, in the file that declares it, and nothing else in it changes.
    kinto.curl("PATCH", one, r#"{"data": {"color": "dark: red"}}"#).unwrap();
    checkout.run(&["drift", "--adopt"], 0);
    let file = checkout.sandbox.read("checkout/objects/paints.yaml");
    assert_eq!(file, declarations("whole", "\"dark: red\""));
    checkout.commit_all();
    checkout.apply(&[]);
    kinto.curl("PATCH", one, r#"{"data": {"color": "green"}}"#).unwrap();
    checkout.commit("paints.yaml", &declarations("whole", "green"));
    checkout.apply(&[]);
    // What is there can be written down, and is then in sync.
    checkout.run(&["import", "t", "group", "--print"], 0);
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

#[test]
fn what_is_imported_is_in_sync() {
    let Some(kinto) = Kinto::get() else { return };
    kinto.curl("PUT", "/buckets/imported", "{}").unwrap();
    kinto.curl("PUT", "/buckets/imported/collections/c", r#"{"data": {"sort": "-name"}}"#).unwrap();
    for id in ["one", "two"] {
        let path = format!("/buckets/imported/collections/c/records/{id}");
        kinto
            .curl("PUT", &path, r#"{"data": {"text": "a: b\n", "n": 1.5, "deep": {"list": [true, null]}}}"#)
            .unwrap();
    }
    let checkout = opening::kinto(
        &kinto.url,
        "scope: {bucket: imported, collection: c}, with: {memory_bucket: memory-imported}",
    );
    checkout.commit_all();
    checkout.run(&["import", "t", "collection", "record"], 0);
    checkout.commit_all();
    checkout.run(&["plan"], 0);
    checkout.apply(&[]);
    // It was there before: Git that drops it lets it go.
    let declared = checkout.sandbox.read("checkout/objects/collection.yaml");
    checkout.sandbox.sh("rm objects/collection.yaml").expect(0);
    checkout.commit_all();
    checkout.run(&["apply", "--yes"], 0);
    assert!(kinto.curl("GET", "/buckets/imported/collections/c/records/one", "").is_some());
    // A bucket and a collection hold data: deleting one that was adopted needs a consent of its own.
    checkout.commit("collection.yaml", &declared);
    checkout.apply(&["--adopt", "collection"]);
    checkout.apply(&["--adopt", "collection"]);
    checkout.sandbox.sh("rm objects/collection.yaml").expect(0);
    checkout.commit_all();
    let refused = checkout.run(&["apply", "--yes"], 8);
    assert!(refused.stderr.contains("--allow-protected"), "{}", refused.stderr);
}

#[test]
fn the_place_of_the_record_is_neither_imported_nor_in_the_way_of_managed_collections() {
    let Some(kinto) = Kinto::get() else { return };
    let checkout =
        opening::kinto(&kinto.url, "scope: {bucket: memory-own}, with: {memory_bucket: memory-own}");
    checkout.commit("all.yaml", "bucket: [{id: own}]\n");
    checkout.apply(&[]);
    let imported = checkout.run(&["import", "t", "bucket", "--print"], 0).stdout;
    assert!(!imported.contains("id: memory-own"), "{imported}");
    kinto.curl("PUT", "/buckets/memory-own/collections/another", "{}").unwrap();
    checkout.commit("managed.yaml", "managed: [collection]\n");
    let plan = checkout.run(&["plan"], 3);
    assert!(plan.stdout.contains("collection/memory-own/another"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("collection/memory-own/targets"), "{}", plan.stdout);
}

#[test]
fn a_bucket_that_is_made_where_it_is_read_is_not_read() {
    let Some(kinto) = Kinto::get() else { return };
    let checkout = checkout(kinto, "default");
    for declared in ["bucket: [{id: default}]\n", "scope: {bucket: default}\ncollection: [{id: c}]\n"] {
        checkout.commit("all.yaml", declared);
        let refused = checkout.run(&["plan"], 65);
        assert!(refused.stderr.contains("made where it is read"), "{}", refused.stderr);
    }
    checkout.commit("all.yaml", "bucket: []\n");
    let config = checkout.sandbox.read("checkout/trueup.yaml");
    checkout.sandbox.write(
        "checkout/trueup.yaml",
        config.replace("provider: kinto,", "provider: kinto, scope: {bucket: default},"),
    );
    let refused = checkout.run(&["import", "t", "collection"], 78);
    assert!(refused.stderr.contains("made where it is read"), "{}", refused.stderr);
}
