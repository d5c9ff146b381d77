//! Templates of definitions: URIs (RFC 6570, levels 1 and 2) and JSON bodies.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};

/// What a template may name.
pub type Variables = BTreeMap<String, String>;

/// Everything but RFC 3986's unreserved characters.
pub const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `STRICT` without the reserved characters, for `{+name}`; those that end a path stay encoded.
const LOOSE: &AsciiSet = &STRICT
    .remove(b':')
    .remove(b'/')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// The parts of `template`: text, and names between braces.
fn parts(template: &str) -> Result<Vec<(&str, Option<&str>)>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("`{template}` has a `{{` without its `}}`"))?;
        parts.push((before, Some(name)));
        rest = after;
    }
    parts.push((rest, None));
    Ok(parts)
}

/// The names that `template` uses.
///
/// # Errors
/// A brace that is not closed.
pub fn names(template: &str) -> Result<Vec<&str>, String> {
    Ok(parts(template)?.into_iter().filter_map(|(_, name)| Some(name?.trim_start_matches('+'))).collect())
}

/// Fills a template of an address: `{name}` is encoded as one segment, `{+name}` keeps reserved characters.
///
/// # Errors
/// A name without a value, and values that would step out of the path.
pub fn uri(template: &str, variables: &Variables) -> Result<String, String> {
    fill(template, variables, |name, value| {
        // `..` as a whole segment would climb out of the base that credentials are meant for.
        if matches!(value, "." | "..") || name.starts_with('+') && value.split('/').any(|part| part == "..") {
            return Err(format!("`{value}` cannot be a part of an address"));
        }
        let set = if name.starts_with('+') { LOOSE } else { STRICT };
        Ok(utf8_percent_encode(value, set).to_string())
    })
}

/// Fills a template of plain text.
///
/// # Errors
/// A name without a value.
pub fn text(template: &str, variables: &Variables) -> Result<String, String> {
    fill(template, variables, |_, value| Ok(value.to_owned()))
}

fn fill(
    template: &str,
    variables: &Variables,
    encode: impl Fn(&str, &str) -> Result<String, String>,
) -> Result<String, String> {
    let mut filled = String::new();
    for (before, name) in parts(template)? {
        filled.push_str(before);
        let Some(name) = name else { continue };
        let key = name.trim_start_matches('+');
        let value =
            variables.get(key).ok_or_else(|| format!("`{template}` needs `{key}`, which is not known"))?;
        filled.push_str(&encode(name, value)?);
    }
    Ok(filled)
}

/// What a body is made from.
pub struct Ingredients<'a> {
    /// The object that the pointers of the template start from.
    pub object: &'a Json,
    /// The same object as the server has it, for `actual:` pointers.
    pub actual: Option<&'a Json>,
    /// Names for `$var`.
    pub variables: &'a Variables,
}

/// Fills a JSON template. `{$: /ptr}` inserts a value and is left out where
/// there is none, unless it has a `default`; `each` and `keep` map a list,
/// and `unless` leaves it out where another place has a value;
/// `{$merge: [..]}` lays objects over each other, and puts lists one after
/// the other; `{$var: name}` inserts a name, packed with `encoding: base64`.
pub fn body(template: &Json, with: &Ingredients<'_>) -> Option<Json> {
    match template {
        Json::Object(map) if map.contains_key("$") => insert(map, with),
        Json::Object(map) if map.contains_key("$merge") => {
            let layers = map["$merge"].as_array()?.iter().filter_map(|layer| body(layer, with));
            Some(layers.fold(Json::Object(Map::new()), merge))
        }
        Json::Object(map) if map.contains_key("$var") => {
            let text = with.variables.get(map["$var"].as_str()?)?;
            Some(match map.get("encoding") {
                Some(_) => super::packing::packed(text).into(),
                None => text.as_str().into(),
            })
        }
        Json::Object(map) => Some(Json::Object(
            map.iter().filter_map(|(key, value)| Some((key.clone(), body(value, with)?))).collect(),
        )),
        Json::Array(items) => Some(items.iter().filter_map(|item| body(item, with)).collect()),
        other => Some(other.clone()),
    }
}

fn merge(below: Json, layer: Json) -> Json {
    match (below, layer) {
        (Json::Object(mut whole), Json::Object(layer)) => {
            whole.extend(layer);
            Json::Object(whole)
        }
        (Json::Array(mut whole), Json::Array(more)) => {
            whole.extend(more);
            Json::Array(whole)
        }
        (_, Json::Array(first)) => Json::Array(first),
        (below, _) => below,
    }
}

/// What a request that only reads carries: a template over names alone.
pub fn question(template: &Json, variables: &Variables) -> Json {
    let with = Ingredients { object: &Json::Null, actual: None, variables };
    body(template, &with).unwrap_or_default()
}

/// Whether `template` can be filled, as far as that does not depend on the object.
///
/// # Errors
/// A key that has no meaning, a condition that is none, or a name that is not `known`.
pub fn check(template: &Json, known: &[&str]) -> Result<(), String> {
    match template {
        Json::Object(map) if map.keys().any(|key| key.starts_with('$')) => check_insertion(map, known),
        Json::Object(map) => map.values().try_for_each(|value| check(value, known)),
        Json::Array(items) => items.iter().try_for_each(|item| check(item, known)),
        _ => Ok(()),
    }
}

