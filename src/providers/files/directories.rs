//! Directories: made before what is in them, and given their permissions after it.

use std::{collections::BTreeMap, sync::Arc};

use rustix::io::Errno;

use super::{
    apply::{ApplyRun, path_error},
    attributes::Attributes,
    confined_dir::{Obstacle, kind, writable::WritableDir},
    declare::directory_path,
    fingerprint::Identity,
    job::{Job, Task},
    names,
    stage::{self, Syncing},
    swap,
    value::Form,
    work::Work,
    write_result::Ending,
};
use rustix::fs::FileType;

/// Makes the directories that are declared, and those that something is to be
/// written to, from the top down. Declared ones are closed to others until [`finish`].
pub(super) fn make(course: &mut ApplyRun<'_>) {
    let mut wanted: BTreeMap<Vec<u8>, Option<&Job<'_>>> = BTreeMap::new();
    for job in course.open() {
        match job.task {
            Task::Write(_) => {}
            Task::Directory(_) => {
                wanted.insert(directory_path(&job.change.address), Some(job));
            }
            _ => continue,
        }
        for above in names::ancestors(&job.path) {
            wanted.entry(above.to_vec()).or_default();
        }
    }
    for (path, job) in wanted {
        if course.work.is_stopped() {
            return;
        }
        match job {
            Some(job) => declared(course, job),
            None => on_demand(course, &path),
        }
    }
}

fn on_demand(course: &mut ApplyRun<'_>, path: &[u8]) {
    if course.blocked(path).is_some() {
        return;
    }
    let (above, name) = names::split(path);
    let made = match course.work.root.writable(path) {
        Ok(_) => return,
        Err(Obstacle::Missing) => {
            course.work.root.writable(above).and_then(|dir| match dir.mkdir(name, 0o755) {
                Ok(()) => Ok(true),
                Err(Errno::EXIST) => Ok(false),
                Err(errno) => Err(Obstacle::Failed(errno, path.to_vec())),
            })
        }
        Err(obstacle) => Err(obstacle),
    };
    match made {
        Ok(true) => {
            course.made.insert(path.to_vec());
            course.unmade.remove(path);
            course.dirty.insert(above.to_vec());
        }
        // Somebody else was faster. If it is no directory, the write into it says so.
        Ok(false) => {}
        Err(obstacle) => {
            let why = path_error(&obstacle).error.map_or_else(String::new, |(_, why)| why);
            course.blocked.insert(path.to_vec(), why);
        }
    }
}

fn declared(course: &mut ApplyRun<'_>, job: &Job<'_>) {
    let Task::Directory(form) = &job.task else { return };
    if let Some(ending) = course.blocked(&job.path) {
        return course.end(job, ending);
    }
    if job.was_directory() {
        return;
    }
    course.work.begin(job);
    let (above, name) = names::split(&job.path);
    let made = match course.work.root.writable(above).map(Arc::new) {
        Ok(dir) if job.before().is_none() => match dir.mkdir(name, 0o700) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => {
                Err(Ending::stale("it appeared after the plan was made, and was left as it is"))
            }
            Err(errno) => Err(Ending::failed("making the directory", errno)),
        },
        Ok(dir) => take_the_place(course.work, job, form, &dir),
        Err(obstacle) => Err(path_error(&obstacle)),
    };
    match made {
        Ok(()) => {
            course.dirty.insert(above.to_vec());
            course.made.insert(job.path.clone());
            course.unmade.remove(&job.path);
        }
        Err(ending) => {
            let why = ending.error.as_ref().map_or_else(String::new, |(_, why)| why.clone());
            course.blocked.insert(job.path.clone(), why);
            course.end(job, ending);
        }
    }
}

/// Puts a directory where something else is.
fn take_the_place(work: &Work<'_>, job: &Job<'_>, form: &Form, dir: &Arc<WritableDir>) -> Result<(), Ending> {
    let staged = stage::stage(work, job, form, dir, Syncing::Together)?;
    let ending = swap::swap(work, &staged);
    if ending.is_failure() { Err(ending) } else { Ok(()) }
}

/// Gives declared directories owner and permissions, from the bottom up.
pub(super) fn finish(course: &mut ApplyRun<'_>) {
    let mut jobs: Vec<&Job<'_>> =
        course.open().filter(|job| matches!(job.task, Task::Directory(_))).collect();
    jobs.sort_unstable_by(|one, other| {
        directory_path(&other.change.address).cmp(&directory_path(&one.change.address))
    });
    for job in jobs {
        let Task::Directory(form) = &job.task else { continue };
        // A directory that was made just now is closed to others: stopping here would leave it so.
        if course.work.is_stopped() && job.was_directory() {
            continue;
        }
        let ending = attributes(course.work, job, form).unwrap_or_else(|ending| ending);
        course.end(job, ending);
    }
}

fn attributes(work: &Work<'_>, job: &Job<'_>, form: &Form) -> Result<Ending, Ending> {
    let path = directory_path(&job.change.address);
    let dir = match work.root.writable(&path) {
        Ok(dir) => dir,
        // It was to be made, and a stop came first.
        Err(Obstacle::Missing) if work.is_stopped() => return Err(Ending::stopped()),
        Err(obstacle) => return Err(path_error(&obstacle)),
    };
    let before = match job.was_directory() {
        true => {
            work.begin(job);
            let above =
                work.root.writable(names::split(&job.path).0).map_err(|obstacle| path_error(&obstacle))?;
            stage::precondition(work, job, &above, names::split(&job.path).1)?
        }
        false => None,
    };
    let wanted = Attributes::of(form, before.as_ref(), &work.site.people, work.umask)?;
    let uid = wanted.uid.filter(|uid| before.is_none_or(|before| before.uid != *uid));
    let gid = wanted.gid.filter(|gid| before.is_none_or(|before| before.gid != *gid));
    dir.set_own(uid, gid, wanted.mode)
        .map_err(|errno| Ending::failed("giving it owner and permissions", errno))?;
    dir.sync().map_err(|errno| Ending::failed("writing it to disk", errno))?;
    let stat = dir.own_stat().map_err(|errno| Ending::failed("reading it back", errno))?;
    let found = Identity::of(&stat);
    match kind(&stat) == FileType::Directory && wanted.are_of(&found) {
        true => Ok(Ending::done(Some(found))),
        false => Err(Ending::uncertain("it was written, and has other permissions by now")),
    }
}
