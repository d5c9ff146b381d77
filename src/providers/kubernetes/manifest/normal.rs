//! The normal form of a declared object: what is sent and what is compared.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::names::{Kind, Name};
use crate::{
    manifest::{Content, Manifest, Node},
    model::value::{Map, Value},
};

/// What only the server writes, and what it never keeps, below `metadata`.
pub const SERVER_FIELDS: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The copy of a manifest that `kubectl apply` leaves behind; it may hold secrets in clear.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A declared object in normal form.
pub struct Normal {
    /// What it is called.
    pub name: Name,
    /// What it should hold.
    pub value: Value,
    /// What was left out, for a note.
    pub dropped: Vec<String>,
}

/// Brings a manifest into its normal form. `namespaced` says whether an object without a namespace gets `namespace`.
pub fn normal(manifest: &Manifest, namespaced: bool, namespace: &str) -> Result<Normal, String> {
    let mut dropped = Vec::new();
    let mut map = Map::new();
    let Content::Map(entries) = &manifest.node.content else { return Err("is no object".to_owned()) };
    for entry in entries {
        match &*entry.key {
            "status" => dropped.push("status".to_owned()),
            "metadata" => _ = map.insert(entry.key.clone(), metadata(&entry.node, &mut dropped)),
            key => {
                if let Some(value) = without_nulls(&entry.node, key, &mut dropped) {
                    map.insert(entry.key.clone(), value);
                }
            }
        }
    }
    let name = name(manifest, namespaced, namespace);
    if let (None, Some(own)) = (&name.namespace, &manifest.namespace) {
        dropped.push(format!("metadata.namespace ({own}: the kind is outside of namespaces)"));
    }
    write_namespace(&mut map, name.namespace.as_deref());
    let mut value = Value::from(map);
    if name.kind.is_core("Secret") {
        fold_string_data(&mut value)?;
        hide(&name.kind, &mut value);
    }
    Ok(Normal { name, value, dropped })
}

/// What an object is called. `namespaced` says whether one without a namespace is in `namespace`.
pub fn name(manifest: &Manifest, namespaced: bool, namespace: &str) -> Name {
    let kind = Kind::new(&manifest.api_version, &manifest.kind);
    let namespace = match (kind.is_cluster_scoped(), &manifest.namespace) {
        (Some(true), _) => None,
        (_, Some(own)) => Some(own.clone()),
        (_, None) => namespaced.then(|| namespace.to_owned()),
    };
    Name { kind, namespace, name: manifest.name.clone() }
}

impl Normal {
    /// Puts an object that says nothing of a namespace into `namespace`.
    pub fn put_into(&mut self, namespace: &str) {
        self.name.namespace = Some(namespace.to_owned());
        if let Value::Map(map) = &mut self.value {
            write_namespace(Arc::make_mut(map), Some(namespace));
        }
    }
}

fn write_namespace(map: &mut Map, namespace: Option<&str>) {
    let Some(Value::Map(metadata)) = map.get_mut("metadata") else { return };
    let metadata = Arc::make_mut(metadata);
    match namespace {
        Some(namespace) => _ = metadata.insert("namespace".into(), Value::string(namespace)),
        None => _ = metadata.remove("namespace"),
    }
}

fn metadata(node: &Node, dropped: &mut Vec<String>) -> Value {
    let Some(Value::Map(mut metadata)) = without_nulls(node, "metadata", dropped) else {
        return Value::from(Map::new());
    };
    let fields = Arc::make_mut(&mut metadata);
    for field in SERVER_FIELDS {
        if fields.remove(field).is_some() {
            dropped.push(format!("metadata.{field}"));
        }
    }
    if let Some(Value::Map(annotations)) = fields.get_mut("annotations")
        && Arc::make_mut(annotations).remove(LAST_APPLIED).is_some()
    {
        dropped.push(format!("the annotation {LAST_APPLIED}"));
    }
    Value::Map(metadata)
}

/// The value without what is null: the server would keep an explicit null as a field of ours.
fn without_nulls(node: &Node, path: &str, dropped: &mut Vec<String>) -> Option<Value> {
    match &node.content {
        Content::Scalar(Value::Null) => {
            if !path.ends_with("creationTimestamp") {
                dropped.push(format!("{path} (null)"));
            }
            None
        }
        Content::Scalar(value) => Some(value.clone()),
        Content::List(items) => {
            let items = items.iter().map(|item| match item.is_null() {
                true => Some(Value::Null),
                false => without_nulls(item, path, dropped),
            });
            Some(Value::List(items.flatten().collect()))
        }
        Content::Map(entries) => {
            let mut map = Map::with_capacity(entries.len());
            for entry in entries {
                // The path is only spelled out where it is needed.
                let value = match entry.node.is_null() {
                    true => without_nulls(&entry.node, &format!("{path}.{}", entry.key), dropped),
                    false => without_nulls(&entry.node, path, dropped),
                };
                if let Some(value) = value {
                    map.insert(entry.key.clone(), value);
                }
            }
            Some(Value::from(map))
        }
    }
}

/// Turns `stringData`, which the server never gives back, into `data`.
fn fold_string_data(value: &mut Value) -> Result<(), String> {
    let Value::Map(map) = value else { return Ok(()) };
    let map = Arc::make_mut(map);
    let Some(texts) = map.remove("stringData") else { return Ok(()) };
    let Value::Map(texts) = texts else { return Err("`stringData` is no mapping".to_owned()) };
    if map.get("data").is_none() {
        map.insert("data".into(), Value::from(Map::new()));
    }
    let Some(Value::Map(data)) = map.get_mut("data") else { return Err("`data` is no mapping".to_owned()) };
    let data = Arc::make_mut(data);
    for (key, text) in texts.iter() {
        let Value::String(text) = text else {
            return Err(format!("`stringData.{key}` is no text; quote it"));
        };
        data.insert(key.clone(), Value::string(STANDARD.encode(text.as_bytes())));
    }
    Ok(())
}

/// Marks what no output may show.
pub fn hide(kind: &Kind, value: &mut Value) {
    if !kind.is_core("Secret") {
        return;
    }
    let Value::Map(map) = value else { return };
    let map = Arc::make_mut(map);
    {
        for field in ["data", "stringData"] {
            if let Some(Value::Map(data)) = map.get_mut(field) {
                for (_, value) in Arc::make_mut(data).iter_mut() {
                    if !matches!(value, Value::Sensitive(_)) {
                        *value = Value::Sensitive(Box::new(std::mem::replace(value, Value::Null)));
                    }
                }
            }
        }
    }
}
