//! The one form in which values are written, on either side, and the names of objects in it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{base64_field, projection::Projection};
use crate::providers::rest::{
    client::json,
    definition::{Encoding, Field, Items, NameCase},
};

impl Projection<'_> {
    /// Brings `object` into the server's normal form.
    pub fn normalize(&self, object: &mut Json) {
        json::plain_numbers(object);
        for (steps, field) in &self.fields {
            if !holds_something(object, steps) {
                continue;
            }
            for step in &field.normalize {
                if step.when.as_ref().is_none_or(|when| when.holds(object)) {
                    json::visit_steps(object, steps, &mut |value| {
                        each_text(value, &|text| step.apply.apply(text, step.text.as_deref()));
                    });
                }
            }
            if !field.aliases.is_empty() {
                json::visit_steps(object, steps, &mut |value| expand(value, &field.aliases));
            }
            match field.list {
                Items::Ordered => {}
                Items::Set => json::visit_steps(object, steps, &mut sort_set),
                Items::Keyed => {
                    let key = field.key.as_deref().unwrap_or("name");
                    json::visit_steps(object, steps, &mut |list| sort_keyed(list, key));
                }
            }
        }
        self.fold(object);
    }

    /// Takes values of an answer out of what the server packs them in, and calls them as they are sent. What is
    /// not packed so stays as it is.
    pub fn decode(&self, object: &mut Json) {
        self.recode(object, &[Encoding::Base64, Encoding::Base64Answers], &base64_field::unpacked);
        for (steps, _) in self.fields.iter().filter(|(_, field)| field.list != Items::Ordered) {
            // Some servers write an empty list as an empty text.
            json::visit_steps(object, steps, &mut |value| {
                if value == "" {
                    *value = Json::Array(Vec::new());
                }
            });
        }
        for (steps, field) in self.fields.iter().filter(|(_, field)| !field.response_aliases.is_empty()) {
            json::visit_steps(object, steps, &mut |value| {
                each_text(value, &|text| {
                    field.response_aliases.get(text).map_or(text, String::as_str).to_owned()
                });
            });
        }
    }

    /// Packs values as the server wants them.
    pub fn encode(&self, object: &mut Json) {
        self.recode(object, &[Encoding::Base64], &|text| Some(base64_field::packed(text)));
    }

    fn recode(&self, object: &mut Json, packed: &[Encoding], turn: &dyn Fn(&str) -> Option<String>) {
        let is_packed = |field: &Field| field.encoding.is_some_and(|encoding| packed.contains(&encoding));
        for (steps, _) in self.fields.iter().filter(|(_, field)| is_packed(field)) {
            json::visit_steps(object, steps, &mut |value| {
                each_text(value, &|text| turn(text).unwrap_or_else(|| text.to_owned()));
            });
        }
    }

    fn fold(&self, object: &mut Json) {
        for key in &self.kind.identity.keys {
            let fold = self.kind.fold(key);
            if matches!(fold, NameCase::Lower | NameCase::Upper) {
                json::visit(object, key, &mut |value| each_text(value, &|name| fold.written(name)));
            }
        }
    }

    /// The names of `object` within its scope, as its address has them; `None` if one is missing.
    pub fn identity(&self, object: &Json) -> Option<Vec<String>> {
        let name = |key: &String| Some(self.kind.fold(key).addressed(&json::text(json::at(object, key)?)?));
        let keys = self.kind.identity.keys.iter().map(name);
        keys.chain(self.distinction(object).map(Some)).collect()
    }

    /// `names` of an object, however they are spelled, as its address has them.
    pub fn named(&self, mut names: Vec<String>) -> Vec<String> {
        let mut object = Json::Null;
        for (key, name) in self.kind.identity.keys.iter().zip(&names) {
            json::set(&mut object, key, Json::String(name.clone()));
        }
        self.normalize(&mut object);
        if let Some(keys) = self.identity(&object) {
            let own = keys.len().min(names.len());
            names.splice(..own, keys);
        }
        names
    }

    /// What tells `object` apart from others of the same names, if something does.
    fn distinction(&self, object: &Json) -> Option<String> {
        let pointer = self.kind.identity.discriminator.as_ref()?;
        let value = json::at(object, pointer).filter(|value| !value.is_null())?;
        let default = self.field(&json::steps(pointer)).and_then(|field| field.default.as_ref());
        (default != Some(value)).then(|| json::text(value).unwrap_or_else(|| json::sorted(value).to_string()))
    }
}

/// Whether there is anything on the way of `steps` that could be written in another way.
fn holds_something(object: &Json, steps: &[String]) -> bool {
    match steps.first().map(|first| (first, object.get(first))) {
        Some((first, found)) if first != "*" => {
            found.is_some_and(|found| found.as_array().is_none_or(|items| !items.is_empty()))
        }
        _ => true,
    }
}

fn each_text(value: &mut Json, turn: &dyn Fn(&str) -> String) {
    match value {
        Json::String(text) => *text = turn(text),
        Json::Array(items) => items.iter_mut().for_each(|item| each_text(item, turn)),
        _ => {}
    }
}

/// Puts what words stand for in their places.
fn expand(value: &mut Json, words: &BTreeMap<String, Vec<String>>) {
    let known = |value: &Json| words.get(value.as_str()?).map(Vec::as_slice);
    match value {
        Json::Array(items) => {
            let many = |item: &Json| match known(item) {
                Some(words) => words.iter().map(|word| Json::from(word.as_str())).collect(),
                None => vec![item.clone()],
            };
            *items = items.iter().flat_map(many).collect();
        }
        value => {
            if let Some([word]) = known(value) {
                *value = Json::from(word.as_str());
            }
        }
    }
}

fn sort_set(list: &mut Json) {
    if let Json::Array(items) = list {
        items.sort_by_cached_key(|item| json::sorted(item).to_string());
        items.dedup();
    }
}

fn sort_keyed(list: &mut Json, key: &str) {
    if let Json::Array(items) = list {
        items.sort_by_cached_key(|item| item.get(key).map(Json::to_string));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::rest::definition::Kind;

    #[test]
    fn a_condition_looks_at_the_normal_form_of_other_fields() {
        let definition = crate::providers::rest::definition::embedded::find("powerdns").unwrap();
        let mut object = json!({"name": "WWW.Example.org", "type": "txt", "records": ["one"]});
        Projection::of(&definition.kinds["rrset"]).normalize(&mut object);
        assert_eq!(object, json!({"name": "www.example.org.", "type": "TXT", "records": ["\"one\""]}));
    }

    #[test]
    fn words_stand_for_others_and_answers_have_words_of_their_own() {
        let kind: Kind = serde_json::from_value(json!({
            "identity": {"keys": ["/name"]}, "list": {"path": "/things"},
            "fields": {
                "/events": {"list": "set", "aliases": {"all": ["one", "other"]}, "response_aliases": {"all": "one"}},
                "/role": {"aliases": {"primary": "master"}},
            },
        }))
        .unwrap();
        let form = Projection::of(&kind);
        let (mut declared, mut answered) =
            (json!({"events": ["all"], "role": "primary"}), json!({"events": ["all"], "role": "master"}));
        form.decode(&mut answered);
        [&mut declared, &mut answered].into_iter().for_each(|object| form.normalize(object));
        assert_eq!(declared, json!({"events": ["one", "other"], "role": "master"}));
        assert_eq!(answered, json!({"events": ["one"], "role": "master"}));
    }
}
