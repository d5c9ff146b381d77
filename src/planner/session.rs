//! The one path of every verb: arguments, desired state, actual state, plan.

use std::{
    collections::BTreeSet,
    fs::File,
    io::BufReader,
    mem::ManuallyDrop,
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::{
    base::BaseHistory, blame, commits, definition, explain, ignore_rules, lines, overlap, release,
    three_way::ThreeWayState,
};
use crate::{
    cli::GlobalArgs,
    exit::Exit,
    model::{
        address::Address,
        attached,
        change::Class,
        diff::Comparison,
        digest::Digest,
        event::{Event, Observer},
        guard::Limits,
        ignore::{Rules, Subject},
        object::Desired,
        plan::{Failure, Plan, TargetName},
        record::{Record, StoredRecord},
        revision::Revision,
        selector::Selector,
        sensitive::Sensitive,
        user_error::UserError,
    },
    providers::{BadOption, Log, Programs, Provider, Reader, Spelling, Target},
    source::{
        checkout::{Checkout, Selected, Selection, Snapshot},
        config::{self, Config, Environment, Guards},
    },
};

/// The checkout, opened at the state that was asked for.
pub struct Session {
    /// The repository.
    pub checkout: Checkout,
    /// The state.
    pub snapshot: Snapshot,
    /// How it was selected.
    pub selection: Selection,
    /// The environment's name and ref.
    pub environment: Environment,
    /// The targets that were asked for.
    pub targets: Vec<ResolvedTarget>,
    /// The files of the checkout that decide what is done: trueup.yaml and definitions.
    pub decides: Vec<String>,
}

/// A target that was asked for.
pub struct ResolvedTarget {
    /// As trueup.yaml describes it.
    pub target: Target,
    /// Its provider.
    pub kind: &'static Provider,
    /// How much may be deleted there.
    pub limits: Limits,
    /// What is left to others.
    pub rules: Rules,
    /// What no output may show.
    pub sensitive: Sensitive,
    /// How patterns of its addresses are read.
    pub spelling: Spelling,
}

/// What to look at, and how closely.
pub struct PlanOptions<'a> {
    /// Only these objects; empty for all.
    pub only: &'a Selector,
    /// Explain these objects; empty for none.
    pub explain: &'a Selector,
    /// Logs that name people.
    pub logs: &'a [PathBuf],
    /// Trust nothing remembered.
    pub verify: bool,
    /// What takes the place of desired.
    pub against: Against,
    /// Whether what the target made of writes is to be taken into Git.
    pub adopting: bool,
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
pub struct TargetPlan {
    /// The plan.
    pub plan: Plan,
    /// What was found to be in sync, or gone.
    pub comparison: Comparison,
    /// What the target remembers.
    pub memory: StoredRecord,
    /// How many objects are declared, the selection aside.
    pub declared: usize,
    /// How long it took.
    pub took: Duration,
}

impl TargetPlan {
    /// Every object that the plan looked at.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        let changed = self.plan.changes.iter().map(|change| &change.address);
        changed.chain(&self.comparison.in_sync).chain(&self.comparison.gone)
    }
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
        let programs = if global.no_exec { Programs::Refuse } else { Programs::Run };
        overlap::check(&config, &checkout.place(), &base_dir, programs)?;
        let named = environment.targets(names)?;
        let definitions: Vec<String> =
            named.iter().filter_map(|target| definition::file(&config.folder, target)).collect();
        let targets = named
            .into_iter()
            .map(|target| choose(&selected, &config, &environment, target, &base_dir, programs))
            .collect::<Result<Vec<_>>>()?;
        let declaring = targets.iter().map(|chosen| chosen.target.path.as_str());
        let decides: Vec<String> = std::iter::once(config.file.clone()).chain(definitions).collect();
        let paths: Vec<&str> = declaring.chain(decides.iter().map(String::as_str)).collect();
        let snapshot = selected.snapshot(&paths)?;
        let selection = selection.clone();
        Ok(Session { checkout, snapshot, selection, environment, targets, decides })
    }

    /// The revision that the session is about.
    pub fn revision(&self) -> &Revision {
        &self.snapshot.revision
    }

    /// What the revision declares for `chosen`.
    pub fn declared(&self, chosen: &ResolvedTarget) -> Result<Desired> {
        let desired = self.declared_in(&self.snapshot, chosen)?;
        match desired.invalid.as_slice() {
            [] => Ok(desired),
            invalid => Err(UserError::new(Exit::BadDesired, invalid.join("\n")).into()),
        }
    }

    /// What `commit` declares for `chosen`.
    pub fn declared_at(&self, commit: &Digest, chosen: &ResolvedTarget) -> Result<Desired> {
        self.declared_in(&self.checkout.at(commit, &commit.short())?, chosen)
    }

    /// What `commit` declares for `chosen`; nothing if its folder is not there yet.
    pub fn declared_at_if_any(&self, commit: &Digest, chosen: &ResolvedTarget) -> Result<Desired> {
        if_any(self.declared_at(commit, chosen))
    }

    /// What the revision declares for `chosen`; nothing if its folder is not there yet.
    pub fn declared_if_any(&self, chosen: &ResolvedTarget) -> Result<Desired> {
        if_any(self.declared(chosen))
    }

    /// A pattern of addresses in the form that addresses have, where all targets agree on one.
    pub fn spelled(&self, pattern: &str) -> Option<String> {
        let mut forms = self.targets.iter().map(|chosen| (chosen.spelling)(pattern));
        let first = forms.next()?;
        first.filter(|first| forms.all(|form| form.as_ref() == Some(first)))
    }

    /// Says of which target an error is, where there are several.
    pub fn blame<T>(&self, chosen: &ResolvedTarget, result: Result<T>) -> Result<T> {
        match &self.targets[..] {
            [_] => result,
            _ => result.with_context(|| format!("target `{}`", chosen.target.name)),
        }
    }

    fn declared_in(&self, snapshot: &Snapshot, chosen: &ResolvedTarget) -> Result<Desired> {
        let tree = snapshot.tree(&chosen.target.path)?;
        (chosen.kind.declare)(&chosen.target, &tree, snapshot.contents())
    }
}

