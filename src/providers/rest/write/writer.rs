//! A target as an apply sees it: the order of the writes, and what becomes of each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;
use rayon::prelude::*;

use super::{
    batch,
    job::{Job, Made, Within},
    lock_fields::Locks,
    verify::verify,
    write_error::Trouble,
};
use crate::{
    model::{
        address::Address,
        attached::Attached,
        change::{Action, Change},
        digest::Digest,
        event::Event,
        explain::{Cost, Reason},
        object::Actual,
        record::{Record, StoredRecord, Who},
        report::{FailureKind, Outcome, Verdict},
        tree::Contents,
    },
    providers::{
        Query, Reader, Run, Writer,
        rest::{
            client::{session::Session, transport::Sender},
            declare::address::{Collection, Place},
            definition::Definition,
            options::TargetConfig,
            read::collection_reader::{Found, Gathered, Wanted},
        },
    },
};

/// A target, opened for an apply.
pub struct RestWriter {
    pub session: Session,
    pub sender: Sender,
}

impl RestWriter {
    /// Opens a target; nothing is asked yet.
    ///
    /// # Errors
    /// Options or credentials that make no sense.
    pub fn open(setup: TargetConfig) -> Result<RestWriter> {
        let sender = Sender::open(&setup)?;
        let session = Session::with(setup, sender.getter().clone())?;
        Ok(RestWriter { session, sender })
    }

    /// What the server holds right now of what a step is about to write.
    fn fresh(
        &self,
        changes: &[&Change],
        places: &BTreeMap<usize, Place>,
        step: &[usize],
    ) -> BTreeMap<Collection, Gathered> {
        let mut wanted: Wanted = BTreeMap::new();
        for (at, place) in step.iter().filter_map(|at| Some((at, places.get(at)?))) {
            let part = wanted.entry(place.collection()).or_default();
            part.names.insert(place.keys.clone());
            let sides = &changes[*at].sides;
            if self.session.is_apart(place, sides.desired.iter().chain(&sides.base)) {
                part.apart.insert(place.keys.clone());
            }
            let seen = self.session.seen.get(&place.address());
            let kind = self.session.setup.definition.kind(&place.kind);
            // An object that is to be renamed is there under its old name.
            if let Some(keys) = kind.and_then(|kind| {
                crate::providers::rest::compare::projection::Projection::of(kind).identity(seen?)
            }) {
                part.names.insert(keys);
            }
        }
        self.session.gather(&wanted)
    }
}

/// What is known of the run so far.
#[derive(Default)]
struct Progress {
    outcomes: BTreeMap<usize, Outcome>,
    failed: BTreeSet<Address>,
    made: BTreeSet<Address>,
}

impl Progress {
    fn note(&mut self, at: usize, change: &Change, result: Result<(), Trouble>, run: &Run<'_>) {
        let (verdict, error) = match result {
            Ok(()) => (Verdict::Done, None),
            Err(trouble) => (trouble.verdict, Some((trouble.kind, trouble.message))),
        };
        match &error {
            None => run.observer.on(Event::Applied(&change.address, change.action)),
            Some((_, message)) => {
                run.observer.on(Event::Failed(&change.address, change.action, message));
                if verdict != Verdict::Different {
                    self.failed.insert(change.address.clone());
                }
            }
        }
        if verdict.is_written() && matches!(change.action, Action::Create | Action::Replace) {
            self.made.insert(change.address.clone());
        }
        self.outcomes.insert(at, outcome(change, verdict, error));
    }
}

/// What was made in a run, for what a server makes by itself along with it.
struct ImplicitlyCreated<'a> {
    definition: &'a Definition,
    made: &'a BTreeSet<Address>,
    /// The kind of each, and its own name.
    names: BTreeSet<(String, String)>,
}

impl<'a> ImplicitlyCreated<'a> {
    fn of(definition: &'a Definition, made: &'a BTreeSet<Address>) -> Self {
        let name = |address: &Address| {
            let Place { kind, mut keys, .. } = Place::parse(definition, address)?;
            Some((kind, keys.pop()?))
        };
        ImplicitlyCreated { definition, made, names: made.iter().filter_map(name).collect() }
    }

    /// Whether the object at `place` may have come with what it lives in, or what it depends on and is named by.
    fn has(&self, place: &Place) -> bool {
        let depends_on = self.definition.kind(&place.kind).map_or(&[][..], |kind| &kind.depends_on);
        let mut names =
            depends_on.iter().flat_map(|kind| place.keys.iter().map(move |key| (kind.clone(), key.clone())));
        let mut ancestors = place.collection().ancestors(self.definition).into_iter();
        ancestors.any(|one| self.made.contains(&one)) || names.any(|name| self.names.contains(&name))
    }
}

