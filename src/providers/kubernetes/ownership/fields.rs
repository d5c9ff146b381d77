//! Sets of fields, and lists whose items are known by key: both told from `fieldsV1`, without a schema.

use std::{collections::BTreeMap, sync::Arc};

pub use crate::model::value::ORDER;
use crate::{
    model::value::{Map, Value},
    providers::kubernetes::client::json,
};

/// A set of fields as a tree. Items of lists are called `[name=web]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    children: BTreeMap<Arc<str>, Fields>,
    /// How the children are told apart, if they are items of a list.
    list: Option<List>,
}

/// How the items of a list are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// By some of their fields.
    By(Vec<Arc<str>>),
    /// By their value.
    Set,
}

/// What a key of `fieldsV1` is called in a set of fields.
pub fn label(key: &str) -> Option<Arc<str>> {
    step(key).map(|(label, _)| label)
}

/// The same, with how the list is keyed that it is an item of.
fn step(key: &str) -> Option<(Arc<str>, Option<List>)> {
    let (sort, body) = key.split_at_checked(2)?;
    match sort {
        "f:" => Some((body.into(), None)),
        "k:" => {
            let Ok(Value::Map(pairs)) = json::read(body.as_bytes()) else { return None };
            let label = List::label(pairs.iter().map(|(key, value)| (&**key, value))).into();
            Some((label, Some(List::By(pairs.keys().cloned().collect()))))
        }
        "v:" => {
            let value = json::read(body.as_bytes()).ok()?;
            Some((List::label_of(&value).into(), Some(List::Set)))
        }
        _ => None,
    }
}

impl Fields {
    /// Reads `fieldsV1`.
    pub fn read(fields: &Value) -> Fields {
        let mut tree = Fields::default();
        let Value::Map(map) = fields else { return tree };
        for (key, below) in map.iter() {
            let Some((label, list)) = step(key) else { continue };
            tree.list = list.or(tree.list);
            tree.children.insert(label, Fields::read(below));
        }
        tree
    }

    /// What is below `step`.
    pub fn get(&self, step: &str) -> Option<&Fields> {
        self.children.get(step)
    }

    /// What is below a place.
    pub fn at(&self, place: &[Arc<str>]) -> Option<&Fields> {
        place.iter().try_fold(self, |at, step| at.get(step))
    }

    /// Whether a place is in this set, or something that it is in or that is in it.
    pub fn touches(&self, place: &[Arc<str>]) -> bool {
        let mut at = self;
        for step in place {
            match at.get(step) {
                Some(below) if below.is_empty() => return true,
                Some(below) => at = below,
                None => return false,
            }
        }
        true
    }

    /// Whether nothing is below.
    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// Whether these are the items of a list.
    pub fn is_list(&self) -> bool {
        self.list.is_some()
    }

    /// Adds the fields of `other`.
    pub fn add(&mut self, other: Fields) {
        if self.list.is_none() {
            self.list = other.list;
        }
        for (step, below) in other.children {
            self.children.entry(step).or_default().add(below);
        }
    }

    /// Takes out what `other` has as well.
    pub fn subtract(&mut self, other: &Fields) {
        self.children.retain(|step, below| match other.get(step) {
            None => true,
            Some(other) if other.is_empty() => false,
            Some(other) => {
                below.subtract(other);
                !below.is_empty()
            }
        });
    }

    /// What `other` has as well and `config` lacks; of an item of a list, all of it.
    pub fn dropped(&self, other: &Fields, config: Option<&Value>) -> Fields {
        let mut dropped = Fields { children: BTreeMap::new(), list: self.list.clone() };
        for (step, below) in &self.children {
            let Some(other) = other.get(step) else { continue };
            let config = config.and_then(|config| config.get(step));
            let whole = config.is_none() && (self.list.is_some() || below.is_empty() && other.is_empty());
            let below = if whole { Fields::default() } else { below.dropped(other, config) };
            if whole || !below.is_empty() {
                dropped.children.insert(step.clone(), below);
            }
        }
        dropped
    }

    /// Turns lists that are keyed according to this set into mappings by key.
    pub fn keyed(&self, value: &Value) -> Value {
        match value {
            Value::Map(map) => {
                let keyed = map.iter().map(|(key, value)| {
                    let below = self.get(key).map_or_else(|| value.clone(), |below| below.keyed(value));
                    (key.clone(), below)
                });
                Value::from(keyed.collect::<Map>())
            }
            Value::List(items) => match &self.list {
                Some(list) => self.keyed_list(items, list).unwrap_or_else(|| value.clone()),
                None => value.clone(),
            },
            other => other.clone(),
        }
    }