fn check_insertion(map: &Map<String, Json>, known: &[&str]) -> Result<(), String> {
    let allowed: &[&str] = match map.keys().find(|key| key.starts_with('$')).map(String::as_str) {
        Some("$") => &["$", "default", "unless", "each", "keep"],
        Some("$merge") => &["$merge"],
        _ => &["$var", "encoding"],
    };
    if let Some(key) = map.keys().find(|key| !allowed.contains(&key.as_str())) {
        return Err(format!("`{key}` has no meaning beside `{}`", allowed[0]));
    }
    if let Some(name) = map.get("$var").and_then(Json::as_str).filter(|name| !known.contains(name)) {
        return Err(format!("`{name}` is not known here; there is {}", known.join(", ")));
    }
    if map.get("encoding").is_some_and(|encoding| encoding != "base64") {
        return Err("`encoding` can be `base64`".to_owned());
    }
    if let Some(keep) = map.get("keep") {
        super::condition::Condition::parse(keep.as_str().unwrap_or_default())?;
        if !map.contains_key("each") {
            return Err("`keep` has no effect without `each`".to_owned());
        }
    }
    let parts =
        map.get("each").into_iter().chain(map.get("$merge").and_then(Json::as_array).into_iter().flatten());
    parts.into_iter().try_for_each(|part| check(part, known))
}

fn insert(map: &Map<String, Json>, with: &Ingredients<'_>) -> Option<Json> {
    let pointer = map["$"].as_str()?;
    if map.get("unless").and_then(Json::as_str).is_some_and(|other| with.object.pointer(other).is_some()) {
        return None;
    }
    let found = match pointer.strip_prefix("actual:") {
        Some(pointer) => with.actual.and_then(|actual| actual.pointer(pointer)),
        None => with.object.pointer(pointer),
    };
    let Some(found) = found else { return map.get("default").cloned() };
    let Some(each) = map.get("each") else { return Some(found.clone()) };
    let keep =
        map.get("keep").and_then(Json::as_str).and_then(|text| super::condition::Condition::parse(text).ok());
    let items = found.as_array()?.iter().filter(|item| keep.as_ref().is_none_or(|keep| keep.holds(item)));
    Some(items.filter_map(|item| body(each, &Ingredients { object: item, ..*with })).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        [("name", "release/*"), ("up", ".."), ("odd", "a/b?c#d")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn a_slash_in_a_name_is_no_slash_of_the_path() {
        assert_eq!(uri("/b/{name}", &variables()).unwrap(), "/b/release%2F%2A");
        assert_eq!(uri("/b/{+name}", &variables()).unwrap(), "/b/release/*");
        assert_eq!(uri("/b/{+odd}", &variables()).unwrap(), "/b/a/b%3Fc%23d");
    }

    #[test]
    fn a_name_cannot_climb() {
        assert!(uri("/b/{up}", &variables()).is_err() && uri("/b/{+up}", &variables()).is_err());
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(uri("/{nope}", &variables()).unwrap_err().contains("`nope`"));
        assert!(uri("/{nope", &variables()).is_err());
    }

    #[test]
    fn what_a_template_cannot_mean_is_named() {
        let wrong = |template: Json| check(&template, &["name"]).unwrap_err();
        assert!(wrong(json!({"a": [{"$": "/b", "defualt": 1}]})).contains("`defualt`"));
        assert!(wrong(json!({"$": "/l", "each": {"$var": "nope"}})).contains("`nope`"));
        assert!(wrong(json!({"$": "/l", "each": {"$": ""}, "keep": "no condition"})).contains("expected"));
        assert!(wrong(json!({"$set": 1})).contains("`$set`"));
        assert!(wrong(json!({"$var": "name", "encoding": "rot13"})).contains("`base64`"));
    }

    #[test]
    fn bodies_insert_map_and_merge() {
        let object = json!({"a": 1, "l": [{"c": "x", "off": false}, {"c": "y", "off": true}]});
        let actual = json!({"version": 7});
        let with = Ingredients { object: &object, actual: Some(&actual), variables: &variables() };
        let template = json!({
            "a": {"$": "/a"}, "none": {"$": "/none"}, "d": {"$": "/none", "default": 0},
            "v": {"$": "actual:/version"}, "n": {"$var": "name"}, "p": {"$var": "up", "encoding": "base64"},
            "l": {"$": "/l", "each": {"$": "/c"}, "keep": "/off == false"},
            "m": {"$merge": [{"$": ""}, {"a": 2, "l": null}]}, "c": {"$merge": [[1], {"$": "/none"}, [2]]},
        });
        assert_eq!(
            body(&template, &with).unwrap(),
            json!({"a": 1, "d": 0, "v": 7, "n": "release/*", "p": "Li4=", "l": ["x"], "m": {"a": 2, "l": null}, "c": [1, 2]})
        );
    }
}
