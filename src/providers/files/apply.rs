//! The order in which changes are made.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    batch,
    confined_dir::Obstacle,
    declare::directory_address,
    directories, errno,
    job::{Job, Task},
    names, stage, swap, sync,
    value::Body,
    work::Work,
    write_result::Ending,
};
use crate::model::{address::quote, report::Verdict};

/// What came of an apply.
pub(super) struct Applied {
    /// How each job ended, in their order.
    pub endings: Vec<Ending>,
    /// Directories that were made.
    pub made: BTreeSet<Vec<u8>>,
    /// Directories that were made at some time, and are gone.
    pub unmade: BTreeSet<Vec<u8>>,
}

/// Makes the changes: what is in the way goes first, then directories from the
/// top down, files, links, permissions of directories from the bottom up, and
/// at the very end, if nothing failed, what is to be deleted.
pub(super) fn apply(work: &Work<'_>, jobs: &[Job<'_>]) -> Applied {
    let mut course = ApplyRun::new(work, jobs);
    course.refuse();
    course.check_space();
    course.make_way();
    directories::make(&mut course);
    course.write(|body| matches!(body, Body::File(_) | Body::Secret(_)));
    course.touch();
    course.write(|body| matches!(body, Body::Link(_)));
    directories::finish(&mut course);
    course.sync();
    course.delete();
    course.sync();
    let ApplyRun { endings, made, unmade, .. } = course;
    let endings = endings.into_iter().map(|ending| ending.unwrap_or_else(Ending::stopped)).collect();
    Applied { endings, made, unmade }
}

/// An apply on its way.
pub(super) struct ApplyRun<'a> {
    pub work: &'a Work<'a>,
    pub jobs: &'a [Job<'a>],
    by_path: HashMap<&'a [u8], &'a Job<'a>>,
    /// Directories that something is to be written into.
    needed: HashSet<&'a [u8]>,
    endings: Vec<Option<Ending>>,
    /// Directories that were made.
    pub made: BTreeSet<Vec<u8>>,
    /// Directories that were made at some time, and are gone.
    pub unmade: BTreeSet<Vec<u8>>,
    /// Directories whose names are not known to be on disk.
    pub dirty: BTreeSet<Vec<u8>>,
    /// Directories that could not be made, and why.
    pub blocked: BTreeMap<Vec<u8>, String>,
}

