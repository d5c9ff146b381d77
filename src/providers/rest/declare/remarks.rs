//! What Git says, or says no more, and no apply acts on.

use serde_json::Value as Json;

use crate::{
    model::{address::Address, value::Value},
    providers::{
        Query, ThreeWay,
        rest::{
            client::{json, session::Session},
            definition::{Access, Field, Risk},
        },
    },
};

impl Session {
    /// Remarks on fields that only count when an object is made, and on those that give somebody something and are
    /// not declared any more.
    pub fn without_effect(&self, query: &Query<'_>) -> Vec<String> {
        query.objects.iter().flat_map(|(address, sides)| self.of_object(address, sides, query)).collect()
    }

    fn of_object(&self, address: &Address, sides: &ThreeWay<&Value>, query: &Query<'_>) -> Vec<String> {
        let fields = self.kind_of(address).into_iter().flat_map(|kind| &kind.fields);
        let fields: Vec<(&String, &Field)> = fields
            .filter(|(_, field)| field.access == Access::CreateInput || field.risk != Risk::Low)
            .collect();
        let (Some(base), Some(desired), false) = (sides.base, sides.desired, fields.is_empty()) else {
            return Vec::new();
        };
        if base == desired || !self.seen.contains_key(address) {
            return Vec::new();
        }
        let (base, desired) = (json::from_model(base), json::from_model(desired));
        let origin = query.declared.and_then(|declared| declared.get(address)).map(|object| &object.origin);
        let remark = |(pointer, field): (&String, &Field)| {
            let at = origin.map_or_else(String::new, |origin| format!("`{}`: ", origin.at(pointer)));
            let words = words(pointer, field, base.pointer(pointer), desired.pointer(pointer))?;
            Some(format!("{at}`{address}` {words}"))
        };
        fields.into_iter().filter_map(remark).collect()
    }
}

fn words(pointer: &str, field: &Field, was: Option<&Json>, is: Option<&Json>) -> Option<String> {
    let gives = |was: &Json| match was {
        Json::Null | Json::Bool(false) => false,
        Json::Array(items) => !items.is_empty(),
        _ => true,
    };
    match (was, is) {
        (was, Some(is)) if field.access == Access::CreateInput && was != Some(is) => {
            Some(format!("is there already, and `{pointer}` only counts when one is made"))
        }
        (Some(was), None) if field.risk != Risk::Low && gives(was) => {
            Some(format!("does not declare `{pointer}` any more, and keeps what it gives"))
        }
        _ => None,
    }
}
