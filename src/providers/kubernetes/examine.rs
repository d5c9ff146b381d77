//! A closer look at objects that may differ: the server says what an apply would make of each.

use std::sync::Arc;

use anyhow::Result;
use futures_util::{StreamExt as _, stream};
use globset::GlobSet;

use super::{
    attribution,
    cluster::{Cluster, Seen},
    failure::{Failure, Refusal},
    fields::Fields,
    managed::{self, applied},
    marks::{self, doubt, marked, stripped},
    names::Kind,
    observe::{PARALLEL, kinds_of},
    sides::{self, Evidence},
    transport::{Answer, Looking},
};
use crate::model::{
    change::Sides,
    diff::Candidate,
    object::{Cause, Writer},
    value::{Map, Value},
};

/// What was found out about one candidate.
#[derive(Default)]
struct Finding {
    sides: Option<Sides<Value>>,
    /// Why it cannot be changed in place.
    replace: Option<String>,
    /// What apply would claim although the content stays.
    claim: Option<String>,
    unknown: Option<(Cause, String)>,
    notes: Vec<String>,
    writer: Option<Writer>,
    /// What the server has, where it was not known before.
    live: Option<Arc<Value>>,
}

/// One candidate with what is known of it.
struct Case {
    seen: Seen,
    base: Option<Value>,
    /// Ours, but nobody remembers what it was given.
    lost: bool,
    set: String,
    humans: Arc<GlobSet>,
    /// The namespace is declared as well.
    namespace_comes: bool,
    /// The kind is declared as well.
    kind_comes: bool,
}

/// Completes candidates, several at a time.
pub(super) fn complete(cluster: &mut Cluster, candidates: &mut [Candidate]) -> Result<()> {
    for candidate in candidates.iter() {
        if let Some(seen) = cluster.seen.get_mut(&candidate.address) {
            seen.config = candidate.sides.desired.clone();
        }
    }
    let coming = Coming::of(cluster);
    let cases: Vec<(usize, Case)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, candidate)| Some((index, case(cluster, &coming, candidate)?)))
        .collect();
    let looking = &cluster.looking;
    let findings: Vec<(usize, Finding)> = cluster.runtime.block_on(async {
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
    });
    for (index, finding) in findings {
        let candidate = &mut candidates[index];
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
        candidate.notes.extend(finding.notes);
    }
    Ok(())
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
        base: cluster.bases.get(&candidate.address).cloned(),
        lost,
        set: cluster.place.label().to_owned(),
        humans: cluster.humans.clone(),
        namespace_comes: coming.namespaces.contains(&namespace),
        kind_comes: coming.kinds.contains(&seen.name.kind),
        seen,
    })
}

async fn examine(looking: &Looking, case: &Case) -> Finding {
    let Some(config) = &case.seen.config else { return leaving(case) };
    let Some(path) = &case.seen.path else { return not_yet(config, "its kind is") };
    let identity = case.seen.name.identity();
    let mut body = marked(config, &case.set, &identity);
    let mut live = case.seen.live.clone();
    if let Some(live) = &live {
        marks::expect_version(&mut body, live);
    }
    let mut answer = looking.dry_apply(path, &body).await;
    if let (Err(failure), Some(_)) = (&answer, &live)
        && failure.code() == 409
    {
        // It moved since it was listed; once more with what is there now.
        match looking.get(path).await {
            Ok(found) => {
                let found = Arc::new(found.value);
                marks::expect_version(&mut body, &found);
                live = Some(found);
                answer = looking.dry_apply(path, &body).await;
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
            }
            foreseen(case, config, live, answer)
        }
        Err(failure) => refused(looking, case, config, path, live, failure).await,
    }
}

fn unclear(doing: &str, failure: &Failure) -> Finding {
    Finding { unknown: Some((failure.cause(), format!("{doing}: {failure}"))), ..Finding::default() }
}

/// An object whose surroundings are only being made: it is shown as it is declared.
fn not_yet(config: &Value, what: &str) -> Finding {
    Finding {
        sides: Some(Sides { base: None, desired: Some(config.clone()), actual: None }),
        notes: vec![format!("{what} not there yet: the server did not check it")],
        ..Finding::default()
    }
}

/// What the server said it would do.
fn foreseen(case: &Case, config: &Value, live: Option<Arc<Value>>, answer: Answer) -> Finding {
    let mut notes: Vec<String> =
        answer.warnings.iter().map(|warning| format!("the server warns: {warning}")).collect();
    let Some(live) = live else {
        let sides = Sides { base: case.base.clone(), desired: Some(config.clone()), actual: None };
        return Finding { sides: Some(sides), notes, ..Finding::default() };
    };
    let mut finding = compare(case, config, &live, &answer.value);
    notes.append(&mut finding.notes);
    Finding { notes, live: Some(live), ..finding }
}

