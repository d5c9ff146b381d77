//! Names whose case does not count: one object has one address, however it is spelled.

use super::store::Stored;
use crate::dice::Dice;

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
    let mut dice = Dice::new(7);
    let mut spelled = |name: &str| -> String {
        name.chars().map(|c| if dice.chance(50) { c.to_ascii_uppercase() } else { c }).collect()
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
