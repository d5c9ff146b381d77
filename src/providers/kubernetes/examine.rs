//! A closer look at objects that may differ: the server says what an apply would make of each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Result;
use futures_util::{StreamExt as _, stream};
use globset::GlobSet;

use super::{
    attribution, cascade,
    cluster::{Cluster, Seen},
    discovery::Discovery,
    explain,
    failure::Failure,
    ignoring::Declared,
    managed::{self, applied},
    marks::{self, doubt, marked, stripped},
    names::Kind,
    observe::{PARALLEL, kinds_of},
    owners::{self, Owners},
    refused,
    sides::{self, Evidence},
    transport::{Answer, Looking},
};
use crate::model::{
    change::Sides,
    diff::Candidate,
    explain::{Basis, Reason},
    ignore::{Ignored, Rule},
    object::{Cause, Writer},
    value::Value,
};

/// How often an object that moves is looked at again.
const TRIES: usize = 5;

/// What was found out about one candidate.
#[derive(Default)]
pub(super) struct Finding {
    pub sides: Option<Sides<Value>>,
    /// Why it cannot be changed in place.
    pub replace: Option<String>,
    /// What apply would claim although the content stays.
    pub claim: Option<String>,
    pub unknown: Option<(Cause, String)>,
    pub notes: Vec<String>,
    /// What it rests on.
    pub said: Vec<Reason>,
    pub writer: Option<Writer>,
    /// How many objects of others would go with it.
    pub cascade: usize,
    /// What is left to others.
    pub ignored: Option<Vec<Ignored>>,
    /// What the server has, where it was not known before.
    pub live: Option<Arc<Value>>,
}

/// One candidate with what is known of it.
pub(super) struct Case {
    pub seen: Seen,
    pub base: Option<Value>,
    /// Ours, but nobody remembers what it was given.
    pub lost: bool,
    pub set: String,
    /// The name of the record.
    pub record: String,
    pub discovery: Arc<Discovery>,
    pub humans: Arc<GlobSet>,
    pub rules: Vec<Arc<Rule>>,
    /// The namespace is declared as well.
    pub namespace_comes: bool,
    /// The kind is declared as well.
    pub kind_comes: bool,
}

