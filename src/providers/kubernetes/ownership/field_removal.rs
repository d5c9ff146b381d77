//! What people added to an object and nobody declared: an apply leaves it in, so it is taken out by itself.

use std::sync::Arc;

use super::{
    fields::{Fields, ORDER},
    managed,
    ownership_labels::{self, stripped},
};
use crate::{
    model::{
        change::{Change, ThreeWay},
        path::escape,
        value::{Map, Value},
    },
    providers::kubernetes::{
        apply::write::{TRIES, WriteResult},
        client::{
            failure::Failure,
            json_patch,
            transport::{Answer, ReadClient, WriteClient},
        },
        preview::{dry_run_error, preview_input::PreviewInput},
    },
};

/// Puts into `sides` what the server sets in the place of what will be taken out, if anything will: the size that
/// somebody gave to a workload without one becomes 1 again, and is not gone. Why not, if the server refuses.
pub async fn defaults(
    looking: &ReadClient,
    case: &PreviewInput,
    live: &Value,
    preview: &Value,
    sides: &mut ThreeWay<Value>,
) -> Option<String> {
    let ThreeWay { base, desired: Some(desired), actual: Some(actual) } = sides else { return None };
    removals(actual, desired, preview)?;
    removals(actual, desired, live)?;
    let path = case.seen.path.as_ref()?;
    let patch = |live: &Value| {
        removals(actual, desired, live).unwrap_or_else(|| json_patch::guarded(live, std::iter::empty()))
    };
    match ask(looking, path, live, &patch).await {
        Ok(answer) => {
            let answer = managed::shape(live).keyed(&stripped(&case.seen.name, &answer.value));
            base.iter_mut().for_each(|base| fill(base, actual, &answer));
            fill(desired, actual, &answer);
            None
        }
        Err(failure) => failure.refusal().filter(|refusal| refusal.code == 422).map(|refusal| {
            format!("what was added by hand cannot be taken out: {}", dry_run_error::words(case, refusal))
        }),
    }
}

/// What a patch would make of an object, which may move on the way.
///
/// # Errors
/// The server refuses it.
pub async fn ask(
    looking: &ReadClient,
    path: &str,
    live: &Value,
    patch: &(dyn Fn(&Value) -> Value + Sync),
) -> Result<Answer, Failure> {
    let version = |live: &Value| ownership_labels::metadata(live, "resourceVersion").map(str::to_owned);
    let mut live = live.clone();
    let mut answer = looking.dry_patch(path, &patch(&live)).await;
    for _ in 0..TRIES {
        if !answer.as_ref().is_err_and(|failure| matches!(failure.code(), 409 | 422)) {
            break;
        }
        match looking.get(path).await {
            // A failed test is 422, like any other refusal.
            Ok(now) if version(&now.value) != version(&live) => live = now.value,
            _ => break,
        }
        answer = looking.dry_patch(path, &patch(&live)).await;
    }
    answer
}

/// Adds to `side` what it lacks, `actual` has and the server has in `answer` too.
fn fill(side: &mut Value, actual: &Value, answer: &Value) {
    let (Value::Map(side), Value::Map(actual), Value::Map(answer)) = (side, actual, answer) else { return };
    let side = Arc::make_mut(side);
    for (key, actual) in actual.iter().filter(|(key, _)| &***key != ORDER) {
        let Some(answer) = answer.get(key) else { continue };
        match side.get_mut(key) {
            Some(side) => fill(side, actual, answer),
            None => _ = side.insert(key.clone(), answer.clone()),
        }
    }
}

/// Takes out what people added and nobody declared, which an apply leaves in.
pub async fn take_out(writing: &WriteClient, path: &str, mut written: Value, change: &Change) -> WriteResult {
    let (Some(actual), Some(after)) = (&change.sides.actual, &change.after) else {
        return WriteResult::done();
    };
    for _ in 0..TRIES {
        let Some(operations) = removals(actual, after, &written) else { return WriteResult::done() };
        match writing.patch(path, &operations).await {
            Ok(_) => return WriteResult::done(),
            // A failed test is 422; its controller may have written the status meanwhile.
            Err(failure) if matches!(failure.code(), 409 | 422) => {}
            Err(failure) => return WriteResult::failed(&failure, "removing what was added by hand"),
        }
        match writing.looking().get(path).await {
            Ok(answer) => written = answer.value,
            Err(failure) => return WriteResult::failed(&failure, "reading it again"),
        }
    }
    WriteResult::stale("it changes all the time: what was added by hand is still there")
}

/// The operations that remove from `written` what the plan saw and wants gone; none if that is done.
fn removals(actual: &Value, after: &Value, written: &Value) -> Option<Value> {
    let mut pointers = Vec::new();
    surplus(actual, after, written, &managed::shape(written), String::new(), &mut pointers);
    if pointers.is_empty() {
        return None;
    }
    // Later items first, so that positions stay what they are.
    Some(json_patch::guarded(written, pointers.iter().rev().map(|pointer| json_patch::remove(pointer))))
}

/// The places of `written` that the plan saw and wants gone, as JSON pointers in ascending order.
fn surplus(
    actual: &Value,
    after: &Value,
    written: &Value,
    shape: &Fields,
    at: String,
    found: &mut Vec<String>,
) {
    let (Value::Map(seen), Value::Map(after)) = (actual, after) else { return };
    let mut below: Vec<(String, &str, &Value)> = Vec::new();
    match written {
        Value::Map(map) => {
            for (key, value) in map.iter() {
                below.push((format!("{at}/{}", escape(key)), key, value));
            }
        }
        Value::List(items) => {
            for (position, item) in items.iter().enumerate() {
                let Some((label, _)) =
                    seen.iter().find(|(label, _)| shape.names(item).as_deref() == Some(&***label))
                else {
                    continue;
                };
                below.push((format!("{at}/{position}"), label, item));
            }
        }
        _ => return,
    }
    for (pointer, key, value) in below {
        let Some(seen) = seen.get(key) else { continue };
        let shape = shape.below(key);
        let gone = after.get(key).is_none() && key != ORDER;
        if gone && managed::same(&shape.keyed(value), seen) {
            found.push(pointer);
        } else if gone {
            // More is in it than the plan saw, our own marks for example: what it saw goes.
            surplus(seen, &Value::from(Map::new()), value, &shape, pointer, found);
        } else if let Some(after) = after.get(key) {
            // Whatever is declared was just applied: what still is as it was is what the server would have set.
            match (seen, after) {
                (Value::Map(_), Value::Map(_)) => surplus(seen, after, value, &shape, pointer, found),
                _ if key != ORDER
                    && !managed::same(seen, after)
                    && managed::same(&shape.keyed(value), seen) =>
                {
                    found.push(pointer);
                }
                _ => {}
            }
        }
    }
}