/// Opens the checkout that the command line names.
pub fn checkout(global: &GlobalArgs) -> Result<Checkout> {
    let checkout = Checkout::open(&global.directory)?;
    if global.no_exec { checkout.without_programs() } else { Ok(checkout) }
}

/// Nothing where a folder is not there yet.
pub fn if_any(declared: Result<Desired>) -> Result<Desired> {
    match declared {
        Err(error) if is_missing(&error) => Ok(Desired::default()),
        other => other,
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<UserError>().is_some_and(|fault| fault.exit == Exit::NoInput)
}

fn choose(
    selected: &Selected,
    config: &Config,
    environment: &Environment,
    target: &config::Target,
    base_dir: &Path,
    programs: Programs,
) -> Result<ResolvedTarget> {
    let keys = environment.keys(&target.name);
    let Some(kind) = Provider::find(&target.provider) else {
        let known: Vec<&str> = crate::providers::PROVIDERS.iter().map(|kind| kind.name).collect();
        let message = format!("no provider `{}`; there is {}", target.provider, known.join(", "));
        return Err(config.complaint(&[&keys[..], &["provider"]].concat(), &message).into());
    };
    let definition = definition::read(selected, config, target, &keys)?;
    let siblings = siblings(config, environment, target, kind, base_dir, programs)?;
    let chosen = Target { definition, siblings, ..without_definition(target, base_dir, programs) };
    let at = |bad: BadOption| complaint(config, &keys, &bad);
    (kind.check)(&chosen).map_err(at)?;
    let spelling = (kind.spelling)(&chosen).map_err(at)?;
    let Guards { max_delete, max_delete_percent, mut protect, mut keep } = target.guards.clone();
    for patterns in [&mut protect, &mut keep] {
        patterns.extend(patterns.iter().filter_map(|pattern| spelling(pattern)).collect::<Vec<_>>());
    }
    protect.extend((kind.protected_by_default)(&chosen)?);
    let limits = Limits {
        max_delete,
        max_delete_percent: max_delete_percent.into(),
        protect: Selector::new(&protect)?,
        keep: Selector::new(&keep)?,
        access_fields: Selector::new(&(kind.access_fields)(&chosen)?)?,
    };
    let rules = ignore_rules::rules(config, environment, target, kind)?.respelled(&*spelling)?;
    let sensitive = target.sensitive.respelled(&*spelling)?;
    Ok(ResolvedTarget { target: chosen, kind, limits, rules, sensitive, spelling })
}

/// The other targets of all environments that may declare objects of the place of `target`.
fn siblings(
    config: &Config,
    environment: &Environment,
    target: &config::Target,
    kind: &Provider,
    base_dir: &Path,
    programs: Programs,
) -> Result<Vec<Target>> {
    let place = |environment: &Environment, target: &config::Target| {
        let opened = without_definition(target, base_dir, programs);
        (kind.place)(&opened).map_err(|bad| complaint(config, &environment.keys(&target.name), &bad))
    };
    let Some(here) = place(environment, target)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for other_environment in &config.environments {
        for other in other_environment.targets.iter().filter(|other| other.provider == target.provider) {
            if place(other_environment, other)?.is_some_and(|there| there.is_beside(&here)) {
                found.push(without_definition(other, base_dir, programs));
            }
        }
    }
    Ok(found)
}

/// A target as its provider sees it, but for the text of its definition.
pub fn without_definition(target: &config::Target, base_dir: &Path, programs: Programs) -> Target {
    Target {
        name: target.name.clone(),
        provider: target.provider.clone(),
        path: target.path.clone(),
        base_dir: base_dir.to_owned(),
        options: target.options.clone(),
        programs,
        definition: None,
        siblings: Vec::new(),
    }
}

/// The complaint about an option of the target that `keys` lead to.
pub fn complaint(config: &Config, keys: &[&str], bad: &BadOption) -> UserError {
    let path: Vec<&str> = keys.iter().copied().chain(bad.path.iter().map(String::as_str)).collect();
    config.complaint(&path, &bad.message)
}

/// Plans every target of the session, several at a time, and writes to none. Of several, one that cannot be
/// planned does not hide the others.
pub fn read(session: &Session, look: &PlanOptions<'_>) -> Result<Vec<TargetPlan>> {
    let alone = session.targets.len() == 1;
    let one = |chosen: &ResolvedTarget| {
        // The process ends soon: to take apart all that was read would only cost time.
        let reader = (chosen.kind.open)(&chosen.target).map(ManuallyDrop::new);
        match reader.and_then(|mut reader| plan(session, chosen, &mut **reader, look)) {
            Err(error) if !alone => Ok(failed(session, chosen, &error)),
            planned => planned,
        }
    };
    let planned: Vec<TargetPlan> = session.targets.par_iter().map(one).collect::<Result<_>>()?;
    explain::check(&look.explain.respelled(&|pattern| session.spelled(pattern))?, &planned)?;
    Ok(planned)
}

/// Why a target gave no answer, beside others that did.
pub fn failure(error: &anyhow::Error) -> Failure {
    let fault = UserError::behind(error.as_ref());
    Failure {
        result: fault.map_or(Exit::Error, |fault| fault.exit),
        message: UserError::causes(error.as_ref()).join(": "),
        hint: fault.and_then(|fault| fault.hint.clone()),
    }
}

fn failed(session: &Session, chosen: &ResolvedTarget, error: &anyhow::Error) -> TargetPlan {
    let target = name(session, chosen, chosen.target.provider.clone());
    TargetPlan {
        plan: Plan::failed(target, session.revision().clone(), failure(error)),
        comparison: Comparison::default(),
        memory: StoredRecord::default(),
        declared: 0,
        took: Duration::ZERO,
    }
}

/// The target in a plan; `id` is what its provider calls it.
pub fn name(session: &Session, chosen: &ResolvedTarget, id: String) -> TargetName {
    TargetName {
        name: chosen.target.name.clone(),
        environment: session.environment.name.clone(),
        provider: chosen.target.provider.clone(),
        id,
    }
}

/// Compares one target with `look.against`.
pub fn plan(
    session: &Session,
    chosen: &ResolvedTarget,
    reader: &mut dyn Reader,
    look: &PlanOptions<'_>,
) -> Result<TargetPlan> {
    let begun = Instant::now();
    let spelling = &*chosen.spelling;
    let (only, explain) = (look.only.respelled(spelling)?, look.explain.respelled(spelling)?);
    let look = &PlanOptions { only: &only, explain: &explain, ..*look };
    // The target is asked for its memory, and for what that names, while the files are read.
    let (memory, wanted) = rayon::join(|| remember(reader, look), || wanted(session, chosen, look));
    // What is declared wrongly is so whatever the target says.
    let (wanted, mut memory) = (wanted?.map(Rc::new), memory?);
    let mut past = BaseHistory::of(session, chosen, wanted.as_ref());
    let mut trees = ThreeWayState::before(session, &mut past, &mut memory, wanted)?;
    let declared = trees.desired.objects.len();
    look.observer.on(Event::Phase { what: "reading", total: declared });
    trees.observe(session, chosen, reader, look)?;
    let moved = trees.settle(&mut past, &memory, look.against);
    trees.select(look.only)?;
    let mut comparison = trees.compare();
    comparison.gone.extend(moved);
    reader.complete(&mut comparison.candidates, session.snapshot.contents())?;
    let was = |address: &Address| match look.against {
        Against::Revision => past.declared(&memory, address),
        Against::Record => None,
    };
    let ignored =
        ignore_rules::settle(chosen, |address| trees.known_of(address), was, &mut comparison, &trees.actual);
    sensitive(chosen, &trees, &mut comparison);
    look.observer.on(Event::Done);
    let mut notes: Vec<String> = trees.desired.notes.iter().chain(&trees.actual.notes).cloned().collect();
    let mut changes = trees.decide(&mut comparison, &mut notes);
    if look.against == Against::Revision {
        release::release(session, chosen, &memory, &mut changes)?;
        let attached = reader.attached(&changes, &comparison.in_sync)?;
        attached::take(&mut changes, &mut comparison.in_sync, attached, &trees.desired);
    }
    lines::locate(session, chosen, &trees.revision, &mut changes);
    notes.extend(blame::credit(session, chosen, &trees.revision, &mut changes));
    if look.against == Against::Revision {
        commits::explain(&mut past, &memory, &mut changes, &mut notes);
    }
    let applied_at = memory.record.as_ref().and_then(|record| Some(record.applied.as_ref()?.at.clone()));
    if !look.logs.is_empty() {
        notes.extend(reader.attribute_from_audit(
            &mut open(look.logs)?,
            &mut changes,
            applied_at.as_deref(),
        )?);
    }
    let known = explain::Known { trees: &trees, memory: &memory };
    let explanations = explain::explanations(look.explain, &known, &changes, &comparison, reader);
    let record = memory.record.as_ref();
    notes.extend(record.and_then(interrupted));
    let applied = record.and_then(|record| record.applied.as_ref());
    let gone: BTreeSet<&Address> = comparison.gone.iter().collect();
    let found = match look.against {
        Against::Revision => release::found(&memory, &comparison, &mut notes),
        Against::Record => 0,
    };
    let plan = Plan {
        target: name(session, chosen, reader.id()),
        revision: trees.revision,
        base: applied.map(|applied| applied.revision.clone()),
        applied_at,
        attempted: record.and_then(Record::attempted),
        complete: look.only.is_empty() && changes.iter().all(|change| change.class != Class::Unknown),
        changes,
        unchanged: comparison.in_sync.len(),
        found,
        owned: memory.owned.keys().filter(|address| !gone.contains(address)).count(),
        external: trees.actual.external,
        ignored,
        notes,
        explanations,
        cost: reader.cost(),
        definition: definition::digest(&chosen.target),
        failure: None,
    };
    Ok(TargetPlan { plan, comparison, memory, declared, took: begun.elapsed() })
}

/// What the target remembers; it begins to read that if everything will be asked for.
fn remember(reader: &mut dyn Reader, look: &PlanOptions<'_>) -> Result<StoredRecord> {
    let memory = reader.memory()?;
    if look.only.is_empty() {
        reader.prefetch(&memory);
    }
    Ok(memory)
}

/// Opens the logs that the command line names.
fn open(logs: &[PathBuf]) -> Result<Vec<Log>> {
    let open = |path: &PathBuf| {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| {
            UserError::new(Exit::NoInput, format!("reading the audit log `{name}`: {error}"))
        })?;
        Ok(Log { name, lines: Box::new(BufReader::with_capacity(1 << 20, file)) })
    };
    logs.iter().map(open).collect()
}