    /// `None` if an item has no key or two have the same.
    fn keyed_list(&self, items: &[Value], list: &List) -> Option<Value> {
        // All items of a list are of one type, so what is known of one holds for all.
        let mut item_fields = Fields::default();
        self.children.values().for_each(|below| item_fields.add(below.clone()));
        let mut map = Map::new();
        let mut order = Vec::with_capacity(items.len());
        for item in items {
            let label: Arc<str> = list.label_in(item)?.into();
            order.push(Value::String(label.clone()));
            if map.insert(label, item_fields.keyed(item)).is_some() {
                return None;
            }
        }
        if order.len() > 1 {
            map.insert(ORDER.into(), Value::List(order));
        }
        Some(Value::from(map))
    }
}

impl Fields {
    /// The opposite of [`Fields::keyed`].
    pub fn unkeyed(&self, value: &Value) -> Value {
        let Value::Map(map) = value else { return value.clone() };
        if self.list.is_none() {
            let plain = map.iter().map(|(key, value)| (key.clone(), self.below(key).unkeyed(value)));
            return Value::from(plain.collect::<Map>());
        }
        let item_fields = self.below("");
        let mut labels: Vec<&str> = match map.get(ORDER) {
            Some(Value::List(order)) => order.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let more = map.keys().map(|key| &**key).filter(|key| *key != ORDER && !labels.contains(key));
        labels.extend(more.collect::<Vec<_>>());
        let items = labels.into_iter().filter_map(|label| map.get(label));
        Value::List(items.map(|item| item_fields.unkeyed(item)).collect())
    }
}

impl List {
    /// `[containerPort=80,protocol=TCP]`
    pub fn label<'a>(pairs: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
        let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={}", plain(value))).collect();
        format!("[{}]", pairs.join(","))
    }

    /// `[value]`
    pub fn label_of(value: &Value) -> String {
        format!("[{}]", plain(value))
    }

    /// What an item is called; `None` if a key is missing.
    pub fn label_in(&self, item: &Value) -> Option<String> {
        match self {
            List::Set => Some(List::label_of(item)),
            List::By(keys) => {
                let tcp = Value::string("TCP");
                let pairs: Vec<(&str, &Value)> = keys
                    .iter()
                    .map(|key| match item.get(key) {
                        Some(value) => Some((&**key, value)),
                        None if &**key == "protocol" => Some((&**key, &tcp)),
                        None => None,
                    })
                    .collect::<Option<_>>()?;
                Some(List::label(pairs.into_iter()))
            }
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Sensitive(_) => "?".to_owned(),
        other => String::from_utf8_lossy(&json::write(other)).into_owned(),
    }
}

impl Fields {
    /// Calls `with` for every field that has nothing below it.
    pub fn each(&self, at: &mut Vec<String>, with: &mut dyn FnMut(&[String])) {
        if self.children.is_empty() && !at.is_empty() {
            with(at);
        }
        for (step, below) in &self.children {
            at.push(step.to_string());
            below.each(at, with);
            at.pop();
        }
    }
}

impl Fields {
    /// The key of an item of this list in `fieldsV1`.
    pub fn key_of(&self, item: &Value) -> Option<String> {
        let text = |value: &Value| String::from_utf8_lossy(&json::write(value)).into_owned();
        match self.list.as_ref()? {
            List::Set => Some(format!("v:{}", text(item))),
            List::By(keys) => {
                let pairs = keys.iter().map(|key| Some((key.clone(), item.get(key)?.clone())));
                Some(format!("k:{}", text(&Value::from(pairs.collect::<Option<Map>>()?))))
            }
        }
    }

    /// What an item of this list is called.
    pub fn names(&self, item: &Value) -> Option<String> {
        self.list.as_ref()?.label_in(item)
    }

    /// The fields below `step`; for an item, those that any item of the list has.
    pub fn below(&self, step: &str) -> Fields {
        if self.list.is_none() {
            return self.get(step).cloned().unwrap_or_default();
        }
        let mut item = Fields::default();
        self.children.values().for_each(|below| item.add(below.clone()));
        item
    }
}
