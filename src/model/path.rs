//! Places within objects, as rules name them: JSON pointers with `*`, and `[key=value]` for items of lists.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, LazyLock},
};

use super::value::{Map, Value};

/// A text with `*` for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Arc<str>);

/// A path with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: Arc<str>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A key, or the position of an item.
    Name(Arc<str>),
    /// Every key or item that matches.
    Any(Pattern),
    /// The item that has these fields: `[name=web]`, or is this: `[web]`.
    Item(Arc<str>),
}

/// A path without wildcards: keys, and items by `[key=value]` or position.
pub type Place = Vec<Arc<str>>;

/// A text that is no path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no path: write a JSON pointer such as `/spec/replicas`, `/metadata/annotations/*` or `/spec/containers/[name=web]/image`; `/` in a key is `~1`"
)]
pub struct BadPath(String);

impl Pattern {
    /// A pattern as typed.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Pattern(text.into())
    }

    /// Whether it matches all of `text`.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Path {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        let bad = || BadPath(text.to_owned());
        let steps = text.strip_prefix('/').ok_or_else(bad)?.split('/');
        let steps: Vec<Step> = steps.map(step).collect();
        let empty = |step: &Step| matches!(step, Step::Name(name) if name.is_empty());
        match steps.iter().any(empty) {
            true => Err(bad()),
            false => Ok(Path { text: text.into(), steps }),
        }
    }
}

fn step(text: &str) -> Step {
    let key = key(text);
    match (key.starts_with('[') && key.ends_with(']'), key.contains('*')) {
        (true, false) => Step::Item(key),
        (_, true) => Step::Any(Pattern::new(key)),
        (false, false) => Step::Name(key),
    }
}

impl Path {
    /// The places of `value` that it names, in order.
    pub fn places(&self, value: &Value) -> Vec<Place> {
        let mut found = Vec::new();
        places(&self.steps, value, &mut Vec::new(), &mut found);
        found
    }

    /// Whether it names `place`, or something that `place` is in.
    pub fn covers(&self, place: &[Arc<str>]) -> bool {
        self.steps.len() <= place.len() && self.steps.iter().zip(place).all(|(step, key)| step.matches(key))
    }
}

impl Step {
    fn matches(&self, key: &str) -> bool {
        match self {
            Step::Name(name) => **name == *key,
            Step::Any(pattern) => pattern.matches(key),
            Step::Item(item) => **item == *key || is_labelled(key, item),
        }
    }
}

/// Whether the label of an item, `[containerPort=80,protocol=TCP]`, has every pair of `wanted`.
fn is_labelled(label: &str, wanted: &str) -> bool {
    match (inner(label), inner(wanted)) {
        (Some(label), Some(wanted)) => wanted.split(',').all(|pair| label.split(',').any(|own| own == pair)),
        _ => false,
    }
}

/// What stands between brackets.
fn inner(label: &str) -> Option<&str> {
    label.strip_prefix('[')?.strip_suffix(']')
}

fn places(steps: &[Step], value: &Value, at: &mut Place, found: &mut Vec<Place>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(at.clone());
        return;
    };
    let mut below = |key: Arc<str>, value: &Value| {
        at.push(key);
        places(rest, value, at, found);
        at.pop();
    };
    match (value, step) {
        (Value::Map(map), Step::Name(name)) => {
            if let Some(value) = map.get(name) {
                below(name.clone(), value);
            }
        }
        (Value::Map(map), step) => {
            for (key, value) in map.iter().filter(|(key, _)| step.matches(key)) {
                below(key.clone(), value);
            }
        }
        (Value::List(items), Step::Any(_)) => {
            for (position, value) in items.iter().enumerate() {
                below(position.to_string().into(), value);
            }
        }
        (Value::List(items), Step::Name(key) | Step::Item(key)) => {
            if let Some(position) = position(items, key) {
                below(key.clone(), &items[position]);
            }
        }
        _ => {}
    }
}

/// Which item is meant by `[key=value]`, `[value]` or its position.
pub fn position(items: &[Value], key: &str) -> Option<usize> {
    let Some(pairs) = inner(key) else {
        return key.parse().ok().filter(|position| *position < items.len());
    };
    items.iter().position(|item| pairs.split(',').all(|pair| is_called(item, pair)))
}

fn is_called(item: &Value, pair: &str) -> bool {
    let is = |value: &Value, wanted: &str| match value {
        Value::String(text) => **text == *wanted,
        Value::Number(number) => number.to_string() == wanted,
        _ => false,
    };
    match pair.split_once('=') {
        None => is(item, pair),
        Some((key, wanted)) => name(item, key).is_some_and(|value| is(value, wanted)),
    }
}

