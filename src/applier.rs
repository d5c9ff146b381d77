//! Carries out a plan: record that it begins, write, record how it ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::Result;

use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::{Action, Change, Class},
        diff::Comparison,
        digest::Digest,
        event::{Event, Observer},
        object::Cause,
        path::{self, Place},
        plan::Plan,
        record::{Applied, Attempt, HistoryEntry, HistoryObject, Record, StoredRecord, Who},
        report::{FailureKind, Outcome, Report, Verdict},
        revision::Commit,
        selector::Selector,
        sensitive::Secrets,
        tree::Contents,
    },
    providers::{Run, Waiting, Writer},
};

/// How many objects a record lists for one apply.
const LISTED: usize = 200;

/// An apply that was shown, guarded and agreed to.
pub struct Job<'a> {
    /// What to do, narrowed to what was agreed to.
    pub plan: &'a Plan,
    /// What the comparison found to be in sync, or gone already.
    pub comparison: &'a Comparison,
    /// What the target remembers.
    pub memory: &'a StoredRecord,
    /// How much of the target it is about.
    pub extent: Extent,
    /// What becomes ours although trueup did not write it.
    pub adopt: &'a Selector,
    /// Content of desired blobs.
    pub contents: &'a dyn Contents,
    /// Told of progress.
    pub observer: &'a dyn Observer,
    /// What the command line says about waiting.
    pub waiting: Waiting,
    /// Set when no further write may begin.
    pub stop: &'a AtomicBool,
    /// The code of the signal that set it.
    pub signal: &'a dyn Fn() -> Exit,
    /// Who, why and how, for the record.
    pub circumstances: Circumstances,
    /// The time, RFC 3339, UTC.
    pub clock: &'a dyn Fn() -> String,
}

/// How much of a target an apply is about, and so what its record may claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it: the target is at the revision once everything is done.
    Whole,
    /// The objects of a selection.
    Selection,
    /// What drifted: nothing of the revision is applied.
    Drift,
}

/// Who ran an apply, why and how.
pub struct Circumstances {
    /// Id of the apply.
    pub id: String,
    /// Who.
    pub who: Who,
    /// The commits that it brings, newest first.
    pub why: Vec<Commit>,
    /// Overrides and selections as typed.
    pub flags: Vec<String>,
}

/// How an apply ended.
pub struct Done {
    /// What became of each change.
    pub report: Report,
    /// Why it could not be recorded, if so.
    pub unrecorded: Option<anyhow::Error>,
}

/// Carries out `job` on a locked target and answers what became of each change.
///
/// # Errors
/// The record could not be written before the first write; nothing was changed then.
pub fn apply(job: &Job<'_>, writer: &mut dyn Writer) -> Result<Done> {
    let writes: Vec<&Change> =
        job.plan.changes.iter().filter(|change| change.action != Action::Keep).collect();
    let mut record = job.memory.record.clone().unwrap_or_else(|| Record::new(writer.id()));
    let mut owned: BTreeMap<Address, Option<Digest>> =
        job.memory.owned.iter().map(|(address, owned)| (address.clone(), owned.commit)).collect();
    note_killed(&mut record);
    let started = (job.clock)();
    if !writes.is_empty() {
        record.attempting = Some(attempt(job, &writes, &started));
        writer.save(&record, &owned)?;
    }
    let done = write(job, writer, &writes);
    settle(job, &done, &mut owned, &mut record);
    let mut report = report(job, done);
    if report.exit() == Exit::InSync {
        report.outcomes.extend(wait(job, writer));
    }
    if report.exit() == Exit::InSync && job.extent == Extent::Whole {
        let id = job.circumstances.id.clone();
        record.applied = Some(Applied { revision: job.plan.revision.clone(), at: (job.clock)(), id });
    }
    let uncertain = uncertain(job, &report, &started);
    record.finish(past(job, &report, started));
    record.attempting = uncertain;
    let unrecorded = writer.save(&record, &owned).err();
    Ok(Done { report, unrecorded })
}

