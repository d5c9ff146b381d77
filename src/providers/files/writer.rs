//! An open target that may be written.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};

use super::{
    apply,
    attributes::umask,
    confined_dir::writable::WritableDir,
    confirm,
    fingerprint::nanos,
    inventory::Ledger,
    job::Job,
    keep::{self, Written},
    lock::Lock,
    memory::{Home, Stored},
    storage,
    target::FilesTarget,
    work::Work,
    write_result::Ending,
};
use crate::{
    model::{
        address::Address,
        change::Change,
        digest::Digest,
        explain::Reason,
        object::Actual,
        record::{Record, StoredRecord, Who},
        report::{Outcome, Verdict},
        tree::Contents,
    },
    providers::{Candidate, Query, Reader, Run, Target, Writer},
};

/// An open target that may be written once it is locked.
pub(super) struct WritableSite {
    site: FilesTarget,
    umask: u32,
    lock: Option<Lock>,
    /// The id of the apply that runs.
    attempt: Option<String>,
    written: HashMap<Address, Written>,
    /// The directories that trueup made, if an apply changed them.
    made: Option<BTreeSet<Vec<u8>>>,
}

impl WritableSite {
    /// Opens the target. Nothing is written before it is locked.
    pub(super) fn open(target: &Target) -> Result<WritableSite> {
        let mut site = FilesTarget::open(target)?;
        site.keeps = true;
        Ok(WritableSite {
            site,
            umask: umask(),
            lock: None,
            attempt: None,
            written: HashMap::new(),
            made: None,
        })
    }

    fn root(&self) -> Result<WritableDir> {
        let lock = self.lock.as_ref().context("writing to a target that is not locked")?;
        let root = &self.site.places.root;
        WritableDir::claim(root, lock).with_context(|| format!("opening `{}`", root.display()))
    }

    fn trash(&self) -> Result<Option<WritableDir>> {
        let (Some(lock), true) = (&self.lock, self.site.places.backup) else { return Ok(None) };
        let state = &self.site.places.state;
        let opened = WritableDir::claim(state, lock);
        opened.with_context(|| format!("opening `{}`", state.display())).map(Some)
    }

    fn make(&mut self, changes: &[&Change], run: &Run<'_>) -> Result<Vec<Ending>> {
        let work =
            Work { site: &self.site, root: self.root()?, trash: self.trash()?, run, umask: self.umask };
        let jobs: Vec<Job<'_>> = changes
            .iter()
            .enumerate()
            .map(|(index, change)| Job::new(index, change, &self.site.unwanted))
            .collect();
        let applied = apply::apply(&work, &jobs);
        let prints = confirm::confirm(&work, &jobs, &applied);
        let mut written = Vec::new();
        for ((change, ending), print) in changes.iter().zip(&applied.endings).zip(prints) {
            if ending.verdict == Verdict::Done {
                let size = ending.written.as_ref().map(|identity| identity.print.size);
                written.extend(Some(change.address.clone()).zip(Written::of(change, size, print)));
            }
        }
        self.written.extend(written);
        let mut made = self.made();
        made.retain(|path| !applied.unmade.contains(path));
        made.extend(applied.made);
        self.made = Some(made);
        Ok(applied.endings)
    }

    fn made(&self) -> BTreeSet<Vec<u8>> {
        let remembered =
            || self.site.remembered().map(|stored| stored.ledger.made.clone()).unwrap_or_default();
        self.made.clone().unwrap_or_else(remembered)
    }

    /// What the memory is to be from now on.
    fn successor(
        &self,
        root: &WritableDir,
        record: &Record,
        owned: &BTreeMap<Address, Option<Digest>>,
    ) -> Result<Stored> {
        let home = Home::of(root, &self.site.places.root)?;
        let previous = self.site.remembered();
        let id = match previous {
            Some(stored) => stored.id.clone(),
            None => Stored::new(home.clone())?.id,
        };
        let mut made = self.made();
        match record.attempting {
            Some(_) => made.extend(keep::directories_to_make(root, record)),
            None => made.retain(|path| root.beneath(path).is_ok()),
        }
        let entries = keep::entries(previous, owned, &self.written, &self.site.seen);
        let written = nanos(SystemTime::now());
        Ok(Stored { id, home, written, record: Some(record.clone()), ledger: Ledger { entries, made } })
    }
}

impl Reader for WritableSite {
    fn id(&self) -> String {
        self.site.id()
    }

    fn memory(&mut self) -> Result<StoredRecord> {
        self.site.memory()
    }

    fn observe(&mut self, query: &Query<'_>) -> Result<Actual> {
        self.site.observe(query)
    }

    fn complete(&mut self, candidates: &mut [Candidate], contents: &dyn Contents) -> Result<()> {
        self.site.complete(candidates, contents)
    }

    fn explain(&self, address: &Address) -> Vec<Reason> {
        self.site.explain(address)
    }
}

impl Writer for WritableSite {
    fn reader(&mut self) -> &mut dyn Reader {
        &mut self.site
    }

    fn release(&self) -> Option<Box<dyn Fn() + Send>> {
        self.lock.as_ref().map(Lock::release)
    }

    fn lock(&mut self, who: &Who, patience: Duration) -> Result<()> {
        self.site.check_state()?;
        self.lock = Some(Lock::take(&self.site.places, who, patience)?);
        // What was read before the lock was taken may be old by now.
        self.site.forget();
        self.site.open_root()
    }

    fn apply(&mut self, changes: &[&Change], run: &Run<'_>) -> Vec<Outcome> {
        let endings = self.make(changes, run).unwrap_or_else(|error| {
            let refused = Ending::wrong(&format!("{error:#}"));
            vec![refused; changes.len()]
        });
        changes.iter().zip(endings).map(|(change, ending)| ending.outcome(change)).collect()
    }

    fn save(&mut self, record: &Record, owned: &BTreeMap<Address, Option<Digest>>) -> Result<()> {
        self.site.stored()?;
        let root = self.root()?;
        let interrupted =
            self.site.remembered().and_then(|stored| stored.record.as_ref()?.attempting.clone());
        if let Some(attempt) = interrupted.filter(|attempt| self.attempt.as_ref() != Some(&attempt.id)) {
            keep::clean(&root, &attempt);
        }
        if let Some(attempt) = &record.attempting {
            self.attempt = Some(attempt.id.clone());
        }
        let stored = self.successor(&root, record, owned)?;
        storage::store(&stored, &self.site.places.state)?;
        if record.attempting.is_some() {
            storage::reserve(&stored, &self.site.places.state);
        }
        if let Some(lock) = &mut self.lock {
            lock.keep();
        }
        self.site.remember(stored);
        Ok(())
    }
}