/// Puts the sides of an object that is there together.
fn compare(case: &Case, config: &Value, live: &Value, preview: &Value) -> Finding {
    let name = &case.seen.name;
    let owners = Owners::of(live, preview, &case.humans);
    let keyed = |value: &Value| owners.shape.keyed(value);
    let actual = keyed(&stripped(name, live));
    let base = base(case, live, &owners);
    let config = keyed(config);
    let preview_sides = keyed(&stripped(name, preview));
    let base = base.as_ref().map(keyed);
    let sides = sides::sides(&Evidence {
        base: base.as_ref(),
        config: &config,
        live: Some(&actual),
        preview: &preview_sides,
        foreign: &owners.foreign,
        human: &owners.human,
        programs: &owners.programs,
    });
    let claim = (sides.desired == sides.actual && !same_ownership(live, preview)).then(|| {
        match doubt(name, live, &case.set) {
            Some(why) => format!("nothing but the ownership would change: {why}"),
            None => "nothing but the ownership would change".to_owned(),
        }
    });
    let mut notes = attribution::removals(live, preview, &preview_sides);
    let (writer, writers) = attribution::writers(&sides, live);
    notes.extend(writers);
    Finding { sides: Some(sides), claim, notes, writer, ..Finding::default() }
}

/// Whether both sides name the same fields as ours.
fn same_ownership(live: &Value, preview: &Value) -> bool {
    match (applied(live), applied(preview)) {
        (Some(live), Some(preview)) => live.fields() == preview.fields(),
        _ => false,
    }
}

/// What was applied last: as remembered, else what is still owned by us.
fn base(case: &Case, live: &Value, owners: &Owners) -> Option<Value> {
    if case.base.is_some() && !case.lost {
        return case.base.clone();
    }
    let proven = doubt(&case.seen.name, live, &case.set).is_none();
    if !case.lost && !proven {
        return None;
    }
    let ours = applied(live)?.fields();
    let keyed = owners.shape.keyed(&stripped(&case.seen.name, live));
    Some(within(&keyed, &ours, true))
}

/// The part of a value that a set of fields names.
fn within(value: &Value, fields: &Fields, top: bool) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    if fields.is_empty() {
        return value.clone();
    }
    let mut kept = Map::new();
    for (key, value) in map.iter() {
        let always = top && matches!(&**key, "apiVersion" | "kind")
            || matches!(&**key, "name" | "namespace") && fields.get("labels").is_some();
        match fields.get(key) {
            Some(fields) => _ = kept.insert(key.clone(), within(value, fields, false)),
            None if always => _ = kept.insert(key.clone(), value.clone()),
            None => {}
        }
    }
    Value::from(kept)
}

/// Who owns what of one object.
struct Owners {
    /// Everything that anybody owns: it tells which lists have keys.
    shape: Fields,
    /// What others than trueup own.
    foreign: Fields,
    /// What people own.
    human: Fields,
    /// What programs own, trueup among them.
    programs: Fields,
}

impl Owners {
    fn of(live: &Value, preview: &Value, humans: &GlobSet) -> Owners {
        let mut owners = Owners {
            shape: Fields::default(),
            foreign: Fields::default(),
            human: Fields::default(),
            programs: Fields::default(),
        };
        for entry in managed::entries(preview) {
            owners.shape.add(entry.fields());
        }
        for entry in managed::entries(live) {
            let fields = entry.fields();
            owners.shape.add(fields.clone());
            if !entry.is_by_us() {
                owners.foreign.add(fields.clone());
            }
            match !entry.is_by_us() && humans.is_match(entry.manager) {
                true => owners.human.add(fields),
                false => owners.programs.add(fields),
            }
        }
        owners
    }
}

