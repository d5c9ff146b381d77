//! A document as a tree of values that know their place.

use std::sync::Arc;

use crate::{
    model::value::{Map, Value},
    yaml::Place,
};

/// One value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it starts; for an alias, where the alias stands.
    pub place: Place,
    /// What it is.
    pub content: Content,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A scalar, resolved.
    Scalar(Value),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping with its merges done, in the order of the file.
    Map(Vec<Entry>),
}

/// One key of a mapping.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, as text.
    pub key: Arc<str>,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The value of `key` of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The key `key` of a mapping with its value.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|entry| &*entry.key == key),
            _ => None,
        }
    }

    /// The text of a string scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(value) => value.as_str(),
            _ => None,
        }
    }

    /// The items of a sequence.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether it is an explicit or an empty null.
    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Value::Null))
    }

    /// The same without places.
    pub fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => Value::List(items.iter().map(Node::value).collect()),
            Content::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for entry in entries {
                    map.insert(entry.key.clone(), entry.node.value());
                }
                Value::from(map)
            }
        }
    }

    /// Where the value at a path stands: keys of mappings, `[key=value]` for
    /// an item of a list, or its position. The deepest place on the way that exists.
    pub fn locate<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Place {
        let mut at = self;
        let mut place = self.place;
        for step in path {
            let found = match &at.content {
                Content::Map(_) => at.entry(step).map(|entry| (entry.place, &entry.node)),
                Content::List(items) => at.item(step).map(|index| (items[index].place, &items[index])),
                Content::Scalar(_) => None,
            };
            let Some((found, next)) = found else { break };
            (place, at) = (found, next);
        }
        place
    }
}

impl Node {
    /// The value at a path, as [`Node::locate`] takes it.
    pub fn find<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        path.into_iter().try_fold(self, |at, step| match &at.content {
            Content::Map(_) => at.get(step),
            Content::List(items) => items.get(at.item(step)?),
            Content::Scalar(_) => None,
        })
    }

    /// Which item of a list is meant by `[key=value]`, `[value]` or its position.
    pub fn item(&self, step: &str) -> Option<usize> {
        let items = self.as_list()?;
        let Some(keys) = step.strip_prefix('[').and_then(|step| step.strip_suffix(']')) else {
            return step.parse().ok().filter(|index| *index < items.len());
        };
        items.iter().position(|node| keys.split(',').all(|pair| node.is_called(pair)))
    }

    fn is_called(&self, pair: &str) -> bool {
        let Some((key, wanted)) = pair.split_once('=') else { return self.as_str() == Some(pair) };
        match self.get(key).map(|node| &node.content) {
            Some(Content::Scalar(Value::String(text))) => &**text == wanted,
            Some(Content::Scalar(Value::Number(number))) => number.to_string() == wanted,
            // A port without a protocol is a TCP port.
            None => pair == "protocol=TCP",
            _ => false,
        }
    }
}
