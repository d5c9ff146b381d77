//! A closer look at objects that may differ: the server says what an apply would make of each.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Result;
use futures_util::{StreamExt as _, stream};

use super::{
    prediction::{examine, not_yet},
    preview_input::{Coming, PreviewInput, case},
};
use crate::{
    model::{
        change::ThreeWay, diff::Candidate, explain::Reason, ignore::Ignored, object::Cause, value::Value,
    },
    providers::kubernetes::{
        audit::field_writers::Writers,
        manifest::names::{Kind, Name, kinds_of},
        observe::{cluster::Cluster, lists::PARALLEL},
    },
};

/// What was found out about one candidate.
#[derive(Default)]
pub struct Preview {
    pub sides: Option<ThreeWay<Value>>,
    /// Why it cannot be changed in place.
    pub replace: Option<String>,
    /// What apply would claim although the content stays.
    pub claim: Option<String>,
    /// Why it stays although it is not declared any more.
    pub release: Option<String>,
    /// Another target of the checkout applied it.
    pub transferred: bool,
    pub unknown: Option<(Cause, String)>,
    pub notes: Vec<String>,
    /// What it rests on.
    pub said: Vec<Reason>,
    pub writers: Writers,
    /// How many objects of others would go with it.
    pub cascade: usize,
    /// What is left to others.
    pub ignored: Option<Vec<Ignored>>,
    /// What the server has, where it was not known before.
    pub live: Option<Arc<Value>>,
}

/// Completes candidates, several at a time.
pub fn complete(cluster: &mut Cluster, candidates: &mut [Candidate]) -> Result<()> {
    for candidate in candidates.iter() {
        if let Some(seen) = cluster.seen.get_mut(&candidate.address) {
            seen.config = candidate.sides.desired.clone();
            seen.base = candidate.sides.base.clone().map(|base| in_version_of(base, seen.config.as_ref()));
        }
    }
    let coming = Coming::of(cluster);
    let cases: Vec<(usize, PreviewInput)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, candidate)| Some((index, case(cluster, &coming, candidate)?)))
        .collect();
    let findings = findings(cluster, cases);
    for (index, finding) in findings {
        let candidate = &mut candidates[index];
        if let Some(reasons) = cluster.reasons.get_mut(&candidate.address) {
            reasons.extend(finding.said);
        }
        if let (Some(live), Some(seen)) = (finding.live, cluster.seen.get_mut(&candidate.address)) {
            seen.live = Some(live);
        }
        candidate.unknown = finding.unknown;
        if let Some(sides) = finding.sides {
            candidate.sides = sides;
        }
        candidate.replace = finding.replace;
        candidate.claim = finding.claim;
        candidate.release = finding.release;
        candidate.transferred = finding.transferred;
        candidate.writer = finding.writers.last;
        candidate.writers = finding.writers.each;
        candidate.cascade = finding.cascade;
        candidate.ignored = finding.ignored;
        candidate.notes.extend(finding.notes);
        candidate.notes.extend(finding.writers.notes);
    }
    Ok(())
}

/// A base in the version that is declared now: which one it was written in is no difference.
fn in_version_of(mut base: Value, config: Option<&Value>) -> Value {
    let version = config.and_then(|config| config.get("apiVersion"));
    if let (Value::Map(map), Some(version)) = (&mut base, version) {
        Arc::make_mut(map).insert("apiVersion".into(), version.clone());
    }
    base
}

/// Finds out about every case. What is in a namespace or of a kind that is only coming is not asked for: the
/// server could say nothing else than that. It is said once, with the namespace or the definition of the kind.
fn findings(cluster: &Cluster, cases: Vec<(usize, PreviewInput)>) -> Vec<(usize, Preview)> {
    let (hosts, cases): (Vec<_>, Vec<_>) = cases.into_iter().partition(|(_, case)| !brings(case).is_empty());
    let brought: BTreeMap<usize, Vec<Place>> =
        hosts.iter().map(|(index, case)| (*index, brings(case))).collect();
    let mut findings = ask(cluster, hosts);
    let created = findings.iter().filter(|(_, finding)| finding.creates()).map(|(index, _)| *index);
    let coming: BTreeMap<&Place, usize> =
        created.flat_map(|index| brought[&index].iter().map(move |place| (place, index))).collect();
    // How many objects are declared in what each of them brings.
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut inside = Vec::new();
    let mut askable = Vec::with_capacity(cases.len());
    for (index, case) in cases {
        let place = place(&case);
        match (place.as_ref().and_then(|place| coming.get(place)), &case.seen.config) {
            (Some(host), Some(config)) => {
                *counts.entry(*host).or_default() += 1;
                let what = if case.seen.path.is_some() { "its namespace is" } else { "its kind is" };
                inside.push((index, Preview { notes: Vec::new(), ..not_yet(&case, config, what) }));
            }
            _ => askable.push((index, case)),
        }
    }
    for (index, finding) in &mut findings {
        finding.notes.extend(counts.get(index).map(|count| unchecked(*count, &brought[index][0])));
    }
    findings.extend(inside);
    findings.extend(ask(cluster, askable));
    findings
}

/// What has to be there before an object can be.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Namespace(String),
    Kind(Kind),
}

/// What others wait for that an object brings.
fn brings(case: &PreviewInput) -> Vec<Place> {
    let Name { kind, name, .. } = &*case.seen.name;
    match &case.seen.config {
        _ if kind.is_core("Namespace") => vec![Place::Namespace(name.clone())],
        Some(definition) if kind.is_crd() => kinds_of(definition).into_iter().map(Place::Kind).collect(),
        _ => Vec::new(),
    }
}

/// What an object waits for, if it is not there: its kind, where that is not known yet, else its namespace.
fn place(case: &PreviewInput) -> Option<Place> {
    let Name { kind, namespace, .. } = &*case.seen.name;
    match case.seen.path {
        None => Some(Place::Kind(kind.clone())),
        Some(_) => namespace.clone().map(Place::Namespace),
    }
}

/// The remark on what is only coming, with `count` objects declared in it.
fn unchecked(count: usize, place: &Place) -> String {
    let objects = if count == 1 { "1 object".to_owned() } else { format!("{count} objects") };
    let of = match place {
        Place::Namespace(_) => "in it",
        Place::Kind(_) => "of its kind",
    };
    format!("it is not there yet: the server did not check the {objects} declared {of}")
}

/// Asks the server about several cases at a time.
fn ask(cluster: &Cluster, cases: Vec<(usize, PreviewInput)>) -> Vec<(usize, Preview)> {
    let looking = &cluster.looking;
    cluster.runtime.block_on(async {
        stream::iter(cases)
            .map(|(index, case)| {
                let looking = looking.clone();
                async move {
                    let task = tokio::spawn(async move { examine(&looking, &case).await });
                    let broken = |error: tokio::task::JoinError| Preview {
                        unknown: Some((Cause::Other, format!("looking at it: {error}"))),
                        ..Preview::default()
                    };
                    (index, task.await.unwrap_or_else(broken))
                }
            })
            .buffer_unordered(PARALLEL)
            .collect()
            .await
    })
}

impl Preview {
    /// Whether the server says that the object is not there and would be made.
    fn creates(&self) -> bool {
        let sides = self.sides.as_ref();
        self.unknown.is_none() && sides.is_some_and(|sides| sides.desired.is_some() && sides.actual.is_none())
    }
}
