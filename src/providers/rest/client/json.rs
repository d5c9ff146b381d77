//! JSON trees: pointers, patterns, and the way to and from the model's values.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value as Json};

use crate::model::{path::escape, value::Value};

/// The steps of a JSON pointer (RFC 6901).
pub fn steps(pointer: &str) -> Vec<String> {
    let plain = |step: &str| match step.contains('~') {
        true => step.replace("~1", "/").replace("~0", "~"),
        false => step.to_owned(),
    };
    pointer.split('/').skip(1).map(plain).collect()
}

/// What is at `pointer`, as [`Json::pointer`], which copies every step.
pub fn at<'a>(tree: &'a Json, pointer: &str) -> Option<&'a Json> {
    let down = |at: &'a Json, step: &str| match at {
        Json::Object(map) => map.get(step),
        _ => at.pointer(&join("", step)),
    };
    match pointer.strip_prefix('/') {
        Some(steps) if !pointer.contains('~') => steps.split('/').try_fold(tree, down),
        _ => tree.pointer(pointer),
    }
}

/// The pointer to `step` below `pointer`.
pub fn join(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", escape(step))
}

/// Puts `value` at `pointer`, making the objects on the way.
pub fn set(tree: &mut Json, pointer: &str, value: Json) {
    let mut at = tree;
    for step in steps(pointer) {
        if !at.is_object() {
            *at = Json::Object(Map::new());
        }
        let Json::Object(map) = at else { return };
        at = map.entry(step).or_insert(Json::Null);
    }
    *at = value;
}

/// Takes what is at `pointer` out of the tree.
pub fn remove(tree: &mut Json, pointer: &str) -> Option<Json> {
    let (parent, last) = pointer.rsplit_once('/')?;
    let last = last.replace("~1", "/").replace("~0", "~");
    tree.pointer_mut(parent)?.as_object_mut()?.shift_remove(&last)
}

/// Calls `touch` with every value that `pattern` leads to: a pointer in which
/// `*` stands for every key or item.
pub fn visit(tree: &mut Json, pattern: &str, touch: &mut dyn FnMut(&mut Json)) {
    visit_steps(tree, &steps(pattern), touch);
}

/// As [`visit`], for a pattern that is taken apart already.
pub fn visit_steps(tree: &mut Json, steps: &[String], touch: &mut dyn FnMut(&mut Json)) {
    let Some((first, rest)) = steps.split_first() else { return touch(tree) };
    match tree {
        Json::Object(map) if first == "*" => {
            map.values_mut().for_each(|value| visit_steps(value, rest, touch));
        }
        Json::Array(items) if first == "*" => {
            items.iter_mut().for_each(|item| visit_steps(item, rest, touch))
        }
        Json::Object(map) => {
            if let Some(value) = map.get_mut(first) {
                visit_steps(value, rest, touch);
            }
        }
        _ => {}
    }
}

/// The places of `tree` that a pattern leads to.
pub fn places(tree: &Json, pattern: &[String]) -> Vec<Vec<String>> {
    let Some((first, rest)) = pattern.split_first() else { return vec![Vec::new()] };
    let keys: Vec<String> = match tree {
        Json::Object(map) if first == "*" => map.keys().cloned().collect(),
        Json::Object(map) if map.contains_key(first) => vec![first.clone()],
        _ => return Vec::new(),
    };
    let inside = |key: String| {
        let below = places(&tree[key.as_str()], rest).into_iter();
        below.map(move |place| [vec![key.clone()], place].concat())
    };
    keys.into_iter().flat_map(inside).collect()
}

/// `pointer` with what each `*` of `pattern` stands for in `place`.
pub fn filled(pointer: &str, pattern: &[String], place: &[String]) -> String {
    let mut stars = pattern.iter().zip(place).filter(|(one, _)| *one == "*").map(|(_, step)| step);
    let fill = |step: String| if step == "*" { stars.next().cloned().unwrap_or(step) } else { step };
    self::pointer(&steps(pointer).into_iter().map(fill).collect::<Vec<_>>())
}

/// The pointer to the place `path`.
pub fn pointer(path: &[impl AsRef<str>]) -> String {
    path.iter().fold(String::new(), |pointer, step| join(&pointer, step.as_ref()))
}

/// Whether `pattern` leads to the place of `path`.
pub fn matches(pattern: &str, path: &[String]) -> bool {
    let pattern = steps(pattern);
    pattern.len() == path.len() && agree(&pattern, path)
}

