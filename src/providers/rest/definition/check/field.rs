//! What no schema can say of one field.

use serde_json::Value as Json;

use super::{Place, Wrong};
use crate::providers::rest::definition::{
    Access, Body, Field, Items, Kind, Write,
    fields::{Normalizer, Step},
    values::Type,
};

/// Holds a field against itself and its kind.
///
/// # Errors
/// A key without an effect.
pub fn check(kind: &Kind, field: &Field, at: &Place, pointer: &str) -> Result<(), Wrong> {
    let wrong = |message: &str| at.wrong(pointer, message.to_owned());
    if !field.response_aliases.is_empty() && !field.access.is_answered() {
        return wrong("is never answered, so `response_aliases` has no effect");
    }
    if field.list != Items::Set && field.aliases.values().any(|words| words.len() != 1) {
        return wrong("only in a `list: set` a value can stand for several");
    }
    if field.key.is_some() != (field.list == Items::Keyed) {
        return wrong("`key` tells the items of a `list: keyed` apart");
    }
    if field.access == Access::ReadOnly && (field.required || !field.allowed.is_empty()) {
        return wrong("cannot be declared, so `required` and `enum` have no effect");
    }
    if field.case.is_some() && !kind.identity.keys.iter().any(|key| key == pointer) {
        return wrong("is no name of the `identity`, so `case` has no effect");
    }
    let numeric = matches!(field.kind, None | Some(Type::Integer | Type::Number));
    if (field.minimum.is_some() || field.maximum.is_some()) && !numeric {
        return wrong("is no number, so `minimum` and `maximum` have no effect");
    }
    if field.pattern.is_some() && !matches!(field.kind, None | Some(Type::String)) {
        return wrong("is no text, so `pattern` has no effect");
    }
    let array = field.list != Items::Ordered || matches!(field.kind, None | Some(Type::Array));
    if field.items.is_some() && !array
        || field.list != Items::Ordered && !matches!(field.kind, None | Some(Type::Array))
    {
        return wrong("is a list, or is none: `type`, `list` and `items` contradict each other");
    }
    let refused = |value: &Json| field.bounds().refuse(value, &value.to_string());
    if let Some(message) = field.default.as_ref().and_then(refused) {
        return at.wrong(pointer, format!("its `default` {message}"));
    }
    if field.presence.is_some() && field.access.is_answered() {
        return wrong("`presence` is for what the server never answers (`access: write_only`)");
    }
    let in_parts = |write: &Write| matches!(write.body, Body::Changed | Body::MergePatch);
    if field.patch.is_some() && !(field.list == Items::Keyed && kind.update.as_ref().is_some_and(in_parts)) {
        return wrong("`patch` is for a `list: keyed`, and an update with `body: changed` or `merge_patch`");
    }
    let text = |step: &Step| step.text.is_some() != (step.apply == Normalizer::StripPrefix);
    if field.normalize.iter().any(text) {
        return wrong("`text` is what `strip_prefix` strips");
    }
    Ok(())
}
