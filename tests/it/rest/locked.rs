//! Objects that cannot be written any more once they are locked.

use serde_json::json;

use super::store::Stored;

const OPEN: &str = "scope: {room: r}\nroom: [{name: r}]\nqueue: [{name: jobs}, {name: old}]\n";
const LOCKED: &str = "scope: {room: r}\nroom: [{name: r, about: done, archived: true}]\nqueue: [{name: jobs, note: last}, {name: new}]\n";

fn is_locked(stored: &Stored) -> bool {
    stored.store.get("/rooms/r").is_some_and(|room| room["archived"] == true)
}

#[test]
fn a_lock_comes_after_everything_else() {
    let stored = Stored::new("");
    stored.checkout.commit("all.yaml", OPEN);
    stored.checkout.apply(&[]);
    stored.writes();
    stored.checkout.commit("all.yaml", LOCKED);
    stored.checkout.apply(&["--max-delete-percent", "100"]);
    let writes = stored.writes();
    assert_eq!((writes.len(), writes.last().unwrap().as_str()), (5, "PATCH /rooms/r"), "{writes:?}");
    assert!(is_locked(&stored));
    // It opens before anything else.
    stored.checkout.commit("all.yaml", &OPEN.replace("{name: r}", "{name: r, archived: false}"));
    stored.checkout.apply(&["--max-delete-percent", "100"]);
    assert!(!is_locked(&stored));
}

#[test]
fn what_is_made_locked_gets_what_it_holds_first() {
    let stored = Stored::new("");
    stored.checkout.commit("all.yaml", LOCKED);
    stored.checkout.apply(&[]);
    assert!(is_locked(&stored) && stored.store.get("/rooms/r/queues/new").is_some());
    stored.checkout.run(&["drift"], 0);
    // All of it goes, although nothing in it could be deleted by itself.
    stored.checkout.commit("all.yaml", "scope: {room: r}\nqueue: []\n");
    stored.writes();
    stored
        .checkout
        .run(&["apply", "--yes", "--allow-empty", "--allow-emptied", "**", "--max-delete-percent", "100"], 0);
    assert_eq!(stored.writes(), ["DELETE /rooms/r"]);
    stored.checkout.run(&["plan"], 0);
}

#[test]
fn what_holds_a_failure_stays_open() {
    let stored = Stored::new("");
    stored.checkout.commit("all.yaml", OPEN);
    stored.checkout.apply(&[]);
    let broken = LOCKED.replace("queue: [", "binding: [{queue: nowhere, key: a}]\nqueue: [{name: old}, ");
    stored.checkout.commit("all.yaml", &broken);
    let ran = stored.checkout.run(&["apply", "--yes"], 7);
    assert!(ran.stdout.contains("not locked"), "{}", ran.stdout);
    assert!(!is_locked(&stored));
    assert_eq!(stored.store.get("/rooms/r").unwrap()["about"], "done");
    stored.store.put("/rooms/r/queues/nowhere", json!({"name": "nowhere"}));
    stored.checkout.apply(&[]);
    assert!(is_locked(&stored));
}