impl<'a> ApplyRun<'a> {
    fn new(work: &'a Work<'a>, jobs: &'a [Job<'a>]) -> Self {
        ApplyRun {
            work,
            jobs,
            by_path: jobs.iter().map(|job| (job.path.as_slice(), job)).collect(),
            needed: HashSet::new(),
            endings: vec![None; jobs.len()],
            made: BTreeSet::new(),
            unmade: BTreeSet::new(),
            dirty: BTreeSet::new(),
            blocked: BTreeMap::new(),
        }
    }

    /// The jobs that did not end yet.
    pub(super) fn open(&self) -> impl Iterator<Item = &'a Job<'a>> {
        self.jobs.iter().filter(|job| self.endings[job.index].is_none())
    }

    /// Tells and notes how `job` ended.
    pub(super) fn end(&mut self, job: &Job<'_>, ending: Ending) {
        self.work.tell(job, &ending);
        self.note(job, ending);
    }

    fn note(&mut self, job: &Job<'_>, ending: Ending) {
        if ending.verdict == Verdict::Done {
            self.dirty.insert(names::split(&job.path).0.to_vec());
        }
        self.endings[job.index] = Some(ending);
    }

    /// Why nothing can be done at `path`, if a directory above it could not be made.
    pub(super) fn blocked(&self, path: &[u8]) -> Option<Ending> {
        let (above, why) = names::ancestors(path).find_map(|above| self.blocked.get_key_value(above))?;
        Some(Ending::not_attempted(&format!("its directory `{}` could not be made: {why}", quote(above))))
    }

    fn refuse(&mut self) {
        for job in self.jobs {
            match &job.task {
                Task::Keep => {
                    self.endings[job.index] =
                        Some(Ending { verdict: Verdict::Skipped, error: None, written: None });
                }
                Task::Refuse(why) => self.end(job, Ending::wrong(why)),
                _ => {}
            }
        }
    }

    /// Nothing is begun that the disk cannot hold. The old content of a file
    /// goes only after the new is there, hence the batch on top.
    fn check_space(&mut self) {
        let (mut more, mut less) = (0, 0);
        for job in self.open() {
            if let Task::Write(form) = &job.task {
                more += stage::size(self.work, form);
                less += stage::size_before(job);
            }
        }
        let needed = more.saturating_sub(less).max(more.min(batch::BYTES));
        let Ok(free) = self.work.root.free_space() else { return };
        if needed <= free {
            return;
        }
        let why = format!("no space left on the file system: {needed} bytes are needed, {free} are free");
        for job in self.open().filter(|job| matches!(job.task, Task::Write(_))).collect::<Vec<_>>() {
            self.end(job, Ending::wrong(&why));
        }
    }

    /// Removes what stands where something of another type is to be: files on
    /// the way to a path, and what is in a directory that becomes a file.
    fn make_way(&mut self) {
        let mut files = BTreeSet::new();
        for job in self.open().collect::<Vec<_>>() {
            match &job.task {
                Task::Write(_) if job.before().is_none() || job.was_directory() => {
                    files.insert(job.path.as_slice());
                }
                Task::Write(_) | Task::Directory(_) => {}
                _ => continue,
            }
            self.needed.extend(names::ancestors(&job.path));
        }
        let path_error = |path: &[u8]| {
            self.needed.contains(path) || names::ancestors(path).any(|above| files.contains(above))
        };
        let deletes: Vec<_> =
            self.open().filter(|job| job.task == Task::Delete && path_error(&job.path)).collect();
        self.remove(deletes);
        for file in files {
            self.unmake_all(file);
        }
    }

    /// Removes the directories at and below `path` that trueup made, if they
    /// are empty. One that the plan saw at `path` makes way when it is replaced.
    fn unmake_all(&mut self, path: &[u8]) {
        let Some(ledger) = self.work.site.remembered().map(|stored| &stored.ledger) else { return };
        let is_replaced = self.by_path.get(path).is_some_and(|job| job.was_directory());
        let inside = |made: &&Vec<u8>| {
            *made == path && !is_replaced || names::ancestors(made).any(|above| above == path)
        };
        // Those inside sort behind those around them.
        for made in ledger.made.iter().filter(inside).collect::<Vec<_>>().into_iter().rev() {
            self.unmake(made);
        }
    }

    fn unmake(&mut self, path: &[u8]) -> bool {
        let (above, name) = names::split(path);
        let removed = self.work.root.writable(above).is_ok_and(|dir| dir.rmdir(name).is_ok());
        if removed {
            self.made.remove(path);
            self.unmade.insert(path.to_vec());
            self.dirty.remove(path);
            self.dirty.insert(above.to_vec());
        }
        removed
    }

    /// Whether a directory is looked after by itself, or something is to be written into it.
    fn is_wanted(&self, path: &[u8]) -> bool {
        if self.needed.contains(path) {
            return true;
        }
        if let Some(job) = self.by_path.get(path) {
            return job.task != Task::Delete;
        }
        let (site, address) = (self.work.site, directory_address(path));
        // One that was not looked at this time is still what it was.
        let entry = || site.remembered()?.ledger.get(&address)?.form.as_ref();
        match site.seen.get(&address) {
            Some(seen) => seen.declared,
            None => entry().is_some_and(|form| form.body == Body::Directory),
        }
    }

    fn write(&mut self, is_meant: impl Fn(&Body) -> bool) {
        let mut jobs: Vec<&Job<'_>> = self
            .open()
            .filter(|job| matches!(&job.task, Task::Write(form) if is_meant(&form.body)))
            .collect();
        jobs.retain(|job| match self.blocked(&job.path) {
            Some(ending) => {
                self.end(job, ending);
                false
            }
            None => true,
        });
        jobs.sort_unstable_by_key(|job| names::split(&job.path));
        for batch in batch::cut(self.work, &jobs) {
            for (job, ending) in batch::write(self.work, batch) {
                self.note(job, ending);
            }
        }
    }

    fn touch(&mut self) {
        for job in self.open().collect::<Vec<_>>() {
            let Task::Touch(form) = &job.task else { continue };
            if self.work.is_stopped() {
                return;
            }
            self.work.begin(job);
            let ending = match self.work.root.writable(names::split(&job.path).0) {
                Ok(dir) => swap::touch(self.work, job, form, &dir),
                Err(obstacle) => path_error(&obstacle),
            };
            self.end(job, ending);
        }
    }

    fn delete(&mut self) {
        let deletes: Vec<_> = self.open().filter(|job| job.task == Task::Delete).collect();
        let failed = self.endings.iter().flatten().any(Ending::is_failure);
        if failed || self.work.is_stopped() || deletes.len() < self.open().count() {
            for job in deletes {
                let why =
                    if failed { "nothing is deleted after a failure" } else { "the run was told to stop" };
                self.end(job, Ending::not_attempted(why));
            }
            return;
        }
        self.remove(deletes);
    }

    /// Removes from the bottom up, and the directories that trueup made and that become empty.
    fn remove(&mut self, mut deletes: Vec<&'a Job<'a>>) {
        deletes.sort_unstable_by(|one, other| other.path.cmp(&one.path));
        for job in deletes {
            if self.work.is_stopped() {
                return;
            }
            self.work.begin(job);
            let ending = match self.work.root.writable(names::split(&job.path).0) {
                Ok(dir) => swap::remove(self.work, job, &dir),
                Err(Obstacle::Missing) => Ending::done(None),
                Err(obstacle) => path_error(&obstacle),
            };
            let done = !ending.is_failure();
            self.end(job, ending);
            if done {
                self.unmake_above(&job.path);
            }
        }
    }

    fn unmake_above(&mut self, path: &[u8]) {
        let ledger = self.work.site.remembered().map(|stored| &stored.ledger);
        for above in names::ancestors(path) {
            let ours = self.made.contains(above) || ledger.is_some_and(|ledger| ledger.made.contains(above));
            if !ours || self.is_wanted(above) || !self.unmake(above) {
                return;
            }
        }
    }

    /// Waits until every name that was written is on disk. Until then nobody
    /// can say what a power cut would leave.
    fn sync(&mut self) {
        let dirty = std::mem::take(&mut self.dirty);
        if dirty.is_empty() || sync::names(self.work, &dirty).is_ok() {
            return;
        }
        for job in self.jobs {
            if let Some(ending) = &mut self.endings[job.index]
                && ending.verdict == Verdict::Done
            {
                *ending = Ending::uncertain("it was written, and the disk did not confirm it");
                self.work.tell(job, ending);
            }
        }
    }
}

/// The ending of a job whose directory cannot be reached.
pub(super) fn path_error(obstacle: &Obstacle) -> Ending {
    match obstacle {
        Obstacle::Failed(errno, _) => Ending::failed("opening its directory", *errno),
        Obstacle::Missing => Ending::stale("its directory was removed after the plan was made"),
        Obstacle::Link(_) | Obstacle::NotDirectory(_) => {
            Ending::stale(&errno::obstacle(obstacle).map_or_else(String::new, |(_, words)| words))
        }
    }
}