/// What `value` has at `place`.
pub fn get<'a>(value: &'a Value, place: &[Arc<str>]) -> Option<&'a Value> {
    place.iter().try_fold(value, |at, step| below(at, step))
}

fn below<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Map(map) => map.get(step),
        Value::List(items) => items.get(position(items, step)?),
        _ => None,
    }
}

/// What `value` has at `place`, to be changed.
pub fn get_mut<'a>(value: &'a mut Value, place: &[Arc<str>]) -> Option<&'a mut Value> {
    place.iter().try_fold(value, |at, step| match at {
        Value::Map(map) => Arc::make_mut(map).get_mut(step),
        Value::List(items) => {
            let position = position(items, step)?;
            items.get_mut(position)
        }
        _ => None,
    })
}

/// Makes `onto` have at `place` what `from` has there. Mappings on the way come and go with it; an item
/// of a list that only one side has is left to that side.
pub fn copy_at(onto: &mut Value, place: &[Arc<str>], from: Option<&Value>) {
    let Some((step, rest)) = place.split_first() else { return };
    let there = from.and_then(|from| below(from, step));
    match onto {
        Value::Map(map) => lay_in_map(Arc::make_mut(map), step, rest, there),
        Value::List(items) => lay_in_list(items, (step, rest), from, there),
        _ => {}
    }
}

fn lay_in_map(map: &mut Map, step: &Arc<str>, rest: &[Arc<str>], there: Option<&Value>) {
    match (map.get_mut(step), there) {
        (_, Some(value)) if rest.is_empty() => _ = map.insert(step.clone(), value.clone()),
        (_, None) if rest.is_empty() => _ = map.remove(step),
        (Some(own), there) => {
            let was_empty = is_empty(own);
            copy_at(own, rest, there);
            if there.is_none() && !was_empty && is_empty(own) {
                map.remove(step);
            }
        }
        (None, Some(value)) if inner(step).is_none() && get(value, rest).is_some() => {
            let mut own = match value {
                Value::List(_) => Value::List(Vec::new()),
                _ => Value::from(Map::new()),
            };
            copy_at(&mut own, rest, there);
            if !is_empty(&own) {
                map.insert(step.clone(), own);
            }
        }
        (None, _) => {}
    }
}

fn lay_in_list(
    items: &mut Vec<Value>,
    (step, rest): (&str, &[Arc<str>]),
    from: Option<&Value>,
    there: Option<&Value>,
) {
    match (position(items, step), there) {
        (Some(position), Some(value)) if rest.is_empty() => items[position] = value.clone(),
        (Some(position), None) if rest.is_empty() => _ = items.remove(position),
        (None, Some(value)) if rest.is_empty() => items.insert(place_for(items, step, from), value.clone()),
        (Some(position), there) => copy_at(&mut items[position], rest, there),
        (None, _) => {}
    }
}

/// Where among `items` one belongs that only `from` has: behind the item that it is behind there.
fn place_for(items: &[Value], step: &str, from: Option<&Value>) -> usize {
    let Some(Value::List(from)) = from else { return items.len() };
    let Some(at) = position(from, step) else { return items.len() };
    let find = |other: &Value| items.iter().position(|item| are_called_alike(item, other, step));
    let before = from[..at].iter().rev().find_map(find).map(|before| before + 1);
    before.or_else(|| from[at..].iter().find_map(find)).unwrap_or(items.len())
}

/// Whether two items have the same name in the list that `label` names an item of.
fn are_called_alike(one: &Value, other: &Value, label: &str) -> bool {
    inner(label).is_some_and(|pairs| {
        pairs.split(',').all(|pair| match pair.split_once('=') {
            None => one == other,
            Some((key, _)) => name(one, key) == name(other, key),
        })
    })
}

/// The value of a key that names an item: a port without a protocol is a TCP port.
fn name<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    static TCP: LazyLock<Value> = LazyLock::new(|| Value::string("TCP"));
    item.get(key).or_else(|| (key == "protocol").then_some(&*TCP))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Map(map) => map.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

/// A place as a JSON pointer.
pub fn pointer(place: &[Arc<str>]) -> String {
    place.iter().fold(String::new(), |text, step| text + "/" + &escape(step))
}

/// The place that a JSON pointer names.
pub fn place(pointer: &str) -> Place {
    pointer.split('/').skip(1).map(key).collect()
}

