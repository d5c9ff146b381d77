//! The one path of every verb: arguments, desired state, actual state, plan.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
};

use anyhow::Result;
use rayon::prelude::*;

use super::{attribution, ignoring, past::Past};
use crate::{
    cli::GlobalArgs,
    exit::Exit,
    model::{
        address::Address,
        change::{Action, Change, Class, Sides},
        diff::{self, Base, Bases, Comparison},
        digest::Digest,
        event::{Event, Observer},
        fault::Fault,
        guard::Limits,
        ignore::Rules,
        object::{Actual, Cause, Desired, Observed},
        plan::{Plan, TargetName},
        record::{Memory, Record},
        revision::Revision,
        selector::Selector,
        value::Value,
    },
    providers::{Kind, Query, Reader, Target},
    source::{
        checkout::{Checkout, Selection, Snapshot},
        config::{Config, Environment, Guards},
    },
};

/// The checkout, opened at the state that was asked for.
pub struct Session {
    /// The repository.
    pub checkout: Checkout,
    /// The state.
    pub snapshot: Snapshot,
    /// The environment's name and ref.
    pub environment: Environment,
    /// The targets that were asked for.
    pub targets: Vec<Chosen>,
}

/// A target that was asked for.
pub struct Chosen {
    /// As trueup.yaml describes it.
    pub target: Target,
    /// Its provider.
    pub kind: &'static Kind,
    /// How much may be deleted there.
    pub limits: Limits,
    /// What is left to others.
    pub rules: Rules,
}

/// What to look at, and how closely.
pub struct Look<'a> {
    /// Only these objects; empty for all.
    pub only: &'a Selector,
    /// Trust nothing remembered.
    pub verify: bool,
    /// What takes the place of desired.
    pub against: Against,
    /// Told of progress.
    pub observer: &'a dyn Observer,
}

/// What the actual state is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The revision of the session.
    Revision,
    /// What the target's record says was applied.
    Record,
}

/// A plan with what an apply needs besides.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What was found to be in sync, or gone.
    pub comparison: Comparison,
    /// What the target remembers.
    pub memory: Memory,
    /// How many objects are declared, the selection aside.
    pub declared: usize,
}

impl Session {
    /// Opens the checkout that the command line names at `selection` and reads its trueup.yaml.
    pub fn open(
        global: &GlobalArgs,
        selection: &Selection,
        environment: Option<&str>,
        names: &[String],
    ) -> Result<Session> {
        let checkout = checkout(global)?;
        let selected = checkout.select(selection)?;
        let config = Config::find(&selected, checkout.prefix())?;
        let environment = config.environment(environment)?.clone();
        let base_dir = checkout.place().join(&config.folder);
        let targets = environment
            .targets(names)?
            .into_iter()
            .map(|target| choose(&config, &environment, target, &base_dir))
            .collect::<Result<Vec<_>>>()?;
        let declaring = targets.iter().map(|chosen| chosen.target.path.as_str());
        let paths: Vec<&str> = declaring.chain([config.file.as_str()]).collect();
        let snapshot = selected.snapshot(&paths)?;
        Ok(Session { checkout, snapshot, environment, targets })
    }

    /// The revision that the session is about.
    pub fn revision(&self) -> &Revision {
        &self.snapshot.revision
    }

    /// What the revision declares for `chosen`.
    pub fn declared(&self, chosen: &Chosen) -> Result<Desired> {
        self.declared_in(&self.snapshot, chosen)
    }

    /// What `commit` declares for `chosen`.
    pub fn declared_at(&self, commit: &Digest, chosen: &Chosen) -> Result<Desired> {
        self.declared_in(&self.checkout.at(commit, &commit.short())?, chosen)
    }

    /// What `commit` declares for `chosen`; nothing if its folder is not there yet.
    pub fn declared_at_if_any(&self, commit: &Digest, chosen: &Chosen) -> Result<Desired> {
        match self.declared_at(commit, chosen) {
            Err(error) if is_missing(&error) => Ok(Desired::default()),
            other => other,
        }
    }

    fn declared_in(&self, snapshot: &Snapshot, chosen: &Chosen) -> Result<Desired> {
        let tree = snapshot.tree(&chosen.target.path)?;
        (chosen.kind.declare)(&chosen.target, &tree, snapshot.contents())
    }
}

/// Opens the checkout that the command line names.
pub fn checkout(global: &GlobalArgs) -> Result<Checkout> {
    let checkout = Checkout::open(&global.directory)?;
    if global.no_exec { checkout.without_programs() } else { Ok(checkout) }
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.exit == Exit::NoInput)
}

