//! Addresses and bodies of requests.

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::Value as Json;

use super::{failure::Failure, json, transport::Content};
use crate::providers::rest::{
    compare::{items, patch, projection::Projection},
    declare::address::{Collection, Place},
    definition::{Access, Body, ErrorClass as Class, Kind, Write},
    options::TargetConfig,
    read::envelope,
    template::{self, Ingredients, Variables},
};

/// The address of `path` below the base.
///
/// # Errors
/// A name that the template needs and nobody knows, or that would leave the base.
pub fn url(
    setup: &TargetConfig,
    path: &str,
    query: &BTreeMap<String, String>,
    variables: &Variables,
) -> Result<Url, Failure> {
    let wrong = |message: String| Failure::new(Class::Other, message);
    let path = template::uri(path, variables).map_err(wrong)?;
    let whole = format!("{}{path}", setup.base.as_str().trim_end_matches('/'));
    let mut url = Url::parse(&whole).map_err(|error| wrong(format!("`{path}` is no path: {error}")))?;
    for (name, value) in query {
        let value = template::text(value, variables).map_err(wrong)?;
        url.query_pairs_mut().append_pair(name, &value);
    }
    Ok(url)
}

/// The names that templates of a collection may use.
pub fn of_collection(setup: &TargetConfig, kind: &Kind, collection: &Collection) -> Variables {
    let mut variables = setup.variables.clone();
    let params = setup.definition.params(kind).iter().cloned();
    variables.extend(params.zip(collection.scope.iter().cloned()));
    variables
}

/// The names of `object` for templates.
pub fn names(kind: &Kind, object: &Json) -> Variables {
    let last = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
    let keys = kind.identity.keys.iter();
    keys.filter_map(|key| Some((last(key), json::text(object.pointer(key)?)?))).collect()
}

/// The names that templates of one object may use besides those of its collection; what the server has of
/// it decides over `place`.
pub fn of_object(mut variables: Variables, kind: &Kind, place: &Place, raw: Option<&Json>) -> Variables {
    for (key, value) in kind.identity.keys.iter().zip(&place.keys) {
        variables.insert(key.rsplit('/').next().unwrap_or_default().to_owned(), value.clone());
    }
    variables.extend(raw.map(|raw| names(kind, raw)).unwrap_or_default());
    let made = kind.id_from_name.zip(place.keys.last()).and_then(|(how, name)| how.of(name));
    variables.extend(made.map(|id| ("id".to_owned(), id)));
    if let Some(raw) = raw {
        let id = kind.id.as_ref().and_then(|pointer| json::text(raw.pointer(pointer)?));
        variables.extend(id.map(|id| ("id".to_owned(), id)));
        let version = kind.version.as_ref().and_then(|version| json::text(raw.pointer(&version.from)?));
        variables.extend(version.map(|version| ("version".to_owned(), version)));
    }
    variables
}

/// What a request is made from.
pub struct WriteSides<'a> {
    /// What Git declares, with secrets and references resolved.
    pub desired: &'a Json,
    /// What the server has of the declared fields.
    pub actual: Option<&'a Json>,
    /// All that the server has.
    pub raw: Option<&'a Json>,
}

