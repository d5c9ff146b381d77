//! What trueup puts on its objects, and what proves that one is its own.

use std::sync::Arc;

use super::managed;
use crate::{
    model::value::{Map, Value},
    providers::kubernetes::{
        client::transport::MANAGER,
        manifest::{
            names::{Identity, Kind, Name},
            normal::{LAST_APPLIED, SERVER_FIELDS, hide},
        },
    },
};

/// The label that makes an object a member of a set (KEP-3659).
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// The annotation with the object's own identity: copies of an object carry that of the original.
pub const IDENTITY: &str = "trueup.dev/identity";

/// The annotation that says what becomes of an object once it is not declared any more.
pub const ON_REMOVE: &str = "trueup.dev/on-remove";

/// The copy of a manifest that `kapp` leaves behind.
const KAPP_ORIGINAL: &str = "kapp.k14s.io/original";

/// A declared object as it is sent: with the marks of the set.
pub fn with_ownership_labels(config: &Value, set: &str, identity: &Identity) -> Value {
    let mut whole = config.clone();
    let Value::Map(map) = &mut whole else { return whole };
    let metadata = child(Arc::make_mut(map), "metadata");
    child(metadata, "labels").insert(PART_OF.into(), Value::string(set));
    child(metadata, "annotations").insert(IDENTITY.into(), Value::string(identity.to_string()));
    whole
}

/// The mapping below `key`, made if it is not there.
pub fn child<'a>(map: &'a mut Map, key: &str) -> &'a mut Map {
    let value = map.entry(key.into()).or_insert_with(|| Value::from(Map::new()));
    if !matches!(value, Value::Map(_)) {
        *value = Value::from(Map::new());
    }
    match value {
        Value::Map(child) => Arc::make_mut(child),
        _ => unreachable!("the line above made it a mapping"),
    }
}

/// An item of a list with the kind that lists leave out.
pub fn whole(kind: &Kind, item: Value) -> Value {
    let Value::Map(mut map) = item else { return item };
    let whole = Arc::make_mut(&mut map);
    whole.insert("apiVersion".into(), Value::string(kind.api_version()));
    whole.insert("kind".into(), Value::string(kind.kind.as_str()));
    Value::Map(map)
}

/// An object of the server without what only the server writes, and without our marks.
pub fn stripped(name: &Name, live: &Value) -> Value {
    let mut whole = live.clone();
    let Value::Map(map) = &mut whole else { return whole };
    let map = Arc::make_mut(map);
    map.remove("status");
    if let Some(Value::Map(metadata)) = map.get_mut("metadata") {
        let metadata = Arc::make_mut(metadata);
        SERVER_FIELDS.iter().for_each(|field| _ = metadata.remove(*field));
        remove(metadata, "labels", &[PART_OF]);
        remove(metadata, "annotations", &[IDENTITY, LAST_APPLIED, KAPP_ORIGINAL]);
    }
    hide(&name.kind, &mut whole);
    whole
}

fn remove(metadata: &mut Map, field: &str, keys: &[&str]) {
    let Some(Value::Map(map)) = metadata.get_mut(field) else { return };
    let map = Arc::make_mut(map);
    keys.iter().for_each(|key| _ = map.remove(*key));
    if map.is_empty() {
        metadata.remove(field);
    }
}

/// A text below `metadata`.
pub fn metadata<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get("metadata")?.get(field)?.as_str()
}

/// Whether somebody asked for the deletion of an object.
pub fn is_deleting(live: &Value) -> bool {
    metadata(live, "deletionTimestamp").is_some()
}

/// What has to happen before an object that is deleted can go.
pub fn finalizers(object: &Value) -> Vec<&str> {
    match object.get("metadata").and_then(|metadata| metadata.get("finalizers")) {
        Some(Value::List(finalizers)) => finalizers.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// That an object is being deleted, and what holds it.
pub fn deletion(object: &Value) -> String {
    match finalizers(object).as_slice() {
        [] => "it is being deleted".to_owned(),
        held => format!("it is being deleted, and waits for its finalizers: {}", held.join(", ")),
    }
}

fn mark<'a>(object: &'a Value, field: &str, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get(field)?.get(key)?.as_str()
}

/// Whether an object carries its own identity, and not that of the object that it was copied from.
pub fn is_itself(name: &Name, object: &Value) -> bool {
    mark(object, "annotations", IDENTITY) == Some(name.identity().to_string().as_str())
}

/// Whether an object carries the label of a set.
pub fn is_member(object: &Value, set: &str) -> bool {
    mark(object, "labels", PART_OF) == Some(set)
}

/// Why it is not proven that trueup applied an object of the server; `None` if it is.
pub fn ownership_mismatch(name: &Name, object: &Value, set: &str) -> Option<String> {
    match mark(object, "labels", PART_OF) {
        Some(label) if label == set => {}
        Some(_) => return Some(format!("its label `{PART_OF}` is another set's")),
        None if managed::applied(object).is_none() => return Some("trueup never applied it".to_owned()),
        None => return Some(format!("its label `{PART_OF}` is gone")),
    }
    if !is_itself(name, object) {
        return Some(format!("its annotation `{IDENTITY}` is gone or another object's"));
    }
    if managed::applied(object).is_none() {
        return Some(format!("no field of it is owned by `{MANAGER}`"));
    }
    let owners = match object.get("metadata").and_then(|metadata| metadata.get("ownerReferences")) {
        Some(Value::List(owners)) => owners.as_slice(),
        _ => &[],
    };
    let controlled = |owner: &&Value| owner.get("controller") == Some(&Value::Bool(true));
    owners.iter().find(controlled).map(|owner| {
        let of = |key| owner.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("it is controlled by {} `{}`", of("kind"), of("name"))
    })
}

/// Whether an object says that it stays once it is not declared any more.
pub fn stays(object: &Value) -> bool {
    mark(object, "annotations", ON_REMOVE) == Some("keep")
}

/// Makes `body` apply to exactly the object and version that was seen.
pub fn expect_version(body: &mut Value, live: &Value) {
    let Value::Map(map) = body else { return };
    let body = child(Arc::make_mut(map), "metadata");
    for field in ["uid", "resourceVersion"] {
        if let Some(seen) = metadata(live, field) {
            body.insert(field.into(), Value::string(seen));
        }
    }
}

/// Undoes [`expect_version`].
pub fn forget_version(body: &mut Value) {
    let Value::Map(map) = body else { return };
    let metadata = child(Arc::make_mut(map), "metadata");
    ["uid", "resourceVersion"].iter().for_each(|field| _ = metadata.remove(*field));
}