fn choose(
    config: &Config,
    environment: &Environment,
    target: &crate::source::config::Target,
    base_dir: &Path,
) -> Result<Chosen> {
    let keys = environment.keys(&target.name);
    let Some(kind) = Kind::find(&target.provider) else {
        let known: Vec<&str> = crate::providers::KINDS.iter().map(|kind| kind.name).collect();
        let message = format!("no provider `{}`; there is {}", target.provider, known.join(", "));
        return Err(config.complaint(&[&keys[..], &["provider"]].concat(), &message).into());
    };
    let chosen = Target {
        name: target.name.clone(),
        provider: target.provider.clone(),
        path: target.path.clone(),
        base_dir: PathBuf::from(base_dir),
        options: target.options.clone(),
    };
    (kind.check)(&chosen).map_err(|bad| {
        let path: Vec<&str> = keys.iter().copied().chain(bad.path.iter().map(String::as_str)).collect();
        config.complaint(&path, &bad.message)
    })?;
    let Guards { max_delete, max_delete_percent, mut protect } = target.guards.clone();
    protect.extend((kind.risky)(&chosen));
    let limits = Limits { max_delete, max_delete_percent: max_delete_percent.into(), protect };
    let rules = ignoring::rules(config, environment, target, kind)?;
    Ok(Chosen { target: chosen, kind, limits, rules })
}

/// Plans every target of the session, several at a time, and writes to none.
pub fn read(session: &Session, look: &Look<'_>) -> Result<Vec<Planned>> {
    let one = |chosen: &Chosen| plan(session, chosen, &mut *(chosen.kind.open)(&chosen.target)?, look);
    session.targets.par_iter().map(one).collect()
}

/// Compares one target with `look.against`.
pub fn plan(session: &Session, chosen: &Chosen, reader: &mut dyn Reader, look: &Look<'_>) -> Result<Planned> {
    // The target is asked for its memory while the files are read.
    let (memory, wanted) = rayon::join(|| reader.memory(), || wanted(session, chosen, look));
    let (mut memory, wanted) = (memory?, wanted?);
    let mut past = Past { session, chosen, declared: BTreeMap::new() };
    let Revision { commit, dirty, merged, .. } = session.revision();
    if let (Some(desired), Some(commit), false) = (&wanted, commit, *dirty || *merged) {
        past.declared.insert(*commit, Rc::new(Ok(desired.clone())));
    }
    let mut bases = past.bases(&mut memory);
    let attempted = past.attempted(&memory);
    let (revision, mut desired) = match wanted {
        Some(desired) => (session.revision().clone(), desired),
        None => past.recorded(&memory)?,
    };
    let declared = desired.objects.len();
    look.observer.on(Event::Phase { what: "reading", total: declared });
    let mut actual = observe(session, chosen, reader, look, &desired, &bases, &attempted)?;
    resume(&mut bases, &memory, attempted, &actual);
    let moved = rename(&mut bases, &actual);
    if look.against == Against::Record {
        forget_deleted(&mut bases, &memory, &actual);
        desired.objects = past.restore(&bases, &revision);
    }
    select(look.only, &mut desired, &mut bases, &mut actual)?;
    let mut comparison = diff::compare(&desired, &bases, &actual);
    comparison.gone.extend(moved);
    let mut candidates = std::mem::take(&mut comparison.candidates);
    reader.complete(&mut candidates, session.snapshot.contents())?;
    let known = |address: &Address| {
        let now = desired.objects.get(address).and_then(|object| object.value.as_ref());
        now.or_else(|| bases.get(address).and_then(Base::value))
    };
    let was = |address: &Address| match look.against {
        Against::Revision => past.declared(&memory, address),
        Against::Record => None,
    };
    let ignored = ignoring::settle(chosen, known, was, &mut candidates, &comparison.in_sync, &actual);
    look.observer.on(Event::Done);
    let mut notes: Vec<String> = desired.notes.iter().chain(&actual.notes).cloned().collect();
    let mut changes: Vec<Change> = actual.incomplete.iter().map(incomplete).collect();
    for candidate in candidates {
        let (address, remarks) = (candidate.address.clone(), candidate.notes.clone());
        let there = candidate.sides.desired.is_some();
        match diff::change(candidate, &desired, &actual, &bases) {
            Some(change) => changes.push(change),
            None => {
                notes.extend(remarks.iter().map(|remark| format!("`{address}` {remark}")));
                // A closer look may find that nothing is to be done after all.
                let settled = if there { &mut comparison.in_sync } else { &mut comparison.gone };
                settled.push(address);
            }
        }
    }
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    if look.against == Against::Revision {
        attribution::explain(&mut past, &memory, &mut changes, &mut notes);
    }
    let record = memory.record.as_ref();
    notes.extend(record.and_then(interrupted));
    let applied = record.and_then(|record| record.applied.as_ref());
    let plan = Plan {
        target: TargetName {
            name: chosen.target.name.clone(),
            environment: session.environment.name.clone(),
            provider: chosen.target.provider.clone(),
            id: reader.id(),
        },
        revision,
        base: applied.map(|applied| applied.revision.clone()),
        applied_at: applied.map(|applied| applied.at.clone()),
        complete: look.only.is_empty() && changes.iter().all(|change| change.class != Class::Unknown),
        changes,
        unchanged: comparison.in_sync.len(),
        owned: memory.owned.len(),
        external: actual.external,
        ignored,
        notes,
    };
    Ok(Planned { plan, comparison, memory, declared })
}

