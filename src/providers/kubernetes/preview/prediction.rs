//! What an apply would make of one object: the server is asked, and its answer put together with what Git declares.

use std::sync::Arc;

use super::{candidates::Preview, cascade, dry_run_error, exchange, preview_input::PreviewInput};
use crate::{
    model::{change::ThreeWay, explain::Basis, value::Value},
    providers::kubernetes::{
        audit::field_writers,
        client::{
            failure::Failure,
            transport::{Answer, ReadClient},
        },
        manifest::derived,
        observe::{
            explain,
            sides::{self, Evidence},
        },
        ownership::{
            field_removal,
            managed::{self, applied},
            owners::{self, Owners},
            ownership_labels::{self, ownership_mismatch, stripped, with_ownership_labels},
        },
    },
};

/// How often an object that moves is looked at again.
const TRIES: usize = 5;

/// Looks at one object closely.
pub async fn examine(looking: &ReadClient, case: &PreviewInput) -> Preview {
    let mut finding = look(looking, case).await;
    if case.seen.config.is_none() || finding.replace.is_some() {
        let along = cascade::along(looking, case).await;
        finding.cascade = along.count;
        finding.notes.extend(along.notes);
    }
    finding
}

async fn look(looking: &ReadClient, case: &PreviewInput) -> Preview {
    let Some(config) = &case.seen.config else { return leaving(case) };
    let Some(path) = &case.seen.path else { return not_yet(case, config, "its kind is") };
    let mut live = case.seen.live.clone();
    if live.as_ref().is_some_and(|live| ownership_labels::is_deleting(live)) {
        return coming_after(case, config);
    }
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
            if let (Some(there), true) = (&live, derived::is_stale(case.base.as_ref(), config)) {
                return match exchange::preview(looking, case, config, path, there).await {
                    Ok(finding) => finding,
                    Err(failure) => unclear("asking what an apply would do to the defaults", &failure),
                };
            }
            let exists = ownership_labels::metadata(&answer.value, "resourceVersion").is_some();
            if exists && live.is_none() {
                match looking.get(path).await {
                    Ok(found) => live = Some(Arc::new(found.value)),
                    Err(failure) => return unclear("reading it", &failure),
                }
                if let (Some(there), false) = (&live, case.rules.is_empty()) {
                    // What is left to others was not known before.
                    return match case.ask(looking, path, config, Some(there)).await {
                        Ok(answer) => foreseen(looking, case, config, live, answer).await,
                        Err(failure) => {
                            dry_run_error::refused(looking, case, config, path, live, failure).await
                        }
                    };
                }
            }
            foreseen(looking, case, config, live, answer).await
        }
        Err(failure) => dry_run_error::refused(looking, case, config, path, live, failure).await,
    }
}

/// A question that was not answered.
pub fn unclear(doing: &str, failure: &Failure) -> Preview {
    Preview { unknown: Some((failure.cause(), format!("{doing}: {failure}"))), ..Preview::default() }
}

/// An object whose surroundings are only being made: it is shown as it is declared.
pub fn not_yet(case: &PreviewInput, config: &Value, what: &str) -> Preview {
    Preview {
        sides: Some(ThreeWay { base: case.base.clone(), desired: Some(config.clone()), actual: None }),
        notes: vec![format!("{what} not there yet: the server did not check it")],
        said: vec![Basis::Prediction.says(format!("{what} not there yet, so it could not be asked about"))],
        ..Preview::default()
    }
}

/// An object that is made once the one of its name is gone, which is being deleted. Whoever deletes that, nothing of it
/// is in the way of what Git declares.
fn coming_after(case: &PreviewInput, config: &Value) -> Preview {
    let base = case.base.as_ref().map(|_| config.clone());
    Preview {
        sides: Some(ThreeWay { base, desired: Some(config.clone()), actual: None }),
        notes: vec!["it is made once that is gone; the server did not check it".to_owned()],
        said: vec![Basis::Prediction.says("it is being deleted, so it could not be asked about")],
        ..Preview::default()
    }
}

