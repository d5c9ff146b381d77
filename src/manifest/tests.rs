//! Manifests against what kubectl was seen to read.

use proptest::prelude::*;
use serde_json::Number;

use super::{manifests, nodes};
use crate::{
    model::value::Value,
    yaml::{Place, tests::PIECES},
};

fn read(text: &str) -> Value {
    nodes(text.as_bytes()).unwrap().0.remove(0).value()
}

fn scalar(text: &str) -> Value {
    read(&format!("v: {text}\n")).get("v").unwrap().clone()
}

fn whole(number: i64) -> Value {
    Value::Number(number.into())
}

fn trouble(text: &str) -> String {
    manifests(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn plain_scalars_are_what_kubectl_says() {
    for word in ["yes", "Yes", "YES", "on", "y", "Y", "true", "TRUE"] {
        assert_eq!(scalar(word), Value::Bool(true), "{word}");
    }
    for word in ["no", "No", "off", "OFF", "n", "N", "False"] {
        assert_eq!(scalar(word), Value::Bool(false), "{word}");
    }
    for (text, number) in [
        ("0777", 511),
        ("0o777", 511),
        ("010", 8),
        ("08", 8),
        ("0b101", 5),
        ("0X1f", 31),
        ("1_000", 1000),
        ("0x_F", 15),
        ("+12", 12),
        ("-0x1F", -31),
        ("1.0", 1),
        ("1e3", 1000),
    ] {
        assert_eq!(scalar(text), whole(number), "{text}");
    }
    assert_eq!(scalar("1_000.5"), Value::Number(Number::from_f64(1000.5).unwrap()));
    assert_eq!(
        scalar("18446744073709551616"),
        Value::Number(Number::from_f64(18446744073709551616.0).unwrap())
    );
    for text in
        ["tRUE", "1e400", "2001-12-14", "1:30", "1.2.3", "0x", "+", ".", "1e", "0o9", "v1", "!Ref foo"]
    {
        let plain = text.trim_start_matches("!Ref ");
        assert_eq!(scalar(text), Value::string(plain), "{text}");
    }
    for text in ["~", "null", "NULL", ""] {
        assert_eq!(scalar(text), Value::Null, "{text}");
    }
    assert_eq!(scalar("\"yes\""), Value::string("yes"));
    assert_eq!(scalar("!!bool \"yes\""), Value::Bool(true));
}

#[test]
fn scalars_that_other_readers_take_for_something_else_are_pointed_out() {
    let (_, warnings) = nodes(b"a: on\nb: 0777\nc: true\nd: 12\ne: \"on\"\n").unwrap();
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "1:4: `on` is read as true, as kubectl does; write `true` or `\"on\"`",
            "2:4: `0777` is read as 511, as kubectl does; write `511` or `\"0777\"`",
        ]
    );
}

#[test]
fn keys_are_text() {
    assert_eq!(
        read("on: 1\n1: 2\n1.5: 3\n"),
        Value::map([("true", whole(1)), ("1", whole(2)), ("1.5", whole(3))])
    );
}

#[test]
fn merges_follow_the_order_of_the_file() {
    let base = "b: &b {x: 1, w: 1}\n";
    let of = |text: &str| read(&format!("{base}{text}")).get("m").unwrap().clone();
    assert_eq!(of("m: {<<: *b, x: 2}\n"), Value::map([("x", whole(2)), ("w", whole(1))]));
    assert_eq!(of("m: {x: 2, <<: *b}\n"), Value::map([("x", whole(1)), ("w", whole(1))]));
    assert_eq!(of("m: {\"<<\": 1}\n"), Value::map([("<<", whole(1))]));
    assert_eq!(
        of("c: &c {x: 3, z: 3}\nm: {<<: [*c, *b]}\n"),
        Value::map([("x", whole(3)), ("w", whole(1)), ("z", whole(3))])
    );
}

