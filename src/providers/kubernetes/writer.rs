//! A cluster that is written: lock, changes, record.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;

use super::{
    apply,
    cluster::Cluster,
    connect,
    lock::Lock,
    memory, options,
    transport::{Force, Writing},
};
use crate::{
    model::{
        address::Address,
        change::Change,
        diff::Candidate,
        digest::Digest,
        object::Actual,
        record::{Memory, Record, Who},
        report::Outcome,
        tree::Contents,
    },
    providers::{Query, Reader, Run, Target, Writer},
};

/// A cluster that may be written.
pub(super) struct Applier {
    // Dropped first, while the connection is still there.
    lock: Option<Lock>,
    cluster: Cluster,
    writing: Writing,
}

impl Applier {
    /// Connects for an apply.
    pub(super) fn open(target: &Target) -> Result<Applier> {
        let options = options::of(target)?;
        let runtime = connect::runtime()?;
        let writing = connect::for_writing(&runtime, target, &options)?;
        let cluster = Cluster::over(target, options, Arc::new(runtime), writing.looking().clone())?;
        Ok(Applier { lock: None, cluster, writing })
    }
}

impl Reader for Applier {
    fn id(&self) -> String {
        self.cluster.id()
    }

    fn memory(&mut self) -> Result<Memory> {
        self.cluster.memory()
    }

    fn observe(&mut self, query: &Query<'_>) -> Result<Actual> {
        self.cluster.observe(query)
    }

    fn complete(&mut self, candidates: &mut [Candidate], contents: &dyn Contents) -> Result<()> {
        self.cluster.complete(candidates, contents)
    }
}

impl Writer for Applier {
    fn reader(&mut self) -> &mut dyn Reader {
        self
    }

    fn lock(&mut self, who: &Who, patience: Duration) -> Result<()> {
        let place = &self.cluster.place;
        self.lock = Some(Lock::take(&self.cluster.runtime, &self.writing, place, who, patience)?);
        Ok(())
    }

    fn apply(&mut self, changes: &[&Change], run: &Run<'_>) -> Vec<Outcome> {
        let lost = || self.lock.as_ref().is_some_and(Lock::is_lost);
        apply::apply(&self.cluster, &self.writing, changes, run, &lost)
    }

    fn save(&mut self, record: &Record, owned: &BTreeMap<Address, Option<Digest>>) -> Result<()> {
        let place = &self.cluster.place;
        let parent = memory::write(place, record, owned)?;
        let path = place.path();
        self.cluster
            .runtime
            .block_on(self.writing.apply(&path, &parent, Force::Yes))
            .map(drop)
            .map_err(|failure| failure.fault(&format!("writing the record `{place}`")).into())
    }
}
