//! Single writes, each under the condition that the object is what the plan saw.

use std::time::Duration;

use super::{
    failure::Failure,
    fields::{Fields, ORDER},
    ignoring::Manifest,
    managed,
    marks::{self, expect_version},
    names::Name,
    transport::{Force, Writing},
};
use crate::model::{
    change::Change,
    report::{FailureKind, Verdict},
    value::{Map, Value},
};

/// How often a write is tried again after a version moved without the content.
const TRIES: usize = 5;

/// How long an object that has to go first may take.
const GONE: Duration = Duration::from_secs(60);

/// How one write ended.
pub(super) struct Ended {
    pub verdict: Verdict,
    pub error: Option<(FailureKind, String)>,
    /// The server cannot be spoken to any more.
    pub lost: bool,
}

impl Ended {
    fn done() -> Ended {
        Ended { verdict: Verdict::Done, error: None, lost: false }
    }

    /// A write that did not come to its end, for a reason of its own.
    pub(super) fn with(verdict: Verdict, why: impl Into<String>) -> Ended {
        Ended { verdict, error: Some((FailureKind::Other, why.into())), lost: false }
    }

    fn stale(why: &str) -> Ended {
        Ended::with(Verdict::Stale, why)
    }

    /// A write that failed, or of which nobody knows.
    pub(super) fn failed(failure: &Failure, doing: &str) -> Ended {
        let verdict = if failure.is_uncertain() { Verdict::Uncertain } else { Verdict::Failed };
        let error = Some((failure.kind(), format!("{doing}: {failure}")));
        Ended { verdict, error, lost: failure.is_unconnected() }
    }

    /// The same, where it is certain that nothing was written.
    pub(super) fn unwritten(self) -> Ended {
        Ended { verdict: Verdict::Failed, ..self }
    }

    /// A change without the object that it is about.
    pub(super) fn nothing_seen() -> Ended {
        Ended::stale("nothing is known of it any more")
    }
}

/// Creates an object. One that somebody else made meanwhile is not overwritten.
pub(super) async fn create(writing: &Writing, path: &str, body: Value) -> Ended {
    match writing.apply(path, &body, Force::No).await {
        Ok(answer) if answer.status == http::StatusCode::CREATED => Ended::done(),
        Ok(_) => Ended::stale("somebody else made it meanwhile; what is declared was added to it"),
        Err(failure) if failure.code() == 409 => {
            Ended::stale("somebody else made it meanwhile; it was left alone")
        }
        Err(failure) => settle(writing, path, &body, failure, "creating it").await,
    }
}

/// Changes an object that still is what `live` says.
pub(super) async fn update(
    writing: &Writing,
    path: &str,
    manifest: &Manifest<'_>,
    live: &Value,
    change: &Change,
) -> Ended {
    let mut current = live.clone();
    for _ in 0..TRIES {
        let mut body = manifest.body(Some(&current));
        expect_version(&mut body, &current);
        let failure = match writing.apply(path, &body, Force::Yes).await {
            Ok(answer) => return without_extras(writing, path, answer.value, change).await,
            Err(failure) => failure,
        };
        if failure.code() != 409 {
            return settle(writing, path, &body, failure, "writing it").await;
        }
        match writing.looking().get(path).await {
            Ok(answer) if is_same(manifest.name, &manifest.rest(live), &manifest.rest(&answer.value)) => {
                current = answer.value;
            }
            Ok(_) => return Ended::stale("it changed after the plan was made"),
            Err(failure) if failure.code() == 404 => {
                return Ended::stale("it was deleted after the plan was made");
            }
            Err(failure) => return Ended::failed(&failure, "reading it again").unwritten(),
        }
    }
    Ended::stale("it changes all the time")
}

/// Whether an object only moved in what no plan is about.
fn is_same(name: &Name, before: &Value, now: &Value) -> bool {
    marks::metadata(before, "uid") == marks::metadata(now, "uid")
        && marks::settled(name, before) == marks::settled(name, now)
}

/// A write without an answer: whether it took place shows.
async fn settle(writing: &Writing, path: &str, body: &Value, failure: Failure, doing: &str) -> Ended {
    if !failure.is_uncertain() {
        return Ended::failed(&failure, doing);
    }
    match writing.looking().get(path).await {
        Ok(answer) => {
            let api_version = body.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
            let mut body = body.clone();
            marks::forget_version(&mut body);
            match managed::unchanged(&body, &answer.value, api_version) {
                Ok(()) => Ended::done(),
                Err(_) => not_carried_out(&failure, doing),
            }
        }
        Err(gone) if gone.code() == 404 => not_carried_out(&failure, doing),
        // Neither a write nor a read is answered: there is nobody to go on with.
        Err(silence) => Ended { lost: silence.refusal().is_none(), ..Ended::failed(&failure, doing) },
    }
}

