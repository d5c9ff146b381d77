use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::{values::is_tame, *};
use crate::yaml::{Content, Node, load};

/// A reader of scalars that is good enough for these tests.
fn value(node: &Node) -> Json {
    match &*node.content {
        Content::Scalar { text, plain: true } => serde_json::from_str(text).unwrap_or(match text.as_str() {
            "" | "~" => Json::Null,
            text => json!(text),
        }),
        Content::Scalar { text, .. } => json!(text),
        Content::Sequence(items) => items.iter().map(value).collect(),
        Content::Mapping(entries) => {
            let mut map = Map::new();
            for (key, node) in entries {
                match key.text().unwrap() {
                    "<<" => {
                        value(node).as_object().unwrap().iter().for_each(|(key, value)| {
                            map.entry(key.clone()).or_insert(value.clone());
                        });
                    }
                    key => _ = map.insert(key.to_owned(), value(node)),
                }
            }
            map.into()
        }
    }
}

fn read(content: &[u8]) -> Option<Vec<Json>> {
    Some(load(content).ok()?.iter().filter(|node| !node.entries().is_empty()).map(value).collect())
}

/// Sets the value at a pointer of the first document, or takes it away.
fn edited(text: &str, pointer: &str, new: Option<Json>) -> Result<String, String> {
    let old = read(text.as_bytes()).unwrap();
    let mut turned = old.clone();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match (turned[0].pointer_mut(parent).unwrap(), new) {
        (Json::Object(map), Some(new)) => _ = map.insert(last.to_owned(), new),
        (Json::Object(map), None) => _ = map.shift_remove(last),
        (Json::Array(items), Some(new)) if last == "-" => items.push(new),
        (Json::Array(items), Some(new)) if last.starts_with('+') => {
            items.insert(last.parse().unwrap(), new);
        }
        (Json::Array(items), Some(new)) => items[last.parse::<usize>().unwrap()] = new,
        (Json::Array(items), None) => _ = items.remove(last.parse().unwrap()),
        (other, _) => *other = Json::Null,
    }
    turn(text.as_bytes(), (&old, &turned), read).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[track_caller]
fn becomes(text: &str, pointer: &str, new: Json, wanted: &str) {
    assert_eq!(edited(text, pointer, Some(new)).unwrap(), wanted, "{text}");
}

#[track_caller]
fn without_it(text: &str, pointer: &str, wanted: &str) {
    assert_eq!(edited(text, pointer, None).unwrap(), wanted, "{text}");
}

#[test]
fn a_scalar_keeps_its_quotes_and_its_comment() {
    becomes("a: 1 # one\nb: 2\n", "/a", json!(3), "a: 3 # one\nb: 2\n");
    becomes("a: 'x'   # one\n", "/a", json!("y"), "a: 'y'   # one\n");
    becomes("a: \"x\"\n", "/a", json!("y"), "a: \"y\"\n");
    becomes("a: x\n", "/a", json!("on"), "a: \"on\"\n");
    becomes("a:   x", "/a", json!(true), "a:   true");
    becomes("a:\nb: 1\n", "/a", json!(1), "a: 1\nb: 1\n");
    becomes("a: # why\nb: 1\n", "/a", json!(1), "a: 1 # why\nb: 1\n");
    becomes("a: folded\n  over lines # c\nb: 1\n", "/a", json!("x"), "a: x # c\nb: 1\n");
}

#[test]
fn lines_of_text_stay_lines() {
    let text = "data:\n  conf: |\n    one\n    two\n\n  # next\n  other: x\n";
    becomes(
        text,
        "/data/conf",
        json!("one\nthree\n"),
        "data:\n  conf: |\n    one\n    three\n\n  # next\n  other: x\n",
    );
    becomes(
        text,
        "/data/conf",
        json!("one\nthree"),
        "data:\n  conf: |-\n    one\n    three\n\n  # next\n  other: x\n",
    );
    becomes(text, "/data/conf", json!("word"), "data:\n  conf: word\n\n  # next\n  other: x\n");
    becomes(
        text,
        "/data/other",
        json!("a\n b\n"),
        "data:\n  conf: |\n    one\n    two\n\n  # next\n  other: |\n    a\n     b\n",
    );
    becomes("a: x # c\n", "/a", json!("1\n2\n"), "a: \"1\\n2\\n\" # c\n");
}

#[test]
fn keys_come_and_go_in_a_block() {
    becomes("a:\n  b: 1 # c\n# end\n", "/a/d", json!("x"), "a:\n  b: 1 # c\n  d: x\n# end\n");
    becomes("a:\n  b: 1", "/a/d", json!({"e": [1]}), "a:\n  b: 1\n  d:\n    e:\n      - 1");
    becomes("l:\n- a: 1\n- a: 2\n", "/l/0/b", json!(3), "l:\n- a: 1\n  b: 3\n- a: 2\n");
    becomes("a: {}\nb: 1\n", "/a/x", json!(1), "a:\n  x: 1\nb: 1\n");
    without_it("a:\n  b: 1\n  # of c\n  c: 2\n", "/a/b", "a:\n  # of c\n  c: 2\n");
    without_it("l:\n- a: 1\n  b: 2\n- c: 3\n", "/l/0/a", "l:\n- b: 2\n- c: 3\n");
    without_it("a: 1\nb:\n  - x\n  - y\nc: 3\n", "/b", "a: 1\nc: 3\n");
    without_it("a:\n  b: 1\nc: 3\n", "/a/b", "a: {}\nc: 3\n");
}

#[test]
fn items_come_and_go_in_a_block() {
    becomes("l:\n- x # c\n- y\nz: 1\n", "/l/-", json!("w"), "l:\n- x # c\n- y\n- w\nz: 1\n");
    becomes(
        "l:\n  - name: x\n",
        "/l/-",
        json!({"name": "w", "v": "1"}),
        "l:\n  - name: x\n  - name: w\n    v: \"1\"\n",
    );
    without_it("l:\n# of x\n- x\n# of y\n- y\n", "/l/0", "l:\n# of x\n# of y\n- y\n");
    becomes("l:\n- x # c\n- y\n", "/l/0", json!("z"), "l:\n- z # c\n- y\n");
}

#[test]
fn items_come_and_go_together_in_the_middle() {
    let text = "l:\n# of x\n- x # c\n\n# of y\n- y\n- |\n  # text\n# of z\n- z";
    let change = |items: Json| {
        let old = read(text.as_bytes()).unwrap();
        let turned = turn(text.as_bytes(), (&old, &[json!({"l": items})]), read);
        turned.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    becomes(text, "/l/+0", json!("w"), &text.replace("# of x", "- w\n# of x"));
    becomes(text, "/l/+1", json!("w"), &text.replace("x # c\n", "x # c\n- w\n"));
    becomes(text, "/l/+3", json!("w"), &text.replace("# of z", "- w\n# of z"));
    assert_eq!(
        change(json!(["v", "y", "# text\n", "w", "z"])).unwrap(),
        "l:\n# of x\n- v # c\n\n# of y\n- y\n- |\n  # text\n- w\n# of z\n- z"
    );
    assert_eq!(
        change(json!(["y", "w", "# text\n", "z"])).unwrap(),
        "l:\n# of x\n\n# of y\n- y\n- w\n- |\n  # text\n# of z\n- z"
    );
    let named = "l:\n- name: x\n- name: y\n  v: 'a' # of y\n";
    let old = read(named.as_bytes()).unwrap();
    let new = [json!({"l": [{"name": "w"}, {"name": "y", "v": "b"}]})];
    let turned = turn(named.as_bytes(), (&old, &new), read).unwrap();
    assert_eq!(turned, b"l:\n- name: w\n- name: y\n  v: 'b' # of y\n");
    becomes("l: [x, y]\n", "/l/+0", json!("w"), "l: [w, x, y]\n");
    becomes("l: [x, y]\n", "/l/+1", json!("w"), "l: [x, w, y]\n");
    becomes("l: [\n  x,\n  y\n]\n", "/l/+0", json!("w"), "l: [\n  w,\n  x,\n  y\n]\n");
}

#[test]
fn items_change_places_with_what_is_said_of_them() {
    let sorted = |text: &str, items: Json| {
        let old = read(text.as_bytes()).unwrap();
        let turned = turn(text.as_bytes(), (&old, &[json!({"l": items, "z": 1})]), read);
        turned.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let text =
        "l:\n# of x\n# too\n- x # c\n\n# of y\n- y: 'a' # d\n  v: |\n    # text\n- w\n# the last\nz: 1\n";
    assert_eq!(
        sorted(text, json!([{"y": "a", "v": "# text\n"}, "w", "x"])).unwrap(),
        "l:\n# of y\n- y: 'a' # d\n  v: |\n    # text\n\n- w\n# of x\n# too\n- x # c\n# the last\nz: 1\n"
    );
    assert_eq!(sorted("{l: [1, {a: b}], z: 1}", json!([{"a": "b"}, 1])).unwrap(), "{l: [{a: b}, 1], z: 1}");
    for odd in ["l: [x, # c\n  y]\nz: 1\n", "l:\n- &a x\n- *a\n- y\nz: 1\n"] {
        let old = read(odd.as_bytes()).unwrap();
        let mut items = old[0]["l"].clone();
        items.as_array_mut().unwrap().reverse();
        assert!(sorted(odd, items).is_err(), "{odd}");
    }
}

#[test]
fn what_stands_between_brackets_stays_there() {
    becomes("a: {b: 1, c: [x, y]} # c\n", "/a/b", json!(2), "a: {b: 2, c: [x, y]} # c\n");
    becomes("a: {b: 1, c: [x, y]} # c\n", "/a/c/-", json!("z z"), "a: {b: 1, c: [x, y, z z]} # c\n");
    becomes("a: {b: 1,}\n", "/a/d", json!({"e": "f"}), "a: {b: 1, d: {e: f},}\n");
    without_it("a: {b: 1, c: 2, d: 3}\n", "/a/b", "a: {c: 2, d: 3}\n");
    without_it("a: {b: 1, c: 2, d: 3}\n", "/a/d", "a: {b: 1, c: 2}\n");
}

#[test]
fn json_stays_json() {
    let text = "{\n  \"a\": \"x\",\n  \"l\": [1],\n  \"m\": {\"n\": 1}\n}\n";
    for (pointer, new) in [
        ("/a", json!("y")),
        ("/l/-", json!("z")),
        ("/l/0", json!("z")),
        ("/m/n", json!({"o": ["p"]})),
        ("/m/q", json!("r")),
        ("/s", json!("a\nb\n")),
    ] {
        let new = edited(text, pointer, Some(new)).unwrap();
        serde_json::from_str::<Json>(&new).unwrap_or_else(|error| panic!("{error}: {new}"));
    }
    becomes(text, "/s", json!(1), &text.replace("1}\n}", "1},\n  \"s\": 1\n}"));
    without_it(text, "/l", "{\n  \"a\": \"x\",\n  \"m\": {\"n\": 1}\n}\n");
}

#[test]
fn other_line_ends_and_marks_stay() {
    becomes(
        "a: 1\r\nb:\r\n  c: x\r\n",
        "/b/d",
        json!("1\n2\n"),
        "a: 1\r\nb:\r\n  c: x\r\n  d: |\r\n    1\r\n    2\r\n",
    );
    becomes("\u{feff}a: 1\n", "/a", json!(2), "\u{feff}a: 2\n");
}

#[test]
fn what_would_be_a_guess_is_refused() {
    let refused = |text: &str, pointer: &str, new: Option<Json>, said: &str| {
        let why = edited(text, pointer, new).unwrap_err();
        assert!(why.contains(said), "{text}: {why}");
    };
    refused("a: &x 1\nb: *x\n", "/b", Some(json!(2)), "alias of an anchor");
    refused("a: &x 1\nb: *x\n", "/a", Some(json!(2)), "more than what moved");
    refused("a: &x {k: 1}\nb: *x\n", "/b/k", Some(json!(2)), "alias of an anchor");
    refused("a: &x {k: 1}\nb:\n  <<: *x\n  c: 1\n", "/b/k", Some(json!(2)), "comes from a merge");
    refused("a: &x {k: 1}\nb:\n  <<: *x\n  c: 1\n", "/b/k", None, "comes from a merge");
    refused("a: !!str 1\n", "/a", Some(json!(2)), "tag");
    refused("a: [x, # c\n  y]\n", "/a/0", None, "comment");
    becomes("a: &x 1\nb: *x\nc: 1\n", "/c", json!(2), "a: &x 1\nb: *x\nc: 2\n");
    becomes("a: &x {k: 1}\nb:\n  <<: *x\n  c: 1\n", "/b/c", json!(2), "a: &x {k: 1}\nb:\n  <<: *x\n  c: 2\n");
}

#[test]
fn a_document_leaves_and_the_others_stay() {
    let text = "# of a\na: 1\n---\n# of b\nb: 2\n---\nc: 3\n";
    let left = |at| String::from_utf8(without(text.as_bytes(), at).unwrap()).unwrap();
    assert_eq!(left(0), "# of b\nb: 2\n---\nc: 3\n");
    assert_eq!(left(1), "# of a\na: 1\n---\nc: 3\n");
    assert_eq!(left(2), "# of a\na: 1\n---\n# of b\nb: 2\n");
    assert!(without(b"a: 1\n", 0).is_err() && without(b"%YAML 1.2\n---\na: 1\n---\nb: 1\n", 0).is_err());
}

// ---- random files and edits

/// How a value is written; every choice is drawn beforehand.
struct Hand<'a> {
    choices: &'a [u8],
    at: usize,
    comments: usize,
    eol: &'static str,
}

impl Hand<'_> {
    fn choose(&mut self, among: u8) -> u8 {
        self.at += 1;
        self.choices[self.at % self.choices.len()] % among
    }

    fn comment(&mut self) -> String {
        self.comments += 1;
        format!("# comment {}", self.comments)
    }

    fn tail(&mut self) -> String {
        if self.choose(4) == 0 { format!(" {}", self.comment()) } else { String::new() }
    }

    fn scalar(&mut self, value: &Json) -> String {
        match value.as_str() {
            Some(text) if self.choose(3) == 0 && is_tame(text) => format!("'{text}'"),
            Some(text) if self.choose(2) == 0 => json!(text).to_string(),
            Some(text) => emit::scalar(text, Quotes::AsNeeded),
            None => value.to_string(),
        }
    }

    fn inline(&mut self, value: &Json) -> String {
        match value {
            Json::Object(map) => {
                let fields: Vec<String> =
                    map.iter().map(|(key, value)| format!("{key}: {}", self.inline(value))).collect();
                format!("{{{}}}", fields.join(", "))
            }
            Json::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.inline(item)).collect();
                format!("[{}]", items.join(", "))
            }
            other => self.scalar(other),
        }
    }

    /// What follows a colon or a dash.
    fn block(&mut self, value: &Json, indent: usize) -> String {
        let (space, eol) = (" ".repeat(indent), self.eol);
        match value {
            Json::Object(map) if !map.is_empty() && self.choose(4) > 0 => {
                let mut text = String::new();
                for (key, value) in map {
                    if self.choose(6) == 0 {
                        text += &format!("{eol}{space}{}", self.comment());
                    }
                    if self.choose(8) == 0 {
                        text += eol;
                    }
                    text += &format!("{eol}{space}{key}:{}", self.block(value, indent + 2));
                }
                text
            }
            Json::Array(items) if !items.is_empty() && self.choose(4) > 0 => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| {
                        let text = self.block(item, indent + 2);
                        let beside =
                            item.is_object() && text.starts_with(eol) && !text.trim_start().starts_with('#');
                        let text = if beside { format!(" {}", text.trim_start()) } else { text };
                        format!("{eol}{space}-{text}")
                    })
                    .collect();
                items.concat()
            }
            Json::String(text) if text.contains('\n') => match emit::literal(text, indent, eol) {
                Some(lines) => format!(" {lines}"),
                None => format!(" {}", json!(text)),
            },
            other => format!(" {}{}", self.inline(other), self.tail()),
        }
    }
}