/// The content of `write`; `None` if there is nothing to send.
pub fn content(kind: &Kind, write: &Write, sides: &WriteSides<'_>, variables: &Variables) -> Option<Content> {
    let form = Projection::of(kind);
    let sent = |object: &Json| {
        let mut object = writable(kind, &form, object);
        if sides.raw.is_some() {
            initial(kind).for_each(|pointer| _ = json::remove(&mut object, pointer));
        }
        object
    };
    let (desired, actual) = (sent(sides.desired), sides.actual.map(sent));
    let whole = || match sides.raw {
        Some(raw) => overlay(&form, &writable(kind, &form, raw), &desired, &mut Vec::new()),
        None => desired.clone(),
    };
    if let Some(template) = &write.template {
        let mut object = whole();
        form.encode(&mut object);
        let made =
            template.fill(&Ingredients { actual: sides.raw, ..Ingredients::of(&object, variables) })?;
        return Some(Content::Json(made));
    }
    let mut body = match (write.body, &actual) {
        (Body::Nothing, _) => return Some(Content::Nothing),
        (Body::Raw, _) => {
            let mut object = whole();
            form.encode(&mut object);
            return json::text(object.pointer(write.raw.as_ref()?)?).map(Content::Text);
        }
        (Body::JsonPatch, Some(actual)) => {
            let mut new = desired;
            form.encode(&mut new);
            let (mut old, mut operations) = (actual.clone(), Vec::new());
            form.encode(&mut old);
            patch::operations(&new, &old, String::new(), &mut operations);
            return (!operations.is_empty()).then_some(Content::Json(Json::Array(operations)));
        }
        (Body::Full, _) => whole(),
        (Body::Declared, _) | (_, None) => desired,
        (Body::Changed, Some(actual)) => {
            with_others(write, patch::changed(&desired, actual)?, &desired, sides.raw)
        }
        (Body::MergePatch, Some(actual)) => {
            with_others(write, patch::difference(&desired, actual)?, &desired, sides.raw)
        }
    };
    if sides.actual.is_some() && matches!(write.body, Body::Changed | Body::MergePatch) {
        items::patch(&form, &mut body, sides.raw, variables);
    }
    form.encode(&mut body);
    rename(kind, &mut body, sides.actual);
    Some(Content::Json(envelope::split(kind, write, body)))
}

/// What is only for making one.
fn initial(kind: &Kind) -> impl Iterator<Item = &String> {
    let initial = kind.fields.iter().filter(|(_, field)| field.access == Access::CreateInput);
    initial.map(|(pointer, _)| pointer)
}

/// `object` without what the server owns, what has requests of its own and what only trueup knows.
fn writable(kind: &Kind, form: &Projection<'_>, object: &Json) -> Json {
    let mut object = object.clone();
    let read_only = kind.fields.iter().filter(|(_, field)| field.access == Access::ReadOnly);
    let own = kind.actions.iter().map(|action| &action.field);
    for pointer in read_only.map(|(pointer, _)| pointer).chain(own).chain(&kind.identity.previously) {
        json::remove(&mut object, pointer);
    }
    for (steps, default) in
        form.fields.iter().filter_map(|(steps, field)| Some((steps, field.default.as_ref()?)))
    {
        // To many servers `null` says to leave a field as it is.
        json::visit_steps(&mut object, steps, &mut |value| {
            if value.is_null() {
                *value = default.clone();
            }
        });
    }
    form.normalize(&mut object);
    object
}

/// `upper` laid over `lower`, into fields that the definition divides.
fn overlay(form: &Projection<'_>, lower: &Json, upper: &Json, path: &mut Vec<String>) -> Json {
    let (Json::Object(low), Json::Object(high), true) = (lower, upper, form.is_divided(path)) else {
        return upper.clone();
    };
    let mut whole = low.clone();
    for (key, value) in high {
        path.push(key.clone());
        let merged = low.get(key).map_or_else(|| value.clone(), |lower| overlay(form, lower, value, path));
        path.pop();
        whole.insert(key.clone(), merged);
    }
    Json::Object(whole)
}

/// `body` with what has to go with it.
fn with_others(write: &Write, mut body: Json, desired: &Json, raw: Option<&Json>) -> Json {
    let together =
        write.send_together.iter().filter(|group| group.iter().any(|field| body.pointer(field).is_some()));
    let more: Vec<&String> = together.flatten().chain(&write.always_send).collect();
    for field in more {
        let value = desired.pointer(field).or_else(|| raw?.pointer(field)).cloned();
        if let (Some(value), None) = (value, body.pointer(field)) {
            json::set(&mut body, field, value);
        }
    }
    body
}

/// Puts a new name where the server wants it.
fn rename(kind: &Kind, body: &mut Json, actual: Option<&Json>) {
    let (Some(field), Some(actual)) = (&kind.identity.rename, actual) else { return };
    for key in &kind.identity.keys {
        if body.pointer(key) != actual.pointer(key)
            && let Some(name) = json::remove(body, key)
        {
            json::set(body, field, name);
        }
    }
}

