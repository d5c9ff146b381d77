//! Templates of JSON: bodies of requests, and the declared form of answers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value as Json};

use super::Variables;
use crate::providers::rest::{client::json, compare::base64_field, read::condition::Condition};

/// A JSON tree with values to insert. `{$: /ptr}` inserts a value and is left out where there is none, unless it
/// has a `default`; the pointer starts from the object, or after `actual:` from what the server has of it, or after
/// `item:` from what a list says of it. `each` and `filter` map a list, and `unless` leaves it out where another place
/// has a value. `{$merge: [..]}` lays objects over each other, and puts lists one after the other; `{$var: name}`
/// inserts a name, packed with `encoding: base64`.
#[derive(Clone, Debug)]
pub enum Template {
    /// What stands there as it is.
    Plain(Json),
    /// `{$: /ptr}`
    Insert(Box<Insertion>),
    /// `{$merge: [..]}`
    Merge(Vec<Template>),
    /// `{$var: name}`
    Name {
        /// Of the value.
        name: String,
        /// Whether it is packed in base64.
        packed: bool,
    },
    /// An object of templates.
    Object(Vec<(String, Template)>),
    /// A list of templates.
    List(Vec<Template>),
}

/// A value to insert.
#[derive(Clone, Debug)]
pub struct Insertion {
    from: Source,
    pointer: String,
    default: Option<Json>,
    unless: Option<String>,
    each: Option<(Template, Option<Condition>)>,
}

/// What a pointer starts from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Object,
    Actual,
    Item,
}

/// What a template is filled with.
#[derive(Clone, Copy)]
pub struct Ingredients<'a> {
    /// The object that the pointers of the template start from.
    pub object: &'a Json,
    /// The same object as the server has it, for `actual:` pointers.
    pub actual: Option<&'a Json>,
    /// What a list says of it, for `item:` pointers.
    pub item: Option<&'a Json>,
    /// Names for `$var`.
    pub variables: &'a Variables,
}

impl<'a> Ingredients<'a> {
    /// An object that nobody else says anything of.
    pub fn of(object: &'a Json, variables: &'a Variables) -> Self {
        Ingredients { object, actual: None, item: None, variables }
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A key that has no meaning, or a condition that is none.
    pub fn parse(tree: Json) -> Result<Self, String> {
        match tree {
            Json::Object(mut map) => match map.keys().find(|key| key.starts_with('$')).map(String::as_str) {
                Some("$") => insertion(&mut map),
                Some("$merge") => merging(map),
                Some(_) => naming(map),
                None => {
                    let fields = map.into_iter().map(|(key, value)| Ok((key, Template::parse(value)?)));
                    fields.collect::<Result<_, String>>().map(Template::Object)
                }
            },
            Json::Array(items) => {
                items.into_iter().map(Template::parse).collect::<Result<_, _>>().map(Template::List)
            }
            plain => Ok(Template::Plain(plain)),
        }
    }

    /// Whether all names are `known`.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check(&self, known: &[&str]) -> Result<(), String> {
        match self {
            Template::Name { name, .. } if !known.contains(&name.as_str()) => {
                Err(format!("`{name}` is not known here; there is {}", known.join(", ")))
            }
            Template::Insert(insertion) => {
                insertion.each.as_ref().map_or(Ok(()), |(each, _)| each.check(known))
            }
            Template::Merge(parts) | Template::List(parts) => {
                parts.iter().try_for_each(|part| part.check(known))
            }
            Template::Object(fields) => fields.iter().try_for_each(|(_, field)| field.check(known)),
            Template::Name { .. } | Template::Plain(_) => Ok(()),
        }
    }

    /// The tree; `None` if the value that it consists of is not there.
    pub fn fill(&self, with: &Ingredients<'_>) -> Option<Json> {
        match self {
            Template::Plain(value) => Some(value.clone()),
            Template::Insert(insertion) => insertion.value(with),
            Template::Merge(layers) => {
                let layers = layers.iter().filter_map(|layer| layer.fill(with));
                Some(layers.fold(Json::Object(Map::new()), merge))
            }
            Template::Name { name, packed } => {
                let text = with.variables.get(name)?;
                Some(if *packed { base64_field::packed(text).into() } else { text.as_str().into() })
            }
            Template::Object(fields) => Some(Json::Object(
                fields.iter().filter_map(|(key, value)| Some((key.clone(), value.fill(with)?))).collect(),
            )),
            Template::List(items) => Some(items.iter().filter_map(|item| item.fill(with)).collect()),
        }
    }

    /// What a request that only reads carries: names alone.
    pub fn question(&self, variables: &Variables) -> Json {
        self.fill(&Ingredients::of(&Json::Null, variables)).unwrap_or_default()
    }
}

