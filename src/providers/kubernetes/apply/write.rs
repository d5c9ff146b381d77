//! Single writes, each under the condition that the object is what the plan saw.

use std::time::Duration;

use globset::GlobSet;

use crate::{
    model::{
        change::Change,
        report::{FailureKind, Verdict},
        value::Value,
    },
    providers::kubernetes::{
        client::{
            failure::Failure,
            transport::{Answer, Force, WriteClient},
        },
        manifest::{derived, names::Name},
        ownership::{
            claim::claim,
            field_removal,
            ignore_rules::Manifest,
            managed, owners,
            ownership_labels::{self, expect_version},
            takeover::Predecessors,
        },
    },
};

/// How often a write is tried again after a version moved without the content.
pub const TRIES: usize = 5;

/// How long an object that has to go first may take.
const GONE: Duration = Duration::from_secs(60);

/// How long an object that is deleted may be held by its finalizers.
const HELD: Duration = Duration::from_secs(10);

/// How one write ended.
pub struct WriteResult {
    pub verdict: Verdict,
    pub error: Option<(FailureKind, String)>,
    /// The server cannot be spoken to any more.
    pub lost: bool,
}

impl WriteResult {
    pub fn done() -> WriteResult {
        WriteResult { verdict: Verdict::Done, error: None, lost: false }
    }

    /// A write that did not come to its end, for a reason of its own.
    pub fn with(verdict: Verdict, why: impl Into<String>) -> WriteResult {
        WriteResult { verdict, error: Some((FailureKind::Other, why.into())), lost: false }
    }

    /// A write that was not begun, because the lock is not ours any more or for a reason that others tell.
    pub fn left(lost: Option<String>) -> WriteResult {
        let error = lost.map(|why| (FailureKind::Locked, why));
        WriteResult { verdict: Verdict::NotAttempted, error, lost: false }
    }

    pub fn stale(why: &str) -> WriteResult {
        WriteResult::with(Verdict::Stale, why)
    }

    /// A write that failed, or of which nobody knows.
    pub fn failed(failure: &Failure, doing: &str) -> WriteResult {
        let verdict = if failure.is_uncertain() { Verdict::Uncertain } else { Verdict::Failed };
        let error = Some((failure.kind(), format!("{doing}: {failure}")));
        WriteResult { verdict, error, lost: failure.is_unconnected() }
    }

    /// The same, where it is certain that nothing was written.
    pub fn unwritten(self) -> WriteResult {
        WriteResult { verdict: Verdict::Failed, ..self }
    }

    /// A change without the object that it is about.
    pub fn nothing_seen() -> WriteResult {
        WriteResult::stale("nothing is known of it any more")
    }
}

/// Creates an object. One that somebody else made meanwhile is not overwritten.
pub async fn create(writing: &WriteClient, path: &str, body: Value) -> WriteResult {
    match writing.apply(path, &body, Force::No).await {
        Ok(answer) if answer.status == http::StatusCode::CREATED => WriteResult::done(),
        Ok(_) => WriteResult::stale("somebody else made it meanwhile; what is declared was added to it"),
        Err(failure) if failure.code() == 409 => {
            WriteResult::stale("somebody else made it meanwhile; it was left alone")
        }
        Err(failure) => settle(writing, path, &body, failure, "creating it").await,
    }
}

