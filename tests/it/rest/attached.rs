//! What goes along with an object that is replaced: made again where it is declared, and counted where it is not.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::json;

use super::{
    proxy::{Answer, Proxy},
    store::Stored,
};

const DECLARED: &str = "scope: {room: r}
room: [{name: r}]
queue:
  - {name: jobs, size: 1}
  - {name: other}
binding:
  - {queue: jobs, key: a}
  - {queue: jobs, key: b}
  - {queue: other, key: a}
";

fn stored() -> Stored {
    let stored = Stored::new("");
    stored.checkout.commit("all.yaml", DECLARED);
    stored.checkout.apply(&[]);
    stored.writes();
    stored
}

#[test]
fn what_is_declared_is_made_again_in_the_same_apply() {
    let stored = stored();
    stored.checkout.commit("all.yaml", &DECLARED.replace("size: 1", "size: 2"));
    let plan = stored.checkout.run(&["plan"], 2);
    assert!(
        plan.stdout.contains("binding/r/jobs/a") && plan.stdout.contains("made again"),
        "{}",
        plan.stdout
    );
    assert!(!plan.stdout.contains("binding/r/other/a"), "{}", plan.stdout);
    stored.checkout.run(&["apply", "--yes"], 8);
    assert_eq!(stored.writes(), Vec::<String>::new());
    stored.checkout.apply(&["--allow-replace", "queue/r/jobs"]);
    let made = [
        "DELETE /rooms/r/queues/jobs",
        "POST /rooms/r/queues",
        "POST /rooms/r/bindings",
        "POST /rooms/r/bindings",
    ];
    assert_eq!(stored.writes(), made);
    assert_eq!(stored.store.get("/rooms/r/queues/jobs").unwrap()["size"], 2);
    assert_eq!(stored.store.paths().len(), 6);
}

#[test]
fn what_nobody_declared_is_counted_and_needs_a_consent() {
    let stored = stored();
    stored.store.put("/rooms/r/bindings/jobs~c", json!({"id": "jobs~c", "queue": "jobs", "key": "c"}));
    stored.checkout.commit("all.yaml", &DECLARED.replace("size: 1", "size: 2"));
    let plan = stored.checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("nothing makes them again: `binding/r/jobs/c`"), "{}", plan.stdout);
    let replace = ["apply", "--yes", "--allow-replace", "queue/r/jobs"];
    let ran = stored.checkout.run(&replace, 8);
    assert!(ran.stderr.contains("1 that go with it are not made again"), "{}", ran.stderr);
    assert_eq!(stored.writes(), Vec::<String>::new());
    stored.checkout.run(
        &[&replace[..], &["--allow-protected", "queue/r/jobs", "--max-delete-percent", "100"]].concat(),
        0,
    );
    assert_eq!(stored.store.paths().len(), 6, "{:?}", stored.store.paths());
    stored.checkout.run(&["plan"], 0);
}

#[test]
fn what_a_selection_leaves_out_is_lost_and_so_needs_a_consent_too() {
    let stored = stored();
    stored.checkout.commit("all.yaml", &DECLARED.replace("size: 1", "size: 2"));
    let replace = ["apply", "--yes", "--only", "queue/r/jobs", "--allow-replace", "queue/r/jobs"];
    let ran = stored.checkout.run(&replace, 8);
    assert!(ran.stdout.contains("`binding/r/jobs/a`, `binding/r/jobs/b`"), "{}", ran.stdout);
    assert_eq!(stored.writes(), Vec::<String>::new());
}

#[test]
fn what_lives_in_something_that_is_replaced_is_made_again_too() {
    let stored = stored();
    stored.checkout.commit(
        "all.yaml",
        &DECLARED.replace("name: r}", "name: r, format: rich}").replace("size: 1", "size: 1, note: new"),
    );
    stored.checkout.apply(&["--allow-replace", "room/r"]);
    assert_eq!(stored.store.get("/rooms/r").unwrap()["format"], "rich");
    assert_eq!(stored.store.get("/rooms/r/queues/jobs").unwrap()["note"], "new");
    assert_eq!(stored.store.paths().len(), 6, "{:?}", stored.store.paths());
}

