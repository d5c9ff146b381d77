//! References between declared objects: `{$ref: kind/scope/name}`, with `field` for what the server made.

use serde_json::Value as Json;

use crate::model::{address::Address, value::Value};

/// The addresses that `object` refers to.
pub fn all(object: &Json) -> Vec<Address> {
    let mut found = Vec::new();
    walk(object, &mut |reference| found.extend(reference["$ref"].as_str().map(Address::new)));
    found
}

/// As [`all`], of an object in the model's form.
pub fn all_of(object: &Value) -> Vec<Address> {
    let mut found = Vec::new();
    let mut rest = vec![object];
    while let Some(value) = rest.pop() {
        match value {
            Value::Map(map) => match map.get("$ref") {
                Some(Value::String(address)) => found.push(Address::new(address.as_ref())),
                Some(_) => {}
                None => rest.extend(map.values()),
            },
            Value::List(items) => rest.extend(items),
            Value::Sensitive(inner) => rest.push(inner),
            _ => {}
        }
    }
    found
}

/// Whether a value of `object` stands for another one: a reference, or the name of a secret.
pub fn names_values(object: &Json) -> bool {
    match object {
        Json::Object(map) if map.keys().any(|key| key.starts_with('$')) => true,
        Json::Object(map) => map.values().any(names_values),
        Json::Array(items) => items.iter().any(names_values),
        _ => false,
    }
}

fn walk(tree: &Json, take: &mut dyn FnMut(&Json)) {
    match tree {
        Json::Object(map) if map.contains_key("$ref") => take(tree),
        Json::Object(map) => map.values().for_each(|value| walk(value, take)),
        Json::Array(items) => items.iter().for_each(|item| walk(item, take)),
        _ => {}
    }
}

/// Puts the values of references in their places; those that have none yet stay.
pub fn replace(tree: &mut Json, resolve: &dyn Fn(&Json) -> Option<Json>) {
    match tree {
        Json::Object(map) if map.contains_key("$ref") => {
            if let Some(value) = resolve(tree) {
                *tree = value;
            }
        }
        Json::Object(map) => map.values_mut().for_each(|value| replace(value, resolve)),
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, resolve)),
        _ => {}
    }
}

/// Puts references back where `tree` has what they stand for.
pub fn restore(tree: &mut Json, resolved: &Json, declared: &Json) {
    if tree == resolved {
        *tree = declared.clone();
        return;
    }
    match (tree, resolved, declared) {
        (Json::Object(tree), Json::Object(resolved), Json::Object(declared)) => {
            for (key, value) in tree {
                if let (Some(resolved), Some(declared)) = (resolved.get(key), declared.get(key)) {
                    restore(value, resolved, declared);
                }
            }
        }
        // A set has its items in another order once names take the places of values.
        (Json::Array(tree), Json::Array(resolved), Json::Array(declared)) => {
            for (index, value) in tree.iter_mut().enumerate() {
                let at = resolved.iter().position(|other| other == value).unwrap_or(index);
                if let (Some(resolved), Some(declared)) = (resolved.get(at), declared.get(at)) {
                    restore(value, resolved, declared);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_goes_and_comes_back() {
        let declared = json!({"a": {"$ref": "k/x"}, "b": 1, "l": [{"$ref": "k/y"}]});
        assert_eq!(all(&declared), [Address::new("k/x"), Address::new("k/y")]);
        let mut same =
            all_of(&crate::providers::rest::client::json::to_model(&declared, &|path| path[0] == "l"));
        same.sort();
        assert_eq!(same, all(&declared));
        let mut resolved = declared.clone();
        replace(&mut resolved, &|reference| Some(json!(reference["$ref"].as_str().unwrap().len())));
        assert_eq!(resolved, json!({"a": 3, "b": 1, "l": [3]}));
        let mut actual = json!({"a": 3, "b": 2, "l": [4]});
        restore(&mut actual, &resolved, &declared);
        assert_eq!(actual, json!({"a": {"$ref": "k/x"}, "b": 2, "l": [4]}));
    }

    #[test]
    fn a_reference_in_a_set_is_found_wherever_its_value_stands() {
        let (declared, resolved) = (json!(["b", {"$ref": "k/a"}]), json!(["b", "a"]));
        let mut actual = json!(["a", "b", "c"]);
        restore(&mut actual, &resolved, &declared);
        assert_eq!(actual, json!([{"$ref": "k/a"}, "b", "c"]));
    }
}
