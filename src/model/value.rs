//! What an object holds.

use std::sync::Arc;

use super::digest::Digest;

/// A mapping in key order, kept flat since most objects have few keys.
pub type Map = litemap::LiteMap<Arc<str>, Value>;

/// The key under which the order of a list stands that a provider turned into a mapping
/// by key (`[name=web]`, or `[web]` for a word), where the order matters.
pub const ORDER: &str = "(order)";

/// What an object, or a part of it, holds.
///
/// Deliberately not serializable: output goes through [`super::redact`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Explicit null.
    Null,
    /// True or false.
    Bool(bool),
    /// A number as JSON has it.
    Number(serde_json::Number),
    /// Text of one scalar.
    String(Arc<str>),
    /// An ordered list; one field when compared. A provider turns a set or a
    /// keyed list into a [`Value::Map`] before it hands it over.
    List(Vec<Value>),
    /// Named fields, shared between the trees that hold the same object.
    Map(Arc<Map>),
    /// Content of a file, known by its identity, not necessarily loaded. Shared, so that every value is small.
    Blob(Arc<Blob>),
    /// A value that no output may show.
    Sensitive(Box<Value>),
}

// The trees of a plan hold hundreds of thousands of values.
const _: () = assert!(size_of::<Value>() <= 24);

/// Content known by its identity. Two blobs are equal if their ids are.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Git's blob id of the content.
    pub id: Digest,
    /// Length in bytes, where known without reading.
    pub size: Option<u64>,
    /// The content itself, once somebody needed to see it.
    pub bytes: Option<Arc<[u8]>>,
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Blob {}

impl Blob {
    /// Content that was not loaded.
    pub fn unread(id: Digest) -> Self {
        Blob { id, size: None, bytes: None }
    }

    /// Content that exists nowhere yet, with the null id that git uses for such.
    pub fn made(text: &str, like: Digest) -> Self {
        let bytes: Arc<[u8]> = text.as_bytes().into();
        Blob { id: Digest::null(like.algorithm()), size: Some(bytes.len() as u64), bytes: Some(bytes) }
    }

    /// The content, if it is loaded and is text: valid UTF-8 without NUL.
    pub fn text(&self) -> Option<&str> {
        let bytes = self.bytes.as_deref()?;
        std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
    }
}

impl From<Blob> for Value {
    fn from(blob: Blob) -> Value {
        Value::Blob(Arc::new(blob))
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::Map(Arc::new(map))
    }
}

impl Value {
    /// A string value.
    pub fn string(text: impl Into<Arc<str>>) -> Value {
        Value::String(text.into())
    }

    /// A mapping of the given fields.
    pub fn map<K: Into<Arc<str>>>(fields: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::from(fields.into_iter().map(|(key, value)| (key.into(), value)).collect::<Map>())
    }

    /// The field `key` of a mapping.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// The items of a list that stands as a mapping by key, in the order that it knows.
    pub fn items(&self) -> Option<Vec<&Value>> {
        let Value::Map(map) = self else { return None };
        let mut items: Vec<_> = map.iter().filter(|(key, _)| &***key != ORDER).collect();
        if items.is_empty() || !items.iter().all(|(key, item)| item.is_labelled(key)) {
            return None;
        }
        if let Some(Value::List(order)) = map.get(ORDER) {
            items.sort_by_cached_key(|(key, _)| order.iter().position(|label| label.as_str() == Some(key)));
        }
        Some(items.into_iter().map(|(_, item)| item).collect())
    }

    /// Whether `label` is what it would be called in a list by key: `[name=web]`, or `[web]` for a word.
    fn is_labelled(&self, label: &str) -> bool {
        let Some(label) = label.strip_prefix('[').and_then(|label| label.strip_suffix(']')) else {
            return false;
        };
        match self {
            Value::String(text) => **text == *label,
            Value::Number(number) => number.to_string() == label,
            Value::Map(map) => label.split_once('=').is_some_and(|(key, _)| map.get(key).is_some()),
            _ => false,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The blob of a leaf, sensitive or not.
    pub fn as_blob(&self) -> Option<&Blob> {
        match self {
            Value::Blob(blob) => Some(&**blob),
            Value::Sensitive(inner) => inner.as_blob(),
            _ => None,
        }
    }

    /// Every blob below this value that may be shown.
    pub fn blobs_mut(&mut self) -> Vec<&mut Blob> {
        match self {
            Value::Blob(blob) => vec![Arc::make_mut(blob)],
            Value::Map(map) => {
                Arc::make_mut(map).iter_mut().flat_map(|(_, value)| value.blobs_mut()).collect()
            }
            Value::List(items) => items.iter_mut().flat_map(Value::blobs_mut).collect(),
            Value::Sensitive(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Vec::new()
            }
        }
    }
}
