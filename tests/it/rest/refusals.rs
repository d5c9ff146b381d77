//! What the language says of servers that are too old, say no, or take more away than one object.

use super::{
    language::checkout,
    proxy::{Proxy, json},
    small::{self, Room, writes},
};

/// A room on a server that says it is of this version.
fn versioned(version: &'static str) -> Proxy {
    let room = Room::of(&["a"]);
    Proxy::start("127.0.0.1:9", move |asked| match asked.path.as_str() {
        "/api/version" => json("200 OK", &format!(r#"{{"version": "{version}"}}"#)),
        _ => room.answer(asked),
    })
}

const BOUNDS: [(&str, &str); 2] = [
    (
        "kinds:\n",
        "probe: {get: /version, version: /version}\ntested_with: [{product: small, version: '>=2 <3'}]\nkinds:\n",
    ),
    ("      /id:", "      /colour: {since: '3.0'}\n      /shade: {until: '2.0'}\n      /id:"),
];

#[test]
fn a_field_that_the_server_does_not_have_is_refused_at_its_line() {
    for (field, when) in [("colour", "is there from 3.0 on"), ("shade", "is there before 2.0 only")] {
        let proxy = versioned("2.1");
        let checkout = checkout(&proxy.url, &BOUNDS, &[]);
        checkout.commit("things.yaml", &format!("thing:\n  - name: a\n    {field}: red\n"));
        let ran = checkout.run(&["apply", "--yes"], 65);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains("things.yaml:3`") && all.contains(when), "{all}");
        assert!(all.contains("the server is 2.1") && writes(&proxy).is_empty(), "{all}");
    }
}

#[test]
fn a_kind_that_the_server_does_not_have_is_refused_at_its_line() {
    let proxy = versioned("2.1");
    let newer = [BOUNDS[0], ("    scope: room\n", "    scope: room\n    since: '3.0'\n")];
    let checkout = checkout(&proxy.url, &newer, &["a"]);
    let ran = checkout.run(&["apply", "--yes"], 65);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    let said = "things.yaml:2`: `thing/r/a` is there from 3.0 on, and the server is 2.1";
    assert!(all.contains(said) && writes(&proxy).is_empty(), "{all}");
}

#[test]
fn a_version_that_nobody_tried_is_a_note_of_a_plan_with_changes() {
    for (version, name, noted) in [("2.1", "b", false), ("4.0", "b", true)] {
        let proxy = versioned(version);
        let checkout = checkout(&proxy.url, &[BOUNDS[0]], &[name]);
        let ran = checkout.run(&["plan"], 2);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        let note = "the server is small 4.0; the definition was tried with small >=2 <3";
        assert_eq!(all.contains(note), noted, "{all}");
    }
}

#[test]
fn where_nothing_differs_and_no_field_is_of_some_versions_only_the_version_is_not_asked_for() {
    let proxy = versioned("4.0");
    let checkout = checkout(&proxy.url, &[BOUNDS[0]], &["a"]);
    checkout.run(&["plan"], 0);
    let asked = proxy.requests();
    assert!(!asked.iter().any(|request| request.contains("version")), "{asked:?}");
}

#[test]
fn a_success_whose_body_says_no_is_a_failure() {
    let room = Room::of(&["a"]);
    let proxy = Proxy::start("127.0.0.1:9", move |asked| match asked.method.as_str() {
        "GET" => room.answer(asked),
        _ => json("200 OK", r#"{"ok": false, "message": "not today"}"#),
    });
    // A refusal is an error; only what is said to be a conflict makes the plan stale.
    let cases = [
        ("when: '/ok == true'", 1, "the server did not take the write: not today"),
        ("conflict_when: '/ok == false'", 6, "the object is not what the write expects: not today"),
    ];
    for (key, exit, said) in cases {
        let no = [("body: declared, ", format!("body: declared, success: {{{key}}}, "))];
        let no = no.each_ref().map(|(old, new)| (*old, new.as_str()));
        let checkout = checkout(&proxy.url, &no, &["a", "b"]);
        let ran = checkout.run(&["apply", "--yes"], exit);
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
        assert_eq!(writes(&proxy), ["POST /api/rooms/r/things"]);
        checkout.run(&["plan"], 2);
        proxy.asked.lock().unwrap().clear();
    }
}

#[test]
fn what_goes_with_a_deleted_object_is_counted_first_and_shown() {
    for (parts, said) in [
        (r#"{"data": [1, 2, 3]}"#, "deletes 3 parts with it"),
        ("{}", "its parts, which could not be counted"),
    ] {
        let room = Room::default();
        let proxy = Proxy::start("127.0.0.1:9", move |asked| match asked.path.ends_with("/parts") {
            true => json("200 OK", parts),
            false => room.answer(asked),
        });
        let cascades = "    cascades: [{what: parts, path: '/rooms/{room}/things/{id}/parts', count: /data}]\n    fields:\n";
        let checkout = checkout(&proxy.url, &[("    fields:\n", cascades)], &["a", "b"]);
        checkout.apply(&[]);
        small::declare(&checkout, &["a"]);
        let ran = checkout.run(&["plan"], 2);
        assert!(ran.stdout.contains(said), "{}{}", ran.stdout, ran.stderr);
        assert!(proxy.requests().contains(&"GET /api/rooms/r/things/101/parts".to_owned()));
        assert!(!writes(&proxy).iter().any(|write| write.starts_with("DELETE")));
    }
}

#[test]
fn what_goes_with_a_deleted_object_counts_at_the_guard() {
    let room = Room::default();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| match asked.path.ends_with("/parts") {
        true => json("200 OK", r#"{"data": [1, 2, 3, 4, 5]}"#),
        false => room.answer(asked),
    });
    // One object goes, and five parts with it; the guard lets five go.
    for (counts, exit) in [("", 8), (", counts: false", 0)] {
        let cascade =
            format!("{{what: parts, path: '/rooms/{{room}}/things/{{id}}/parts', count: /data{counts}}}");
        let cascades = format!("    cascades: [{cascade}]\n    fields:\n");
        let checkout = checkout(&proxy.url, &[("    fields:\n", &cascades)], &["a", "b"]);
        checkout.sandbox.trueup(&["apply", "--yes", "--adopt", "**"]).expect(0);
        small::declare(&checkout, &["a"]);
        let ran = checkout.run(&["apply", "--yes", "--max-delete", "5"], exit);
        let deleted = writes(&proxy).iter().any(|write| write.starts_with("DELETE"));
        assert_eq!(deleted, exit == 0, "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_refused_field_is_shown_at_the_line_that_declares_it() {
    let room = Room::default();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| match asked.method.as_str() {
        "POST" => json(
            "422 Unprocessable Entity",
            r#"{"message": "no", "invalid": [{"field": "thing.size", "code": "too big"}]}"#,
        ),
        _ => room.answer(asked),
    });
    let told = "field_errors: [{items: /invalid, name: /field, message: /code, prefix: thing.}]\nkinds:\n";
    let checkout = checkout(&proxy.url, &[("kinds:\n", told)], &[]);
    checkout.commit("things.yaml", "thing:\n  - name: a\n    size: 900\n");
    let ran = checkout.run(&["apply", "--yes"], 1);
    assert!(ran.stdout.contains("things.yaml:3` `/size` (too big)"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_name_that_is_declared_twice_is_an_error_that_names_both_places() {
    let proxy = versioned("2.1");
    let folded = [("identity: {keys: [/name]}", "identity: {keys: [/name], case: lower}")];
    let checkout = checkout(&proxy.url, &folded, &["a"]);
    checkout.commit("z.yaml", "thing:\n  - name: b\n  - name: A\n");
    let ran = checkout.run(&["apply", "--yes"], 65);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(all.contains("things.yaml:2`") && all.contains("z.yaml:3"), "{all}");
    assert!(all.contains("declared twice") && writes(&proxy).is_empty(), "{all}");
}