/// What an apply answers that has nothing to write: what could not be read, and what is not ready.
pub fn idle(job: &Job<'_>, writer: &mut dyn Writer) -> Report {
    let unread = job.plan.changes.iter().filter(|change| change.class == Class::Unknown);
    let mut outcomes: Vec<Outcome> = unread.map(not_written).collect();
    outcomes.extend(wait(job, writer));
    Report { outcomes, ..Report::default() }
}

/// The outcome of a change that no write was about.
fn not_written(change: &Change) -> Outcome {
    let unread = |(cause, message): &(Cause, String)| (FailureKind::of(*cause), message.clone());
    Outcome {
        address: change.address.clone(),
        action: change.action,
        class: change.class,
        verdict: match (change.action, change.class) {
            (Action::Keep, class) if class != Class::Unknown => Verdict::Skipped,
            _ => Verdict::NotAttempted,
        },
        error: change.unknown.as_ref().map(unread),
    }
}

/// What is as declared and not ready, where somebody wants to know.
fn wait(job: &Job<'_>, writer: &mut dyn Writer) -> Vec<Outcome> {
    let addresses: Vec<&Address> = job.comparison.in_sync.iter().collect();
    let unready = writer.wait(&addresses, &run(job)).into_iter().map(|(address, why)| Outcome {
        address,
        action: Action::Keep,
        class: Class::InSync,
        verdict: Verdict::Unready,
        error: Some((FailureKind::Other, why)),
    });
    unready.collect()
}

fn run<'a>(job: &'a Job<'_>) -> Run<'a> {
    Run {
        contents: job.contents,
        observer: job.observer,
        stop: job.stop,
        id: &job.circumstances.id,
        waiting: job.waiting,
    }
}

/// Whether carrying out `job` would change nothing, the record included.
pub fn is_idle(
    plan: &Plan,
    comparison: &Comparison,
    memory: &StoredRecord,
    extent: Extent,
    adopt: &Selector,
) -> bool {
    let whole = extent == Extent::Whole;
    let recorded = memory.record.as_ref().is_some_and(|record| {
        record.attempting.is_none()
            && (!whole
                || record
                    .applied
                    .as_ref()
                    .is_some_and(|applied| applied.revision.same_commit(&plan.revision)))
    });
    let owned = comparison.in_sync.iter().all(|address| memory.owned.contains_key(address));
    let adopts = comparison.in_sync.iter().any(|address| memory.found(address) && adopt.matches(address));
    !adopts && plan.is_empty() && recorded && (!whole || owned) && comparison.gone.is_empty()
}

/// Moves an attempt that never ended into the history.
fn note_killed(record: &mut Record) {
    let ended = record.has_ended();
    let Some(attempt) = record.attempting.take().filter(|_| !ended) else { return };
    record.finish(HistoryEntry {
        id: attempt.id,
        started: attempt.started,
        finished: None,
        result: Exit::Error,
        environment: None,
        revision: attempt.revision,
        base: record.applied.as_ref().map(|applied| applied.revision.clone()),
        who: attempt.who,
        why: Vec::new(),
        flags: Vec::new(),
        digest: String::new(),
        summary: Default::default(),
        objects_omitted: attempt.changes.len(),
        objects: Vec::new(),
    });
}

/// What it cannot be told of whether it was written, for the next apply to find out: what is there then as it was to
/// be is ours.
fn uncertain(job: &Job<'_>, report: &Report, started: &str) -> Option<Attempt> {
    let outcomes = report.outcomes.iter();
    let uncertain: BTreeSet<&Address> = outcomes
        .filter(|outcome| outcome.verdict == Verdict::Uncertain)
        .map(|outcome| &outcome.address)
        .collect();
    let changes = job.plan.changes.iter().filter(|change| uncertain.contains(&change.address));
    let changes: Vec<&Change> = changes.collect();
    (!changes.is_empty()).then(|| attempt(job, &changes, started))
}

