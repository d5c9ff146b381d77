//! The event loop: libyaml's events to trees of nodes.

use std::{collections::HashMap, sync::Arc};

use libyaml_safer::{Event, EventData, Mark, Parser, ScalarStyle};

use super::{
    node::{Content, Entry, Node, Place},
    scalar::{self, Reading},
    trouble::{Trouble, Warning},
};
use crate::model::value::Value;

/// How deep values may nest.
const DEPTH: usize = 256;

/// How many nodes aliases may stand for in one file, against files that explode.
const ALIASED: usize = 200_000;

/// The documents of one file; those without content are left out.
///
/// # Errors
/// What is no YAML, and what Kubernetes could not hold.
pub fn nodes(bytes: &[u8]) -> Result<(Vec<Node>, Vec<Warning>), Trouble> {
    check_encoding(bytes)?;
    let mut input = bytes;
    let mut parser = Parser::new();
    parser.set_input(&mut input);
    let mut loader = Loader { parser, anchors: HashMap::new(), aliased: 0, warnings: Vec::new() };
    let mut documents = Vec::new();
    loop {
        let event = loader.next()?;
        match event.data {
            EventData::StreamEnd => return Ok((documents, loader.warnings)),
            EventData::DocumentStart { .. } => loader.anchors.clear(),
            EventData::StreamStart { .. } | EventData::DocumentEnd { .. } => {}
            _ => {
                let node = loader.node(event, 0)?;
                if !node.is_null() {
                    documents.push(node);
                }
            }
        }
    }
}

fn check_encoding(bytes: &[u8]) -> Result<(), Trouble> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Trouble::new(Place { line: 1, column: 1 }, "is UTF-16; save it as UTF-8"));
    }
    let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
    let before = &bytes[..error.valid_up_to()];
    let line = before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() as u32 + 1;
    Err(Trouble::new(Place { line, column }, "is not valid UTF-8"))
}

struct Loader<'i> {
    parser: Parser<&'i mut &'i [u8]>,
    anchors: HashMap<String, Node>,
    aliased: usize,
    warnings: Vec<Warning>,
}

