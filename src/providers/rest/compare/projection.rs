//! The form in which declared and observed objects of a kind are compared.

use serde_json::{Map, Value as Json};

use crate::{
    model::value::Value,
    providers::rest::{
        client::json,
        definition::{Access, Field, Items, Kind, fields::ItemPatch},
    },
};

/// What a definition says of the fields of one kind, ready for many objects.
pub struct Projection<'a> {
    pub kind: &'a Kind,
    pub fields: Vec<(Vec<String>, &'a Field)>,
}

impl<'a> Projection<'a> {
    /// The form of `kind`.
    pub fn of(kind: &'a Kind) -> Self {
        let fields = kind.fields.iter();
        let mut fields: Vec<_> = fields.map(|(pointer, field)| (json::steps(pointer), field)).collect();
        // A name goes before what stands for any, and what conditions look at before what has some.
        let waits = |field: &Field| field.normalize.iter().any(|step| step.when.is_some());
        fields.sort_by(|(one, first), (other, second)| {
            wild(one).cmp(wild(other)).then_with(|| waits(first).cmp(&waits(second)))
        });
        Projection { kind, fields }
    }

    /// What the definition says of the place `path`.
    pub fn field(&self, path: &[impl AsRef<str>]) -> Option<&'a Field> {
        let is_here = |pattern: &[String]| pattern.len() == path.len() && json::agree(pattern, path);
        self.fields.iter().find(|(pattern, _)| is_here(pattern)).map(|(_, field)| *field)
    }

    /// Whether the definition speaks of fields inside of `path`.
    pub fn is_divided(&self, path: &[impl AsRef<str>]) -> bool {
        path.is_empty()
            || self.fields.iter().any(|(pattern, _)| pattern.len() > path.len() && json::agree(pattern, path))
    }

    /// The lists that are changed item by item: where they are, the key of their items, and how.
    pub fn patched(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a ItemPatch)> {
        let patched = |(pointer, field): (&'a String, &'a Field)| {
            Some((pointer.as_str(), field.key.as_deref()?, field.patch.as_ref()?))
        };
        self.kind.fields.iter().filter_map(patched)
    }

    /// What the server has of the fields that `shape` declares. What it never
    /// answers is taken from `known`, which says what it was given.
    pub fn project(&self, actual: &Json, shape: &Json, known: Option<&Json>) -> Json {
        let mut part = self.part(Some(actual), shape, known, &mut Vec::new()).unwrap_or(Json::Null);
        for (steps, field) in &self.fields {
            let Some(presence) = &field.presence else { continue };
            for place in json::places(&part, steps) {
                let there = actual.pointer(&json::filled(presence, steps, &place));
                if there.is_none_or(|there| matches!(there, Json::Null | Json::Bool(false)) || there == "") {
                    json::remove(&mut part, &json::pointer(&place));
                }
            }
        }
        part
    }

    fn part(
        &self,
        actual: Option<&Json>,
        shape: &Json,
        known: Option<&Json>,
        path: &mut Vec<String>,
    ) -> Option<Json> {
        let field = self.field(path);
        match field.map(|field| field.access) {
            Some(Access::WriteOnly | Access::WriteOnce) => return known.cloned(),
            Some(Access::CreateInput) => return Some(shape.clone()),
            _ if path.len() == 1 && self.is_previous_name(path) => return Some(shape.clone()),
            _ => {}
        }
        if let (Some(Json::String(actual)), Json::String(shape)) = (actual, shape)
            && self.is_key(path)
            && self.kind.fold(&json::pointer(path)).same(actual, shape)
        {
            return Some(Json::String(shape.clone()));
        }
        // What Git takes away is held against what it declared.
        let shape = match (actual, known) {
            (Some(Json::Object(_)), Some(known @ Json::Object(_))) if shape.is_null() => known,
            _ => shape,
        };
        if let (Json::Object(shape), true) = (shape, self.is_divided(path)) {
            let mut whole = Map::new();
            for (key, inner) in shape {
                path.push(key.clone());
                let known = known.and_then(|known| known.get(key));
                if let Some(value) = self.part(actual.and_then(|actual| actual.get(key)), inner, known, path)
                {
                    whole.insert(key.clone(), value);
                }
                path.pop();
            }
            return Some(Json::Object(whole));
        }
        let default = field.and_then(|field| field.default.as_ref());
        let is_nothing = |value: &Json| value.is_null() || Some(value) == default;
        match (actual, field.map(|field| field.list)) {
            // Nothing is what Git says, or said before.
            _ if actual.is_none_or(is_nothing)
                && (shape.is_null() || known == Some(&Json::Null) && default != Some(shape)) =>
            {
                Some(Json::Null)
            }
            (None | Some(Json::Null), _) if default.is_some() => default.cloned(),
            (Some(Json::Null), _) if !shape.is_null() => None,
            (Some(Json::Array(items)), Some(Items::Keyed)) => {
                let key = field.and_then(|field| field.key.as_deref()).unwrap_or("name");
                Some(items.iter().map(|item| part_of_item(item, shape, key)).collect())
            }
            (other, _) => other.cloned(),
        }
    }

    fn is_key(&self, path: &[String]) -> bool {
        self.kind.identity.keys.iter().any(|key| json::matches(key, path))
    }

    fn is_previous_name(&self, path: &[String]) -> bool {
        let previously = self.kind.identity.previously.as_deref();
        previously.is_some_and(|pointer| json::matches(pointer, path))
    }

    /// Everything that the server has and Git could declare, less what it has by default.
    pub fn export(&self, actual: &Json) -> Json {
        let mut whole = Map::new();
        for (key, value) in actual.as_object().into_iter().flatten() {
            if let Some(value) = self.exported(value, &mut vec![key.clone()]) {
                whole.insert(key.clone(), value);
            }
        }
        let mut whole = Json::Object(whole);
        for pointer in self.meaningless(actual) {
            json::remove(&mut whole, pointer);
        }
        whole
    }

    /// The fields that mean nothing, as the others of `object` are.
    pub fn meaningless(&self, object: &Json) -> impl Iterator<Item = &'a String> {
        let fields = self.kind.fields.iter();
        fields
            .filter(|(_, field)| field.applies_when.as_ref().is_some_and(|rule| !rule.holds(object)))
            .map(|(pointer, _)| pointer)
    }

    fn exported(&self, value: &Json, path: &mut Vec<String>) -> Option<Json> {
        match self.field(path) {
            _ if self.is_key(path) => return Some(value.clone()),
            Some(field)
                if matches!(field.access, Access::ReadOnly | Access::CreateInput) || field.is_hidden() =>
            {
                return None;
            }
            Some(field) if field.default.as_ref() == Some(value) || value.is_null() => return None,
            None if !self.kind.additional_fields && !self.is_divided(path) => return None,
            _ => {}
        }
        let Json::Object(map) = value else { return Some(value.clone()) };
        if !self.is_divided(path) {
            return Some(value.clone());
        }
        let mut whole = Map::new();
        for (key, inner) in map {
            path.push(key.clone());
            if let Some(inner) = self.exported(inner, path) {
                whole.insert(key.clone(), inner);
            }
            path.pop();
        }
        Some(Json::Object(whole))
    }

    /// Fills `base` with the server's own values of fields that are declared now and were not then:
    /// what nobody declared has not moved.
    pub fn fill_undeclared(&self, base: &mut Json, desired: &Json, actual: &Json) {
        self.fill(base, desired, actual, &mut Vec::new());
    }

    fn fill(&self, base: &mut Json, desired: &Json, actual: &Json, path: &mut Vec<String>) {
        let (Json::Object(base), Json::Object(desired), Json::Object(actual), true) =
            (base, desired, actual, self.is_divided(path))
        else {
            return;
        };
        for (key, desired) in desired {
            let Some(actual) = actual.get(key) else { continue };
            path.push(key.clone());
            match base.get_mut(key) {
                Some(base) => self.fill(base, desired, actual, path),
                None => _ = base.insert(key.clone(), actual.clone()),
            }
            path.pop();
        }
    }

    /// The model's form, in which secrets are marked.
    pub fn to_model(&self, object: &Json) -> Value {
        json::to_model(object, &|path| self.field(path).is_some_and(|field| field.sensitive))
    }
}