/// Completes candidates, several at a time.
pub(super) fn complete(cluster: &mut Cluster, candidates: &mut [Candidate]) -> Result<()> {
    for candidate in candidates.iter() {
        if let Some(seen) = cluster.seen.get_mut(&candidate.address) {
            seen.config = candidate.sides.desired.clone();
            seen.base = candidate.sides.base.clone().map(|base| in_version_of(base, seen.config.as_ref()));
        }
    }
    let coming = Coming::of(cluster);
    let cases: Vec<(usize, Case)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, candidate)| Some((index, case(cluster, &coming, candidate)?)))
        .collect();
    let findings = findings(cluster, cases);
    for (index, finding) in findings {
        let candidate = &mut candidates[index];
        if let Some(reasons) = cluster.reasons.get_mut(&candidate.address) {
            let seen = cluster.seen.get(&candidate.address).and_then(|seen| seen.live.as_ref());
            reasons.extend(finding.said.iter().cloned());
            reasons.extend(explain::writers(&finding, finding.live.as_ref().or(seen).map(|live| &**live)));
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
        candidate.writer = finding.writer;
        candidate.cascade = finding.cascade;
        candidate.ignored = finding.ignored;
        candidate.notes.extend(finding.notes);
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

/// Finds out about every case. What is in a namespace that is only coming is not asked for: the server could
/// say nothing else than that.
fn findings(cluster: &Cluster, cases: Vec<(usize, Case)>) -> Vec<(usize, Finding)> {
    let is_space = |(_, case): &(usize, Case)| case.seen.name.kind.is_core("Namespace");
    let (spaces, cases): (Vec<_>, Vec<_>) = cases.into_iter().partition(is_space);
    let mut names: BTreeMap<usize, String> =
        spaces.iter().map(|(index, case)| (*index, case.seen.name.name.clone())).collect();
    let mut findings = ask(cluster, spaces);
    let created = findings.iter().filter(|(_, finding)| finding.creates());
    let coming: BTreeSet<String> = created.filter_map(|(index, _)| names.remove(index)).collect();
    let mut askable = Vec::with_capacity(cases.len());
    for (index, case) in cases {
        match (case.seen.name.namespace.as_deref(), &case.seen.config) {
            (Some(namespace), Some(config)) if coming.contains(namespace) && case.seen.path.is_some() => {
                findings.push((index, not_yet(&case, config, "its namespace is")));
            }
            _ => askable.push((index, case)),
        }
    }
    findings.extend(ask(cluster, askable));
    findings
}

/// Asks the server about several cases at a time.
fn ask(cluster: &Cluster, cases: Vec<(usize, Case)>) -> Vec<(usize, Finding)> {
    let looking = &cluster.looking;
    cluster.runtime.block_on(async {
        stream::iter(cases)
            .map(|(index, case)| {
                let looking = looking.clone();
                async move {
                    let task = tokio::spawn(async move { examine(&looking, &case).await });
                    let broken = |error: tokio::task::JoinError| Finding {
                        unknown: Some((Cause::Other, format!("looking at it: {error}"))),
                        ..Finding::default()
                    };
                    (index, task.await.unwrap_or_else(broken))
                }
            })
            .buffer_unordered(PARALLEL)
            .collect()
            .await
    })
}

impl Finding {
    /// Whether the server says that the object is not there and would be made.
    fn creates(&self) -> bool {
        let sides = self.sides.as_ref();
        self.unknown.is_none() && sides.is_some_and(|sides| sides.desired.is_some() && sides.actual.is_none())
    }
}

/// What the declared objects bring that others need.
struct Coming {
    namespaces: Vec<String>,
    kinds: Vec<Kind>,
}

impl Coming {
    fn of(cluster: &Cluster) -> Coming {
        let declared = || cluster.seen.values().filter_map(|seen| Some((&seen.name, seen.config.as_ref()?)));
        Coming {
            namespaces: declared()
                .filter(|(name, _)| name.kind.is_core("Namespace"))
                .map(|(name, _)| name.name.clone())
                .collect(),
            kinds: declared()
                .filter(|(name, _)| name.kind.is_crd())
                .flat_map(|(_, definition)| kinds_of(definition))
                .collect(),
        }
    }
}

/// The case of a candidate; none if there is nothing to find out.
fn case(cluster: &Cluster, coming: &Coming, candidate: &Candidate) -> Option<Case> {
    let seen = cluster.seen.get(&candidate.address)?.clone();
    // What could not be read stays unknown; only a lost base can be made up for.
    let lost = candidate.unknown.is_some();
    if lost && seen.live.is_none() {
        return None;
    }
    let namespace = seen.name.namespace.clone().unwrap_or_default();
    Some(Case {
        base: seen.base.clone(),
        lost,
        set: cluster.place.label().to_owned(),
        record: cluster.place.name.clone(),
        discovery: cluster.about.as_ref()?.discovery.clone(),
        humans: cluster.humans.clone(),
        rules: cluster.ignoring.about(&seen.name, seen.config.as_ref().or(seen.base.as_ref())),
        namespace_comes: coming.namespaces.contains(&namespace),
        kind_comes: coming.kinds.contains(&seen.name.kind),
        seen,
    })
}

impl Case {
    /// What Git declares, and what is left to others there.
    pub(super) fn declared(&self) -> Declared<'_> {
        Declared { rules: &self.rules, was: self.base.as_ref(), is: self.seen.config.as_ref() }
    }

    /// Asks what an apply to what is there would do.
    async fn ask(
        &self,
        looking: &Looking,
        path: &str,
        config: &Value,
        live: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let sent = live.and_then(|live| self.declared().effective(live));
        let mut body = marked(sent.as_ref().unwrap_or(config), &self.set, &self.seen.name.identity());
        if let Some(live) = live {
            marks::expect_version(&mut body, live);
        }
        looking.dry_apply(path, &body).await
    }
}

async fn examine(looking: &Looking, case: &Case) -> Finding {
    let mut finding = look(looking, case).await;
    if case.seen.config.is_none() || finding.replace.is_some() {
        let along = cascade::along(looking, case).await;
        finding.cascade = along.count;
        finding.notes.extend(along.notes);
    }
    finding
}

async fn look(looking: &Looking, case: &Case) -> Finding {
    let Some(config) = &case.seen.config else { return leaving(case) };
    let Some(path) = &case.seen.path else { return not_yet(case, config, "its kind is") };
    let mut live = case.seen.live.clone();
    let mut answer = case.ask(looking, path, config, live.as_deref()).await;
    for _ in 0..TRIES {
        if live.is_none() || !answer.as_ref().is_err_and(|failure| failure.code() == 409) {
            break;
        }
        // It moved since it was listed; once more with what is there now.
        match looking.get(path).await {
            Ok(found) => {
                live = Some(Arc::new(found.value));
                answer = case.ask(looking, path, config, live.as_deref()).await;
            }
            Err(failure) if failure.code() == 404 => {
                live = None;
                answer = case.ask(looking, path, config, None).await;
            }
            Err(failure) => return unclear("reading it again", &failure),
        }
    }
    match answer {
        Ok(answer) => {
            let exists = marks::metadata(&answer.value, "resourceVersion").is_some();
            if exists && live.is_none() {
                match looking.get(path).await {
                    Ok(found) => live = Some(Arc::new(found.value)),
                    Err(failure) => return unclear("reading it", &failure),
                }
                if let (Some(there), false) = (&live, case.rules.is_empty()) {
                    // What is left to others was not known before.
                    return match case.ask(looking, path, config, Some(there)).await {
                        Ok(answer) => foreseen(case, config, live, answer),
                        Err(failure) => refused::refused(looking, case, config, path, live, failure).await,
                    };
                }
            }
            foreseen(case, config, live, answer)
        }
        Err(failure) => refused::refused(looking, case, config, path, live, failure).await,
    }
}

/// A question that was not answered.
pub(super) fn unclear(doing: &str, failure: &Failure) -> Finding {
    Finding { unknown: Some((failure.cause(), format!("{doing}: {failure}"))), ..Finding::default() }
}

/// An object whose surroundings are only being made: it is shown as it is declared.
pub(super) fn not_yet(case: &Case, config: &Value, what: &str) -> Finding {
    Finding {
        sides: Some(Sides { base: case.base.clone(), desired: Some(config.clone()), actual: None }),
        notes: vec![format!("{what} not there yet: the server did not check it")],
        said: vec![Basis::Prediction.says(format!("{what} not there yet, so it could not be asked about"))],
        ..Finding::default()
    }
}

/// What the server said it would do.
fn foreseen(case: &Case, config: &Value, live: Option<Arc<Value>>, answer: Answer) -> Finding {
    let mut notes: Vec<String> =
        answer.warnings.iter().map(|warning| format!("the server warns: {warning}")).collect();
    let Some(live) = live else {
        let sides = Sides { base: case.base.clone(), desired: Some(config.clone()), actual: None };
        let finding = Finding { sides: Some(sides), notes, ..Finding::default() };
        return Finding { said: vec![explain::foreseen(false, &finding)], ..finding };
    };
    let mut finding = compare(case, config, &live, &answer.value);
    notes.append(&mut finding.notes);
    let said = vec![explain::foreseen(true, &finding)];
    Finding { notes, said, live: Some(live), ..finding }
}

/// Puts the sides of an object that is there together.
fn compare(case: &Case, config: &Value, live: &Value, preview: &Value) -> Finding {
    let name = &case.seen.name;
    let owners = Owners::of(live, preview, &case.humans);
    let keyed = |value: &Value| owners.shape.keyed(value);
    let actual = keyed(&stripped(name, live));
    let base = owners::base(case, live, &owners);
    let config = keyed(config);
    let preview_sides = keyed(&stripped(name, preview));
    let base = base.as_ref().map(keyed);
    let mut sides = sides::sides(&Evidence {
        base: base.as_ref(),
        config: &config,
        live: Some(&actual),
        preview: &preview_sides,
        ours: &owners.ours,
        foreign: &owners.foreign,
        human: &owners.human,
        programs: &owners.programs,
    });
    let ignored = case.declared().settle(&mut sides, live);
    let moves = !same_ownership(live, preview) || !marks::is_itself(name, live);
    let claim = moves.then(|| match doubt(name, live, &case.set) {
        Some(why) => format!("nothing but the ownership would change: {why}"),
        None => "nothing but the ownership would change".to_owned(),
    });
    let mut notes = attribution::removals(live, preview, &preview_sides);
    let (writer, writers) = attribution::writers(&sides, live);
    notes.extend(writers);
    Finding { sides: Some(sides), claim, notes, writer, ignored: Some(ignored), ..Finding::default() }
}

/// Whether both sides name the same fields as ours, in the same version.
fn same_ownership(live: &Value, preview: &Value) -> bool {
    match (applied(live), applied(preview)) {
        (Some(live), Some(preview)) => {
            live.api_version == preview.api_version && live.fields() == preview.fields()
        }
        _ => false,
    }
}

/// An object that is ours and not declared any more.
fn leaving(case: &Case) -> Finding {
    let Some(live) = &case.seen.live else { return Finding::default() };
    let name = &case.seen.name;
    if let Some(why) = doubt(name, live, &case.set) {
        // Not proven to be ours: it is left, and forgotten.
        return Finding {
            sides: Some(Sides::default()),
            notes: vec![format!("is not declared any more and is left: {why}")],
            ..Finding::default()
        };
    }
    let owners = Owners::of(live, live, &case.humans);
    let actual = owners.shape.keyed(&stripped(name, live));
    let untouched = case.base.as_ref().is_some_and(|base| {
        let config = marked(base, &case.set, &name.identity());
        managed::unchanged(&config, live, &name.kind.api_version()).is_ok()
    });
    let base = match (untouched, owners::base(case, live, &owners)) {
        (true, _) => Some(actual.clone()),
        (false, Some(base)) => sides::base_of_leaving(&owners.shape.keyed(&base), &actual, &owners),
        (false, None) => None,
    };
    let mut sides = Sides { base, desired: None, actual: Some(actual) };
    let ignored = case.declared().settle(&mut sides, live);
    let (writer, notes) = attribution::writers(&sides, live);
    Finding { sides: Some(sides), writer, notes, ignored: Some(ignored), ..Finding::default() }
}