impl Loader<'_> {
    fn next(&mut self) -> Result<Event, Trouble> {
        self.parser.parse().map_err(|error| {
            let place = error.problem_mark().or(error.context_mark()).map(place).unwrap_or_default();
            let message = match (error.problem(), error.context()) {
                ("found character that cannot start any token", _) => {
                    "a tab or another character that cannot start a value here; indent with spaces".to_owned()
                }
                (problem, Some(context)) if !context.is_empty() => format!("{problem} {context}"),
                (problem, _) => problem.to_owned(),
            };
            Trouble::new(place, message)
        })
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Node, Trouble> {
        let at = place(event.start_mark);
        if depth > DEPTH {
            return Err(Trouble::new(at, format!("nests deeper than {DEPTH} levels")));
        }
        let (anchor, content) = match event.data {
            EventData::Alias { anchor } => return self.alias(&anchor, at),
            EventData::Scalar { anchor, tag, value, style, .. } => {
                (anchor, Content::Scalar(self.scalar(&value, tag.as_deref(), style, at)?))
            }
            EventData::SequenceStart { anchor, .. } => (anchor, self.list(depth)?),
            EventData::MappingStart { anchor, .. } => (anchor, self.map(depth)?),
            _ => return Err(Trouble::new(at, "a document ends in the middle of a value")),
        };
        let node = Node { place: at, content };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: &str, at: Place) -> Result<Node, Trouble> {
        let Some(node) = self.anchors.get(anchor) else {
            return Err(Trouble::new(at, format!("`*{anchor}` names no anchor that ends before it")));
        };
        self.aliased += node.count();
        if self.aliased > ALIASED {
            return Err(Trouble::new(at, "aliases make the file too large"));
        }
        Ok(Node { place: at, content: node.content.clone() })
    }

    fn list(&mut self, depth: usize) -> Result<Content, Trouble> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if event.data == EventData::SequenceEnd {
                return Ok(Content::List(items));
            }
            items.push(self.node(event, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Content, Trouble> {
        let mut map = Mapping::default();
        loop {
            let event = self.next()?;
            if event.data == EventData::MappingEnd {
                return Ok(Content::Map(map.entries));
            }
            let at = place(event.start_mark);
            let merge = matches!(&event.data,
                EventData::Scalar { value, style: ScalarStyle::Plain, tag: None, .. } if value == "<<");
            let key = if merge { "<<".into() } else { self.key(event, depth)? };
            let event = self.next()?;
            let node = self.node(event, depth + 1)?;
            if merge {
                map.merge(node, &mut self.warnings)?;
            } else {
                map.insert(key, at, node)?;
            }
        }
    }

    /// A key: always text in JSON, so what reads as a number or a truth value is spelled out.
    fn key(&mut self, event: Event, depth: usize) -> Result<Arc<str>, Trouble> {
        let at = place(event.start_mark);
        match self.node(event, depth + 1)?.content {
            Content::Scalar(Value::String(text)) => Ok(text),
            Content::Scalar(Value::Number(number)) => Ok(number.to_string().into()),
            Content::Scalar(Value::Bool(flag)) => Ok(flag.to_string().into()),
            _ => Err(Trouble::new(at, "a key must be text")),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        tag: Option<&str>,
        style: ScalarStyle,
        at: Place,
    ) -> Result<Value, Trouble> {
        const CORE: &str = "tag:yaml.org,2002:";
        let resolved = match tag.map(|tag| tag.strip_prefix(CORE)) {
            None if style == ScalarStyle::Plain => scalar::resolve(text),
            Some(Some("int" | "float" | "bool" | "null")) => match scalar::resolve(text) {
                Reading::Ambiguous(value) => Reading::Plain(value),
                other => other,
            },
            Some(Some("binary")) => {
                return Err(Trouble::new(at, "`!!binary` is not read; write the base64 text as a string"));
            }
            _ => Reading::Plain(Value::string(text)),
        };
        match resolved {
            Reading::Plain(value) => Ok(value),
            Reading::Ambiguous(value) => {
                self.warnings.push(Warning { place: at, message: ambiguous(text, &value) });
                Ok(value)
            }
            Reading::Impossible => Err(Trouble::new(at, format!("`{text}` has no JSON form"))),
        }
    }
}

fn ambiguous(text: &str, value: &Value) -> String {
    let read = match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        _ => "something else".to_owned(),
    };
    format!("`{text}` is read as {read}, as kubectl does; write `{read}` or `\"{text}\"`")
}

/// A mapping on its way: explicit keys once each, merges in the order of the file.
#[derive(Default)]
struct Mapping {
    entries: Vec<Entry>,
    explicit: HashMap<Arc<str>, usize>,
}

/// From how many keys on a mapping is searched by hash.
const LARGE: usize = 16;

impl Mapping {
    fn position(&self, key: &Arc<str>) -> Option<usize> {
        if self.entries.len() < LARGE {
            return self.entries.iter().position(|entry| entry.key == *key);
        }
        self.explicit.get(key).copied().or_else(|| self.entries.iter().position(|entry| entry.key == *key))
    }

    fn insert(&mut self, key: Arc<str>, at: Place, node: Node) -> Result<(), Trouble> {
        let explicit = self.explicit.get(&key).copied();
        if let Some(first) = explicit {
            let message = format!("the key `{key}` is there twice");
            return Err(Trouble::new(at, message).with("first", self.entries[first].place));
        }
        // Without a merge, what is not in `explicit` is not there at all.
        let merged = self.entries.len() != self.explicit.len();
        let position = merged.then(|| self.position(&key)).flatten().unwrap_or(self.entries.len());
        self.explicit.insert(key.clone(), position);
        let entry = Entry { key, place: at, node };
        match self.entries.get_mut(position) {
            Some(there) => *there = entry,
            None => self.entries.push(entry),
        }
        Ok(())
    }

    /// Takes in what `<<` names. It wins over keys that stand before it, as in kubectl.
    fn merge(&mut self, node: Node, warnings: &mut Vec<Warning>) -> Result<(), Trouble> {
        match node.content {
            Content::Map(entries) => {
                for entry in entries {
                    self.take(entry, node.place, warnings);
                }
                Ok(())
            }
            // The first of several wins, so it comes last.
            Content::List(items) => items.into_iter().rev().try_for_each(|item| match item.content {
                Content::Map(_) => self.merge(item, warnings),
                _ => Err(Trouble::new(item.place, "`<<` takes mappings")),
            }),
            Content::Scalar(_) => Err(Trouble::new(node.place, "`<<` takes a mapping")),
        }
    }

    fn take(&mut self, entry: Entry, at: Place, warnings: &mut Vec<Warning>) {
        match self.position(&entry.key) {
            Some(position) => {
                if self.explicit.contains_key(&entry.key) {
                    let message = format!(
                        "`<<` overrides `{}` of line {}, as kubectl does; put `<<` first",
                        entry.key, self.entries[position].place.line
                    );
                    warnings.push(Warning { place: at, message });
                }
                self.entries[position] = entry;
            }
            None => self.entries.push(entry),
        }
    }
}

fn place(mark: Mark) -> Place {
    Place { line: mark.line as u32 + 1, column: mark.column as u32 + 1 }
}