fn words() -> impl Strategy<Value = Json> {
    prop_oneof![
        (0..100_i32).prop_map(|number| json!(number)),
        any::<bool>().prop_map(|flag| json!(flag)),
        "[a-z]{1,6}".prop_map(|text| json!(text)),
        "[a-zA-Z0-9 .:#'\"{}\\[\\],&*!|>-]{0,10}".prop_map(|text| json!(text)),
        "[a-z]{1,4}(\n[ a-z]{1,4}){1,3}\n?".prop_map(|text| json!(text)),
    ]
}

fn values() -> impl Strategy<Value = Json> {
    words().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::btree_map("[a-z]{1,3}", inner.clone(), 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
            prop::collection::vec(inner, 0..4).prop_map(Json::Array),
        ]
    })
}

fn documents_of_values() -> impl Strategy<Value = Json> {
    prop::collection::btree_map("[a-z]{1,3}", values(), 1..5)
        .prop_map(|map| Json::Object(map.into_iter().collect()))
}

/// Changes one place, which `choices` lead to.
fn changed(value: &mut Json, new: &Json, choices: &mut dyn Iterator<Item = u8>) {
    let choice = usize::from(choices.next().unwrap_or_default());
    match value {
        Json::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(choice % map.len()).unwrap().clone();
            match choices.next().unwrap_or_default() % 6 {
                0 => _ = map.shift_remove(&key),
                1 => _ = map.insert("new".to_owned(), new.clone()),
                _ => changed(&mut map[&key], new, choices),
            }
        }
        Json::Array(items) if !items.is_empty() => {
            let at = choice % items.len();
            match choices.next().unwrap_or_default() % 8 {
                0 => _ = items.remove(at),
                1 => items.insert(at, new.clone()),
                2 => items.push(new.clone()),
                3 => items.reverse(),
                _ => changed(&mut items[at], new, choices),
            }
        }
        other => *other = new.clone(),
    }
}