/// The server refused the dry run: what that means for the plan.
async fn refused(
    looking: &Looking,
    case: &Case,
    config: &Value,
    path: &str,
    live: Option<Arc<Value>>,
    failure: Failure,
) -> Finding {
    let Some(refusal) = failure.refusal() else { return unclear("asking what an apply would do", &failure) };
    match (refusal.code, &live) {
        (404, None) if case.kind_comes => not_yet(config, "its kind is"),
        (404, None) if case.namespace_comes => not_yet(config, "its namespace is"),
        (404, None) => {
            let namespace = case.seen.name.namespace.as_deref().unwrap_or_default();
            let message = format!("the namespace `{namespace}` is not there and is not declared");
            Finding { unknown: Some((Cause::Other, message)), ..Finding::default() }
        }
        (422, Some(live)) if immutable(refusal) => {
            let mut finding = predicted(case, config, live);
            finding.replace = Some(format!("it cannot be changed in place: {}", words(case, refusal)));
            Finding { live: Some(live.clone()), ..finding }
        }
        (403, Some(live)) => {
            let mut finding = predicted(case, config, live);
            finding.notes.push("foretold without the server: dry runs are forbidden here".to_owned());
            Finding { live: Some(live.clone()), ..finding }
        }
        (403, None) => forbidden(looking, case, config, path).await,
        (400, Some(live)) if no_dry_run(refusal) => {
            let mut finding = predicted(case, config, live);
            finding.notes.push(format!("foretold without the server: {}", words(case, refusal)));
            Finding { live: Some(live.clone()), ..finding }
        }
        (400, None) if no_dry_run(refusal) => {
            let mut finding = forbidden(looking, case, config, path).await;
            finding.notes = vec![format!("not checked by the server: {}", words(case, refusal))];
            finding
        }
        _ => {
            let message = format!("the server refuses it: {} (HTTP {})", words(case, refusal), refusal.code);
            Finding { unknown: Some((failure.cause(), message)), ..Finding::default() }
        }
    }
}

/// Without dry runs, only a read tells whether an object is there.
async fn forbidden(looking: &Looking, case: &Case, config: &Value, path: &str) -> Finding {
    match looking.get(path).await {
        Ok(answer) => {
            let live = Arc::new(answer.value);
            let mut finding = predicted(case, config, &live);
            finding.notes.push("foretold without the server: dry runs are forbidden here".to_owned());
            Finding { live: Some(live), ..finding }
        }
        Err(failure) if failure.code() == 404 => Finding {
            sides: Some(Sides { base: case.base.clone(), desired: Some(config.clone()), actual: None }),
            notes: vec!["not checked by the server: dry runs are forbidden here".to_owned()],
            ..Finding::default()
        },
        Err(failure) => unclear("reading it", &failure),
    }
}

/// What an apply would do, told without the server.
fn predicted(case: &Case, config: &Value, live: &Value) -> Finding {
    let name = &case.seen.name;
    let owners = Owners::of(live, live, &case.humans);
    let keyed = |value: &Value| owners.shape.keyed(value);
    let actual = keyed(&stripped(name, live));
    let config = keyed(config);
    let ours = applied(live).map(|entry| entry.fields()).unwrap_or_default();
    let preview = sides::predict(&actual, &config, &ours, &owners.foreign);
    let base = base(case, live, &owners).as_ref().map(keyed);
    let sides = sides::sides(&Evidence {
        base: base.as_ref(),
        config: &config,
        live: Some(&actual),
        preview: &preview,
        foreign: &owners.foreign,
        human: &owners.human,
        programs: &owners.programs,
    });
    let (writer, notes) = attribution::writers(&sides, live);
    Finding { sides: Some(sides), writer, notes, ..Finding::default() }
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
    let base = match (untouched, base(case, live, &owners)) {
        (true, _) => Some(actual.clone()),
        (false, Some(base)) => {
            sides::base_of_leaving(&owners.shape.keyed(&base), &actual, &owners.human, &owners.programs)
        }
        (false, None) => None,
    };
    let sides = Sides { base, desired: None, actual: Some(actual) };
    let (writer, notes) = attribution::writers(&sides, live);
    Finding { sides: Some(sides), writer, notes, ..Finding::default() }
}

/// Whether a refusal is about a field that cannot change.
fn immutable(refusal: &Refusal) -> bool {
    const WORDS: [&str; 6] = [
        "immutable",
        "may not be changed",
        "cannot be changed",
        "cannot change roleRef",
        "updates to statefulset spec for fields other than",
        "can not be changed",
    ];
    let says = |text: &str| WORDS.iter().any(|word| text.contains(word));
    says(&refusal.message) || refusal.causes.iter().any(|cause| says(&cause.message))
}

fn no_dry_run(refusal: &Refusal) -> bool {
    refusal.message.contains("dry run") || refusal.message.contains("dryRun")
}

/// The server's words; those about a Secret without what they may quote.
fn words(case: &Case, refusal: &Refusal) -> String {
    if !case.seen.name.kind.is_core("Secret") {
        return refusal.message.clone();
    }
    let places: Vec<String> =
        refusal.causes.iter().map(|cause| format!("{} {}", cause.field, cause.reason)).collect();
    format!("{} {}", refusal.reason, places.join(", ")).trim().to_owned()
}