/// Changes an object that still is what `live` says.
pub async fn update(
    writing: &WriteClient,
    path: &str,
    manifest: &Manifest<'_>,
    live: &Value,
    change: &Change,
) -> WriteResult {
    let (mut seen, mut current) = (live.clone(), live.clone());
    let declared = &manifest.declared;
    let mut claims = declared.is.is_some_and(|config| derived::is_stale(declared.was, config));
    for _ in 0..TRIES {
        let taken = match (claims, &change.after) {
            (true, Some(after)) => {
                claim(writing, path, &current, after, declared.is.unwrap_or(&Value::Null)).await
            }
            _ => take_over(writing, path, manifest, &current).await,
        };
        let failure = match taken {
            Some(Ok(answer)) => {
                // Only the owners moved, and that by us.
                (seen, current) = (answer.value.clone(), answer.value);
                None
            }
            Some(Err(failure)) => Some(failure),
            None => None,
        };
        let moved = failure.is_some();
        let failure = match failure {
            // A failed test is 422.
            Some(failure) if matches!(failure.code(), 409 | 422) => failure,
            Some(failure) => return WriteResult::failed(&failure, TAKING_OVER),
            None => {
                let mut body = manifest.body(Some(&current));
                expect_version(&mut body, &current);
                match writing.apply(path, &body, Force::Yes).await {
                    Ok(answer) => return field_removal::take_out(writing, path, answer.value, change).await,
                    Err(failure) if failure.code() == 409 => failure,
                    // It cannot take out what is not ours together with what comes in its place.
                    Err(failure) if failure.code() == 422 && !claims => {
                        claims = true;
                        continue;
                    }
                    Err(failure) => return settle(writing, path, &body, failure, "writing it").await,
                }
            }
        };
        match writing.looking().get(path).await {
            Ok(answer) if moved && is_version(&current, &answer.value) => {
                return WriteResult::failed(&failure, TAKING_OVER);
            }
            Ok(answer) if is_same(manifest.about, &manifest.rest(&seen), &manifest.rest(&answer.value)) => {
                current = answer.value;
            }
            Ok(_) => return WriteResult::stale("it changed after the plan was made"),
            Err(failure) if failure.code() == 404 => {
                return WriteResult::stale("it was deleted after the plan was made");
            }
            Err(failure) => return WriteResult::failed(&failure, "reading it again").unwritten(),
        }
    }
    WriteResult::stale("it changes all the time")
}

const TAKING_OVER: &str = "taking its fields over from those who applied it before";

/// Makes ours alone what predecessors own of what is to be written; none if nothing is.
async fn take_over(
    writing: &WriteClient,
    path: &str,
    manifest: &Manifest<'_>,
    live: &Value,
) -> Option<Result<Answer, Failure>> {
    let body = manifest.body(Some(live));
    manifest.about.predecessors.take_over(writing, path, live, &body).await
}

fn is_version(one: &Value, other: &Value) -> bool {
    ownership_labels::metadata(one, "resourceVersion") == ownership_labels::metadata(other, "resourceVersion")
}

/// An object, and who counts as a person there.
#[derive(Clone, Copy)]
pub struct About<'a> {
    pub name: &'a Name,
    pub human_field_managers: &'a GlobSet,
    pub predecessors: &'a Predecessors,
}

/// Whether an object only moved in what no plan is about.
fn is_same(about: About<'_>, before: &Value, now: &Value) -> bool {
    let settled = |live| owners::settled(about.name, live, about.human_field_managers);
    ownership_labels::metadata(before, "uid") == ownership_labels::metadata(now, "uid")
        && settled(before) == settled(now)
}

/// A write without an answer: whether it took place shows.
async fn settle(
    writing: &WriteClient,
    path: &str,
    body: &Value,
    failure: Failure,
    doing: &str,
) -> WriteResult {
    if !failure.is_uncertain() {
        return WriteResult::failed(&failure, doing);
    }
    match writing.looking().get(path).await {
        Ok(answer) => {
            let api_version = body.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
            let mut body = body.clone();
            ownership_labels::forget_version(&mut body);
            match managed::unchanged(&body, &answer.value, api_version, managed::From::This) {
                Ok(()) => WriteResult::done(),
                Err(_) => not_carried_out(&failure, doing),
            }
        }
        Err(gone) if gone.code() == 404 => not_carried_out(&failure, doing),
        // Neither a write nor a read is answered: there is nobody to go on with.
        Err(silence) => {
            WriteResult { lost: silence.refusal().is_none(), ..WriteResult::failed(&failure, doing) }
        }
    }
}

/// A write that shows no trace: what was refused is over, what got no answer may still come.
fn not_carried_out(failure: &Failure, doing: &str) -> WriteResult {
    let ended = WriteResult::failed(failure, doing);
    match failure.refusal() {
        Some(refusal) if refusal.code != 504 => ended.unwritten(),
        _ => ended,
    }
}