fn outcome(change: &Change, verdict: Verdict, error: Option<(FailureKind, String)>) -> Outcome {
    Outcome { address: change.address.clone(), action: change.action, class: change.class, verdict, error }
}

impl Reader for RestWriter {
    fn id(&self) -> String {
        self.session.id()
    }

    fn memory(&mut self) -> Result<StoredRecord> {
        self.session.memory()
    }

    fn prefetch(&mut self, memory: &StoredRecord) {
        self.session.prefetch(memory);
    }

    fn observe(&mut self, query: &Query<'_>) -> Result<Actual> {
        self.session.observe(query)
    }

    fn complete(
        &mut self,
        candidates: &mut [crate::model::diff::Candidate],
        contents: &dyn Contents,
    ) -> Result<()> {
        self.session.complete(candidates, contents)
    }

    fn attached(&mut self, changes: &[Change], in_sync: &[Address]) -> Result<Vec<Attached>> {
        Ok(self.session.attached(changes, in_sync))
    }

    fn explain(&self, address: &Address) -> Vec<Reason> {
        self.session.explain(address)
    }

    fn cost(&self) -> Option<Cost> {
        self.session.cost()
    }
}

impl Writer for RestWriter {
    fn reader(&mut self) -> &mut dyn Reader {
        self
    }

    fn lock(&mut self, who: &Who, patience: Duration) -> Result<()> {
        self.session.store.lock(who, patience)
    }

    fn apply(&mut self, changes: &[&Change], run: &Run<'_>) -> Vec<Outcome> {
        let definition = self.session.setup.definition.clone();
        let locks = Locks::of(&definition, changes);
        let parts = locks.parts(changes);
        let (getter, done) = (self.session.getter.clone(), AtomicBool::new(false));
        let outcomes = thread::scope(|scope| {
            scope.spawn(|| getter.heed(run.stop, &done));
            let outcomes = self.write(&parts, &locks, run);
            done.store(true, Ordering::SeqCst);
            outcomes
        });
        locks.join(outcomes)
    }

    fn save(&mut self, record: &Record, owned: &BTreeMap<Address, Option<Digest>>) -> Result<()> {
        self.session.confirm(|address| owned.contains_key(address));
        let Session { setup, store, prints, .. } = &mut self.session;
        store.save(setup, &self.sender, record, owned, prints)
    }
}

impl RestWriter {
    /// Makes `changes`, step by step, and says what became of each.
    fn write(&mut self, changes: &[&Change], locks: &Locks, run: &Run<'_>) -> Vec<Outcome> {
        let definition = self.session.setup.definition.clone();
        let places: BTreeMap<usize, Place> = changes
            .iter()
            .enumerate()
            .filter_map(|(at, change)| Some((at, Place::parse(&definition, &change.address)?)))
            .collect();
        let mut progress = Progress::default();
        for step in self.steps(changes, locks) {
            let stopped = run.stop.load(Ordering::SeqCst);
            let mut ready = Vec::new();
            for at in step {
                match self.obstacle(at, changes[at], locks, &progress) {
                    None if !stopped && places.contains_key(&at) => ready.push(at),
                    why => {
                        progress.failed.insert(changes[at].address.clone());
                        let why = why.map(|why| (FailureKind::Other, why));
                        progress.outcomes.insert(at, outcome(changes[at], Verdict::NotAttempted, why));
                    }
                }
            }
            self.step(changes, &places, &ready, locks, run, &mut progress);
        }
        let left = |at: usize| outcome(changes[at], Verdict::NotAttempted, None);
        (0..changes.len()).map(|at| progress.outcomes.remove(&at).unwrap_or_else(|| left(at))).collect()
    }

    /// Why a change is not tried after what failed before, if so.
    fn obstacle(&self, at: usize, change: &Change, locks: &Locks, progress: &Progress) -> Option<String> {
        if let Some(other) = self.depends_on_failed(change, &progress.failed) {
            return Some(format!("`{other}`, which it needs, failed"));
        }
        let definition = self.session.definition();
        if locks.is_last(at)
            && let Some(other) = Locks::is_open_for(definition, &change.address, &progress.failed)
        {
            return Some(format!("`{other}` failed, and could not be written once this is locked"));
        }
        (change.action.removes() && !progress.failed.is_empty())
            .then(|| "nothing is deleted after a failure".to_owned())
    }

