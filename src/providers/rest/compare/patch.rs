//! What differs between two objects, as requests say it.

use serde_json::{Map, Value as Json, json};

use crate::providers::rest::client::json;

/// The fields that differ, each as a whole.
pub fn changed(desired: &Json, actual: &Json) -> Option<Json> {
    let differs = |(key, value): &(&String, &Json)| actual.get(*key) != Some(*value);
    let fields = desired.as_object()?.iter().filter(differs);
    let body: Map<String, Json> = fields.map(|(key, value)| (key.clone(), value.clone())).collect();
    (!body.is_empty()).then_some(Json::Object(body))
}

/// The operations (RFC 6902) that bring the declared fields of `actual` to `desired`. What Git does not declare is
/// not in `actual`, so whatever else is there has to go.
pub fn operations(desired: &Json, actual: &Json, at: String, found: &mut Vec<Json>) {
    let (Json::Object(new), Json::Object(old)) = (desired, actual) else {
        if desired != actual {
            found.push(json!({"op": "replace", "path": at, "value": desired}));
        }
        return;
    };
    for (key, value) in new {
        let at = json::join(&at, key);
        match old.get(key) {
            Some(old) => operations(value, old, at, found),
            None => found.push(json!({"op": "add", "path": at, "value": value})),
        }
    }
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    found.extend(gone.map(|key| json!({"op": "remove", "path": json::join(&at, key)})));
}

/// The merge patch (RFC 7396) that brings the declared fields of `actual` to `desired`, as [`operations`] does.
pub fn difference(desired: &Json, actual: &Json) -> Option<Json> {
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
    let gone = actual.keys().filter(|key| !desired.contains_key(*key));
    patch.extend(gone.map(|key| (key.clone(), Json::Null)));
    (!patch.is_empty()).then_some(Json::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_name_what_differs() {
        let (desired, actual) =
            (json!({"m": {"a/b": 1, "n": 2}, "l": [1]}), json!({"m": {"a/b": 0, "x": 1}, "l": [1]}));
        let mut found = Vec::new();
        operations(&desired, &actual, String::new(), &mut found);
        assert_eq!(
            found,
            [
                json!({"op": "replace", "path": "/m/a~1b", "value": 1}),
                json!({"op": "add", "path": "/m/n", "value": 2}),
                json!({"op": "remove", "path": "/m/x"}),
            ]
        );
    }

    #[test]
    fn a_merge_patch_goes_down_to_the_key() {
        let (desired, actual) =
            (json!({"m": {"a": 1, "b": 2}}), json!({"m": {"a": 1, "b": 3, "c": {"d": 4}}}));
        assert_eq!(difference(&desired, &actual), Some(json!({"m": {"b": 2, "c": null}})));
        assert_eq!(difference(&desired, &desired), None);
    }
}
