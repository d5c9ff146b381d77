//! Moves what was prepared to its name, unless somebody was there in the meantime.

use rustix::io::Errno;

use super::{
    attributes::Attributes,
    confined_dir::writable::WritableDir,
    fingerprint::Identity,
    job::{Job, Task},
    names,
    stage::{self, Staged},
    value::Form,
    work::Work,
    write_result::Ending,
};

/// Moves what was prepared to its name.
pub(super) fn swap(work: &Work<'_>, staged: &Staged<'_>) -> Ending {
    let ending = replace(work, staged);
    if ending.is_failure() && ending.verdict != crate::model::report::Verdict::Uncertain {
        stage::discard(&staged.dir, &staged.temporary);
    }
    ending
}

fn replace(work: &Work<'_>, staged: &Staged<'_>) -> Ending {
    let Staged { job, dir, temporary, identity } = staged;
    let name = names::split(&job.path).1;
    let before = match stage::precondition(work, job, dir, name) {
        Ok(before) => before,
        Err(ending) => return ending,
    };
    let moved = match &before {
        None => dir.rename_new(temporary, name).map_err(|errno| match errno {
            Errno::EXIST => Ending::stale("it appeared after the plan was made, and was left as it is"),
            other => Ending::failed("moving it to its name", other),
        }),
        Some(before) => exchange(work, job, dir, temporary, name, before),
    };
    match moved {
        Ok(()) => read_back(dir, name, identity),
        Err(ending) => ending,
    }
}

/// Puts the new in the place of the old, and then makes sure that it was the
/// old: a write that came between the check and the move is put back.
fn exchange(
    work: &Work<'_>,
    job: &Job<'_>,
    dir: &WritableDir,
    temporary: &[u8],
    name: &[u8],
    before: &Identity,
) -> Result<(), Ending> {
    let moving = |errno| Ending::failed("moving it to its name", errno);
    match dir.exchange(temporary, name) {
        Ok(()) => {}
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::XDEV) => {
            // This file system cannot; the check just now has to do.
            work.keep_copy(job, dir, name)?;
            if matches!(job.task, Task::Directory(_)) || job.was_directory() {
                // A directory and something else never replace each other in one call.
                remove_old(job, dir, name)?;
                return dir.rename_new(temporary, name).map_err(moving);
            }
            return dir.rename(temporary, name).map_err(moving);
        }
        Err(Errno::NOENT) => return Err(Ending::moved()),
        Err(errno) => return Err(moving(errno)),
    }
    let removed = match dir.stat(temporary).map(|stat| Identity::of(&stat)) {
        Ok(old) if old.is_moved(before) => {
            work.keep_copy(job, dir, temporary).and_then(|()| remove_old(job, dir, temporary))
        }
        _ => Err(Ending::moved()),
    };
    let Err(ending) = removed else { return Ok(()) };
    match dir.exchange(temporary, name) {
        Ok(()) => Err(ending),
        Err(_) => Err(Ending::uncertain(
            "somebody else wrote it at the same time; both versions are in its directory",
        )),
    }
}

fn remove_old(job: &Job<'_>, dir: &WritableDir, temporary: &[u8]) -> Result<(), Ending> {
    let removed = if job.was_directory() { dir.rmdir(temporary) } else { dir.unlink(temporary) };
    removed.map_err(|errno| Ending::failed("removing what was there", errno))
}

fn read_back(dir: &WritableDir, name: &[u8], wanted: &Identity) -> Ending {
    match dir.stat(name).map(|stat| Identity::of(&stat)) {
        Ok(found) if found.is_moved(wanted) => Ending::done(Some(found)),
        _ => Ending::uncertain("it was written, and something else is there by now"),
    }
}

/// Gives a file that holds the right content the attributes of `form`, in place.
pub(super) fn touch(work: &Work<'_>, job: &Job<'_>, form: &Form, dir: &WritableDir) -> Ending {
    let name = names::split(&job.path).1;
    let touched = || -> Result<Ending, Ending> {
        let before = stage::precondition(work, job, dir, name)?;
        let attributes = Attributes::of(form, before.as_ref(), &work.site.people, work.umask)?;
        let file = dir.open_file(name).map_err(|errno| Ending::failed("opening it", errno))?;
        let reading = |errno| Ending::failed("reading it back", errno);
        let opened = Identity::of(&rustix::fs::fstat(&file).map_err(reading)?);
        if before != Some(opened) {
            return Err(Ending::moved());
        }
        attributes.give(&file)?;
        rustix::fs::fsync(&file).map_err(|errno| Ending::failed("writing it to disk", errno))?;
        let found = Identity::of(&dir.stat(name).map_err(reading)?);
        match found.print.is_same_content(&opened.print) && attributes.are_of(&found) {
            true => Ok(Ending::done(Some(found))),
            false => Err(Ending::uncertain("its attributes were set, and it is something else by now")),
        }
    };
    touched().unwrap_or_else(|ending| ending)
}

/// Removes what `job` names, if it still is what the plan saw.
pub(super) fn remove(work: &Work<'_>, job: &Job<'_>, dir: &WritableDir) -> Ending {
    let name = names::split(&job.path).1;
    if dir.stat(name).err() == Some(Errno::NOENT) {
        return Ending::done(None);
    }
    let before = match stage::precondition(work, job, dir, name) {
        Ok(Some(before)) => before,
        Ok(None) => return Ending::done(None),
        Err(ending) => return ending,
    };
    let removing = |errno| Ending::failed("removing it", errno);
    if job.was_directory() {
        // The system removes no directory that somebody put something into.
        return dir.rmdir(name).map_or_else(removing, |()| Ending::done(None));
    }
    // Under another name it is out of everybody's way, and can be looked at once more.
    let aside = names::temporary(name, work.run.id);
    if let Err(errno) = dir.rename_new(name, &aside) {
        return removing(errno);
    }
    let checked = match dir.stat(&aside).map(|stat| Identity::of(&stat)) {
        Ok(found) if found.is_moved(&before) => work.keep_copy(job, dir, &aside),
        _ => Err(Ending::moved()),
    };
    let removed = checked.and_then(|()| dir.unlink(&aside).map_err(removing));
    match removed {
        Ok(()) => Ending::done(None),
        Err(ending) => match dir.rename_new(&aside, name) {
            Ok(()) => ending,
            Err(_) => {
                Ending::uncertain("somebody else wrote it at the same time; the old version is beside it")
            }
        },
    }
}