/// Whether the steps of `pattern` lead the way of `path`, as far as both go.
pub fn agree(pattern: &[String], path: &[impl AsRef<str>]) -> bool {
    pattern.iter().zip(path).all(|(one, other)| one == "*" || one == other.as_ref())
}

/// Writes whole numbers as such: `300.0` is `300`.
pub fn plain_numbers(value: &mut Json) {
    /// Up to here, every whole number has a form of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Json::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < EXACT);
            if let Some(whole) = whole.and_then(|whole| format!("{whole:.0}").parse::<i64>().ok()) {
                *number = whole.into();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(plain_numbers),
        Json::Object(map) => map.values_mut().for_each(plain_numbers),
        _ => {}
    }
}

/// A text or number as it stands in a path or a name.
pub fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// `value` with the keys of every object in order.
pub fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let inside = map.iter().map(|(key, value)| (key.clone(), sorted(value)));
            Json::Object(inside.collect::<BTreeMap<_, _>>().into_iter().collect())
        }
        Json::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The model's form of `json`, in which what `hidden` says is sensitive.
pub fn to_model(json: &Json, hidden: &dyn Fn(&[String]) -> bool) -> Value {
    convert(json, &mut Vec::new(), hidden)
}

fn convert(json: &Json, path: &mut Vec<String>, hidden: &dyn Fn(&[String]) -> bool) -> Value {
    if !path.is_empty() && !json.is_null() && hidden(path) {
        return Value::Sensitive(Box::new(convert(json, &mut Vec::new(), &|_| false)));
    }
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Number(number.clone()),
        Json::String(text) => Value::string(text.as_str()),
        Json::Array(items) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| within(path, index.to_string(), |path| convert(item, path, hidden)))
                .collect(),
        ),
        Json::Object(map) => Value::map(map.iter().map(|(key, value)| {
            let value = within(path, key.clone(), |path| convert(value, path, hidden));
            (Arc::<str>::from(key.as_str()), value)
        })),
    }
}

fn within<T>(path: &mut Vec<String>, step: String, then: impl FnOnce(&mut Vec<String>) -> T) -> T {
    path.push(step);
    let result = then(path);
    path.pop();
    result
}

/// The JSON of a model's value, secrets included.
pub fn from_model(value: &Value) -> Json {
    match value {
        Value::Null | Value::Blob(_) => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => Json::Number(number.clone()),
        Value::String(text) => Json::String(text.to_string()),
        Value::List(items) => items.iter().map(from_model).collect(),
        Value::Map(map) => {
            Json::Object(map.iter().map(|(key, value)| (key.to_string(), from_model(value))).collect())
        }
        Value::Sensitive(inner) => from_model(inner),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pattern_touches_every_item() {
        let mut tree = json!({"a": [{"b": 1}, {"b": 2}], "c": 3});
        visit(&mut tree, "/a/*/b", &mut |value| *value = json!(0));
        assert_eq!(tree, json!({"a": [{"b": 0}, {"b": 0}], "c": 3}));
    }

    #[test]
    fn a_pointer_leads_where_it_always_leads() {
        let tree = json!({"a": {"": [1, {"b/c": 2}], "d~": 3}, "": 4});
        for pointer in
            ["", "/", "/a", "a", "/a//0", "/a//00", "/a//1/b~1c", "/a/d~0", "/a/d~", "/a//2", "/a//0/x"]
        {
            assert_eq!(at(&tree, pointer), tree.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn a_whole_number_has_one_form() {
        let mut tree = json!({"a": [300.0, -1.0, 0.5, 1e300, -0.0], "b": {"c": 2.0}});
        plain_numbers(&mut tree);
        assert_eq!(tree, json!({"a": [300, -1, 0.5, 1e300, 0], "b": {"c": 2}}));
    }

    #[test]
    fn setting_makes_the_way() {
        let mut tree = json!({});
        set(&mut tree, "/a/b~1c", json!(1));
        assert_eq!(tree, json!({"a": {"b/c": 1}}));
        assert_eq!(remove(&mut tree, "/a/b~1c"), Some(json!(1)));
    }

    #[test]
    fn hidden_values_survive_the_way_through_the_model() {
        let tree = json!({"a": {"p": "x"}, "l": [1, null]});
        let value = to_model(&tree, &|path| matches("/a/p", path));
        assert!(matches!(value.get("a").unwrap().get("p"), Some(Value::Sensitive(_))));
        assert_eq!(from_model(&value), tree);
    }
}