/// Hides what no output may show of what differs.
pub fn sensitive(chosen: &ResolvedTarget, trees: &ThreeWayState, comparison: &mut Comparison) {
    for candidate in &mut comparison.candidates {
        let address = candidate.address.clone();
        let names = (chosen.kind.names)(&address);
        let names = names.as_ref().map(|names| names.each_ref().map(String::as_str));
        let declared = trees.known_of(&address);
        chosen.sensitive.hide(&Subject { address: &address, names, declared, facts: &[] }, candidate);
    }
}

/// What the revision declares, where that is what the target is compared with.
fn wanted(session: &Session, chosen: &ResolvedTarget, look: &PlanOptions<'_>) -> Result<Option<Desired>> {
    match look.against {
        Against::Revision => session.declared(chosen).map(Some),
        Against::Record => Ok(None),
    }
}

fn interrupted(record: &Record) -> Option<String> {
    let attempt = record.attempting.as_ref()?;
    if record.has_ended() {
        return Some(format!(
            "the last apply, of {} by {}, got no answer to some of its writes; what it wrote is not drift, and \
             `trueup apply` completes it",
            attempt.revision.label(),
            attempt.who.actor,
        ));
    }
    Some(format!(
        "an apply of {} by {}, begun {}, did not end; what it wrote is not drift, and `trueup apply` completes it",
        attempt.revision.label(),
        attempt.who.actor,
        attempt.started,
    ))
}