/// Whether two values differ in scalars only.
fn same_shape(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same_shape(value, other)))
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_shape(one, other))
        }
        (Json::Object(_) | Json::Array(_), _) | (_, Json::Object(_) | Json::Array(_)) => false,
        _ => true,
    }
}

fn comments(text: &str) -> BTreeSet<usize> {
    let marks = text.match_indices("# comment ");
    marks.filter_map(|(at, mark)| text[at + mark.len()..].split_whitespace().next()?.parse().ok()).collect()
}

/// Counts what was written and what was refused, so that the test cannot be about refusals only.
#[test]
fn random_edits_are_read_back_or_refused_and_keep_comments() {
    let (mut written, mut refused) = (0, 0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(3000));
    let strategy = (
        documents_of_values(),
        prop::collection::vec(any::<u8>(), 40),
        values(),
        prop::collection::vec(any::<u8>(), 12),
        any::<bool>(),
    );
    let counts = std::cell::RefCell::new((&mut written, &mut refused));
    runner
        .run(&strategy, |(document, choices, new, way, crlf)| {
            let mut hand =
                Hand { choices: &choices, at: 0, comments: 0, eol: if crlf { "\r\n" } else { "\n" } };
            let mut text = hand.block(&document, 0).trim_start().to_owned();
            if text.starts_with('{') || hand.choose(5) > 0 {
                text += hand.eol;
            }
            let Some(old) = read(text.as_bytes()).filter(|read| *read == std::slice::from_ref(&document))
            else {
                return Ok(());
            };
            let mut turned = old.clone();
            changed(&mut turned[0], &new, &mut way.into_iter());
            prop_assume!(turned[0].as_object().is_some_and(|map| !map.is_empty()));
            let mut counts = counts.borrow_mut();
            match turn(text.as_bytes(), (&old, &turned), read) {
                Ok(edited) => {
                    *counts.0 += 1;
                    let edited = String::from_utf8(edited).unwrap();
                    prop_assert_eq!(read(edited.as_bytes()).unwrap(), turned.clone());
                    if old == turned {
                        prop_assert_eq!(&edited, &text);
                    }
                    let lost = comments(&text).difference(&comments(&edited)).count();
                    prop_assert!(lost == 0 || !same_shape(&old[0], &turned[0]), "{}\n---\n{}", text, edited);
                    prop_assert!(crlf || !edited.contains('\r'));
                }
                Err(_) => *counts.1 += 1,
            }
            Ok(())
        })
        .unwrap();
    assert!(written > 9 * refused, "{written} written, {refused} refused");
}
