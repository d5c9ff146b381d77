//! YAML with positions: every node knows the line and column where it stands.
//!
//! Values are not interpreted here. A scalar is its text, its tag and whether
//! it was written plainly, which is what the scalar rules of any reader start from.

use std::{collections::HashMap, ops::Range, sync::Arc};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span as Place};

#[cfg(test)]
mod tests;

/// How deep nodes may be nested.
const DEPTH: usize = 128;

/// How many nodes a document may hold once its aliases are followed.
const NODES: usize = 1_000_000;

/// Where something stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// The bytes of it.
    pub bytes: Range<usize>,
}

/// One node of a document.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands; for an alias, where the alias stands.
    pub span: Span,
    /// For an alias, where the node stands that it means.
    pub anchor: Option<Span>,
    /// Its tag, resolved: `tag:yaml.org,2002:str`, `!local`.
    pub tag: Option<String>,
    /// What it holds. Aliases share it.
    pub content: Arc<Content>,
    /// How many nodes it is, aliases followed.
    size: usize,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// A scalar.
    Scalar {
        /// Its text after escapes and folding.
        text: String,
        /// Written without quotes and not as a block.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order of the file; no scalar key occurs twice.
    Mapping(Vec<(Node, Node)>),
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1.
    pub column: u32,
    /// What is wrong, lower case.
    pub message: String,
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &*self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[(Node, Node)] {
        match &*self.content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &*self.content {
            Content::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The key and the value of an entry of a mapping.
    pub fn entry(&self, key: &str) -> Option<&(Node, Node)> {
        self.entries().iter().find(|(name, _)| name.text() == Some(key))
    }
}

/// Reads every document of `content` that is not empty.
///
/// # Errors
/// The first thing that is wrong: no UTF-8, no YAML, a key twice in a mapping,
/// nesting or aliases without measure.
pub fn load(content: &[u8]) -> Result<Vec<Node>, Problem> {
    let text = text(content)?;
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, place) = event.map_err(|error| problem(error.marker(), &error.info()))?;
        loader.take(event, &place)?;
    }
    Ok(loader.documents)
}

/// The text of a file, without a byte order mark.
///
/// # Errors
/// It is not UTF-8.
pub fn text(content: &[u8]) -> Result<&str, Problem> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    std::str::from_utf8(content).map_err(|error| {
        let before = String::from_utf8_lossy(&content[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Problem { line: number(line), column: number(column), message: "this is not UTF-8".to_owned() }
    })
}

/// Builds documents from events.
#[derive(Default)]
struct Loader {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
}

/// A collection whose end was not met yet.
struct Open {
    anchor: usize,
    node: Node,
    /// A key that waits for its value.
    key: Option<Node>,
    /// Scalar keys and where they stand.
    keys: HashMap<String, u32>,
}

impl Loader {
    fn take(&mut self, event: Event<'_>, place: &Place) -> Result<(), Problem> {
        let span = span(place);
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Alias(id) => {
                let message = "an alias cannot stand inside of what it means";
                let meant = self.anchors.get(&id).ok_or_else(|| at(&span, message))?;
                let node = Node { anchor: Some(meant.span.clone()), span, ..meant.clone() };
                self.add(node)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let content = Content::Scalar { text: text.into_owned(), plain };
                let node = node(span, tag.map(|tag| tag.to_string()), content);
                self.finish(anchor, node)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(anchor, node(span, tag.map(|tag| tag.to_string()), Content::Sequence(Vec::new())))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(anchor, node(span, tag.map(|tag| tag.to_string()), Content::Mapping(Vec::new())))?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut open) = self.open.pop() {
                    open.node.span.bytes.end = span.bytes.end.max(open.node.span.bytes.start);
                    self.finish(open.anchor, open.node)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, node: Node) -> Result<(), Problem> {
        if self.open.len() == DEPTH {
            return Err(at(&node.span, &format!("nested more than {DEPTH} levels deep")));
        }
        self.open.push(Open { anchor, node, key: None, keys: HashMap::new() });
        Ok(())
    }

    fn finish(&mut self, anchor: usize, node: Node) -> Result<(), Problem> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.add(node)
    }

    /// Puts a complete node where it belongs.
    fn add(&mut self, node: Node) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            if !node.span.bytes.is_empty() || node.size > 1 {
                self.documents.push(node);
            }
            return Ok(());
        };
        open.node.size += node.size;
        if open.node.size > NODES {
            return Err(at(&node.span, "aliases multiply this beyond measure"));
        }
        let content =
            Arc::get_mut(&mut open.node.content).expect("nothing refers to a node that is not complete");
        match (content, open.key.take()) {
            (Content::Sequence(items), _) => items.push(node),
            (Content::Mapping(entries), Some(key)) => entries.push((key, node)),
            (_, None) => {
                note_key(&mut open.keys, &node)?;
                open.key = Some(node);
            }
            (Content::Scalar { .. }, _) => {}
        }
        Ok(())
    }
}

fn note_key(keys: &mut HashMap<String, u32>, key: &Node) -> Result<(), Problem> {
    let Some(text) = key.text() else { return Ok(()) };
    match keys.insert(text.to_owned(), key.span.line) {
        None => Ok(()),
        Some(first) => {
            Err(at(&key.span, &format!("key `{text}` is here a second time, the first is on line {first}")))
        }
    }
}

fn node(span: Span, tag: Option<String>, content: Content) -> Node {
    Node { span, anchor: None, tag, content: Arc::new(content), size: 1 }
}

fn span(place: &Place) -> Span {
    let byte = |mark: &Marker| mark.byte_offset().unwrap_or(mark.index());
    let (start, end) = (byte(&place.start), byte(&place.end));
    Span {
        line: number(place.start.line()),
        column: number(place.start.col() + 1),
        bytes: start..end.max(start),
    }
}

fn at(span: &Span, message: &str) -> Problem {
    Problem { line: span.line, column: span.column, message: message.to_owned() }
}

fn problem(mark: &Marker, message: &str) -> Problem {
    Problem { line: number(mark.line().max(1)), column: number(mark.col() + 1), message: message.to_owned() }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