fn attempt(job: &Job<'_>, writes: &[&Change], started: &str) -> Attempt {
    Attempt {
        id: job.circumstances.id.clone(),
        revision: job.plan.revision.clone(),
        started: started.to_owned(),
        who: job.circumstances.who.clone(),
        changes: writes.iter().map(|change| (change.address.clone(), change.action)).collect(),
    }
}

fn write(job: &Job<'_>, writer: &mut dyn Writer, writes: &[&Change]) -> Vec<Outcome> {
    if writes.is_empty() {
        return Vec::new();
    }
    job.observer.on(Event::Phase { what: "applying", total: writes.len() });
    let discreet = RedactingObserver::of(writes, job.observer);
    let (releases, writes): (Vec<&Change>, Vec<&Change>) =
        writes.iter().partition(|change| change.action == Action::Release);
    let mut outcomes = writer.apply(&writes, &Run { observer: &discreet, ..run(job) });
    if !job.stop.load(Ordering::SeqCst) {
        outcomes.extend(writer.let_go(&releases));
    } else {
        outcomes.extend(releases.into_iter().map(not_written));
    }
    for outcome in &mut outcomes {
        if let Some((_, message)) = &mut outcome.error {
            *message = discreet.redact(&outcome.address, message);
        }
    }
    job.observer.on(Event::Done);
    outcomes
}

/// Passes on what happens, without what no output may show: a server may quote what it refuses.
struct RedactingObserver<'a> {
    observer: &'a dyn Observer,
    secrets: BTreeMap<&'a Address, Secrets>,
}

impl<'a> RedactingObserver<'a> {
    fn of(writes: &[&'a Change], observer: &'a dyn Observer) -> Self {
        let secrets = writes.iter().map(|change| (&change.address, Secrets::of(&change.sides)));
        RedactingObserver { observer, secrets: secrets.filter(|(_, secrets)| !secrets.is_empty()).collect() }
    }

    fn redact(&self, address: &Address, text: &str) -> String {
        self.secrets.get(address).map_or_else(|| text.to_owned(), |secrets| secrets.redact(text))
    }
}

impl Observer for RedactingObserver<'_> {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Failed(address, action, text) => {
                self.observer.on(Event::Failed(address, action, &self.redact(address, text)));
            }
            Event::Awaiting(address, text) => {
                self.observer.on(Event::Awaiting(address, &self.redact(address, text)));
            }
            Event::Unready(address, text) => {
                self.observer.on(Event::Unready(address, &self.redact(address, text)));
            }
            other => self.observer.on(other),
        }
    }
}

/// Works out what is ours from now on, and at which commit.
fn settle(
    job: &Job<'_>,
    done: &[Outcome],
    owned: &mut BTreeMap<Address, Option<Digest>>,
    record: &mut Record,
) {
    let Record { kept, found, .. } = record;
    let commit = job.plan.revision.commit.filter(|_| !job.plan.revision.dirty);
    let was = |address: &Address| job.memory.owned.get(address).and_then(|owned| owned.commit);
    if job.extent == Extent::Whole {
        for address in &job.comparison.in_sync {
            owned.insert(address.clone(), commit);
            if !job.memory.knows(address) {
                found.insert(address.clone());
            }
        }
    }
    found.retain(|address| !job.adopt.matches(address));
    for address in &job.comparison.gone {
        owned.remove(address);
    }
    let left = job.plan.changes.iter().filter(|change| !change.left.is_empty());
    let left: BTreeMap<&Address, &Change> = left.map(|change| (&change.address, change)).collect();
    forget_gone(job, done, owned);
    for outcome in done.iter().filter(|outcome| outcome.verdict.is_written()) {
        found.remove(&outcome.address);
        match outcome.action {
            Action::Delete | Action::Release => _ = owned.remove(&outcome.address),
            _ if job.extent == Extent::Drift => {
                _ = owned.insert(outcome.address.clone(), was(&outcome.address))
            }
            _ => {
                let address = &outcome.address;
                let fields = left.get(address).map(|change| fields_left(job.memory, change));
                kept.remove(address);
                match fields {
                    None => _ = owned.insert(address.clone(), commit),
                    Some(Some(fields)) if commit.is_some() => {
                        owned.insert(address.clone(), commit);
                        kept.insert(address.clone(), fields);
                    }
                    // What was applied last is what a field that was left still differs from.
                    Some(_) => _ = owned.insert(address.clone(), was(address).or(commit)),
                }
            }
        }
    }
    if job.extent == Extent::Whole {
        job.comparison.in_sync.iter().for_each(|address| _ = kept.remove(address));
    }
    kept.retain(|address, _| owned.contains_key(address));
    found.retain(|address| owned.contains_key(address));
}

