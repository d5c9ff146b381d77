//! What every step of an apply needs.

use super::{
    confined_dir::writable::WritableDir, describe, fingerprint::Identity, job::Job, target::FilesTarget,
    trash, write_result::Ending,
};
use crate::{
    model::{
        change::ThreeWay,
        digest::Algorithm,
        event::Event,
        report::Verdict,
        value::{Blob, Value},
    },
    providers::Run,
};

/// What every step of an apply needs.
pub(super) struct Work<'a> {
    /// The target as it was looked at.
    pub site: &'a FilesTarget,
    /// Its root.
    pub root: WritableDir,
    /// The state directory, if replaced content is to be kept there.
    pub trash: Option<WritableDir>,
    /// What the apply lends.
    pub run: &'a Run<'a>,
    /// The process's mask of permissions.
    pub umask: u32,
}

impl Work<'_> {
    /// Whether what stands there is, untouched, what the last look saw.
    pub(super) fn is_as_seen(&self, job: &Job<'_>, identity: &Identity) -> bool {
        self.site
            .seen
            .get(&job.change.address)
            .is_some_and(|seen| seen.found.identity == *identity && Some(&seen.value) == job.before())
    }

    /// Looks at an object once more, and takes it if it still holds `before`.
    pub(super) fn look_again(
        &self,
        job: &Job<'_>,
        dir: &WritableDir,
        name: &[u8],
        before: &Value,
    ) -> Result<Identity, Ending> {
        let ThreeWay { base, desired, actual } = job.change.sides.as_ref();
        let blob = [actual, desired, base].into_iter().flatten().find_map(content);
        let algorithm = blob.map_or(Algorithm::default(), |blob| blob.id.algorithm());
        let found = describe::find(dir, name, algorithm, |_| None).map_err(|_| Ending::moved())?;
        match found.describe(ThreeWay { base, desired, actual: None }, &self.site.people) == *before {
            true => Ok(found.identity),
            false => Err(Ending::moved()),
        }
    }

    /// Whether `path` below the root still leads to `dir`.
    pub(super) fn leads_to(&self, path: &[u8], dir: &WritableDir) -> bool {
        let place =
            |dir: &super::confined_dir::Dir| dir.own_stat().map(|stat| (stat.st_dev, stat.st_ino)).ok();
        self.root.beneath(path).is_ok_and(|now| place(&now).is_some() && place(&now) == place(dir))
    }

    /// Keeps what is called `name` in `dir`, if replaced content is kept.
    pub(super) fn keep_copy(&self, job: &Job<'_>, dir: &WritableDir, name: &[u8]) -> Result<(), Ending> {
        match &self.trash {
            None => Ok(()),
            Some(state) => trash::keep(state, self.run.id, &job.path, dir, name)
                .map_err(|errno| Ending::failed("keeping what was there (`backup`)", errno)),
        }
    }

    /// Tells that work on `job` begins.
    pub(super) fn begin(&self, job: &Job<'_>) {
        self.run.observer.on(Event::Applying(&job.change.address, job.change.action));
    }

    /// Tells how `job` ended.
    pub(super) fn tell(&self, job: &Job<'_>, ending: &Ending) {
        let (address, action) = (&job.change.address, job.change.action);
        match (&ending.verdict, &ending.error) {
            (Verdict::Done, _) => self.run.observer.on(Event::Applied(address, action)),
            (Verdict::Failed | Verdict::Stale | Verdict::Uncertain, Some((_, why))) => {
                self.run.observer.on(Event::Failed(address, action, why));
            }
            _ => {}
        }
    }

    /// Whether no further write may begin.
    pub(super) fn is_stopped(&self) -> bool {
        self.run.stop.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// The content of an object, secret or not.
pub(super) fn content(value: &Value) -> Option<&Blob> {
    value.get("content").and_then(Value::as_blob)
}