#[test]
fn a_duplicate_key_names_both_places() {
    assert_eq!(trouble("a: 1\nb: 2\na: 3\n"), "3:1: the key `a` is there twice (first at 1:1)");
}

#[test]
fn what_is_no_yaml_says_where() {
    assert!(trouble("a:\n\tb: 1\n").starts_with("2:2: a tab cannot indent; use spaces"));
    assert_eq!(manifests(b"a: 1\nb: \xff\n").unwrap_err().to_string(), "2:4: this is not UTF-8");
    assert_eq!(trouble("a: .inf\n"), "1:4: `.inf` has no JSON form");
    assert!(trouble("a: *x\n").contains("names no anchor"));
}

#[test]
fn a_file_that_explodes_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb += &format!("a{level}: &a{level} [{items}]\n");
    }
    assert!(trouble(&bomb).contains("too large"));
    assert!(trouble(&"[".repeat(20_000)).contains("levels deep"));
}

#[test]
fn a_block_that_ends_with_the_file_ends_as_it_is_written() {
    assert_eq!(read("a: |\n  x\n").get("a"), Some(&Value::string("x\n")));
    assert_eq!(read("a: |\n  x").get("a"), Some(&Value::string("x")));
    assert_eq!(read("a: |+\n   x").get("a"), Some(&Value::string("x")));
}

#[test]
fn what_names_no_object_is_refused_with_its_place() {
    assert_eq!(
        trouble("kind: Pod\nmetadata: {name: a}\n"),
        "1:1: there is no `apiVersion`; every manifest has one"
    );
    assert_eq!(
        trouble("apiVersion: v1\nmetadata: {name: a}\n"),
        "1:1: there is no `kind`; every manifest has one"
    );
    assert_eq!(trouble("apiVersion: v1\nkind: Pod\nmetadata: {}\n"), "3:1: a `Pod` has no `metadata.name`");
    assert!(
        trouble("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n")
            .contains("another object each time")
    );
    assert!(trouble("apiVersion: v1\nkind: Pod\nmetadata: {name: 1}\n").contains("quote it"));
    assert!(trouble("apiVersion: v1\nkind: Pod\nmetadata: {name: ../x}\n").contains("is no name"));
    assert!(trouble("- 1\n").contains("is a mapping"));
}

#[test]
fn lists_and_documents_are_taken_apart() {
    let text = "\u{feff}# nothing\n---\n---\napiVersion: v1\nkind: List\nitems:\n\
        - {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}}\n---\n\
        apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: b}\n---\nnull\n";
    let (found, _) = manifests(text.as_bytes()).unwrap();
    let names: Vec<_> = found.iter().map(|m| (m.kind.as_str(), m.name.as_str(), m.node.place.line)).collect();
    assert_eq!(names, [("Pod", "a", 7), ("ConfigMap", "b", 12)]);
    assert_eq!(found[0].namespace.as_deref(), Some("shop"));
}

#[test]
fn json_is_yaml() {
    let (found, _) =
        manifests(b"{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}\n}\n")
            .unwrap();
    assert_eq!(found[0].name, "a");
}

#[test]
fn every_value_knows_its_place() {
    let node =
        nodes(b"spec:\n  containers:\n  - name: a\n  - name: web\n    image: x:1\n").unwrap().0.remove(0);
    let at = |path: &[&str]| node.locate(path.iter().copied());
    assert_eq!(at(&["spec", "containers", "[name=web]", "image"]), Place { line: 5, column: 5 });
    assert_eq!(at(&["spec", "nothing"]), Place { line: 1, column: 1 });
}

proptest! {
    #[test]
    fn anything_like_a_manifest_is_objects_or_a_located_problem(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24),
    ) {
        match manifests(pieces.concat().as_bytes()) {
            Ok((found, _)) => found.iter().for_each(|manifest| drop(manifest.node.value())),
            Err(problem) => prop_assert!(problem.line > 0 && problem.column > 0, "{problem}"),
        }
    }
}
