//! One cluster, as far as it was read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Result;
use globset::GlobSet;
use tokio::runtime::Runtime;

use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::Change,
        diff::Candidate,
        explain::{Cost, Reason},
        object::Actual,
        record::StoredRecord,
        tree::Contents,
        user_error::UserError,
        value::Value,
    },
    providers::{
        Log, Query, Reader, Target,
        evidence::Reasons,
        kubernetes::{
            apply::record::{self, Place},
            client::{
                connect,
                discovery::{self, Discovery},
                listing::Ahead,
                transport::ReadClient,
            },
            manifest::names::{Kind, Name},
            options::{self, Options},
            ownership::{ignore_rules::Ignoring, takeover::Predecessors},
        },
    },
};

/// A cluster that is only read.
pub struct Cluster {
    pub options: Options,
    pub runtime: Arc<Runtime>,
    pub looking: ReadClient,
    /// Where the record is.
    pub place: Place,
    /// The other targets of the checkout that may apply here, with the labels of their sets.
    pub siblings: Arc<[(String, String)]>,
    /// Which field managers stand for people.
    pub human_field_managers: Arc<GlobSet>,
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
pub struct About {
    /// Its kinds.
    pub discovery: Arc<Discovery>,
    /// The uid of its `kube-system` namespace, if it may be read.
    pub uid: Option<String>,
}

/// One object that was asked for.
#[derive(Clone)]
pub struct Seen {
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
    pub fn open(target: &Target) -> Result<Cluster> {
        let options = options::of(target)?;
        let runtime = connect::runtime()?;
        let looking = connect::for_reading(&runtime, target, &options)?;
        Cluster::over(target, options, Arc::new(runtime), looking)
    }

    /// The cluster behind a connection.
    pub fn over(
        target: &Target,
        options: Options,
        runtime: Arc<Runtime>,
        looking: ReadClient,
    ) -> Result<Cluster> {
        let place = Place::of(target, &options)?;
        Ok(Cluster {
            human_field_managers: Arc::new(options.human_field_managers()?),
            predecessors: Arc::new(options.predecessors()?),
            siblings: siblings(target, &place)?,
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
    pub fn about(&self) -> Result<&About> {
        self.about.as_ref().ok_or_else(|| {
            UserError::new(Exit::Error, "the cluster was asked for its objects before its memory").into()
        })
    }

    fn check_cluster(
        &self,
        found: Result<String, crate::providers::kubernetes::client::failure::Failure>,
    ) -> Result<Option<String>> {
        match (&self.options.expect_id, found) {
            (None, found) => Ok(found.ok()),
            (Some(wanted), Ok(uid)) if *wanted == uid => Ok(Some(uid)),
            (Some(wanted), Ok(uid)) => {
                let message = format!(
                    "this is another cluster: its `kube-system` has the uid {uid}, and `expect-id` is {wanted}"
                );
                Err(UserError::new(Exit::BadConfig, message).hint("check `context` and `kubeconfig`").into())
            }
            (Some(_), Err(failure)) => Err(failure.fault("reading the uid that `expect-id` names").into()),
        }
    }
}

/// The sets of other targets than this one.
fn siblings(target: &Target, place: &Place) -> Result<Arc<[(String, String)]>> {
    let label = |sibling: &Target| {
        let label = Place::of(sibling, &options::of(sibling)?)?.label().to_owned();
        Ok((sibling.name.clone(), label))
    };
    let labels = target.siblings.iter().map(label).collect::<Result<Vec<_>>>()?;
    Ok(labels.into_iter().filter(|(_, label)| label != place.label()).collect())
}

impl Reader for Cluster {
    fn id(&self) -> String {
        let uid = self.about.as_ref().and_then(|about| about.uid.as_deref()).unwrap_or("of unknown id");
        format!("kubernetes {uid} {}", self.place)
    }

    fn memory(&mut self) -> Result<StoredRecord> {
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
        let uid = uid.map(|answer| {
            crate::providers::kubernetes::ownership::ownership_labels::metadata(&answer.value, "uid")
                .unwrap_or_default()
                .to_owned()
        });
        let uid = self.check_cluster(uid)?;
        self.about = Some(About { discovery: Arc::new(discovery), uid });
        match parent {
            Ok(answer) => record::read(&self.place, &answer.value),
            Err(failure) if failure.code() == 404 => Ok(StoredRecord::default()),
            Err(failure) => Err(failure.fault(&format!("reading the record `{}`", self.place)).into()),
        }
    }

    fn prefetch(&mut self, memory: &StoredRecord) {
        super::lists::prefetch(self, memory);
    }

    fn observe(&mut self, query: &Query<'_>) -> Result<Actual> {
        super::lists::observe(self, query)
    }

    fn complete(&mut self, candidates: &mut [Candidate], _: &dyn Contents) -> Result<()> {
        crate::providers::kubernetes::preview::candidates::complete(self, candidates)
    }

    fn explain(&self, address: &Address) -> Vec<Reason> {
        self.reasons.get(address).cloned().unwrap_or_default()
    }

    fn attribute_from_audit(
        &self,
        logs: &mut [Log],
        changes: &mut [Change],
        since: Option<&str>,
    ) -> Result<Vec<String>> {
        crate::providers::kubernetes::audit::audit_actors::attribute_from_audit(self, logs, changes, since)
    }

    fn cost(&self) -> Option<Cost> {
        let kinds: BTreeSet<_> = self.seen.values().map(|seen| &seen.name.kind).collect();
        Some(self.looking.meter().cost(kinds.len()))
    }
}
