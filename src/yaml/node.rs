//! Nodes as they are written.

use std::sync::Arc;

use super::{Build, Head, Place, Problem, Scalar, Span, documents};

/// One node of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands; for an alias, where the alias stands.
    pub span: Span,
    /// For an alias, where the node stands that it means.
    pub anchor: Option<Span>,
    /// Written between brackets.
    pub flow: bool,
    /// A scalar written in lines of its own, behind `|` or `>`; its place is that of these lines.
    pub block: bool,
    /// Its tag, resolved: `tag:yaml.org,2002:str`, `!local`.
    pub tag: Option<String>,
    /// What it holds. Aliases share it.
    pub content: Arc<Content>,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
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
/// As [`documents`].
pub fn load(content: &[u8]) -> Result<Vec<Node>, Problem> {
    let (mut found, AsWritten) = documents(content)?;
    found.retain(|node| node.text().is_none() || !node.span.bytes.is_empty());
    Ok(found)
}

fn collection(Head { span, tag, flow }: Head, content: Content) -> Node {
    Node { span, anchor: None, flow, block: false, tag, content: Arc::new(content) }
}

/// Leaves everything as it is written.
#[derive(Default)]
pub(super) struct AsWritten;

impl Build for AsWritten {
    type Node = Node;
    type Key = Node;

    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<Node, Problem> {
        let Scalar { text, plain, block, tag, span } = scalar;
        let content = Content::Scalar { text: text.into_owned(), plain };
        Ok(Node { span, anchor: None, flow: false, block, tag, content: Arc::new(content) })
    }

    fn list(&mut self, head: Head, items: Vec<Node>) -> Result<Node, Problem> {
        Ok(collection(head, Content::Sequence(items)))
    }

    fn mapping(&mut self, head: Head, entries: Vec<(Node, Node)>) -> Result<Node, Problem> {
        Ok(collection(head, Content::Mapping(entries)))
    }

    fn alias(&mut self, span: Span, meant: &Node) -> Node {
        Node { anchor: Some(meant.span.clone()), span, ..meant.clone() }
    }

    fn key(&mut self, node: Node) -> Result<Node, Problem> {
        Ok(node)
    }

    fn merge_key(&mut self, scalar: Scalar<'_>) -> Result<Node, Problem> {
        self.scalar(scalar)
    }

    fn name(key: &Node) -> Option<(&str, Place)> {
        Some((key.text()?, key.span.place()))
    }
}
