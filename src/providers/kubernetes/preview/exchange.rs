//! Changes that no single server-side apply can make: what is not ours goes together with what comes in its place. They
//! are shown as one change of the object, and written as a change of owners before the apply.

use std::sync::Arc;

use super::{candidates::Preview, prediction::foreseen, preview_input::PreviewInput};
use crate::{
    model::{path::escape, value::Value},
    providers::kubernetes::{
        client::{failure::Failure, json_patch, transport::ReadClient},
        observe::sides,
        ownership::{
            claim::KEPT,
            field_removal,
            owners::{self, Owners},
            ownership_labels::stripped,
        },
    },
};

/// What both steps together would make of an object.
///
/// # Errors
/// The server refuses the result.
pub async fn preview(
    looking: &ReadClient,
    case: &PreviewInput,
    config: &Value,
    path: &str,
    live: &Arc<Value>,
) -> Result<Preview, Failure> {
    let operations = operations(case, config, live);
    let patch = |live: &Value| json_patch::guarded(live, operations.clone());
    let answer = field_removal::ask(looking, path, live, &patch).await?;
    let mut finding = foreseen(looking, case, config, Some(live.clone()), answer).await;
    finding.notes.push("written in two steps: the fields that go become trueup's own first".to_owned());
    Ok(finding)
}

/// The changes of an object that takes out and puts in at once, as a JSON patch.
fn operations(case: &PreviewInput, config: &Value, live: &Value) -> Vec<Value> {
    let owners = Owners::of(live, live, &case.human_field_managers);
    let keyed = |value: &Value| owners.shape.keyed(value);
    let sent = case.declared().effective(live);
    let base = owners::base(case, live, &owners).as_ref().map(keyed);
    let before = stripped(&case.seen.name, live);
    let config = keyed(sent.as_ref().unwrap_or(config));
    let after = sides::predict_exchange(&keyed(&before), &config, base.as_ref(), &owners);
    let after = owners.shape.unkeyed(&after);
    let metadata = |side: &'_ Value| side.get("metadata").cloned();
    let mut operations = differences("", &before, &after, &KEPT);
    if let (Some(before), Some(after)) = (metadata(&before), metadata(&after)) {
        operations.extend(differences("/metadata", &before, &after, &["name", "namespace"]));
    }
    operations
}

/// What makes the fields of one mapping those of another.
fn differences(at: &str, before: &Value, after: &Value, kept: &[&str]) -> Vec<Value> {
    let (Value::Map(before), Value::Map(after)) = (before, after) else { return Vec::new() };
    let place = |key: &str| format!("{at}/{}", escape(key));
    let moved =
        |(key, value): &(&Arc<str>, &Value)| !kept.contains(&&***key) && before.get(&***key) != Some(value);
    let is_gone = |key: &&Arc<str>| !kept.contains(&&***key) && !after.contains_key(&***key);
    let gone = before.keys().filter(is_gone).map(|key| json_patch::remove(&place(key)));
    after
        .iter()
        .filter(moved)
        .map(|(key, value)| json_patch::set(&place(key), value.clone()))
        .chain(gone)
        .collect()
}
