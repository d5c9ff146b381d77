//! Prepares what is to be written, under another name in the same directory.

use std::{fs::File, io::Write as _, sync::Arc};

use rustix::io::Errno;

use super::{
    attributes::{self, Attributes},
    confined_dir::writable::WritableDir,
    fingerprint::Identity,
    hash::HashingWriter,
    job::Job,
    names,
    value::{Body, Form},
    work::Work,
    write_result::Ending,
};
use crate::model::{
    address::unquote,
    value::{Blob, Value},
};

/// Something prepared, to be moved to its name.
#[derive(Debug)]
pub(super) struct Staged<'a> {
    /// What for.
    pub job: &'a Job<'a>,
    /// The directory of both names.
    pub dir: Arc<WritableDir>,
    /// The name it has for now.
    pub temporary: Vec<u8>,
    /// What it is.
    pub identity: Identity,
}

/// Whether each file goes to disk by itself or all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syncing {
    /// Each by itself.
    Each,
    /// The caller syncs the file system.
    Together,
}

/// Prepares the file or link `form` for `job` in `dir`.
pub(super) fn stage<'a>(
    work: &Work<'_>,
    job: &'a Job<'a>,
    form: &Form,
    dir: &Arc<WritableDir>,
    syncing: Syncing,
) -> Result<Staged<'a>, Ending> {
    let name = names::split(&job.path).1;
    let before = precondition(work, job, dir, name)?;
    let temporary = names::temporary(name, work.run.id);
    let preparation = Preparation { work, dir, name, temporary: &temporary, before, syncing };
    match preparation.make(form) {
        Ok(identity) => Ok(Staged { job, dir: dir.clone(), temporary, identity }),
        Err(ending) => {
            discard(dir, &temporary);
            Err(ending)
        }
    }
}

/// Removes what was prepared and is not needed.
pub(super) fn discard(dir: &WritableDir, temporary: &[u8]) {
    if matches!(dir.unlink(temporary), Err(Errno::ISDIR | Errno::PERM)) {
        let _ = dir.rmdir(temporary);
    }
}

/// What stands at `name`, if it is what the plan saw there.
pub(super) fn precondition(
    work: &Work<'_>,
    job: &Job<'_>,
    dir: &WritableDir,
    name: &[u8],
) -> Result<Option<Identity>, Ending> {
    let stat = match dir.stat(name) {
        Ok(stat) => Some(Identity::of(&stat)),
        Err(Errno::NOENT) => None,
        Err(errno) => return Err(Ending::failed("reading what is there", errno)),
    };
    match (job.before(), stat) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Ending::stale("it appeared after the plan was made, and was left as it is")),
        (Some(_), None) => Err(Ending::stale("it was removed after the plan was made")),
        (Some(before), Some(identity)) => match work.is_as_seen(job, &identity) {
            true => Ok(Some(identity)),
            // Another identity can still be the same object, for example after
            // a restore. What counts is what it holds.
            false => work.look_again(job, dir, name, before).map(Some),
        },
    }
}

/// Something on its way to its temporary name.
struct Preparation<'a> {
    work: &'a Work<'a>,
    dir: &'a WritableDir,
    name: &'a [u8],
    temporary: &'a [u8],
    /// What it is to replace.
    before: Option<Identity>,
    syncing: Syncing,
}

impl Preparation<'_> {
    fn make(&self, form: &Form) -> Result<Identity, Ending> {
        let Preparation { dir, temporary, .. } = self;
        match &form.body {
            Body::File(blob) | Body::Secret(blob) => self.file(form, blob)?,
            Body::Link(leads_to) => dir
                .symlink(&unquote(leads_to), temporary)
                .map_err(|errno| Ending::failed("making the link", errno))?,
            Body::Directory => {
                dir.mkdir(temporary, 0o700).map_err(|errno| Ending::failed("making the directory", errno))?;
            }
        }
        let stat = dir.stat(temporary).map_err(|errno| Ending::failed("reading it back", errno))?;
        Ok(Identity::of(&stat))
    }

    fn file(&self, form: &Form, blob: &Blob) -> Result<(), Ending> {
        // Owner and permissions of a link or directory say nothing of the file that comes instead.
        let replaced = self.before.filter(Identity::is_file);
        let attributes = Attributes::of(form, replaced.as_ref(), &self.work.site.people, self.work.umask)?;
        let mut file = self.create()?;
        fill(self.work, blob, &mut file)?;
        if replaced.is_some()
            && let Ok(replaced) = self.dir.open_file(self.name)
        {
            attributes::copy_extended(&replaced, &file);
        }
        attributes.give(&file)?;
        let given = rustix::fs::fstat(&file).map_err(|errno| Ending::failed("reading it back", errno))?;
        if !attributes.are_of(&Identity::of(&given)) {
            // Some systems ignore bits that they do not like, and say nothing.
            return Err(Ending::wrong("the system took its owner or permissions and did not set them"));
        }
        if self.syncing == Syncing::Each {
            file.sync_all().map_err(|error| Ending::failed("writing it to disk", number(&error)))?;
        }
        Ok(())
    }

    fn create(&self) -> Result<File, Ending> {
        let created = match self.dir.create(self.temporary) {
            // The name holds the id of this apply, so only an earlier attempt of the same apply can have made it.
            Err(Errno::EXIST) => {
                discard(self.dir, self.temporary);
                self.dir.create(self.temporary)
            }
            other => other,
        };
        created.map_err(|errno| Ending::failed("creating it", errno))
    }
}

/// Writes the content and makes sure that it is the one with the id.
fn fill(work: &Work<'_>, blob: &Blob, file: &mut File) -> Result<(), Ending> {
    let algorithm = blob.id.algorithm();
    let wrong = |error: anyhow::Error| match error.downcast_ref::<std::io::Error>() {
        Some(error) if error.raw_os_error().is_some() => Ending::failed("writing it", number(error)),
        _ => Ending::wrong(&format!("reading its content: {error:#}")),
    };
    let written = match &blob.bytes {
        Some(bytes) => {
            let mut out = HashingWriter::new(&mut *file, algorithm, bytes.len() as u64);
            out.write_all(bytes).map_err(|error| wrong(error.into()))?;
            out.finish()
        }
        None => {
            let size = work.run.contents.size(&blob.id).map_err(wrong)?;
            let mut out = HashingWriter::new(&mut *file, algorithm, size);
            work.run.contents.copy(&blob.id, &mut out).map_err(wrong)?;
            out.finish()
        }
    };
    match written {
        Ok(id) if id == blob.id => Ok(()),
        Ok(_) => Err(Ending::wrong("its content is not the one that the plan names")),
        Err(error) => Err(Ending::wrong(&format!("its content: {error}"))),
    }
}

fn number(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// How many bytes a file of this content will need.
pub(super) fn size(work: &Work<'_>, form: &Form) -> u64 {
    const BLOCK: u64 = 4096;
    let Some(blob) = form.body.blob() else { return BLOCK };
    let size = blob.size.or_else(|| work.run.contents.size(&blob.id).ok()).unwrap_or(0);
    size.div_ceil(BLOCK).max(1).saturating_mul(BLOCK)
}

/// How many bytes the content that is there takes, where that is known.
pub(super) fn size_before(job: &Job<'_>) -> u64 {
    job.before()
        .and_then(|value| value.get("content"))
        .and_then(Value::as_blob)
        .and_then(|blob| blob.size)
        .unwrap_or(0)
}