/// Every text of `object` that must not be shown, as it is and as the server packs it.
pub fn secrets(kind: &Kind, object: &Json) -> Vec<String> {
    let mut packed = object.clone();
    Projection::of(kind).encode(&mut packed);
    let mut found = hidden(kind, object.clone());
    found.extend(hidden(kind, packed));
    found
}

fn hidden(kind: &Kind, mut object: Json) -> Vec<String> {
    let mut found = Vec::new();
    for (pointer, field) in &kind.fields {
        if field.is_hidden() {
            json::visit(&mut object, pointer, &mut |value| {
                if let Json::String(text) = value {
                    found.push(text.clone());
                }
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind() -> Kind {
        serde_json::from_value(json!({
            "identity": {"keys": ["/name"], "previously": "/previously"}, "list": {"path": "/x"},
            "fields": {"/id": {"access": "read_only"}, "/c/url": {}},
        }))
        .unwrap()
    }

    fn write(extra: Json) -> Write {
        let mut write = json!({"method": "PATCH", "path": "/x"});
        write.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        serde_json::from_value(write).unwrap()
    }

    fn made(extra: Json, desired: Json, actual: Json, raw: Json) -> Option<Json> {
        let sides = WriteSides { desired: &desired, actual: Some(&actual), raw: Some(&raw) };
        match content(&kind(), &write(extra), &sides, &Variables::new())? {
            Content::Json(body) => Some(body),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_differs_is_sent_with_what_must_go_with_it() {
        let (desired, actual) =
            (json!({"name": "a", "x": 1, "previously": "b"}), json!({"name": "a", "x": 2}));
        let raw = json!({"id": 7, "name": "a", "x": 2, "y": 3, "z": 4});
        let extra = json!({"body": "changed", "always_send": ["/y"], "send_together": [["/x", "/z"], ["/n", "/name"]]});
        assert_eq!(
            made(extra, desired.clone(), actual.clone(), raw.clone()),
            Some(json!({"x": 1, "z": 4, "y": 3}))
        );
        assert_eq!(made(json!({"body": "changed"}), actual.clone(), actual, raw), None);
    }

    #[test]
    fn a_full_body_keeps_what_others_set_and_drops_what_the_server_owns() {
        let raw = json!({"id": 7, "name": "a", "y": 3, "c": {"url": "u", "k": 1}});
        assert_eq!(
            made(json!({"body_pointer": "/data"}), json!({"name": "a", "c": {"url": "v"}}), json!({}), raw),
            Some(json!({"data": {"name": "a", "y": 3, "c": {"url": "v", "k": 1}}}))
        );
    }

    #[test]
    fn a_raw_body_is_one_field_as_the_server_packs_it() {
        let kind: Kind = serde_json::from_value(json!({
            "identity": {"keys": ["/name"]}, "list": {"path": "/x"}, "fields": {"/value": {"encoding": "base64"}},
        }))
        .unwrap();
        let desired = json!({"name": "a", "value": "hello"});
        let sides = WriteSides { desired: &desired, actual: None, raw: None };
        let write = write(json!({"body": "raw", "raw": "/value"}));
        assert_eq!(
            content(&kind, &write, &sides, &Variables::new()),
            Some(Content::Text("aGVsbG8=".to_owned()))
        );
    }

    #[test]
    fn a_new_name_goes_where_the_server_wants_it() {
        let kind: Kind = serde_json::from_value(json!({
            "identity": {"keys": ["/name"], "previously": "/previously", "rename": "/new_name"}, "list": {"path": "/x"},
        }))
        .unwrap();
        let (desired, actual) =
            (json!({"name": "b", "previously": "a", "x": 1}), json!({"name": "a", "x": 1}));
        let sides = WriteSides { desired: &desired, actual: Some(&actual), raw: None };
        for (how, expected) in
            [("changed", json!({"new_name": "b"})), ("declared", json!({"x": 1, "new_name": "b"}))]
        {
            let body = content(&kind, &write(json!({"body": how})), &sides, &Variables::new());
            assert_eq!(body, Some(Content::Json(expected)));
        }
    }
}
