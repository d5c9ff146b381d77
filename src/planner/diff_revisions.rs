//! Two revisions compared, with no target at all.

use std::time::Instant;

use anyhow::Result;

use super::{
    session::{self, ResolvedTarget, Session, TargetPlan},
    three_way::ThreeWayState,
};
use crate::{
    cli::GlobalArgs,
    model::{
        diff::{Base, Bases},
        object::{Actual, Desired, Observed, State},
        plan::Plan,
        record::StoredRecord,
        revision::Revision,
        selector::Selector,
    },
    providers,
    source::checkout::Selection,
};

/// What the second revision of `range` declares that the first does not. The
/// targets are those of the second revision's trueup.yaml.
pub fn read(
    global: &GlobalArgs,
    range: &str,
    environment: Option<&str>,
    targets: &[String],
    only: &Selector,
) -> Result<(Session, Vec<TargetPlan>)> {
    let (before, after) = session::checkout(global)?.range(range)?;
    let session = Session::open(global, &Selection::Ref(after.to_string()), environment, targets)?;
    let first = Revision::of(Some(before), before.short());
    let compare = |chosen| compare(&session, chosen, &first, only);
    let planned = session.targets.iter().map(compare).collect::<Result<_>>()?;
    Ok((session, planned))
}

fn compare(
    session: &Session,
    chosen: &ResolvedTarget,
    first: &Revision,
    only: &Selector,
) -> Result<TargetPlan> {
    let begun = Instant::now();
    let desired = session.declared(chosen)?;
    let before = match &first.commit {
        Some(commit) => session.declared_at_if_any(commit, chosen)?,
        None => Desired::default(),
    };
    let mut bases = Bases::new();
    let mut actual = Actual::default();
    for (address, object) in &before.objects {
        let Some(value) = &object.value else { continue };
        bases.insert(address.clone(), Base::Known(value.clone()));
        let state = State::new(value.clone());
        actual.objects.insert(address.clone(), Observed::Present(Box::new(state)));
    }
    for address in desired.objects.keys() {
        actual.objects.entry(address.clone()).or_insert(Observed::Absent);
    }
    let mut trees = ThreeWayState::of(session.revision().clone(), desired, bases, actual);
    trees.select(only)?;
    let mut notes = trees.desired.notes.clone();
    let declared = trees.desired.objects.len();
    let mut comparison = trees.compare();
    providers::load(&mut comparison.candidates, session.snapshot.contents())?;
    session::sensitive(chosen, &trees, &mut comparison);
    let mut changes = trees.decide(&mut comparison, &mut notes);
    for change in changes.iter_mut().filter(|change| change.origin.is_none()) {
        change.origin = before.objects.get(&change.address).map(|object| object.origin.clone());
    }
    let plan = Plan {
        target: session::name(session, chosen, format!("{} in Git", chosen.target.provider)),
        revision: trees.revision,
        base: Some(first.clone()),
        applied_at: None,
        attempted: None,
        changes,
        unchanged: comparison.in_sync.len(),
        found: 0,
        owned: trees.bases.len(),
        external: Default::default(),
        ignored: Vec::new(),
        complete: only.is_empty(),
        notes,
        explanations: Vec::new(),
        cost: None,
        definition: None,
        failure: None,
    };
    Ok(TargetPlan { plan, comparison, memory: StoredRecord::default(), declared, took: begun.elapsed() })
}
