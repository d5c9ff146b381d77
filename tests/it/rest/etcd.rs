//! etcd: an API that reads by POST, packs all it says in base64 and compares before it writes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Checkout, opening,
    proxy::{Answer, Proxy},
};
use crate::parts::Etcd;

/// A checkout for the etcd at `url`.
pub fn checkout(url: &str) -> Checkout {
    opening::defined("etcd", include_str!("etcd.yaml"), url, "", "")
}

/// Writes a key by hand.
fn put(etcd: &Etcd, key: &str, value: &str) {
    let [key, value] = [key, value].map(|text| STANDARD.encode(text));
    etcd.curl("/kv/put", &format!(r#"{{"key": "{key}", "value": "{value}"}}"#)).unwrap();
}

/// What a key holds.
fn value(etcd: &Etcd, key: &str) -> Option<String> {
    let question = format!(r#"{{"key": "{}"}}"#, STANDARD.encode(key));
    let answer: serde_json::Value = serde_json::from_str(&etcd.curl("/kv/range", &question)?).unwrap();
    let value = STANDARD.decode(answer["kvs"][0]["value"].as_str()?).unwrap();
    Some(String::from_utf8(value).unwrap())
}

#[test]
fn keys_of_etcd_go_the_whole_way_without_a_line_of_rust() {
    let Some(etcd) = Etcd::get() else { return };
    let checkout = checkout(&etcd.url);
    checkout.commit("one.yaml", "key:\n  - {key: whole/a b, value: 'one: 1'}\n");
    let plan = checkout.run(&["plan"], 2);
    let said = "providers/etcd.yaml` says that a POST to /v3/kv/range only reads";
    assert!(plan.stdout.contains(said), "{}", plan.stdout);
    assert!(plan.stdout.contains("1 create"), "{}", plan.stdout);
    checkout.apply(&[]);
    assert_eq!(value(etcd, "whole/a b").as_deref(), Some("one: 1"));
    // Git moves.
    checkout.commit(
        "one.yaml",
        "key:\n  - {key: whole/a b, value: ü}\n  - {key: whole/c, value: ''}\n  - {key: whole/d, value: d}\n",
    );
    checkout.run(&["apply", "--yes"], 0);
    assert_eq!(value(etcd, "whole/a b").as_deref(), Some("ü"));
    // The server moves.
    put(etcd, "whole/d", "by hand");
    let drift = checkout.run(&["drift"], 3);
    assert!(drift.stdout.contains("by hand") && drift.stdout.contains("1 drifted"), "{}", drift.stdout);
    checkout.run(&["drift", "--adopt"], 0);
    checkout.commit_all();
    checkout.apply(&[]);
    // A declaration goes, and the key with it; what others made stays, and can be imported.
    put(etcd, "whole/e", "other");
    let text = checkout.sandbox.read("checkout/objects/one.yaml");
    let less: Vec<&str> = text.lines().filter(|line| !line.contains("whole/d")).collect();
    checkout.commit("one.yaml", &less.join("\n"));
    checkout.run(&["apply", "--yes"], 8);
    checkout.run(&["apply", "--yes", "--allow-protected", "key"], 0);
    assert_eq!((value(etcd, "whole/d"), value(etcd, "whole/e").as_deref()), (None, Some("other")));
    checkout.run(&["import", "t", "key"], 0);
    assert!(checkout.sandbox.read("checkout/objects/key.yaml").contains("whole/e"));
    checkout.commit_all();
    checkout.run(&["plan"], 0);
}

#[test]
fn keys_and_values_that_are_no_texts_are_written_as_they_are() {
    let Some(etcd) = Etcd::get() else { return };
    let checkout = checkout(&etcd.url);
    // The bytes ff 00 ff, under the key `bytes/` and ff.
    checkout.commit("b.yaml", "key:\n  - {key: 'base64:Ynl0ZXMv/w==', value: 'base64:/wD/'}\n");
    checkout.apply(&[]);
    let held = || etcd.curl("/kv/range", r#"{"key": "Ynl0ZXMv/w=="}"#).unwrap();
    assert!(held().contains(r#""value":"/wD/""#), "{}", held());
    checkout.commit("b.yaml", "key:\n  - {key: 'base64:Ynl0ZXMv/w==', value: text}\n");
    checkout.apply(&[]);
    assert!(held().contains(&STANDARD.encode("text")), "{}", held());
}

#[test]
fn a_key_that_somebody_writes_in_the_last_moment_is_left_alone() {
    let Some(etcd) = Etcd::get() else { return };
    put(etcd, "race/changed", "old");
    let late = Arc::new(AtomicBool::new(true));
    let first = late.clone();
    let proxy = Proxy::start(&etcd.url, move |asked| {
        if asked.path.ends_with("/txn") && first.swap(false, Ordering::SeqCst) {
            put(etcd, "race/changed", "theirs");
            put(etcd, "race/made", "theirs");
        }
        Answer::Forward
    });
    let checkout = checkout(&proxy.url);
    let declared = "key:\n  - {key: race/changed, value: ours}\n  - {key: race/made, value: ours}\n";
    checkout.commit("race.yaml", declared);
    let ran = checkout.run(&["apply", "--yes", "--adopt", "**"], 6);
    assert!(ran.stdout.contains("the object is not what the write expects"), "{}", ran.stdout);
    for key in ["race/changed", "race/made"] {
        assert_eq!(value(etcd, key).as_deref(), Some("theirs"));
    }
}

#[test]
fn the_page_on_definitions_names_this_one() {
    assert!(opening::PAGE.contains("tests/it/rest/etcd.yaml"));
}
