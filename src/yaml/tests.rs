//! YAML of every kind, with positions.

use proptest::prelude::*;

use super::{Content, Node, load};

fn one(text: &str) -> Node {
    load(text.as_bytes()).unwrap().remove(0)
}

fn complaint(text: &[u8]) -> String {
    let problem = load(text).unwrap_err();
    format!("{}:{}: {}", problem.line, problem.column, problem.message)
}

#[test]
fn every_node_knows_where_it_stands() {
    let text = "a: 1\nlist:\n  - x\n  - {é: \"y\"}\n";
    let root = one(text);
    let (key, list) = root.entry("list").unwrap();
    assert_eq!((key.span.line, key.span.column), (2, 1));
    let inner = &list.items()[1].entry("é").unwrap().1;
    assert_eq!((inner.span.line, inner.span.column), (4, 9));
    assert_eq!(&text[inner.span.bytes.clone()], "\"y\"");
    assert!(matches!(&*inner.content, Content::Scalar { text, plain: false } if text == "y"));
}

#[test]
fn a_key_twice_names_both_lines() {
    assert_eq!(
        complaint(b"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n"),
        "5:3: the key `c` is there twice (first at 3:3)"
    );
    assert!(load(b"- a: 1\n- a: 2\n").is_ok());
}

#[test]
fn aliases_share_what_they_mean_and_know_both_places() {
    let root = one("a: &x {k: v}\nb: *x\n");
    let alias = &root.entry("b").unwrap().1;
    assert_eq!((alias.span.line, alias.anchor.as_ref().unwrap().line), (2, 1));
    assert_eq!(alias.entry("k").unwrap().1.text(), Some("v"));
}

#[test]
fn aliases_without_measure_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{items}]\n");
    }
    assert!(complaint(text.as_bytes()).contains("aliases make this too large"));
    assert!(complaint(b"a: &a [*a]\n").contains("alias"));
    assert!(complaint(b"a: *nope\n").starts_with("1:"));
}

#[test]
fn nesting_without_measure_is_refused() {
    assert!(complaint("[".repeat(100_000).as_bytes()).starts_with("1:"));
    assert!(load(format!("{}{}", "[".repeat(100), "]".repeat(100)).as_bytes()).is_ok());
}

#[test]
fn what_is_no_text_is_located() {
    assert_eq!(complaint(b"a: 1\nb: \xff\n"), "2:4: this is not UTF-8");
    assert_eq!(load(b"\xef\xbb\xbfa: 1\n").unwrap()[0].span.column, 1);
}

#[test]
fn empty_documents_are_skipped() {
    assert!(load(b"").unwrap().is_empty());
    assert!(load(b"# only a comment\n").unwrap().is_empty());
    assert_eq!(load(b"---\na: 1\n---\n---\nb: 2\n").unwrap().len(), 2);
}

proptest! {
    #[test]
    fn any_bytes_are_documents_or_a_located_problem(content in prop::collection::vec(any::<u8>(), 0..64)) {
        check(&content)?;
    }

    #[test]
    fn anything_like_yaml_is_documents_or_a_located_problem(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..16),
    ) {
        check(pieces.concat().as_bytes())?;
    }
}

/// What YAML is made of, and what it is not made of.
pub(crate) const PIECES: &[&str] = &[
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
    "items:\n",
    "on",
    "0777",
    "1e3",
    ".inf",
    "<<",
    "a",
    "b: ",
    ": ",
    ":\n",
    "- ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "!t ",
    "!!str ",
    "!%C3%A9 ",
    "'",
    "\"",
    "\\x",
    "\\uD800",
    "|",
    ">",
    "|2-\n",
    "|+\n",
    "#c",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "%TAG ! x\n",
    "? ",
    "<<: *a\n",
    "\t",
    "\r",
    "\u{feff}",
    "\0",
    "\u{85}",
    "\u{2028}",
    "@",
    "key: value\n",
    "~",
    "😀",
];

fn check(content: &[u8]) -> Result<(), TestCaseError> {
    match load(content) {
        Ok(documents) => documents.iter().for_each(|document| assert!(document.span.line > 0)),
        Err(problem) => {
            prop_assert!(problem.line > 0 && problem.column > 0 && !problem.message.is_empty())
        }
    }
    Ok(())
}
