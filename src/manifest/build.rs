//! Nodes of a file to values, by the rules of kubectl.

use std::sync::Arc;

use super::{
    merge::{self, Key},
    node::{Content, Node},
    scalar::{self, Reading},
    warning::Warning,
};
use crate::{
    model::value::Value,
    yaml::{self, Head, Place, Problem, Scalar, Span},
};

/// The documents of one file; those without content are left out.
///
/// # Errors
/// What is no YAML, and what Kubernetes could not hold.
pub fn nodes(bytes: &[u8]) -> Result<(Vec<Node>, Vec<Warning>), Problem> {
    let (mut documents, Build { warnings }) = yaml::documents(bytes)?;
    documents.retain(|node| !node.is_null());
    Ok((documents, warnings))
}

#[derive(Default)]
struct Build {
    warnings: Vec<Warning>,
}

impl yaml::Build for Build {
    type Node = Node;
    type Key = Key;

    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<Node, Problem> {
        let place = scalar.span.place();
        let value = self.value(&scalar, place)?;
        Ok(Node { place, content: Content::Scalar(value) })
    }

    fn list(&mut self, head: Head, items: Vec<Node>) -> Result<Node, Problem> {
        Ok(Node { place: head.span.place(), content: Content::List(items) })
    }

    fn mapping(&mut self, head: Head, entries: Vec<(Key, Node)>) -> Result<Node, Problem> {
        let entries = merge::entries(entries, &mut self.warnings)?;
        Ok(Node { place: head.span.place(), content: Content::Map(entries) })
    }

    fn alias(&mut self, span: Span, meant: &Node) -> Node {
        Node { place: span.place(), content: meant.content.clone() }
    }

    /// A key is always text in JSON, so what reads as a number or a truth value is spelled out.
    fn key(&mut self, node: Node) -> Result<Key, Problem> {
        let place = node.place;
        let text: Arc<str> = match node.content {
            Content::Scalar(Value::String(text)) => text,
            Content::Scalar(Value::Number(number)) => number.to_string().into(),
            Content::Scalar(Value::Bool(flag)) => flag.to_string().into(),
            _ => return Err(Problem::new(place, "a key must be text")),
        };
        Ok(Key::Named(text, place))
    }

    fn merge_key(&mut self, _: Scalar<'_>) -> Result<Key, Problem> {
        Ok(Key::Merge)
    }

    fn name(key: &Key) -> Option<(&str, Place)> {
        match key {
            Key::Named(text, place) => Some((text, *place)),
            Key::Merge => None,
        }
    }
}

impl Build {
    fn value(&mut self, scalar: &Scalar<'_>, place: Place) -> Result<Value, Problem> {
        let Scalar { text, plain, tag, .. } = scalar;
        let resolved = match tag.as_deref().map(|tag| tag.strip_prefix("tag:yaml.org,2002:")) {
            None if *plain => scalar::resolve(text),
            Some(Some("int" | "float" | "bool" | "null")) => match scalar::resolve(text) {
                Reading::Ambiguous(value) => Reading::Plain(value),
                other => other,
            },
            Some(Some("binary")) => {
                let message = "`!!binary` is not read; write the base64 text as a string";
                return Err(Problem::new(place, message));
            }
            _ => Reading::Plain(Value::string(&**text)),
        };
        match resolved {
            Reading::Plain(value) => Ok(value),
            Reading::Ambiguous(value) => {
                self.warnings.push(Warning { place, message: ambiguous(text, &value) });
                Ok(value)
            }
            Reading::Impossible => Err(Problem::new(place, format!("`{text}` has no JSON form"))),
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
