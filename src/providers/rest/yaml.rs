//! YAML with the place of every value: declarations and definitions are read by it.

use std::collections::BTreeMap;

use libyaml_safer::{Event, EventData, Parser, ScalarStyle};
use serde_json::{Map, Number, Value as Json};

use crate::{exit::Exit, model::fault::Fault};

/// The most values that one file may hold, its aliases counted as often as they are used.
const MOST_NODES: usize = 2_000_000;

/// How deep a value may be nested.
const DEEPEST: usize = 100;

/// One value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1.
    pub column: u32,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Null, a flag, a number or a text.
    Scalar(Json),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file; the line is that of the key.
    Map(Vec<(String, u32, Node)>),
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Line, counted from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

impl Complaint {
    /// A complaint about `line`.
    pub fn new(line: u32, message: impl Into<String>) -> Self {
        Complaint { line, message: message.into() }
    }

    /// The fault that names the file.
    pub fn in_file(self, exit: Exit, file: &str) -> Fault {
        Fault::new(exit, format!("`{file}:{}`: {}", self.line, self.message))
    }
}

impl Node {
    /// The value without its place.
    pub fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(fields) => Json::Object(
                fields.iter().map(|(key, _, value)| (key.clone(), value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The value of `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(fields) => fields.iter().find(|(name, ..)| name == key).map(|(.., value)| value),
            _ => None,
        }
    }

    /// The line of what `path` leads to, or of the last part of it that is there.
    pub fn line_of<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> u32 {
        let (mut at, mut line) = (self, self.line);
        for step in path {
            let next = match &at.kind {
                Kind::Map(fields) => {
                    fields.iter().find(|(name, ..)| name == step).map(|(_, line, value)| (*line, value))
                }
                Kind::List(items) => {
                    step.parse().ok().and_then(|index: usize| items.get(index)).map(|item| (item.line, item))
                }
                Kind::Scalar(_) => None,
            };
            let Some(next) = next else { break };
            (line, at) = next;
        }
        line
    }
}

/// Reads the documents of one file; empty documents are left out.
///
/// # Errors
/// What is no YAML, a key that occurs twice, or more than a person would write.
pub fn documents(text: &[u8]) -> Result<Vec<Node>, Complaint> {
    let mut input = text;
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut loader = Loader { parser, anchors: BTreeMap::new(), nodes: 0 };
    let mut documents = Vec::new();
    loop {
        let event = loader.next()?;
        match event.data {
            EventData::StreamEnd => return Ok(documents),
            EventData::DocumentStart { .. } => {
                loader.anchors.clear();
                let first = loader.next()?;
                let document = loader.node(first, 0)?;
                if !matches!(document.kind, Kind::Scalar(Json::Null)) {
                    documents.push(document);
                }
            }
            _ => {}
        }
    }
}

/// Turns events into nodes.
struct Loader<'a> {
    parser: Parser<&'a mut &'a [u8]>,
    anchors: BTreeMap<String, Node>,
    nodes: usize,
}

impl Loader<'_> {
    fn next(&mut self) -> Result<Event, Complaint> {
        self.parser.parse().map_err(|error| {
            let line = error.problem_mark().or(error.context_mark()).map_or(0, |mark| mark.line);
            Complaint::new(line as u32 + 1, error.problem())
        })
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Node, Complaint> {
        let (line, column) = (event.start_mark.line as u32 + 1, event.start_mark.column as u32 + 1);
        self.count(1, line)?;
        if depth > DEEPEST {
            return Err(Complaint::new(line, format!("nested deeper than {DEEPEST} levels")));
        }
        let (anchor, kind) = match event.data {
            EventData::Alias { anchor } => return self.alias(&anchor, line),
            EventData::Scalar { anchor, tag, value, style, .. } => {
                (anchor, Kind::Scalar(scalar(value, tag.as_deref(), style, line)?))
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                plain(tag.as_deref(), line)?;
                (anchor, Kind::List(self.items(depth)?))
            }
            EventData::MappingStart { anchor, tag, .. } => {
                plain(tag.as_deref(), line)?;
                (anchor, Kind::Map(self.fields(depth)?))
            }
            _ => return Err(Complaint::new(line, "a value is missing")),
        };
        let node = Node { line, column, kind };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: &str, line: u32) -> Result<Node, Complaint> {
        let known = self.anchors.get(anchor).cloned();
        let node = known.ok_or_else(|| Complaint::new(line, format!("no anchor `{anchor}` above")))?;
        self.count(size(&node), line)?;
        Ok(node)
    }

    fn count(&mut self, more: usize, line: u32) -> Result<(), Complaint> {
        self.nodes += more;
        match self.nodes > MOST_NODES {
            true => Err(Complaint::new(line, format!("more than {MOST_NODES} values in one file"))),
            false => Ok(()),
        }
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Complaint> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::SequenceEnd) {
                return Ok(items);
            }
            items.push(self.node(event, depth + 1)?);
        }
    }

    fn fields(&mut self, depth: usize) -> Result<Vec<(String, u32, Node)>, Complaint> {
        let mut fields: Vec<(String, u32, Node)> = Vec::new();
        let mut lines: BTreeMap<String, u32> = BTreeMap::new();
        loop {
            let event = self.next()?;
            let line = event.start_mark.line as u32 + 1;
            let key = match event.data {
                EventData::MappingEnd => return Ok(fields),
                EventData::Scalar { value, .. } if value != "<<" => value,
                EventData::Scalar { .. } => {
                    return Err(Complaint::new(
                        line,
                        "merge keys (`<<`) are not supported; write the fields",
                    ));
                }
                _ => return Err(Complaint::new(line, "a key has to be a plain text")),
            };
            if let Some(first) = lines.insert(key.clone(), line) {
                return Err(Complaint::new(line, format!("`{key}` occurs twice, first in line {first}")));
            }
            let value = self.next()?;
            let value = self.node(value, depth + 1)?;
            fields.push((key, line, value));
        }
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map(fields) => fields.iter().map(|(.., value)| size(value)).sum(),
    }
}

fn plain(tag: Option<&str>, line: u32) -> Result<(), Complaint> {
    match tag {
        None | Some("!" | "tag:yaml.org,2002:map" | "tag:yaml.org,2002:seq") => Ok(()),
        Some(tag) => Err(Complaint::new(line, format!("the tag `{tag}` is not supported"))),
    }
}

/// The scalars of YAML 1.2's core schema; what YAML 1.1 read otherwise has to be quoted.
fn scalar(value: String, tag: Option<&str>, style: ScalarStyle, line: u32) -> Result<Json, Complaint> {
    match tag {
        Some("!" | "tag:yaml.org,2002:str") => return Ok(Json::String(value)),
        Some(tag) => return Err(Complaint::new(line, format!("the tag `{tag}` is not supported"))),
        None if style != ScalarStyle::Plain => return Ok(Json::String(value)),
        None => {}
    }
    Ok(match value.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        text if is_octal(text) => {
            let message =
                format!("`{text}` is a number to some and a text to others; quote it or drop the zero");
            return Err(Complaint::new(line, message));
        }
        text => number(text).map_or_else(|| Json::String(text.to_owned()), Json::Number),
    })
}

fn is_octal(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || !digits.bytes().any(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = text.trim_start_matches('+');
        return text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok();
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) {
        return None;
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Json {
        documents(text.as_bytes()).unwrap()[0].to_json()
    }

    fn wrong(text: &str) -> Complaint {
        documents(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        assert_eq!(
            one("[1, -2, 1.5, yes, on, ~, true, '1', 1.2.3.4, 0x10, 10.0.0.0/8, -]"),
            json!([1, -2, 1.5, "yes", "on", null, true, "1", "1.2.3.4", "0x10", "10.0.0.0/8", "-"])
        );
    }

    #[test]
    fn a_number_with_a_leading_zero_has_to_be_quoted() {
        assert_eq!(wrong("a: 1\nb: 0755\n").line, 2);
    }

    #[test]
    fn a_key_that_occurs_twice_names_both_lines() {
        let complaint = wrong("a: 1\nb: 2\na: 3\n");
        assert_eq!((complaint.line, complaint.message.as_str()), (3, "`a` occurs twice, first in line 1"));
    }

    #[test]
    fn the_line_of_a_path_is_that_of_its_key() {
        let node = documents(b"a:\n  - x: 1\n  - x: 1\n    y:\n      z: 2\n").unwrap().remove(0);
        assert_eq!(node.line_of(["a", "1", "y"]), 4);
        assert_eq!(node.line_of(["a", "1", "nope"]), 3);
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..8 {
            let all = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{all}]\n"));
        }
        assert!(wrong(&text).message.contains("more than"));
    }

    #[test]
    fn several_documents_are_several_values() {
        assert_eq!(documents(b"a: 1\n---\n---\nb: 2\n").unwrap().len(), 2);
    }
}