/// What a reference token stands for.
fn key(token: &str) -> Arc<str> {
    token.replace("~1", "/").replace("~0", "~").into()
}

/// One reference token of a JSON pointer (RFC 6901, section 3).
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::value;

    fn named(path: &str, text: &str) -> Vec<String> {
        let path: Path = path.parse().unwrap();
        path.places(&value(text)).iter().map(|place| pointer(place)).collect()
    }

    #[test]
    fn a_pattern_matches_whole_texts() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).matches(text);
        assert!(
            matches("web", "web")
                && matches("*", "")
                && matches("team-*", "team-a")
                && matches("*-a", "team-a")
        );
        assert!(matches("a*b*c", "aXbXbYc") && matches("**", "x"));
        assert!(!matches("web", "webs") && !matches("a*a", "a") && !matches("a*b*c", "acb"));
    }

    #[test]
    fn paths_name_keys_and_items() {
        let object =
            r#"{"a": {"b/c": 1, "d": 2}, "list": [{"name": "x", "v": 1}, {"name": "y"}], "set": ["p"]}"#;
        assert_eq!(named("/a/b~1c", object), ["/a/b~1c"]);
        assert_eq!(named("/a/*", object), ["/a/b~1c", "/a/d"]);
        assert_eq!(named("/list/[name=x]/v", object), ["/list/[name=x]/v"]);
        assert_eq!(named("/list/*/name", object), ["/list/0/name", "/list/1/name"]);
        assert_eq!(named("/set/[p]", object), ["/set/[p]"]);
        assert!(named("/a/e", object).is_empty() && named("/list/[name=z]", object).is_empty());
    }

    #[test]
    fn items_that_are_keyed_already_are_found_by_a_part_of_their_key() {
        let object = r#"{"ports": {"[containerPort=80,protocol=TCP]": {"hostPort": 1}}}"#;
        assert_eq!(
            named("/ports/[containerPort=80]/hostPort", object),
            ["/ports/[containerPort=80,protocol=TCP]/hostPort"]
        );
        assert!(named("/ports/[containerPort=8]", object).is_empty());
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["", "spec/replicas", "/", "/a//b", "/a/"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }

    #[test]
    fn laying_takes_mappings_along_and_leaves_foreign_items() {
        for (onto, path, from, expected) in [
            (r#"{"a": {"b": 1}}"#, "/a/b", r#"{"a": {"b": 2, "c": 3}}"#, r#"{"a": {"b": 2}}"#),
            (r#"{}"#, "/a/*", r#"{"a": {"b": 2}}"#, r#"{"a": {"b": 2}}"#),
            (r#"{"a": {"b": 1}}"#, "/a/b", r#"{}"#, r#"{}"#),
            (r#"{"a": {"b": 1}}"#, "/a/b", r#"{"a": {}}"#, r#"{"a": {}}"#),
            (
                r#"{"l": [{"n": 1, "v": 1}]}"#,
                "/l/[n=1]/v",
                r#"{"l": [{"n": 0}, {"n": 1, "v": 2}]}"#,
                r#"{"l": [{"n": 1, "v": 2}]}"#,
            ),
            // An item comes to where it is among those that both have; a list of its own is made for it.
            (
                r#"{"l": [{"n": 2, "v": 0}, {"n": 4}]}"#,
                "/l/[n=3]",
                r#"{"l": [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]}"#,
                r#"{"l": [{"n": 2, "v": 0}, {"n": 3}, {"n": 4}]}"#,
            ),
            (
                r#"{"l": [{"n": 2}]}"#,
                "/l/[n=1]",
                r#"{"l": [{"n": 1}, {"n": 2}]}"#,
                r#"{"l": [{"n": 1}, {"n": 2}]}"#,
            ),
            (r#"{}"#, "/l/[n=2]", r#"{"l": [{"n": 1}, {"n": 2}]}"#, r#"{"l": [{"n": 2}]}"#),
            (r#"{}"#, "/l/[n=2]/v", r#"{"l": [{"n": 2, "v": 1}]}"#, r#"{}"#),
            (r#"{"l": {}}"#, "/l/[n=1]/v", r#"{"l": {"[n=1]": {"v": 2}}}"#, r#"{"l": {}}"#),
        ] {
            let (mut onto, from) = (value(onto), value(from));
            let path: Path = path.parse().unwrap();
            let all = path.places(&onto).into_iter().chain(path.places(&from)).collect::<Vec<_>>();
            all.iter().for_each(|place| copy_at(&mut onto, place, Some(&from)));
            assert_eq!(onto, value(expected), "{path}");
        }
    }
}
