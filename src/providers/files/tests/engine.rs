//! A small engine: decides by values alone, and applies.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::*;
use crate::{
    model::{
        change::{Action, Change, Class},
        event::{Event, Observer},
        record::{Attempt, Record, Who},
        report::{Outcome, Verdict},
        revision::Revision,
    },
    providers::{Run, Waiting, Writer as _},
};

/// Something to do between the plan and the apply.
type Meanwhile<'a> = &'a dyn Fn();

/// One apply and how to go about it.
pub(super) struct Apply<'a> {
    pub place: &'a Place,
    pub options: &'a str,
    pub id: &'a str,
    pub commit: Option<Digest>,
    pub meanwhile: Meanwhile<'a>,
    pub stop_after: usize,
    pub kill: bool,
}

/// Sets `stop` after so many changes.
struct Stopper<'a> {
    stop: &'a AtomicBool,
    left: std::sync::atomic::AtomicUsize,
}

impl Observer for Stopper<'_> {
    fn on(&self, event: Event<'_>) {
        if matches!(event, Event::Applied(..)) && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.stop.store(true, Ordering::SeqCst);
        }
    }
}

impl<'a> Apply<'a> {
    pub(super) fn new(place: &'a Place) -> Self {
        let commit = Some(id(b"commit"));
        Apply {
            place,
            options: "{root: www}",
            id: "run-1",
            commit,
            meanwhile: &|| (),
            stop_after: usize::MAX,
            kill: false,
        }
    }

    pub(super) fn run(&self, checkout: &Checkout) -> Vec<Outcome> {
        let target = self.place.target_with(self.options);
        let desired = super::super::declare::declare(&target, &checkout.tree(), checkout).unwrap();
        let mut writer = super::super::writer::WritableSite::open(&target).unwrap();
        writer.lock(&who(), Duration::ZERO).unwrap();
        let changes = plan(&mut writer, &desired, checkout);
        let memory = writer.memory().unwrap();
        let mut owned: BTreeMap<Address, Option<Digest>> =
            memory.owned.iter().map(|(address, owned)| (address.clone(), owned.commit)).collect();
        let mut record = memory.record.unwrap_or_else(|| Record::new(writer.id()));
        record.attempting = Some(self.attempt(&changes));
        writer.save(&record, &owned).unwrap();
        (self.meanwhile)();
        let stop = AtomicBool::new(self.stop_after == 0);
        let observer = Stopper { stop: &stop, left: self.stop_after.into() };
        let run = Run {
            contents: checkout,
            observer: &observer,
            stop: &stop,
            id: self.id,
            waiting: Waiting::default(),
        };
        let outcomes = writer.apply(&changes.iter().collect::<Vec<_>>(), &run);
        if self.kill {
            return outcomes;
        }
        for (address, object) in &desired.objects {
            let changed = changes.iter().position(|change| change.address == *address);
            let fine = changed.is_none_or(|at| outcomes[at].verdict == Verdict::Done);
            if object.value.is_some() && fine {
                owned.insert(address.clone(), self.commit);
            }
        }
        for (change, outcome) in changes.iter().zip(&outcomes) {
            if change.after.is_none() && outcome.verdict == Verdict::Done {
                owned.remove(&change.address);
            }
        }
        // Neither declared nor there: nobody's any more.
        let there = look(&mut writer, &desired, false).objects;
        owned.retain(|address, _| {
            desired.objects.contains_key(address) || !matches!(there.get(address), Some(Observed::Absent))
        });
        record.attempting = None;
        writer.save(&record, &owned).unwrap();
        outcomes
    }

    fn attempt(&self, changes: &[Change]) -> Attempt {
        Attempt {
            id: self.id.into(),
            revision: Revision::of(self.commit, "main"),
            started: "2024-01-01T00:00:00Z".into(),
            who: who(),
            changes: changes.iter().map(|change| (change.address.clone(), change.action)).collect(),
        }
    }
}

pub(super) fn who() -> Who {
    Who { actor: "alice".into(), source: "test".into(), host: "here".into(), job: None }
}

/// What differs, with everything that is in the way taken over.
pub(super) fn plan(writer: &mut dyn Reader, desired: &Desired, checkout: &Checkout) -> Vec<Change> {
    let memory = writer.memory().unwrap();
    let actual = look(writer, desired, false);
    let mut candidates = Vec::new();
    for (address, observed) in &actual.objects {
        let sides = ThreeWay {
            base: memory.owned.get(address).and_then(|owned| owned.base.clone()),
            desired: desired.objects.get(address).and_then(|object| object.value.clone()),
            actual: match observed {
                Observed::Present(state) => Some(state.value.clone()),
                Observed::Absent => None,
                Observed::Unknown { .. } => continue,
            },
        };
        if sides.desired != sides.actual {
            candidates.push(crate::providers::Candidate::new(address.clone(), sides));
        }
    }
    writer.complete(&mut candidates, checkout).unwrap();
    candidates
        .into_iter()
        .map(|candidate| change(candidate.address, candidate.sides, &memory.owned))
        .collect()
}

fn change(
    address: Address,
    sides: ThreeWay<Value>,
    owned: &BTreeMap<Address, crate::model::record::Owned>,
) -> Change {
    let action = match (&sides.desired, &sides.actual) {
        (None, _) => Action::Delete,
        (_, None) => Action::Create,
        _ => Action::Update,
    };
    Change { owned: owned.contains_key(&address), ..Change::new(address, action, Class::Pending, sides) }
}

/// `address verdict` or `address verdict: why`.
pub(super) fn told(outcomes: &[Outcome]) -> Vec<String> {
    let word = |verdict: Verdict| serde_json::to_value(verdict).unwrap().as_str().unwrap().to_owned();
    let tell = |outcome: &Outcome| match &outcome.error {
        None => format!("{} {}", outcome.address, word(outcome.verdict)),
        Some((_, why)) => format!("{} {}: {why}", outcome.address, word(outcome.verdict)),
    };
    outcomes.iter().map(tell).collect()
}

/// Applies `checkout`, which must work, and then finds nothing left to do.
pub(super) fn converge(place: &Place, checkout: &Checkout) {
    let outcomes = Apply::new(place).run(checkout);
    let undone: Vec<String> = told(&outcomes).into_iter().filter(|line| !line.ends_with(" done")).collect();
    assert!(undone.is_empty(), "{undone:#?}");
    assert_settled(place, checkout);
}

pub(super) fn assert_settled(place: &Place, checkout: &Checkout) {
    for verify in [false, true] {
        let desired = place.declare(checkout);
        let actual = look(&mut place.site(), &desired, verify);
        let left: Vec<_> = words(&actual, &desired)
            .into_iter()
            .filter(|(address, word)| {
                let declared_absent = desired
                    .objects
                    .get(&Address::new(address.as_str()))
                    .is_some_and(|object| object.value.is_none());
                word != "in-sync" && !(word == "absent" && declared_absent)
            })
            .collect();
        assert!(left.is_empty(), "{left:#?}");
    }
}