/// The fields that a change leaves, each with the commit at which it was applied last; none where one of them is
/// only a part of a text, which has no value of its own.
fn fields_left(memory: &StoredRecord, change: &Change) -> Option<BTreeMap<String, Digest>> {
    let sides = [&change.sides.base, &change.sides.desired, &change.sides.actual];
    let has = |place: &Place| sides.into_iter().flatten().any(|side| path::get(side, place).is_some());
    let mut fields = BTreeMap::new();
    for place in &change.left {
        let path = path::pointer(place);
        if !has(place) {
            return None;
        }
        let within = format!("{path}/");
        let before = memory.kept(&change.address).into_iter().flatten();
        fields.extend(
            before.filter(|(kept, _)| kept.starts_with(&within)).map(|(kept, at)| (kept.clone(), *at)),
        );
        fields.insert(path.clone(), memory.applied_to(&change.address, &path)?);
    }
    Some(fields)
}

/// What was deleted to be made anew and was not made, and what went along with something like that and was not made
/// again, was taken away by us: it is not ours to be missed.
fn forget_gone(job: &Job<'_>, done: &[Outcome], owned: &mut BTreeMap<Address, Option<Digest>>) {
    let verdicts: BTreeMap<&Address, Verdict> =
        done.iter().map(|outcome| (&outcome.address, outcome.verdict)).collect();
    let is_gone = |address: &Address| verdicts.get(address) == Some(&Verdict::Gone);
    let is_written = |address: &Address| verdicts.get(address).is_some_and(|verdict| verdict.is_written());
    for change in &job.plan.changes {
        let went = change.along.as_ref().is_some_and(|of| is_gone(of) || is_written(of));
        if is_gone(&change.address) || went && !is_written(&change.address) {
            owned.remove(&change.address);
        }
    }
}

/// Puts the outcomes in plan order, with the changes that were left on purpose.
fn report(job: &Job<'_>, done: Vec<Outcome>) -> Report {
    let stopped = job.stop.load(Ordering::SeqCst);
    let mut done: BTreeMap<Address, Outcome> =
        done.into_iter().map(|outcome| (outcome.address.clone(), outcome)).collect();
    let outcomes = job
        .plan
        .changes
        .iter()
        .map(|change| done.remove(&change.address).unwrap_or_else(|| not_written(change)));
    Report { outcomes: outcomes.collect(), interrupted: stopped.then(|| (job.signal)()) }
}

fn past(job: &Job<'_>, report: &Report, started: String) -> HistoryEntry {
    let listed = report.outcomes.iter().take(LISTED).map(|outcome| HistoryObject {
        address: outcome.address.clone(),
        action: outcome.action,
        class: outcome.class,
        verdict: outcome.verdict,
        error: outcome.error.as_ref().map(|(_, message)| message.clone()),
    });
    HistoryEntry {
        id: job.circumstances.id.clone(),
        started,
        finished: Some((job.clock)()),
        result: report.exit(),
        environment: job.plan.target.environment.clone(),
        revision: job.plan.revision.clone(),
        base: job.plan.base.clone(),
        who: job.circumstances.who.clone(),
        why: job.circumstances.why.clone(),
        flags: job.circumstances.flags.clone(),
        digest: job.plan.digest(),
        summary: job.plan.summary(),
        objects: listed.collect(),
        objects_omitted: report.outcomes.len().saturating_sub(LISTED),
    }
}