/// What the server said it would do.
pub async fn foreseen(
    looking: &ReadClient,
    case: &PreviewInput,
    config: &Value,
    live: Option<Arc<Value>>,
    answer: Answer,
) -> Preview {
    let mut notes: Vec<String> =
        answer.warnings.iter().map(|warning| format!("the server warns: {warning}")).collect();
    let Some(live) = live else {
        let sides = ThreeWay { base: case.base.clone(), desired: Some(config.clone()), actual: None };
        let finding = Preview { sides: Some(sides), notes, ..Preview::default() };
        return Preview { said: vec![explain::foreseen(false, &finding)], ..finding };
    };
    let mut finding = compare(looking, case, config, &live, &answer.value).await;
    notes.append(&mut finding.notes);
    let said = vec![explain::foreseen(true, &finding)];
    Preview { notes, said, live: Some(live), ..finding }
}

/// Puts the sides of an object that is there together.
async fn compare(
    looking: &ReadClient,
    case: &PreviewInput,
    config: &Value,
    live: &Value,
    preview: &Value,
) -> Preview {
    let name = &case.seen.name;
    let mut owners = Owners::of(live, preview, &case.human_field_managers);
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
    let stuck = field_removal::defaults(looking, case, live, preview, &mut sides).await;
    let moves = !same_ownership(live, preview)
        || !ownership_labels::is_itself(name, live)
        || !ownership_labels::is_member(live, &case.set);
    let transferred = case.sibling_of(live);
    let claim = moves.then(|| match ownership_mismatch(name, live, &case.set) {
        Some(_) if transferred.is_some() => "nothing but the ownership would change".to_owned(),
        Some(why) => format!("nothing but the ownership would change: {why}"),
        None => "nothing but the ownership would change".to_owned(),
    });
    let mut notes = match &sides.desired {
        Some(desired) => field_writers::removals(live, preview, desired),
        None => Vec::new(),
    };
    notes.extend(case.predecessors.undeclared(live, &actual, &config));
    notes.extend(transferred.map(|target| format!("moved here from `{target}`")));
    let mut writers = field_writers::writers(&sides, live);
    writers.notes.extend(stuck);
    let transferred = transferred.is_some();
    let ignored = Some(ignored);
    Preview { sides: Some(sides), claim, transferred, notes, writers, ignored, ..Preview::default() }
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
fn leaving(case: &PreviewInput) -> Preview {
    let Some(live) = &case.seen.live else { return Preview::default() };
    let name = &case.seen.name;
    if ownership_labels::is_deleting(live) {
        // What is asked for has begun.
        let notes = vec![ownership_labels::deletion(live)];
        return Preview { sides: Some(ThreeWay::default()), notes, ..Preview::default() };
    }
    if let Some(why) = ownership_mismatch(name, live, &case.set) {
        // Not proven to be ours: it is left, and forgotten.
        return Preview {
            sides: Some(ThreeWay::default()),
            notes: vec![format!("is not declared any more and is left: {why}")],
            ..Preview::default()
        };
    }
    let owners = Owners::of(live, live, &case.human_field_managers);
    let actual = owners.shape.keyed(&stripped(name, live));
    let untouched = case.base.as_ref().is_some_and(|base| {
        let config = with_ownership_labels(base, &case.set, &name.identity());
        managed::unchanged(&config, live, &name.kind.api_version(), managed::From::This).is_ok()
    });
    let base = match (untouched, owners::base(case, live, &owners)) {
        (true, _) => Some(actual.clone()),
        (false, Some(base)) => sides::base_of_leaving(&owners.shape.keyed(&base), &actual, &owners),
        (false, None) => None,
    };
    let mut sides = ThreeWay { base, desired: None, actual: Some(actual) };
    let ignored = case.declared().settle(&mut sides, live);
    let writers = field_writers::writers(&sides, live);
    let stays = case.base.as_ref().is_some_and(ownership_labels::stays) || ownership_labels::stays(live);
    let release =
        stays.then(|| format!("its annotation `{}` says that it stays", ownership_labels::ON_REMOVE));
    Preview { sides: Some(sides), writers, release, ignored: Some(ignored), ..Preview::default() }
}
