//! What an apply would make of one object: the server is asked, and its answer put together with what Git declares.

use std::sync::Arc;

use super::{
    attribution, cascade,
    case::Case,
    examine::Finding,
    explain, extras,
    failure::Failure,
    managed::{self, applied},
    marks::{self, doubt, marked, stripped},
    owners::{self, Owners},
    refused,
    sides::{self, Evidence},
    transport::{Answer, Looking},
};
use crate::model::{change::Sides, explain::Basis, value::Value};

/// How often an object that moves is looked at again.
const TRIES: usize = 5;

/// Looks at one object closely.
pub(super) async fn examine(looking: &Looking, case: &Case) -> Finding {
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
                        Ok(answer) => foreseen(looking, case, config, live, answer).await,
                        Err(failure) => refused::refused(looking, case, config, path, live, failure).await,
                    };
                }
            }
            foreseen(looking, case, config, live, answer).await
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
async fn foreseen(
    looking: &Looking,
    case: &Case,
    config: &Value,
    live: Option<Arc<Value>>,
    answer: Answer,
) -> Finding {
    let mut notes: Vec<String> =
        answer.warnings.iter().map(|warning| format!("the server warns: {warning}")).collect();
    let Some(live) = live else {
        let sides = Sides { base: case.base.clone(), desired: Some(config.clone()), actual: None };
        let finding = Finding { sides: Some(sides), notes, ..Finding::default() };
        return Finding { said: vec![explain::foreseen(false, &finding)], ..finding };
    };
    let mut finding = compare(looking, case, config, &live, &answer.value).await;
    notes.append(&mut finding.notes);
    let said = vec![explain::foreseen(true, &finding)];
    Finding { notes, said, live: Some(live), ..finding }
}

/// Puts the sides of an object that is there together.
async fn compare(looking: &Looking, case: &Case, config: &Value, live: &Value, preview: &Value) -> Finding {
    let name = &case.seen.name;
    let mut owners = Owners::of(live, preview, &case.humans);
    owners.drop(case.dropped(live, config, &owners.shape));
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
    let stuck = extras::defaults(looking, case, live, preview, &mut sides).await;
    let moves = !same_ownership(live, preview) || !marks::is_itself(name, live);
    let claim = moves.then(|| match doubt(name, live, &case.set) {
        Some(why) => format!("nothing but the ownership would change: {why}"),
        None => "nothing but the ownership would change".to_owned(),
    });
    let mut notes = match &sides.desired {
        Some(desired) => attribution::removals(live, preview, desired),
        None => Vec::new(),
    };
    notes.extend(case.predecessors.undeclared(live, &actual, &config));
    let mut writers = attribution::writers(&sides, live);
    writers.notes.extend(stuck);
    Finding { sides: Some(sides), claim, notes, writers, ignored: Some(ignored), ..Finding::default() }
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
        managed::unchanged(&config, live, &name.kind.api_version(), managed::From::This).is_ok()
    });
    let base = match (untouched, owners::base(case, live, &owners)) {
        (true, _) => Some(actual.clone()),
        (false, Some(base)) => sides::base_of_leaving(&owners.shape.keyed(&base), &actual, &owners),
        (false, None) => None,
    };
    let mut sides = Sides { base, desired: None, actual: Some(actual) };
    let ignored = case.declared().settle(&mut sides, live);
    let writers = attribution::writers(&sides, live);
    Finding { sides: Some(sides), writers, ignored: Some(ignored), ..Finding::default() }
}
