//! Makes sure of what was written, so that it need not be read next time.

use std::time::SystemTime;

use rayon::prelude::*;

use super::{
    apply::Applied,
    describe,
    fingerprint::{Fingerprint, Identity, TICK, TICK_NANOS},
    job::{Job, Task},
    value::Body,
    work::Work,
};

/// The fingerprints of the files that were written and that hold what they were
/// given, by job. Waits for at most a tick.
pub(super) fn confirm(work: &Work<'_>, jobs: &[Job<'_>], applied: &Applied) -> Vec<Option<Fingerprint>> {
    if !work.root.has_reliable_times() {
        return vec![None; jobs.len()];
    }
    let written = || applied.endings.iter().filter_map(|ending| ending.written.as_ref());
    if written().any(|identity| !identity.print.settled(SystemTime::now())) {
        std::thread::sleep(TICK + TICK / 4);
    }
    let now = SystemTime::now();
    let device = work.root.own_stat().map(|stat| Fingerprint::of(&stat).device);
    jobs.par_iter()
        .zip(&applied.endings)
        .map(|(job, ending)| {
            let identity = ending.written.as_ref()?;
            let print = identity.print;
            let fits = print.settled(now) && device == Ok(print.device);
            (fits && holds(work, job, identity)).then_some(print)
        })
        .collect()
}

/// Whether the file that was written still is there and holds what it was given.
fn holds(work: &Work<'_>, job: &Job<'_>, identity: &Identity) -> bool {
    let form = match &job.task {
        Task::Write(form) | Task::Touch(form) => form,
        _ => return false,
    };
    // A secret is read every time.
    let Body::File(blob) = &form.body else { return false };
    let Ok((dir, name)) = work.root.parent_of(&job.path) else { return false };
    // If the content was written a tick or more before the rename, whoever
    // changes it afterwards moves its time of modification. Otherwise reading it
    // now, a tick after, tells.
    let is_plain =
        matches!(job.task, Task::Write(_)) && identity.print.changed - identity.print.modified > TICK_NANOS;
    if is_plain {
        return dir.stat(name).is_ok_and(|stat| Identity::of(&stat) == *identity);
    }
    describe::find(&dir, name, blob.id.algorithm(), |_| None)
        .is_ok_and(|found| found.identity == *identity && found.body == Body::File(blob.clone()))
}