impl Insertion {
    fn value(&self, with: &Ingredients<'_>) -> Option<Json> {
        if self.unless.as_ref().is_some_and(|other| json::at(with.object, other).is_some()) {
            return None;
        }
        let tree = match self.from {
            Source::Object => Some(with.object),
            Source::Actual => with.actual,
            Source::Item => with.item,
        };
        let Some(found) = tree.and_then(|tree| json::at(tree, &self.pointer)) else {
            return self.default.clone();
        };
        let Some((each, keep)) = &self.each else { return Some(found.clone()) };
        let items = found.as_array()?.iter().filter(|item| keep.as_ref().is_none_or(|keep| keep.holds(item)));
        Some(items.filter_map(|item| each.fill(&Ingredients { object: item, ..*with })).collect())
    }
}

fn insertion(map: &mut Map<String, Json>) -> Result<Template, String> {
    only(map, &["$", "default", "unless", "each", "filter"])?;
    let text = |map: &Map<String, Json>, key: &str| match map.get(key) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("`{key}` is a text, not {other}")),
    };
    let pointer = text(map, "$")?.unwrap_or_default();
    let (from, pointer) = match pointer.split_once(':') {
        Some(("actual", pointer)) => (Source::Actual, pointer),
        Some(("item", pointer)) => (Source::Item, pointer),
        _ => (Source::Object, pointer.as_str()),
    };
    let keep = text(map, "filter")?.map(|keep| Condition::parse(&keep)).transpose()?;
    let each = map.remove("each").map(Template::parse).transpose()?;
    if keep.is_some() && each.is_none() {
        return Err("`filter` has no effect without `each`".to_owned());
    }
    Ok(Template::Insert(Box::new(Insertion {
        from,
        pointer: pointer.to_owned(),
        unless: text(map, "unless")?,
        default: map.remove("default"),
        each: each.map(|each| (each, keep)),
    })))
}

fn merging(mut map: Map<String, Json>) -> Result<Template, String> {
    only(&map, &["$merge"])?;
    match map.remove("$merge") {
        Some(Json::Array(layers)) => {
            layers.into_iter().map(Template::parse).collect::<Result<_, _>>().map(Template::Merge)
        }
        _ => Err("`$merge` wants a list".to_owned()),
    }
}

fn naming(map: Map<String, Json>) -> Result<Template, String> {
    only(&map, &["$var", "encoding"])?;
    let packed = match map.get("encoding") {
        None => false,
        Some(encoding) if encoding == "base64" => true,
        Some(_) => return Err("`encoding` can be `base64`".to_owned()),
    };
    let name = map.get("$var").and_then(Json::as_str).ok_or("`$var` wants a name")?;
    Ok(Template::Name { name: name.to_owned(), packed })
}

fn only(map: &Map<String, Json>, allowed: &[&str]) -> Result<(), String> {
    match map.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(format!("`{key}` has no meaning beside `{}`", allowed[0])),
        None => Ok(()),
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

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Template::parse(Json::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Template {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_template_cannot_mean_is_named() {
        let wrong = |template: Json| {
            Template::parse(template).and_then(|template| template.check(&["name"])).unwrap_err()
        };
        assert!(wrong(json!({"a": [{"$": "/b", "defualt": 1}]})).contains("`defualt`"));
        assert!(wrong(json!({"$": "/l", "each": {"$var": "nope"}})).contains("`nope`"));
        assert!(wrong(json!({"$": "/l", "each": {"$": ""}, "filter": "no condition"})).contains("expected"));
        assert!(wrong(json!({"$set": 1})).contains("`$set`"));
        assert!(wrong(json!({"$var": "name", "encoding": "rot13"})).contains("`base64`"));
    }

    #[test]
    fn bodies_insert_map_and_merge() {
        let object = json!({"a": 1, "l": [{"c": "x", "off": false}, {"c": "y", "off": true}]});
        let actual = json!({"version": 7});
        let variables =
            [("name".to_owned(), "release/*".to_owned()), ("up".to_owned(), "..".to_owned())].into();
        let with = Ingredients {
            actual: Some(&actual),
            item: Some(&actual),
            ..Ingredients::of(&object, &variables)
        };
        let template = json!({
            "a": {"$": "/a"}, "none": {"$": "/none"}, "d": {"$": "/none", "default": 0},
            "v": {"$": "actual:/version"}, "i": {"$": "item:/version"}, "n": {"$var": "name"}, "p": {"$var": "up", "encoding": "base64"},
            "l": {"$": "/l", "each": {"$": "/c"}, "filter": "/off == false"},
            "m": {"$merge": [{"$": ""}, {"a": 2, "l": null}]}, "c": {"$merge": [[1], {"$": "/none"}, [2]]},
        });
        assert_eq!(
            Template::parse(template).unwrap().fill(&with).unwrap(),
            json!({"a": 1, "d": 0, "v": 7, "i": 7, "n": "release/*", "p": "Li4=", "l": ["x"], "m": {"a": 2, "l": null}, "c": [1, 2]})
        );
    }
}