#[test]
fn what_is_attached_to_something_deleted_is_said() {
    let stored = stored();
    stored.store.put("/rooms/r/bindings/other~z", json!({"id": "other~z", "queue": "other", "key": "z"}));
    let kept = DECLARED.replace("  - {name: other}\n", "").replace("  - {queue: other, key: a}\n", "");
    stored.checkout.commit("all.yaml", &kept);
    let plan = stored.checkout.run(&["plan"], 2);
    assert!(
        plan.stdout.contains("`binding/r/other/z`") && !plan.stdout.contains("`binding/r/other/a`"),
        "{}",
        plan.stdout
    );
    stored.checkout.apply(&["--max-delete-percent", "100"]);
}

#[test]
fn what_goes_along_cannot_be_left_as_it_is() {
    let stored = stored();
    stored.checkout.commit("all.yaml", &DECLARED.replace("size: 1", "size: 2"));
    let replace = ["apply", "--yes", "--allow-replace", "queue/r/jobs"];
    let ran = stored.checkout.run(&[&replace[..], &["--keep", "binding/r/jobs/a"]].concat(), 8);
    assert!(ran.stderr.contains("would not be made again"), "{}", ran.stderr);
    assert_eq!(stored.writes(), Vec::<String>::new());
    stored
        .checkout
        .run(&[&replace[..], &["--keep", "queue/r/jobs", "--keep", "binding/r/jobs/a"]].concat(), 0);
    assert_eq!(stored.writes(), Vec::<String>::new());
}

#[test]
fn a_replace_that_is_killed_half_way_is_completed_by_running_it_again() {
    for fatal in 1..=4 {
        let stored = stored();
        let (pid, count) = (Arc::new(AtomicU32::new(0)), AtomicUsize::new(0));
        let (victim, store) = (pid.clone(), stored.store.clone());
        let proxy = Proxy::start("", move |asked| {
            if asked.method == "GET" || count.fetch_add(1, Ordering::SeqCst) + 1 != fatal {
                return store.answer(asked);
            }
            while victim.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            Command::new("kill").args(["-9", &victim.load(Ordering::SeqCst).to_string()]).status().unwrap();
            _ = store.answer(asked);
            Answer::Drop
        });
        // The same server at another address.
        for file in ["checkout/trueup.yaml", "target/state.json"] {
            let moved = stored.checkout.sandbox.read(file).replace(&stored.proxy.url, &proxy.url);
            stored.checkout.sandbox.write(file, moved);
        }
        stored.checkout.commit("all.yaml", &DECLARED.replace("size: 1", "size: 2"));
        let args = ["apply", "--yes", "--allow-replace", "queue/r/jobs"];
        let mut child = stored.checkout.sandbox.command_trueup(&args).stdout(Stdio::null()).spawn().unwrap();
        pid.store(child.id(), Ordering::SeqCst);
        child.wait().unwrap();
        proxy.settle();
        stored.checkout.run(&["drift"], 0);
        stored.checkout.apply(&[]);
        assert_eq!(stored.store.get("/rooms/r/queues/jobs").unwrap()["size"], 2, "{fatal}");
        assert_eq!(stored.store.paths().len(), 6, "{fatal}: {:?}", stored.store.paths());
    }
}

#[test]
fn what_could_not_be_made_anew_is_said_to_be_gone_and_made_by_the_next_apply() {
    let stored = stored();
    stored.checkout.commit("all.yaml", &DECLARED.replace("size: 1", "size: 13"));
    let ran = stored.checkout.run(&["apply", "--yes", "--allow-replace", "queue/r/jobs"], 7);
    assert!(ran.stdout.contains("it was deleted, and could not be made anew"), "{}", ran.stdout);
    assert!(ran.stdout.contains("`queue/r/jobs`, which it needs, failed"), "{}", ran.stdout);
    stored.checkout.commit("all.yaml", &DECLARED.replace("size: 1", "size: 2"));
    stored.checkout.apply(&[]);
    assert_eq!(stored.store.paths().len(), 6, "{:?}", stored.store.paths());
}
