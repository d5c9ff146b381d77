//! Values that no server could hold, refused before anything is sent, and numbers that are the same.

use super::store::Stored;

#[test]
fn a_value_that_its_field_cannot_hold_is_refused_with_its_line() {
    let stored = Stored::new("scope: {room: r}");
    let cases = [
        ("size: 1h", "3", "`size` is \"1h\", and has to be an integer"),
        ("size: '300'", "3", "`size` is \"300\", and has to be an integer"),
        ("size: -1", "3", "`size` is -1, and cannot be less than 0"),
        ("size: 4294967296", "3", "cannot be more than 1000"),
        ("size: 1.5", "3", "has to be an integer"),
        ("note: NO", "3", "does not match `^[a-z ]*$`"),
        ("note: true", "3", "has to be a string: quote it"),
        ("tags:\n    - b\n    - 7", "5", "`tags` holds an item that is 7, and has to be a string"),
        ("tags:\n    - b\n    - A-1\n    - c", "5", "`tags` holds an item that is \"A-1\""),
        ("key: 5", "3", "`key` is something else, and has to be a string"),
    ];
    for (field, line, said) in cases {
        stored.checkout.commit("all.yaml", &format!("queue:\n- name: jobs\n  {field}\n- {{name: ok}}\n"));
        let ran = stored.checkout.run(&["plan"], 65);
        assert!(
            ran.stderr.contains(&format!("objects/all.yaml:{line}")) && ran.stderr.contains(said),
            "{field}: {}",
            ran.stderr
        );
    }
    assert_eq!(stored.proxy.requests(), Vec::<String>::new(), "nothing was asked");
    stored.checkout.commit("all.yaml", "queue: [{name: a, size: x}, {name: b, size: y}]\n");
    let ran = stored.checkout.run(&["plan"], 65);
    assert!(ran.stderr.contains("\"x\"") && ran.stderr.contains("\"y\""), "both are said: {}", ran.stderr);
}

#[test]
fn a_whole_number_is_the_same_in_either_form() {
    let stored = Stored::new("scope: {room: r}");
    stored.checkout.commit("all.yaml", "room: [{name: r}]\nqueue: [{name: jobs, size: 300.0}]\n");
    stored.checkout.apply(&[]);
    assert_eq!(stored.store.get("/rooms/r/queues/jobs").unwrap()["size"], 300);
    stored.store.put("/rooms/r/queues/jobs", serde_json::json!({"name": "jobs", "size": 300.0}));
    stored.checkout.run(&["plan"], 0);
}

#[test]
fn a_definition_that_got_stricter_does_not_make_the_past_unreadable() {
    let stored = Stored::new("scope: {room: r}");
    let strict = stored.checkout.sandbox.read("checkout/store.yaml");
    stored.checkout.sandbox.write("checkout/store.yaml", strict.replace("pattern: \"^[a-z ]*$\", ", ""));
    stored.checkout.commit("all.yaml", "room: [{name: r}]\nqueue: [{name: jobs, note: LOUD}]\n");
    stored.checkout.apply(&[]);
    stored.checkout.sandbox.write("checkout/store.yaml", &strict);
    stored.checkout.commit_all();
    stored.checkout.run(&["plan"], 65);
    stored.checkout.commit("all.yaml", "room: [{name: r}]\nqueue: [{name: jobs, note: quiet}]\n");
    let plan = stored.checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("pending /note"), "{}", plan.stdout);
    stored.checkout.apply(&[]);
}
