//! Names whose case does not count: one object has one address, however it is spelled.

use super::store::Stored;
use crate::generators::Dice;

const DECLARED: &str = "scope: {room: ROOM}
room: [{name: ROOM, about: ours}]
queue:
  - {name: QUEUE}
  - {name: other}
binding:
  - {queue: QUEUE, key: KEY}
";

fn declared(room: &str, queue: &str, key: &str) -> String {
    DECLARED.replace("ROOM", room).replace("QUEUE", queue).replace("KEY", key)
}

#[test]
fn another_spelling_is_the_same_object() {
    let stored = Stored::new("");
    stored.checkout.commit("all.yaml", &declared("Acme", "Jobs", "Hot"));
    stored.checkout.apply(&[]);
    assert_eq!(stored.store.get("/rooms/acme").unwrap()["name"], "Acme", "made as it is declared");
    assert_eq!(stored.store.get("/rooms/acme/queues/jobs").unwrap()["name"], "Jobs");
    stored.writes();
    stored.checkout.commit("all.yaml", &declared("ACME", "JOBS", "hot"));
    let plan = stored.checkout.run(&["plan"], 0);
    assert!(plan.stdout.contains("in sync"), "{}", plan.stdout);
    stored.checkout.run(&["apply", "--yes"], 0);
    assert_eq!(stored.writes(), Vec::<String>::new());
    stored.checkout.run(&["drift"], 0);
    let text = declared("aCmE", "jOBS", "HOT").replace("about: ours", "about: theirs");
    stored.checkout.commit("all.yaml", &text);
    stored.checkout.apply(&[]);
    assert_eq!(stored.writes(), ["PATCH /rooms/Acme"]);
    assert_eq!(stored.store.paths().len(), 4);
}

#[test]
fn two_spellings_of_one_object_are_declared_twice() {
    let stored = Stored::new("");
    stored.checkout.commit("a.yaml", "scope: {room: acme}\nqueue: [{name: jobs}]\n");
    stored.checkout.commit("b.yaml", "scope: {room: Acme}\nqueue:\n  - {name: Jobs}\n");
    let ran = stored.checkout.run(&["plan"], 65);
    assert!(
        ran.stderr.contains("objects/b.yaml:3") && ran.stderr.contains("objects/a.yaml:2"),
        "{}",
        ran.stderr
    );
}

#[test]
fn names_are_the_same_in_every_spelling() {
    let mut generators = Dice::new(7);
    let mut spelled = |name: &str| -> String {
        name.chars().map(|c| if generators.chance(50) { c.to_ascii_uppercase() } else { c }).collect()
    };
    let stored = Stored::new("");
    stored.checkout.commit("all.yaml", &declared("acme", "jobs", "hot"));
    stored.checkout.apply(&[]);
    stored.writes();
    for _ in 0..12 {
        let (folder, scope) = (spelled("acme"), spelled("acme"));
        let text = declared(&scope, &spelled("jobs"), &spelled("hot")).replace("other", &spelled("other"));
        stored.checkout.sandbox.sh("rm -r objects/*");
        stored.checkout.commit(
            &format!("room={folder}/all.yaml"),
            &text.replace(&format!("scope: {{room: {scope}}}\n"), ""),
        );
        let plan = stored.checkout.run(&["plan"], 0);
        assert!(plan.stdout.contains("in sync"), "{text}\n{}", plan.stdout);
        stored.checkout.run(&["apply", "--yes"], 0);
        assert_eq!(stored.writes(), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn references_and_guards_mean_the_object_in_every_spelling() {
    let stored = Stored::new("");
    let config = stored.checkout.sandbox.read("checkout/trueup.yaml");
    let guards = "path: objects, guards: {protect: [queue/ACME/Jo*]}, sensitive: [{match: {address: QUEUE}, paths: [/note]}]"
        .replace("QUEUE", "queue/Acme/JOBS");
    let guarded = config.replace("path: objects", &guards);
    stored.checkout.sandbox.write("checkout/trueup.yaml", guarded);
    let all = "scope: {room: Acme}\nroom: [{name: Acme}, {name: other, about: {$ref: queue/aCME/JOBS}}]\nqueue: [{name: Jobs}]\n";
    stored.checkout.commit("all.yaml", all);
    stored.checkout.apply(&[]);
    assert_eq!(stored.store.get("/rooms/other").unwrap()["about"], "Jobs");
    stored.checkout.commit("all.yaml", &all.replace("{name: Jobs}", "{name: jobs, note: hushed}"));
    let plan = stored.checkout.run(&["plan"], 2).stdout;
    assert!(plan.contains("pending /note") && !plan.contains("hushed"), "{plan}");
    stored
        .checkout
        .commit("all.yaml", "scope: {room: acme}\nroom: [{name: acme}, {name: other}]\nqueue: []\n");
    let delete = [
        "apply",
        "--yes",
        "--max-delete-percent",
        "100",
        "--allow-emptied",
        "QUEUE/Acme",
        "--allow-emptied",
        "queue/Acme",
    ];
    let ran = stored.checkout.run(&delete, 8);
    assert!(ran.stderr.contains("`queue/acme/jobs` is protected"), "{}", ran.stderr);
    stored.checkout.run(&[&delete[..], &["--allow-protected", "queue/ACME/jOBS"]].concat(), 0);
    assert_eq!(stored.store.get("/rooms/acme/queues/jobs"), None);
}