/// A write that shows no trace: what was refused is over, what got no answer may still come.
fn not_carried_out(failure: &Failure, doing: &str) -> Ended {
    let ended = Ended::failed(failure, doing);
    match failure.refusal() {
        Some(refusal) if refusal.code != 504 => ended.unwritten(),
        _ => ended,
    }
}

/// Takes out what people added and nobody declared, which an apply leaves in.
async fn without_extras(writing: &Writing, path: &str, mut written: Value, change: &Change) -> Ended {
    let (Some(actual), Some(after)) = (&change.sides.actual, &change.after) else {
        return Ended::done();
    };
    for _ in 0..TRIES {
        let Some(operations) = removals(actual, after, &written) else { return Ended::done() };
        match writing.patch(path, &operations).await {
            Ok(_) => return Ended::done(),
            // A failed test is 422; its controller may have written the status meanwhile.
            Err(failure) if matches!(failure.code(), 409 | 422) => {}
            Err(failure) => return Ended::failed(&failure, "removing what was added by hand"),
        }
        match writing.looking().get(path).await {
            Ok(answer) => written = answer.value,
            Err(failure) => return Ended::failed(&failure, "reading it again"),
        }
    }
    Ended::stale("it changes all the time: what was added by hand is still there")
}

/// The operations that remove from `written` what the plan saw and wants gone; none if that is done.
fn removals(actual: &Value, after: &Value, written: &Value) -> Option<Value> {
    let mut shape = Fields::default();
    managed::entries(written).for_each(|entry| shape.add(entry.fields()));
    let mut pointers = Vec::new();
    surplus(actual, after, written, &shape, String::new(), &mut pointers);
    if pointers.is_empty() {
        return None;
    }
    let operation = |op: &str, path: &str| vec![("op", Value::string(op)), ("path", Value::string(path))];
    let version = marks::metadata(written, "resourceVersion").unwrap_or_default();
    let mut operations = vec![operation("test", "/metadata/resourceVersion")];
    operations[0].push(("value", Value::string(version)));
    // Later items first, so that positions stay what they are.
    operations.extend(pointers.iter().rev().map(|pointer| operation("remove", pointer)));
    Some(Value::List(operations.into_iter().map(Value::map).collect()))
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
                below.push((format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), key, value));
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
            surplus(seen, after, value, &shape, pointer, found);
        }
    }
}

/// Deletes an object that still is what `live` says.
pub(super) async fn delete(writing: &Writing, path: &str, name: &Name, live: &Value) -> Ended {
    let mut current = live.clone();
    for _ in 0..TRIES {
        match writing.delete(path, &conditions(&current)).await {
            Ok(_) => return Ended::done(),
            Err(failure) if failure.code() == 404 => return Ended::done(),
            Err(failure) if failure.code() != 409 => {
                if !failure.is_uncertain() {
                    return Ended::failed(&failure, "deleting it");
                }
                return match writing.looking().get(path).await {
                    Err(gone) if gone.code() == 404 => Ended::done(),
                    _ => Ended::failed(&failure, "deleting it"),
                };
            }
            Err(_) => {}
        }
        match writing.looking().get(path).await {
            Ok(answer) if is_same(name, live, &answer.value) => current = answer.value,
            Ok(_) => return Ended::stale("it changed after the plan was made"),
            Err(failure) if failure.code() == 404 => return Ended::done(),
            Err(failure) => return Ended::failed(&failure, "reading it again").unwritten(),
        }
    }
    Ended::stale("it changes all the time")
}

fn conditions(live: &Value) -> Value {
    let of = |field: &'static str| marks::metadata(live, field).map(|value| (field, Value::string(value)));
    Value::map([
        ("apiVersion", Value::string("v1")),
        ("kind", Value::string("DeleteOptions")),
        ("propagationPolicy", Value::string("Background")),
        ("preconditions", Value::map([of("uid"), of("resourceVersion")].into_iter().flatten())),
    ])
}

/// Deletes an object and makes it anew.
pub(super) async fn replace(writing: &Writing, path: &str, name: &Name, live: &Value, body: Value) -> Ended {
    let deleted = delete(writing, path, name, live).await;
    if deleted.verdict != Verdict::Done {
        return deleted;
    }
    let begun = std::time::Instant::now();
    loop {
        match writing.looking().get(path).await {
            Err(failure) if failure.code() == 404 => break,
            Err(failure) => return Ended::failed(&failure, "waiting until the old one is gone"),
            Ok(_) if begun.elapsed() < GONE => tokio::time::sleep(Duration::from_millis(100)).await,
            Ok(_) => return Ended::with(Verdict::Failed, "the old one is still being deleted"),
        }
    }
    create(writing, path, body).await
}
