//! Conditions of definitions: pointers, comparisons and the logic between them, nothing else.

use std::fmt;

use globset::{Glob, GlobMatcher};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value as Json;

use crate::providers::rest::client::json;

/// A condition such as `/inherited != true && /type in ["branch", "tag"]`.
#[derive(Clone)]
pub struct Condition {
    text: String,
    term: Term,
}

#[derive(Clone)]
enum Term {
    Or(Vec<Term>),
    And(Vec<Term>),
    Not(Box<Term>),
    Exists(Operand),
    Compare(Operand, Operator, Operand),
    /// A text and a glob.
    Matches(Operand, GlobMatcher),
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Pointer(String),
    Literal(Json),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    In,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// Says what was expected, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text };
        let term = reader.any()?;
        match reader.rest.trim() {
            "" => Ok(Condition { text: text.to_owned(), term }),
            rest => Err(format!("`{text}` is no condition: `{rest}` is left over")),
        }
    }

    /// Whether it holds for `tree`.
    pub fn holds(&self, tree: &Json) -> bool {
        self.term.holds(tree)
    }
}

impl Term {
    fn holds(&self, tree: &Json) -> bool {
        match self {
            Term::Or(terms) => terms.iter().any(|term| term.holds(tree)),
            Term::And(terms) => terms.iter().all(|term| term.holds(tree)),
            Term::Not(term) => !term.holds(tree),
            Term::Exists(operand) => !matches!(operand.value(tree), Json::Null | Json::Bool(false)),
            Term::Compare(left, operator, right) => {
                let (left, right) = (left.value(tree), right.value(tree));
                match operator {
                    Operator::Equal => left == right,
                    Operator::NotEqual => left != right,
                    Operator::In => right.as_array().is_some_and(|items| items.contains(left)),
                }
            }
            Term::Matches(operand, glob) => {
                operand.value(tree).as_str().is_some_and(|text| glob.is_match(text))
            }
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, tree: &'a Json) -> &'a Json {
        match self {
            Operand::Pointer(pointer) => json::at(tree, pointer).unwrap_or(&Json::Null),
            Operand::Literal(value) => value,
        }
    }
}

/// Reads a condition from left to right.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<Term, String> {
        let mut terms = vec![self.every()?];
        while self.take("||") {
            terms.push(self.every()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Term::Or(terms) })
    }

    fn every(&mut self) -> Result<Term, String> {
        let mut terms = vec![self.term()?];
        while self.take("&&") {
            terms.push(self.term()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Term::And(terms) })
    }

    fn term(&mut self) -> Result<Term, String> {
        if self.take("(") {
            let term = self.any()?;
            return if self.take(")") { Ok(term) } else { Err(self.expected("`)`")) };
        }
        if !self.rest.trim_start().starts_with("!=") && self.take("!") {
            return Ok(Term::Not(Box::new(self.term()?)));
        }
        let left = self.operand()?;
        if self.take("matches ") {
            return Ok(Term::Matches(left, self.glob()?));
        }
        let operators = [("==", Operator::Equal), ("!=", Operator::NotEqual), ("in ", Operator::In)];
        match operators.into_iter().find(|(word, _)| self.take(word)) {
            Some((_, operator)) => Ok(Term::Compare(left, operator, self.operand()?)),
            None => Ok(Term::Exists(left)),
        }
    }

    fn glob(&mut self) -> Result<GlobMatcher, String> {
        let wrong = self.expected("a glob between quotes");
        match self.operand()? {
            Operand::Literal(Json::String(text)) => {
                Glob::new(&text).map(|glob| glob.compile_matcher()).map_err(|error| error.to_string())
            }
            _ => Err(wrong),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            return Ok(Operand::Pointer(String::new()));
        }
        if self.rest.starts_with('/') {
            let end = self.rest.find(|c: char| c.is_whitespace() || "=!&|)".contains(c));
            let (pointer, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            self.rest = rest;
            return Ok(Operand::Pointer(pointer.to_owned()));
        }
        // serde_json wants white space after a number or a word, but not after what closes itself.
        let word =
            self.rest.find(|c: char| c.is_whitespace() || "=!&|)".contains(c)).unwrap_or(self.rest.len());
        let closed = self.rest.starts_with(['"', '[', '{']);
        let text = if closed { self.rest } else { &self.rest[..word] };
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Json>();
        match values.next() {
            Some(Ok(value)) => {
                self.rest = &self.rest[values.byte_offset()..];
                Ok(Operand::Literal(value))
            }
            _ => Err(self.expected("a pointer (`/name`, or `.` for the whole) or a value as JSON has it")),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let trimmed = self.rest.trim_start();
        match trimmed.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expected(&self, what: &str) -> String {
        format!("expected {what} before `{}`", self.rest.trim())
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Condition::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Pointers (`.` for the whole), JSON values, ==, !=, in, matches (a glob), &&, ||, ! and parentheses, for example: /inherited != true"
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(condition: &str, tree: Json) -> bool {
        Condition::parse(condition).unwrap().holds(&tree)
    }

    #[test]
    fn a_pointer_alone_asks_for_presence() {
        assert!(
            holds("/a", json!({"a": 1}))
                && !holds("/a", json!({"a": null}))
                && !holds("/a", json!({"a": false}))
        );
    }

    #[test]
    fn logic_binds_as_usual() {
        let tree = json!({"a": 1, "b": "x"});
        assert!(holds("/a == 2 || /a == 1 && /b == \"x\"", tree.clone()));
        assert!(!holds("(/a == 2 || /a == 1) && !(/b in [\"x\", \"y\"])", tree));
    }

    #[test]
    fn a_dot_is_the_whole() {
        assert!(holds(". == true", json!(true)) && !holds(". == true", json!(false)));
        assert!(holds("!(. in [\"a\"])", json!("b")));
    }

    #[test]
    fn globs_match_texts() {
        assert!(holds("/name matches \"amq.*\"", json!({"name": "amq.topic"})));
        assert!(!holds("/name matches \"amq.*\"", json!({"name": 1})));
        assert!(Condition::parse("/a matches /b").unwrap_err().contains("a glob between quotes"));
        assert!(Condition::parse("/a matches \"[\"").unwrap_err().contains("unclosed"));
    }

    #[test]
    fn what_is_no_condition_is_named() {
        assert!(Condition::parse("/a == ").unwrap_err().contains("expected"));
        assert!(Condition::parse("/a == 1 system('x')").is_err());
    }
}
