//! What is pending and what is drift: what the server made of a write at once, and secrets that changed behind a name.

use serde_json::json;

use super::{
    proxy::Proxy,
    small::{self, Room, UNPAGED},
    store::Stored,
};

#[test]
fn what_the_server_made_of_a_write_is_pending_and_no_drift() {
    let stored = Stored::new("");
    let declared = |motto: &str| format!("room: [{{name: r, motto: {motto}}}]\n");
    stored.checkout.commit("all.yaml", &declared("forever"));
    let ran = stored.checkout.run(&["apply", "--yes"], 7);
    assert!(ran.stdout.contains("different"), "{}", ran.stdout);
    let plan = stored.checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("made something else of `/motto`"), "{}", plan.stdout);
    stored.checkout.run(&["drift"], 0);
    stored.checkout.run(&["apply", "--yes"], 7);
    // Git moves on: nobody touched the server.
    stored.checkout.commit("all.yaml", &declared("forgotten"));
    stored.checkout.run(&["plan"], 2);
    stored.checkout.run(&["drift"], 0);
    // Now somebody does.
    stored.store.put("/rooms/r", json!({"name": "r", "motto": "mine"}));
    stored.checkout.run(&["plan"], 5);
    stored.checkout.run(&["drift"], 3);
    stored.store.put("/rooms/r", json!({"name": "r", "motto": "fore"}));
    stored.checkout.commit("all.yaml", &declared("fore"));
    stored.checkout.apply(&[]);
    stored.checkout.run(&["drift"], 0);
    stored.store.put("/rooms/r", json!({"name": "r", "motto": "else"}));
    stored.checkout.run(&["plan"], 3);
}

#[test]
fn a_secret_that_changed_behind_a_readable_field_is_pending() {
    let stored = Stored::new("scope: {room: r}");
    let rotate = |secret: &str| stored.checkout.sandbox.write("home/key", secret);
    rotate("first-canary");
    stored
        .checkout
        .commit("all.yaml", "room: [{name: r}]\nqueue: [{name: jobs, key: {$file: ../home/key}}]\n");
    stored.checkout.apply(&[]);
    let key = || stored.store.get("/rooms/r/queues/jobs").unwrap()["key"].clone();
    assert_eq!(key(), "first-canary");
    stored.writes();
    rotate("second-canary");
    let plan = stored.checkout.run(&["plan"], 2);
    assert!(
        plan.stdout.contains("is not the one that was applied") && !plan.stdout.contains("canary"),
        "{}",
        plan.stdout
    );
    stored.checkout.run(&["drift"], 0);
    stored.checkout.run(&["apply", "--yes", "--only-drift"], 0);
    assert_eq!((key(), stored.writes()), (json!("first-canary"), Vec::new()));
    // Somebody changed it on the server: drift without a new secret, a conflict with one.
    stored.store.put("/rooms/r/queues/jobs", json!({"name": "jobs", "key": "theirs-canary"}));
    stored.checkout.run(&["plan"], 5);
    rotate("first-canary");
    stored.checkout.run(&["plan"], 3);
    stored.checkout.run(&["drift"], 3);
    stored.checkout.apply(&[]);
    rotate("third-canary");
    stored.checkout.apply(&[]);
    assert_eq!(key(), "third-canary");
    let state = stored.checkout.sandbox.read("target/state.json");
    assert!(!state.contains("canary"), "{state}");
}

#[test]
fn a_secret_that_was_there_already_is_known_from_the_first_apply_on() {
    let stored = Stored::new("scope: {room: r}");
    stored.checkout.sandbox.write("home/key", "first-canary");
    stored.store.put("/rooms/r", json!({"name": "r"}));
    stored.store.put("/rooms/r/queues/jobs", json!({"name": "jobs", "key": "first-canary"}));
    stored
        .checkout
        .commit("all.yaml", "room: [{name: r}]\nqueue: [{name: jobs, key: {$file: ../home/key}}]\n");
    stored.checkout.run(&["apply", "--yes"], 0);
    stored.checkout.sandbox.write("home/key", "second-canary");
    stored.checkout.run(&["plan"], 2);
}

#[test]
fn undoing_drift_sends_neither_a_new_secret_nor_the_mark_of_the_old_one() {
    let room = Room::of(&[]);
    let served = room.clone();
    let proxy = Proxy::start("", move |asked| served.answer(asked));
    let checkout = small::checkout(&proxy.url, UNPAGED, &[]);
    checkout.sandbox.write("home/key", "first-canary");
    checkout.commit("things.yaml", "thing: [{name: a, size: 1, secret: {$file: ../home/key}}]\n");
    checkout.apply(&[]);
    checkout.sandbox.write("home/key", "second-canary");
    room.give("a", "size", "7");
    proxy.asked.lock().unwrap().clear();
    checkout.run(&["apply", "--yes", "--only-drift"], 0);
    let asked = proxy.asked.lock().unwrap();
    let bodies: Vec<&str> =
        asked.iter().filter(|asked| asked.method == "PATCH").map(|asked| asked.body.as_str()).collect();
    assert_eq!(bodies, [r#"{"size":1}"#]);
}

#[test]
fn what_an_import_writes_down_can_be_declared() {
    let stored = Stored::new("");
    stored.store.put("/rooms/r", json!({"name": "r"}));
    stored.store.put("/rooms/r/queues/jobs", json!({"name": "jobs", "tags": "", "note": "LOUD", "size": 3}));
    stored.checkout.commit_all();
    stored.checkout.run(&["import", "t", "room", "queue", "binding"], 0);
    let queue = stored.checkout.sandbox.read("checkout/objects/queue.yaml");
    assert!(queue.contains("# Left out: `note` is \"LOUD\"") && !queue.contains("tags"), "{queue}");
    assert_eq!(stored.checkout.sandbox.read("checkout/objects/binding.yaml"), "binding: []\n");
    stored.checkout.commit_all();
    stored.checkout.run(&["plan"], 0);
}