/// What the revision declares, where that is what the target is compared with.
fn wanted(session: &Session, chosen: &Chosen, look: &Look<'_>) -> Result<Option<Desired>> {
    match look.against {
        Against::Revision => session.declared(chosen).map(Some),
        Against::Record => Ok(None),
    }
}

/// Asks the target about everything that any tree knows.
fn observe(
    session: &Session,
    chosen: &Chosen,
    reader: &mut dyn Reader,
    look: &Look<'_>,
    desired: &Desired,
    bases: &Bases,
    attempted: &BTreeMap<Address, Value>,
) -> Result<Actual> {
    let mut objects = diff::addresses(desired, bases);
    for (address, value) in attempted {
        objects.entry(address).or_default().base.get_or_insert(value);
    }
    objects.retain(|address, _| look.only.is_empty() || look.only.matches(address));
    reader.observe(&Query {
        objects,
        exclusive: &desired.exclusive,
        verify: look.verify,
        rules: &chosen.rules,
        algorithm: session.checkout.algorithm(),
        observer: look.observer,
    })
}

/// Takes an interrupted apply for what it was: an object that already is what
/// the attempt was to make of it was made so by us, and so was a part of one
/// that takes several steps to make and was not there before.
fn resume(bases: &mut Bases, memory: &Memory, attempted: BTreeMap<Address, Value>, actual: &Actual) {
    let attempt = memory.record.as_ref().and_then(|record| record.attempting.as_ref());
    let begun = |address: &Address| {
        actual.in_steps.contains(address)
            && attempt.is_some_and(|attempt| attempt.changes.contains(&(address.clone(), Action::Create)))
    };
    for (address, value) in attempted {
        let Some(Observed::Present(state)) = actual.objects.get(&address) else { continue };
        if state.value == value || begun(&address) {
            bases.insert(address, Base::Known(state.value.clone()));
        }
    }
}

/// Moves what is known of renamed objects to their new addresses; answers the old ones.
fn rename(bases: &mut Bases, actual: &Actual) -> Vec<Address> {
    let mut moved = Vec::new();
    for (new, old) in &actual.renamed {
        if let Some(base) = bases.remove(old) {
            bases.insert(new.clone(), base);
            moved.push(old.clone());
        }
    }
    moved
}

/// Takes an interrupted apply for what it was: an object that it was to delete
/// and that is gone is not missing.
fn forget_deleted(bases: &mut Bases, memory: &Memory, actual: &Actual) {
    let attempt = memory.record.as_ref().and_then(|record| record.attempting.as_ref());
    let changes = attempt.map(|attempt| attempt.changes.as_slice()).unwrap_or_default();
    for (address, _) in changes.iter().filter(|(_, action)| *action == Action::Delete) {
        if matches!(actual.objects.get(address), Some(Observed::Absent)) {
            bases.remove(address);
        }
    }
}

/// Leaves only what `only` selects.
pub(super) fn select(
    only: &Selector,
    desired: &mut Desired,
    bases: &mut Bases,
    actual: &mut Actual,
) -> Result<()> {
    if only.is_empty() {
        return Ok(());
    }
    let known = desired.objects.keys().chain(bases.keys()).chain(actual.objects.keys());
    if let Some(pattern) = only.unmatched(known).first() {
        let message = format!("no object of the target matches `{pattern}`");
        return Err(Fault::new(Exit::NoInput, message).hint("`trueup plan` lists the addresses").into());
    }
    desired.objects.retain(|address, _| only.matches(address));
    bases.retain(|address, _| only.matches(address));
    actual.objects.retain(|address, _| only.matches(address));
    Ok(())
}

/// A collection that could not be listed, as an entry of the plan.
fn incomplete((collection, cause, message): &(Address, Cause, String)) -> Change {
    Change {
        address: collection.clone(),
        action: Action::Keep,
        class: Class::Unknown,
        origin: None,
        fields: Vec::new(),
        sides: Sides::default(),
        after: None,
        owned: false,
        cascade: 0,
        writer: None,
        commits: Vec::new(),
        unknown: Some((*cause, format!("listing it: {message}"))),
        ignored: Vec::new(),
        notes: Vec::new(),
    }
}

fn interrupted(record: &Record) -> Option<String> {
    let attempt = record.attempting.as_ref()?;
    Some(format!(
        "an apply of {} by {}, begun {}, did not end; what it wrote is not drift, and `trueup apply` completes it",
        attempt.revision.label(),
        attempt.who.actor,
        attempt.started,
    ))
}
