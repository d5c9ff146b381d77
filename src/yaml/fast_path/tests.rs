//! What is read in one pass, against what the parser makes of it.

use proptest::prelude::*;

use super::documents;
use crate::yaml::{Node, build::parsed, node::AsWritten};

fn quick(text: &str) -> Option<Vec<Node>> {
    Some(documents::<AsWritten>(text)?.0)
}

fn slow(text: &str) -> Vec<Node> {
    parsed::<AsWritten>(text).unwrap().0
}

const MANIFESTS: &str = r##"# Two documents.
apiVersion: apps/v1
kind: Deployment # of the shop
metadata: {name: web, labels: {app: "web", "tier":1}, finalizers: []}
spec:
  replicas: 2
  template:

    containers:
    - name: web
      args: ["--listen=:8080", '--it''s', {}]
      image:
      command: "say \"hi\"\n"
    -   name: side
        ports:
          - - 1
            -
          # the last
          -
---
data:
  empty: ''
  text.toml: |
      a = 1
        b = "# no comment"

      	c

  folded: >-

    one
    two

    three
      four
    five
  kept: |+
    x

"last": ~
---
- a: b:c
  d: -e#f
---
"##;

#[test]
fn manifests_are_everyday() {
    assert_eq!(quick(MANIFESTS).unwrap(), slow(MANIFESTS));
}

#[test]
fn what_is_rare_or_wrong_is_left_to_the_parser() {
    let rare =
        ["a: &x 1\n", "a: !t 1\n", "é: 1\n", "a: b\n  c\n", "a: \"b\n  c\"\n", "{\n}\n", "? a\n", "...\n"];
    let wrong =
        ["a: 1\na: 2\n", "a:\n\tb: 1\n", "a: b: c\n", "a: [\n", "a: 'b\n", "a: 1\n b: 2\n", "a: |\n b\nc\n"];
    for text in rare.iter().chain(&wrong) {
        assert!(quick(text).is_none(), "{text:?}");
    }
}

/// What lines are made of.
const PIECES: &[&str] = &[
    "a",
    "b: ",
    "c:\n",
    "k: v\n",
    "- ",
    "-\n",
    "\n",
    "  ",
    " ",
    "    ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ",",
    "'",
    "\"",
    "''",
    "\\n",
    "\\",
    "|\n",
    ">\n",
    "|-\n",
    ">+\n",
    "|2\n",
    "#c",
    " # c\n",
    "---\n",
    "---",
    "--- ",
    "...\n",
    "? ",
    ": ",
    ":",
    "<<: ",
    "<<: {a: 1}\n",
    "\t",
    "~",
    "@",
    "-",
    "x y",
    "\"q\": ",
    "'s'",
    "[a, b]\n",
    "{a: 1, b: [c]}\n",
    "text: |\n  x\n  y\n",
    "f: >\n    x\n\n    y\n",
    "%",
    "a:b",
    "1",
    "null",
    "é",
    "a#b",
    "*a",
    "&a ",
    "!t ",
];

fn line() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 1..5);
    let end = prop::sample::select(&["\n", "\n", "\n", ""][..]);
    (0..7_usize, pieces, end).prop_map(|(indent, pieces, end)| " ".repeat(indent) + &pieces.concat() + end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn what_is_read_in_one_pass_is_what_the_parser_reads(lines in prop::collection::vec(line(), 0..9)) {
        let text = lines.concat();
        if let Some(read) = quick(&text) {
            prop_assert_eq!(read, slow(&text), "{}", text);
        }
    }
}
