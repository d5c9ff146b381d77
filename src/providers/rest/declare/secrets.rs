//! Secrets that a declaration names instead of holding them: `{$env: NAME}` and `{$file: PATH}`.

use std::path::Path;

use serde_json::Value as Json;

use crate::{
    model::{sensitive::names_secrets, value::Value},
    providers::rest::client::{json, size_limit},
};

/// Whether `value` names a secret.
pub fn is_name(value: &Json) -> bool {
    value.as_object().is_some_and(|map| map.len() == 1 && map.keys().all(|key| names_secrets(key)))
}

/// Whether a value of `object` is the name of a secret.
pub fn are_named_in(object: &Value) -> bool {
    match object {
        Value::Map(map) => {
            map.len() == 1 && map.keys().all(|key| names_secrets(key)) || map.values().any(are_named_in)
        }
        Value::List(items) => items.iter().any(are_named_in),
        Value::Sensitive(inner) => are_named_in(inner),
        _ => false,
    }
}

/// Puts secrets in the places of their names.
///
/// # Errors
/// One that is not there; its value is in no message.
pub fn fill(tree: &mut Json, folder: &Path) -> Result<(), String> {
    if is_name(tree) {
        *tree = Json::String(get(tree, folder)?);
        return Ok(());
    }
    match tree {
        Json::Object(map) => map.values_mut().try_for_each(|value| fill(value, folder)),
        Json::Array(items) => items.iter_mut().try_for_each(|item| fill(item, folder)),
        _ => Ok(()),
    }
}

/// As [`fill`], for as many of them as are there.
pub fn fill_known(tree: &mut Json, folder: &Path) {
    match tree {
        tree if is_name(tree) => {
            if let Ok(secret) = get(tree, folder) {
                *tree = Json::String(secret);
            }
        }
        Json::Object(map) => map.values_mut().for_each(|value| fill_known(value, folder)),
        Json::Array(items) => items.iter_mut().for_each(|item| fill_known(item, folder)),
        _ => {}
    }
}

/// The names of secrets in `object`, by pointer.
pub fn names(object: &Json) -> Vec<(String, &Json)> {
    let mut found = Vec::new();
    collect(object, String::new(), &mut found);
    found
}

fn collect<'a>(tree: &'a Json, at: String, found: &mut Vec<(String, &'a Json)>) {
    match tree {
        tree if is_name(tree) => found.push((at, tree)),
        Json::Object(map) => map.iter().for_each(|(key, value)| collect(value, json::join(&at, key), found)),
        Json::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| collect(item, json::join(&at, &index.to_string()), found));
        }
        _ => {}
    }
}

/// The secret that `name` names.
///
/// # Errors
/// It is not there.
pub fn get(name: &Json, folder: &Path) -> Result<String, String> {
    if let Some(variable) = name["$env"].as_str() {
        return std::env::var(variable)
            .map_err(|_| format!("the environment variable `{variable}` is not set"));
    }
    let file = name["$file"].as_str().ok_or("`$file` names no file")?;
    let text = size_limit::text(&folder.join(file), size_limit::SECRET)
        .map_err(|error| format!("reading the secret `{file}`: {error}"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_takes_the_place_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s"), "x\n").unwrap();
        let mut tree = json!({"a": {"$file": "s"}, "b": [1]});
        fill(&mut tree, folder.path()).unwrap();
        assert_eq!(tree, json!({"a": "x", "b": [1]}));
        assert!(fill(&mut json!({"$env": "TRUEUP_NO_SUCH_VARIABLE"}), folder.path()).is_err());
    }
}