    /// Makes the changes of one step: checks them against what is there now, writes, and reads back
    /// what the answers did not tell.
    fn step(
        &mut self,
        changes: &[&Change],
        places: &BTreeMap<usize, Place>,
        ready: &[usize],
        locks: &Locks,
        run: &Run<'_>,
        progress: &mut Progress,
    ) {
        if ready.is_empty() {
            return;
        }
        let fresh = self.fresh(changes, places, ready);
        let jobs = self.jobs(changes, places, ready, &fresh, locks, progress);
        let results = Mutex::new(BTreeMap::new());
        let keep = |at: usize, result| {
            results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(at, result);
        };
        let writers = self.session.setup.definition.limits.concurrent_writes.clamp(1, 16);
        let work = || {
            let (batches, single): (Vec<_>, Vec<_>) =
                jobs.iter().partition(|(_, job)| job.kind.batch.is_some());
            for chunk in batch::chunks(batches) {
                if run.stop.load(Ordering::SeqCst) {
                    break;
                }
                chunk.iter().for_each(|(_, job)| {
                    run.observer.on(Event::Applying(&job.change.address, job.change.action))
                });
                for (at, result) in batch::send(&chunk) {
                    keep(at, result);
                }
            }
            single.par_iter().for_each(|(at, job)| {
                if !run.stop.load(Ordering::SeqCst) {
                    run.observer.on(Event::Applying(&job.change.address, job.change.action));
                    keep(*at, job.run());
                }
            });
        };
        match rayon::ThreadPoolBuilder::new().num_threads(writers).build() {
            Ok(pool) => pool.install(work),
            Err(_) => work(),
        }
        drop(jobs);
        let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.settle(changes, places, results, run, progress);
    }

    /// The changes of a step, each with what the server holds of it now.
    fn jobs<'a>(
        &'a self,
        changes: &[&'a Change],
        places: &'a BTreeMap<usize, Place>,
        ready: &[usize],
        fresh: &BTreeMap<Collection, Gathered>,
        locks: &Locks,
        progress: &Progress,
    ) -> Vec<(usize, Job<'a>)> {
        let company = ImplicitlyCreated::of(self.session.definition(), &progress.made);
        let within = |at: usize, place: &Place| match locks.first_of(at).is_some() || company.has(place) {
            true => Within::Made,
            false => Within::Old,
        };
        let job = |at: &usize| {
            let place = &places[at];
            Job::new(&self.session, &self.sender, changes[*at], place, fresh, within(*at, place))
        };
        ready.iter().map(|at| (*at, job(at))).collect()
    }

    /// Reads back what no answer told yet, once for each collection.
    fn settle(
        &mut self,
        changes: &[&Change],
        places: &BTreeMap<usize, Place>,
        results: BTreeMap<usize, Made>,
        run: &Run<'_>,
        progress: &mut Progress,
    ) {
        let unsettled: Vec<usize> = results
            .iter()
            .filter(|(_, result)| match result {
                Ok(told) => told.is_none(),
                Err(trouble) => trouble.verdict == Verdict::Uncertain,
            })
            .map(|(at, _)| *at)
            .collect();
        for at in &unsettled {
            // What was seen before the write does not name the object any more.
            self.session.forget(&changes[*at].address);
        }
        let back =
            if unsettled.is_empty() { BTreeMap::new() } else { self.fresh(changes, places, &unsettled) };
        for (at, result) in results {
            let (change, place) = (changes[at], &places[&at]);
            let found = match &result {
                Ok(Some(raw)) => Some(Found::Here(raw.clone())),
                _ => back.get(&place.collection()).map(|gathered| gathered.get(&place.keys)),
            };
            let told = verify(&self.session, change, place, found.as_ref());
            if let Some(Found::Here(raw)) = found {
                self.session.seen.insert(change.address.clone(), raw);
            }
            let result = match (result, told) {
                (Ok(_), told) => told,
                // No answer came, and yet it is as it should be.
                (Err(trouble), Ok(())) if trouble.verdict == Verdict::Uncertain => Ok(()),
                // The old one is gone, which is not what was there before.
                (Err(trouble), _) if trouble.gone => Err(Trouble { verdict: Verdict::Gone, ..trouble }),
                (Err(trouble), _) => Err(trouble),
            };
            if result.as_ref().map_or_else(|trouble| trouble.verdict.is_written(), |()| true) {
                let differs = result.as_ref().err().map_or(&[][..], |trouble| &trouble.differs);
                self.session.remember(&change.address, change.after.as_ref(), differs);
            }
            let kind = &self.session.definition().kinds[&place.kind];
            progress.note(at, change, result.map_err(|trouble| trouble.about(change, kind)), run);
        }
    }
}