/// Deletes an object that still is what `live` says.
pub async fn delete(writing: &WriteClient, path: &str, about: About<'_>, live: &Value) -> WriteResult {
    let mut current = live.clone();
    for _ in 0..TRIES {
        match writing.delete(path, &conditions(&current)).await {
            Ok(_) => return WriteResult::done(),
            Err(failure) if failure.code() == 404 => return WriteResult::done(),
            Err(failure) if failure.code() != 409 => {
                if !failure.is_uncertain() {
                    return WriteResult::failed(&failure, "deleting it");
                }
                return match writing.looking().get(path).await {
                    Err(gone) if gone.code() == 404 => WriteResult::done(),
                    _ => WriteResult::failed(&failure, "deleting it"),
                };
            }
            Err(_) => {}
        }
        match writing.looking().get(path).await {
            Ok(answer) if is_same(about, live, &answer.value) => current = answer.value,
            Ok(_) => return WriteResult::stale("it changed after the plan was made"),
            Err(failure) if failure.code() == 404 => return WriteResult::done(),
            Err(failure) => return WriteResult::failed(&failure, "reading it again").unwritten(),
        }
    }
    WriteResult::stale("it changes all the time")
}

fn conditions(live: &Value) -> Value {
    let of = |field: &'static str| {
        ownership_labels::metadata(live, field).map(|value| (field, Value::string(value)))
    };
    Value::map([
        ("apiVersion", Value::string("v1")),
        ("kind", Value::string("DeleteOptions")),
        ("propagationPolicy", Value::string("Background")),
        ("preconditions", Value::map([of("uid"), of("resourceVersion")].into_iter().flatten())),
    ])
}

/// Deletes an object and waits until it is gone, if something holds it. What still is held then is deleted all the
/// same once that lets go of it.
pub async fn delete_whole(
    writing: &WriteClient,
    path: &str,
    about: About<'_>,
    live: &Value,
    tell: &dyn Fn(&str),
) -> WriteResult {
    let deleted = delete(writing, path, about, live).await;
    match deleted.verdict {
        Verdict::Done if !ownership_labels::finalizers(live).is_empty() => {
            gone(writing, path, live, HELD, tell).await.err().unwrap_or(deleted)
        }
        _ => deleted,
    }
}

/// Waits until an object that is being deleted is gone.
async fn gone(
    writing: &WriteClient,
    path: &str,
    live: &Value,
    patience: Duration,
    tell: &dyn Fn(&str),
) -> Result<(), WriteResult> {
    let uid = ownership_labels::metadata(live, "uid");
    let begun = std::time::Instant::now();
    loop {
        let now = match writing.looking().get(path).await {
            Err(failure) if failure.code() == 404 => return Ok(()),
            Err(failure) => return Err(WriteResult::failed(&failure, "waiting until the old one is gone")),
            Ok(answer) if ownership_labels::metadata(&answer.value, "uid") != uid => return Ok(()),
            Ok(answer) => answer.value,
        };
        let why = ownership_labels::deletion(&now);
        if begun.elapsed() > patience {
            return Err(WriteResult::with(Verdict::Unready, why));
        }
        tell(&why);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Makes an object once one of its name that is being deleted is gone.
pub async fn create_after(
    writing: &WriteClient,
    path: &str,
    leaving: &Value,
    body: Value,
    tell: &dyn Fn(&str),
) -> WriteResult {
    match gone(writing, path, leaving, GONE, tell).await {
        Ok(()) => create(writing, path, body).await,
        // It is nobody else's deletion: the next apply makes it.
        Err(ended) if ended.verdict == Verdict::Unready => WriteResult { verdict: Verdict::Gone, ..ended },
        Err(ended) => ended,
    }
}

/// Deletes an object and makes it anew.
pub async fn replace(
    writing: &WriteClient,
    path: &str,
    about: About<'_>,
    live: &Value,
    body: Value,
    tell: &dyn Fn(&str),
) -> WriteResult {
    let deleted = delete(writing, path, about, live).await;
    if deleted.verdict != Verdict::Done {
        return deleted;
    }
    let made = create_after(writing, path, live, body, tell).await;
    match made.verdict {
        Verdict::Failed => WriteResult { verdict: Verdict::Gone, ..made },
        _ => made,
    }
}
