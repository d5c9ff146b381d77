//! A cluster that is written: lock, changes, record.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    lock::{Lock, PACE},
    record, record_namespace, release, run, wait,
};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::Change,
        diff::Candidate,
        digest::Digest,
        explain::{Cost, Reason},
        object::Actual,
        record::{Record, StoredRecord, Who},
        report::Outcome,
        tree::Contents,
        user_error::UserError,
    },
    providers::{
        Log, Query, Reader, Run, Target, Writer,
        kubernetes::{
            client::{
                connect,
                transport::{Force, WriteClient},
            },
            observe::cluster::Cluster,
            options,
        },
    },
};

/// A cluster that may be written.
pub struct Applier {
    // Dropped first, while the connection is still there.
    lock: Option<Lock>,
    /// Who takes the lock once there is a place for it.
    waiting: Option<Who>,
    cluster: Cluster,
    writing: WriteClient,
    /// When waiting ends, once it began.
    until: Option<Instant>,
}

impl Applier {
    /// Connects for an apply.
    pub fn open(target: &Target) -> Result<Applier> {
        let options = options::of(target)?;
        let runtime = connect::runtime()?;
        let writing = connect::for_writing(&runtime, target, &options)?;
        let cluster = Cluster::over(target, options, Arc::new(runtime), writing.looking().clone())?;
        Ok(Applier { lock: None, waiting: None, cluster, writing, until: None })
    }
}

impl Reader for Applier {
    fn id(&self) -> String {
        self.cluster.id()
    }

    fn memory(&mut self) -> Result<StoredRecord> {
        self.cluster.memory()
    }

    fn prefetch(&mut self, memory: &StoredRecord) {
        self.cluster.prefetch(memory);
    }

    fn observe(&mut self, query: &Query<'_>) -> Result<Actual> {
        self.cluster.observe(query)
    }

    fn complete(&mut self, candidates: &mut [Candidate], contents: &dyn Contents) -> Result<()> {
        self.cluster.complete(candidates, contents)
    }

    fn explain(&self, address: &Address) -> Vec<Reason> {
        self.cluster.explain(address)
    }

    fn attribute_from_audit(
        &self,
        logs: &mut [Log],
        changes: &mut [Change],
        since: Option<&str>,
    ) -> Result<Vec<String>> {
        self.cluster.attribute_from_audit(logs, changes, since)
    }

    fn cost(&self) -> Option<Cost> {
        self.cluster.cost()
    }
}

impl Writer for Applier {
    fn reader(&mut self) -> &mut dyn Reader {
        self
    }

    fn release(&self) -> Option<Box<dyn Fn() + Send>> {
        self.lock.as_ref().map(Lock::release)
    }

    fn lock(&mut self, who: &Who, patience: Duration) -> Result<()> {
        let place = &self.cluster.place;
        self.lock = Lock::take(&self.cluster.runtime, &self.writing, place, who, (patience, PACE))?;
        self.waiting = self.lock.is_none().then(|| who.clone());
        Ok(())
    }

    fn apply(&mut self, changes: &[&Change], run: &Run<'_>) -> Vec<Outcome> {
        let lost = || self.lock.as_ref().and_then(Lock::lost);
        run::apply(&self.cluster, &self.writing, changes, run, &lost, &mut self.until)
    }

    fn let_go(&mut self, changes: &[&Change]) -> Vec<Outcome> {
        let lost = || self.lock.as_ref().and_then(Lock::lost);
        release::release(&self.cluster, &self.writing, changes, &lost)
    }

    fn wait(&mut self, addresses: &[&Address], run: &Run<'_>) -> Vec<(Address, String)> {
        let Some(patience) = wait::patience(&self.cluster, run).filter(|_| !addresses.is_empty()) else {
            return Vec::new();
        };
        let until = *self.until.get_or_insert_with(|| Instant::now() + patience);
        let waited = wait::wait(&self.cluster, addresses.iter().copied(), until, run);
        self.cluster.runtime.block_on(waited)
    }

    fn save(&mut self, record: &Record, owned: &BTreeMap<Address, Option<Digest>>) -> Result<()> {
        if let Some(who) = self.waiting.take() {
            record_namespace::make(&mut self.cluster, &self.writing, record)?;
            self.lock(&who, Duration::ZERO)?;
            if self.lock.is_none() {
                return Err(record_namespace::missing(&self.cluster.place).into());
            }
        }
        if let Some(why) = self.lock.as_ref().and_then(Lock::lost) {
            let message = format!("{why}; the record is left to whoever has it now");
            return Err(UserError::new(Exit::Locked, message).hint("plan and apply again").into());
        }
        let place = &self.cluster.place;
        let parent = record::write(place, record, owned)?;
        let path = place.path();
        self.cluster
            .runtime
            .block_on(self.writing.apply(&path, &parent, Force::Yes))
            .map(drop)
            .map_err(|failure| failure.fault(&format!("writing the record `{place}`")).into())
    }
}
