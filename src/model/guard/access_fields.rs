//! Fields that give somebody something, and what a change would take out of them.

use std::sync::Arc;

use crate::model::{
    change::{Action, Change},
    path::escape,
    selector::Selector,
    value::Value,
};

/// The first of them that would lose an item, or have another value, without a consent to that.
pub fn taken(change: &Change, access_fields: &Selector, consent: &Selector) -> Option<String> {
    if access_fields.is_empty() {
        return None;
    }
    let in_place = matches!(change.action, Action::Update | Action::Adopt);
    let (actual, after) = (change.sides.actual.as_ref()?, change.after.as_ref()?);
    let access_fields = |path: &str| {
        access_fields.matches_field(&change.address, path) && !consent.matches_field(&change.address, path)
    };
    in_place.then(|| loss(actual, Some(after), String::new(), &access_fields)).flatten()
}

fn loss(
    actual: &Value,
    after: Option<&Value>,
    path: String,
    access_fields: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let lost = match actual {
        Value::Map(fields) => {
            let inside = |(key, value): (&Arc<str>, &Value)| {
                let after = after.and_then(|after| after.get(key));
                loss(value, after, format!("{path}/{}", escape(key)), access_fields)
            };
            return fields.iter().find_map(inside);
        }
        Value::Null | Value::Bool(false) => false,
        Value::List(items) => match after {
            Some(Value::List(after)) => items.iter().any(|item| !after.contains(item)),
            _ => !items.is_empty(),
        },
        other => after != Some(other),
    };
    (lost && access_fields(&path)).then_some(path)
}
