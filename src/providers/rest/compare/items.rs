//! Lists that an update takes item by item: what is new or differs, and what is to go.

use serde_json::Value as Json;

use super::projection::{Projection, declared_part};
use crate::providers::rest::{
    client::json,
    definition::fields::ItemPatch,
    template::{Ingredients, Template, Variables},
};

/// Writes the lists of `body` that are changed item by item as what becomes of the items of `raw`.
pub fn patch(form: &Projection<'_>, body: &mut Json, raw: Option<&Json>, variables: &Variables) {
    for (pointer, key, patch) in form.patched() {
        let Some(Json::Array(wanted)) = body.pointer(pointer) else { continue };
        let there = raw.and_then(|raw| raw.pointer(pointer)?.as_array()).map_or(&[][..], Vec::as_slice);
        let items = Items { key, wanted, there, patch, variables }.changed();
        json::set(body, pointer, Json::Array(items));
    }
}

struct Items<'a> {
    key: &'a str,
    wanted: &'a [Json],
    there: &'a [Json],
    patch: &'a ItemPatch,
    variables: &'a Variables,
}

impl Items<'_> {
    fn changed(&self) -> Vec<Json> {
        let same = |one: &Json, other: &Json| one.get(self.key) == other.get(self.key);
        let put = self.wanted.iter().filter_map(|item| {
            let old = self.there.iter().find(|old| same(old, item));
            let differs = old.is_none_or(|old| declared_part(old, item) != *item);
            differs.then(|| self.filled(&self.patch.put, item, old))?
        });
        let gone = self.there.iter().filter(|old| !self.wanted.iter().any(|item| same(item, old)));
        put.chain(gone.filter_map(|old| self.filled(&self.patch.remove, old, Some(old)))).collect()
    }

    fn filled(&self, template: &Template, object: &Json, actual: Option<&Json>) -> Option<Json> {
        template.fill(&Ingredients { actual, ..Ingredients::of(object, self.variables) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::rest::definition::Kind;

    #[test]
    fn only_items_that_differ_are_sent_and_others_are_taken_away_by_their_id() {
        let kind: Kind = serde_json::from_value(json!({
            "identity": {"keys": ["/name"]}, "list": {"path": "/x"},
            "fields": {"/levels": {"list": "keyed", "key": "who", "patch": {
                "put": {"$merge": [{"$": ""}, {"id": {"$": "actual:/id"}}]},
                "remove": {"id": {"$": "/id"}, "_destroy": true},
            }}},
        }))
        .unwrap();
        let raw = json!({"levels": [
            {"id": 1, "who": "a", "level": 40}, {"id": 2, "who": "b", "level": 40}, {"id": 3, "who": "c"},
        ]});
        let mut body = json!({"levels": [
            {"who": "a", "level": 40}, {"who": "b", "level": 30}, {"who": "d", "level": 10},
        ]});
        patch(&Projection::of(&kind), &mut body, Some(&raw), &Variables::new());
        assert_eq!(
            body,
            json!({"levels": [
                {"who": "b", "level": 30, "id": 2}, {"who": "d", "level": 10}, {"id": 3, "_destroy": true},
            ]})
        );
    }
}
