//! Whether a server has just what is declared: the usual case, decided without another copy of the object.

use serde_json::Value as Json;

use super::projection::Projection;
use crate::{
    model::value::Value,
    providers::rest::definition::{Access, Field},
};

impl Projection<'_> {
    /// Whether everything that `desired` declares is there, and just so. Then what the server has of it
    /// ([`Projection::project`]) is `desired`; where it is not, only that can tell.
    pub fn is_same(&self, actual: &Json, desired: &Value) -> bool {
        self.fields.iter().all(|(_, field)| field.presence.is_none())
            && self.same(actual, desired, &mut Vec::new())
    }

    fn same<'v>(&self, actual: &Json, desired: &'v Value, path: &mut Vec<&'v str>) -> bool {
        let is_given = |field: &Field| !field.access.is_answered() || field.access == Access::CreateInput;
        match (actual, desired) {
            _ if self.field(path).is_some_and(is_given) => false,
            (Json::Object(actual), Value::Map(desired)) if self.is_divided(path) => {
                desired.iter().all(|(key, desired)| {
                    path.push(key);
                    let same = actual.get(&**key).is_some_and(|actual| self.same(actual, desired, path));
                    path.pop();
                    same
                })
            }
            _ => equal(actual, desired),
        }
    }
}

/// Whether `value` is the plain form of `json`. Null has meanings of its own, and secrets are not compared here.
fn equal(json: &Json, value: &Value) -> bool {
    match (json, value) {
        (Json::Bool(one), Value::Bool(other)) => one == other,
        (Json::Number(one), Value::Number(other)) => one == other,
        (Json::String(one), Value::String(other)) => **one == **other,
        (Json::Array(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Json::Object(one), Value::Map(other)) => {
            let same = |key: &str, value| one.get(key).is_some_and(|one| equal(one, value));
            one.len() == other.len() && other.iter().all(|(key, value)| same(key, value))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::providers::rest::{client::json, definition::Kind};

    fn kind() -> Kind {
        serde_json::from_value(json!({
            "identity": {"keys": ["/a"], "previously": "/old"},
            "list": {"path": "/things"},
            "fields": {
                "/a": {}, "/b": {"list": "set", "default": []}, "/c/x": {}, "/c/y": {"access": "write_only"},
                "/d": {"list": "keyed", "key": "x"}, "/e": {"sensitive": true}, "/f": {"access": "create_input"},
                "/g": {"access": "write_once"}, "/h": {"default": 0},
            },
        }))
        .unwrap()
    }

    fn tree() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            Just(json!(0)),
            Just(json!("x")),
            Just(json!([])),
            Just(json!([0]))
        ];
        let inner = leaf.clone().prop_recursive(2, 8, 3, move |inner| {
            let map = prop::collection::btree_map("[xyz]", inner.clone(), 0..3);
            prop_oneof![
                prop::collection::vec(inner, 0..3).prop_map(Json::from),
                map.prop_map(|map| json!(map))
            ]
        });
        prop::collection::btree_map("[a-h]|old", inner, 0..5).prop_map(|map| json!(map))
    }

    proptest! {
        #[test]
        fn what_is_the_same_is_what_a_projection_finds(
            mut actual in tree(), mut desired in tree(), base in proptest::option::of(tree()), copied in any::<bool>()
        ) {
            let kind = kind();
            let form = Projection::of(&kind);
            if let (true, Json::Object(actual), Json::Object(desired)) = (copied, &mut actual, &desired) {
                actual.extend(desired.clone());
            }
            form.normalize(&mut actual);
            form.normalize(&mut desired);
            let value = form.to_model(&desired);
            if form.is_same(&actual, &value) {
                let found = form.project(&actual, &json::from_model(&value), base.as_ref());
                prop_assert_eq!(form.to_model(&found), value);
            }
        }
    }

    #[test]
    fn more_than_is_declared_makes_no_difference() {
        let kind = kind();
        let form = Projection::of(&kind);
        let same = |actual: Json, desired: Json| form.is_same(&actual, &form.to_model(&desired));
        assert!(same(
            json!({"a": "n", "b": ["x"], "c": {"x": 1, "z": 2}, "i": 3}),
            json!({"a": "n", "c": {"x": 1}})
        ));
        assert!(!same(json!({"a": "n", "d": {"x": 1, "z": 2}}), json!({"a": "n", "d": {"x": 1}})));
        assert!(!same(json!({"e": "secret"}), json!({"e": "secret"})));
    }
}
