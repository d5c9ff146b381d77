//! One cluster, as far as it was read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Result;
use globset::GlobSet;
use tokio::runtime::Runtime;

use super::{
    connect,
    discovery::{self, Discovery},
    ignoring::Ignoring,
    listing::Ahead,
    memory::{self, Place},
    names::{Kind, Name},
    options::{self, Options},
    takeover::Predecessors,
    transport::Looking,
};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::Change,
        diff::Candidate,
        explain::{Cost, Reason},
        fault::Fault,
        object::Actual,
        record::Memory,
        tree::Contents,
        value::Value,
    },
    providers::{Log, Query, Reader, Target, evidence::Reasons},
};

/// A cluster that is only read.
pub(super) struct Cluster {
    pub options: Options,
    pub runtime: Arc<Runtime>,
    pub looking: Looking,
    /// Where the record is.
    pub place: Place,
    /// Which field managers stand for people.
    pub humans: Arc<GlobSet>,
    /// Whose fields become ours.
    pub predecessors: Arc<Predecessors>,
    /// What is left to others; known once a plan asked.
    pub ignoring: Ignoring,
    /// Known once the memory was read.
    pub about: Option<About>,
    /// Lists that were asked for before anybody wanted them.
    pub ahead: BTreeMap<Kind, Ahead>,
    /// What the last observation found, where a closer look or a write may follow.
    pub seen: BTreeMap<Address, Seen>,
    /// The reasons of what is to be explained.
    pub reasons: Reasons,
}

/// What the first requests found out.
pub(super) struct About {
    /// Its kinds.
    pub discovery: Arc<Discovery>,
    /// The uid of its `kube-system` namespace, if it may be read.
    pub uid: Option<String>,
}

/// One object that was asked for.
#[derive(Clone)]
pub(super) struct Seen {
    /// Which.
    pub name: Arc<Name>,
    /// The path of its requests; none if its kind is not there yet.
    pub path: Option<String>,
    /// What the server has, if it was among what is ours.
    pub live: Option<Arc<Value>>,
    /// What is declared, in normal form.
    pub config: Option<Value>,
    /// What was declared when it was applied last, once it was looked at closely.
    pub base: Option<Value>,
}

impl Cluster {
    /// Connects for reading.
    pub(super) fn open(target: &Target) -> Result<Cluster> {
        let options = options::of(target)?;
        let runtime = connect::runtime()?;
        let looking = connect::for_reading(&runtime, target, &options)?;
        Cluster::over(target, options, Arc::new(runtime), looking)
    }

    /// The cluster behind a connection.
    pub(super) fn over(
        target: &Target,
        options: Options,
        runtime: Arc<Runtime>,
        looking: Looking,
    ) -> Result<Cluster> {
        let place = Place::of(target, &options)?;
        Ok(Cluster {
            humans: Arc::new(options.humans()?),
            predecessors: Arc::new(options.predecessors()?),
            options,
            runtime,
            looking,
            place,
            about: None,
            ahead: BTreeMap::new(),
            seen: BTreeMap::new(),
            ignoring: Ignoring::default(),
            reasons: Reasons::new(),
        })
    }

    /// What the first requests found out.
    pub(super) fn about(&self) -> Result<&About> {
        self.about.as_ref().ok_or_else(|| {
            Fault::new(Exit::Error, "the cluster was asked for its objects before its memory").into()
        })
    }

    fn check_cluster(&self, found: Result<String, super::failure::Failure>) -> Result<Option<String>> {
        match (&self.options.expect_id, found) {
            (None, found) => Ok(found.ok()),
            (Some(wanted), Ok(uid)) if *wanted == uid => Ok(Some(uid)),
            (Some(wanted), Ok(uid)) => {
                let message = format!(
                    "this is another cluster: its `kube-system` has the uid {uid}, and `expect-id` is {wanted}"
                );
                Err(Fault::new(Exit::BadConfig, message).hint("check `context` and `kubeconfig`").into())
            }
            (Some(_), Err(failure)) => Err(failure.fault("reading the uid that `expect-id` names").into()),
        }
    }
}

impl Reader for Cluster {
    fn id(&self) -> String {
        let uid = self.about.as_ref().and_then(|about| about.uid.as_deref()).unwrap_or("of unknown id");
        format!("kubernetes {uid} {}", self.place)
    }

    fn memory(&mut self) -> Result<Memory> {
        let looking = self.looking.clone();
        let path = self.place.path();
        let (found, uid, parent) = self.runtime.block_on(async {
            tokio::join!(
                discovery::discover(&looking),
                looking.get("/api/v1/namespaces/kube-system"),
                looking.get(&path)
            )
        });
        let discovery = found.map_err(|failure| failure.fault("asking the cluster for its kinds"))?;
        let uid =
            uid.map(|answer| super::marks::metadata(&answer.value, "uid").unwrap_or_default().to_owned());
        let uid = self.check_cluster(uid)?;
        self.about = Some(About { discovery: Arc::new(discovery), uid });
        match parent {
            Ok(answer) => memory::read(&self.place, &answer.value),
            Err(failure) if failure.code() == 404 => Ok(Memory::default()),
            Err(failure) => Err(failure.fault(&format!("reading the record `{}`", self.place)).into()),
        }
    }

    fn anticipate(&mut self, memory: &Memory) {
        super::observe::anticipate(self, memory);
    }

    fn observe(&mut self, query: &Query<'_>) -> Result<Actual> {
        super::observe::observe(self, query)
    }

    fn complete(&mut self, candidates: &mut [Candidate], _: &dyn Contents) -> Result<()> {
        super::examine::complete(self, candidates)
    }

    fn explain(&self, address: &Address) -> Vec<Reason> {
        self.reasons.get(address).cloned().unwrap_or_default()
    }

    fn testify(&self, logs: &mut [Log], changes: &mut [Change], since: Option<&str>) -> Result<Vec<String>> {
        super::persons::testify(self, logs, changes, since)
    }

    fn cost(&self) -> Option<Cost> {
        let kinds: BTreeSet<_> = self.seen.values().map(|seen| &seen.name.kind).collect();
        Some(self.looking.meter().cost(kinds.len()))
    }
}