/// Which of `steps` stand for any.
fn wild(steps: &[String]) -> impl Iterator<Item = bool> {
    steps.iter().map(|step| step == "*")
}

/// The part of one item of a keyed list that the item of the same key declares.
fn part_of_item(item: &Json, shape: &Json, key: &str) -> Json {
    let same = |other: &&Json| other.get(key) == item.get(key);
    match shape.as_array().and_then(|items| items.iter().find(same)) {
        Some(shape) => declared_part(item, shape),
        None => item.clone(),
    }
}

/// The part of `actual` that `shape` declares.
pub fn declared_part(actual: &Json, shape: &Json) -> Json {
    match (actual, shape) {
        (Json::Object(actual), Json::Object(shape)) => Json::Object(
            shape
                .iter()
                .filter_map(|(key, shape)| Some((key.clone(), declared_part(actual.get(key)?, shape))))
                .collect(),
        ),
        _ => actual.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind() -> Kind {
        serde_json::from_value(json!({
            "identity": {"keys": ["/name"], "case": "lower", "previously": "/previously"},
            "list": {"path": "/things"},
            "fields": {
                "/name": {}, "/color": {"normalize": [{"apply": "strip_prefix", "text": "#"}, {"apply": "lower"}]},
                "/tags": {"list": "set", "default": []}, "/secret": {"access": "write_only", "sensitive": true},
                "/config/url": {}, "/config/token": {"access": "write_only", "sensitive": true},
                "/rules": {"list": "keyed", "key": "type"}, "/id": {"access": "read_only"}, "/map": {},
            },
        }))
        .unwrap()
    }

    fn normal(mut object: Json) -> Json {
        Projection::of(&kind()).normalize(&mut object);
        object
    }

    fn project(actual: Json, shape: Json) -> Json {
        Projection::of(&kind()).project(&normal(actual), &normal(shape), None)
    }

    #[test]
    fn the_normal_form_is_the_servers() {
        assert_eq!(
            normal(json!({"name": "Bug", "color": "#FFF", "tags": ["b", "a", "b"]})),
            json!({"name": "bug", "color": "fff", "tags": ["a", "b"]})
        );
    }

    #[test]
    fn what_is_not_declared_is_not_compared() {
        let actual = json!({"name": "a", "color": "1", "id": 7, "config": {"url": "u", "x": 1}});
        assert_eq!(
            project(actual, json!({"name": "a", "config": {"url": "v"}})),
            json!({"name": "a", "config": {"url": "u"}})
        );
    }

    #[test]
    fn a_field_without_fields_of_its_own_is_compared_as_a_whole() {
        assert_eq!(
            project(json!({"map": {"a": 1, "b": 2}}), json!({"map": {"a": 1}})),
            json!({"map": {"a": 1, "b": 2}})
        );
    }

    #[test]
    fn a_missing_field_has_its_default() {
        assert_eq!(project(json!({"tags": null}), json!({"tags": ["a"]})), json!({"tags": []}));
        assert_eq!(project(json!({}), json!({"color": "a"})), json!({}));
        assert_eq!(project(json!({"color": null}), json!({"color": "a"})), json!({}));
    }

    #[test]
    fn what_was_declared_as_null_and_is_null_has_not_moved() {
        let kind = kind();
        let (null, shape) = (json!({"color": null}), json!({"color": "a"}));
        assert_eq!(Projection::of(&kind).project(&null, &shape, Some(&null)), null);
    }

    #[test]
    fn nothing_is_the_default_or_no_value_at_all() {
        let kind = kind();
        let form = Projection::of(&kind);
        for actual in [json!({}), json!({"tags": null}), json!({"tags": []})] {
            let null = json!({"tags": null});
            assert_eq!(form.project(&actual, &null, None), null, "{actual}");
            // Git said so before, and says something else now: the server did not move.
            assert_eq!(form.project(&actual, &json!({"tags": ["a"]}), Some(&null)), null, "{actual}");
        }
        let other = json!({"tags": ["a"]});
        assert_eq!(form.project(&other, &json!({"tags": null}), None), other);
    }

    #[test]
    fn what_is_never_answered_is_what_was_given() {
        let kind = kind();
        let form = Projection::of(&kind);
        let (shape, known) = (json!({"secret": "new"}), json!({"secret": "old"}));
        assert_eq!(form.project(&json!({}), &shape, Some(&known)), known);
        assert_eq!(form.project(&json!({}), &shape, None), json!({}));
    }

    #[test]
    fn items_of_a_keyed_list_are_compared_by_key() {
        let actual = json!({"rules": [{"type": "b", "x": 1, "y": 2}, {"type": "a"}]});
        let shape = json!({"rules": [{"type": "b", "x": 3}]});
        assert_eq!(project(actual, shape), json!({"rules": [{"type": "a"}, {"type": "b", "x": 1}]}));
    }

    #[test]
    fn an_export_leaves_out_defaults_secrets_and_what_the_server_owns() {
        let kind = kind();
        let actual = json!({"name": "a", "id": 1, "tags": [], "color": "1", "config": {"url": "u", "token": "*"}, "unknown": 1});
        assert_eq!(
            Projection::of(&kind).export(&actual),
            json!({"name": "a", "color": "1", "config": {"url": "u"}})
        );
    }

    #[test]
    fn secrets_are_marked() {
        let kind = kind();
        let value = Projection::of(&kind).to_model(&json!({"secret": "x", "name": "a"}));
        assert!(matches!(value.get("secret"), Some(Value::Sensitive(_))));
    }
}
