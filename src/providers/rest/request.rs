//! Addresses and bodies of requests.

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::{Map, Value as Json};

use super::{
    address::{Collection, Place},
    definition::{Access, Body, Kind, Write},
    failure::{self, Failure},
    form::Form,
    json,
    options::Setup,
    template::{self, Ingredients, Variables},
};

/// The address of `path` below the base.
///
/// # Errors
/// A name that the template needs and nobody knows, or that would leave the base.
pub fn url(
    setup: &Setup,
    path: &str,
    query: &BTreeMap<String, String>,
    variables: &Variables,
) -> Result<Url, Failure> {
    let wrong = |message: String| Failure::new(failure::Kind::Other, message);
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
pub fn of_collection(setup: &Setup, kind: &Kind, collection: &Collection) -> Variables {
    let mut variables = setup.variables.clone();
    let params = setup.definition.params(kind).iter().cloned();
    variables.extend(params.zip(collection.scope.iter().cloned()));
    variables
}

/// The names that templates of one object may use; what the server has of it decides over `place`.
pub fn of_object(setup: &Setup, kind: &Kind, place: &Place, raw: Option<&Json>) -> Variables {
    let mut variables = of_collection(setup, kind, &place.collection());
    for (key, value) in kind.identity.keys.iter().zip(&place.keys) {
        let name = key.rsplit('/').next().unwrap_or_default().to_owned();
        let known = raw.and_then(|raw| json::text(raw.pointer(key)?));
        variables.insert(name, known.unwrap_or_else(|| value.clone()));
    }
    if let Some(raw) = raw {
        let id = kind.id.as_ref().and_then(|pointer| json::text(raw.pointer(pointer)?));
        variables.extend(id.map(|id| ("id".to_owned(), id)));
        let version = kind.version.as_ref().and_then(|version| json::text(raw.pointer(&version.from)?));
        variables.extend(version.map(|version| ("version".to_owned(), version)));
    }
    variables
}

/// What a request is made from.
pub struct Sides<'a> {
    /// What Git declares, with secrets and references resolved.
    pub desired: &'a Json,
    /// What the server has of the declared fields.
    pub actual: Option<&'a Json>,
    /// All that the server has.
    pub raw: Option<&'a Json>,
}

/// The body of `write`; `None` if there is nothing to send.
pub fn body(kind: &Kind, write: &Write, sides: &Sides<'_>, variables: &Variables) -> Option<Json> {
    let form = Form::of(kind);
    let desired = writable(kind, &form, sides.desired);
    let whole = || match sides.raw {
        Some(raw) => overlay(&form, &writable(kind, &form, raw), &desired, &mut Vec::new()),
        None => desired.clone(),
    };
    if let Some(template) = &write.template {
        let object = whole();
        return template::body(template, &Ingredients { object: &object, actual: sides.raw, variables });
    }
    let content = match (write.body, sides.actual) {
        (Body::Nothing, _) => return Some(Json::Null),
        (Body::Full, _) => whole(),
        (Body::Declared, _) | (_, None) => desired,
        (Body::Changed, Some(actual)) => changed(kind, write, &desired, actual, sides.raw)?,
        (Body::MergePatch, Some(actual)) => difference(&desired, actual)?,
    };
    let mut body = Json::Null;
    json::set(&mut body, &write.wrap, content);
    Some(body)
}

/// `object` without what the server owns, what has requests of its own and what only trueup knows.
fn writable(kind: &Kind, form: &Form<'_>, object: &Json) -> Json {
    let mut object = object.clone();
    let read_only = kind.fields.iter().filter(|(_, field)| field.access == Access::ReadOnly);
    let own = kind.actions.iter().map(|action| &action.field);
    for pointer in read_only.map(|(pointer, _)| pointer).chain(own).chain(&kind.identity.previously) {
        json::remove(&mut object, pointer);
    }
    form.normalize(&mut object);
    object
}

/// `upper` laid over `lower`, into fields that the definition divides.
fn overlay(form: &Form<'_>, lower: &Json, upper: &Json, path: &mut Vec<String>) -> Json {
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

/// The fields that differ, with those that have to go with them.
fn changed(kind: &Kind, write: &Write, desired: &Json, actual: &Json, raw: Option<&Json>) -> Option<Json> {
    let mut body = Map::new();
    for (key, value) in desired.as_object()? {
        if actual.get(key) != Some(value) {
            body.insert(key.clone(), value.clone());
        }
    }
    if body.is_empty() {
        return None;
    }
    let mut body = Json::Object(body);
    if let Some(rename) = &kind.identity.rename {
        for key in &kind.identity.keys {
            if let Some(name) = json::remove(&mut body, key) {
                json::set(&mut body, rename, name);
            }
        }
    }
    let together =
        write.send_together.iter().filter(|group| group.iter().any(|field| body.pointer(field).is_some()));
    let more: Vec<&String> = together.flatten().chain(&write.always_send).collect();
    for field in more {
        let value = desired.pointer(field).or_else(|| raw?.pointer(field)).cloned();
        if let (Some(value), None) = (value, body.pointer(field)) {
            json::set(&mut body, field, value);
        }
    }
    Some(body)
}

/// The merge patch (RFC 7396) that brings the declared fields of `actual` to `desired`.
fn difference(desired: &Json, actual: &Json) -> Option<Json> {
    let (Json::Object(desired), Json::Object(actual)) = (desired, actual) else {
        return (desired != actual).then(|| desired.clone());
    };
    let mut patch = Map::new();
    for (key, value) in desired {
        let part = match actual.get(key) {
            Some(actual) => difference(value, actual),
            None => Some(value.clone()),
        };
        patch.extend(part.map(|part| (key.clone(), part)));
    }
    (!patch.is_empty()).then_some(Json::Object(patch))
}

/// Every text of `object` that must not be shown.
pub fn secrets(kind: &Kind, object: &Json) -> Vec<String> {
    let mut found = Vec::new();
    let mut object = object.clone();
    for (pointer, field) in &kind.fields {
        if field.sensitive || field.access == Access::WriteOnly {
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
        let sides = Sides { desired: &desired, actual: Some(&actual), raw: Some(&raw) };
        body(&kind(), &write(extra), &sides, &Variables::new())
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
            made(json!({"wrap": "/data"}), json!({"name": "a", "c": {"url": "v"}}), json!({}), raw),
            Some(json!({"data": {"name": "a", "y": 3, "c": {"url": "v", "k": 1}}}))
        );
    }

    #[test]
    fn a_merge_patch_goes_down_to_the_key() {
        let (desired, actual) = (json!({"m": {"a": 1, "b": 2}}), json!({"m": {"a": 1, "b": 3}}));
        assert_eq!(
            made(json!({"body": "merge_patch"}), desired, actual.clone(), actual),
            Some(json!({"m": {"b": 2}}))
        );
    }
}
