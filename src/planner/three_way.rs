//! The three trees of one target: base, desired and actual.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::Result;

use super::{
    base::BaseHistory,
    explain,
    session::{Against, PlanOptions, ResolvedTarget, Session},
};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::{Action, Change, Class, ThreeWay},
        diff::{self, Base, Bases, Comparison},
        object::{Actual, Cause, Desired, Observed},
        record::StoredRecord,
        revision::Revision,
        selector::Selector,
        user_error::UserError,
        value::Value,
    },
    providers::{Query, Reader},
};

/// What was applied, what is declared, and what is there.
pub struct ThreeWayState {
    /// The revision of `desired`.
    pub revision: Revision,
    /// Shared with what is known of the past.
    pub desired: Rc<Desired>,
    pub bases: Bases,
    pub actual: Actual,
    /// What an apply that did not end was about to write.
    attempted: BTreeMap<Address, Value>,
}

impl ThreeWayState {
    /// Trees that are all there.
    pub fn of(revision: Revision, desired: Desired, bases: Bases, actual: Actual) -> ThreeWayState {
        ThreeWayState { revision, desired: Rc::new(desired), bases, actual, attempted: BTreeMap::new() }
    }

    /// What is known without a look at the objects; `wanted` is what Git declares, unless drift is looked for.
    pub fn before(
        session: &Session,
        past: &mut BaseHistory<'_>,
        memory: &mut StoredRecord,
        wanted: Option<Rc<Desired>>,
    ) -> Result<ThreeWayState> {
        let bases = past.bases(memory);
        let attempted = past.attempted(memory);
        let (revision, desired) = match wanted {
            Some(desired) => (session.revision().clone(), desired),
            None => past.recorded(memory)?,
        };
        Ok(ThreeWayState { revision, desired, bases, actual: Actual::default(), attempted })
    }

    /// Asks the target about everything that any tree knows.
    pub fn observe(
        &mut self,
        session: &Session,
        chosen: &ResolvedTarget,
        reader: &mut dyn Reader,
        look: &PlanOptions<'_>,
    ) -> Result<()> {
        let mut objects = diff::addresses(&self.desired, &self.bases);
        for (address, value) in &self.attempted {
            objects.entry(address).or_default().base.get_or_insert(value);
        }
        objects.retain(|address, _| look.only.is_empty() || look.only.matches(address));
        self.actual = reader.observe(&Query {
            objects,
            exclusive: &self.desired.exclusive,
            declared: (look.against == Against::Revision).then_some(&self.desired.objects),
            adopting: look.adopting,
            verify: look.verify,
            rules: &chosen.rules,
            explain: &explain::asked(look.explain, &self.desired, &self.bases),
            algorithm: session.checkout.algorithm(),
            observer: look.observer,
        })?;
        Ok(())
    }

    /// Takes in what past applies explain of what was seen; answers the addresses that objects had before.
    pub fn settle(
        &mut self,
        past: &mut BaseHistory<'_>,
        memory: &StoredRecord,
        against: Against,
    ) -> Vec<Address> {
        self.resume(memory);
        let moved = self.rename();
        self.forget_begun(memory, against);
        if against == Against::Record {
            Rc::make_mut(&mut self.desired).objects = past.restore(&self.bases, &self.revision);
        }
        moved
    }

    /// Takes an interrupted apply for what it was: an object that already is what
    /// the attempt was to make of it was made so by us, and so was a part of one
    /// that takes several steps to make and was not there before.
    fn resume(&mut self, memory: &StoredRecord) {
        let ThreeWayState { bases, actual, attempted, .. } = self;
        let attempt = memory.record.as_ref().and_then(|record| record.attempting.as_ref());
        let begun = |address: &Address| {
            actual.in_steps.contains(address)
                && attempt.is_some_and(|attempt| attempt.changes.contains(&(address.clone(), Action::Create)))
        };
        for (address, value) in std::mem::take(attempted) {
            let Some(Observed::Present(state)) = actual.objects.get(&address) else { continue };
            if state.value == value || begun(&address) {
                bases.insert(address, Base::Known(state.value.clone()));
            }
        }
    }

    /// Moves what is known of renamed objects to their new addresses.
    fn rename(&mut self) -> Vec<Address> {
        let mut moved = Vec::new();
        for (new, old) in &self.actual.renamed {
            if let Some(base) = self.bases.remove(old) {
                self.bases.insert(new.clone(), base);
                moved.push(old.clone());
            }
        }
        moved
    }

    /// Takes an interrupted apply for what it was: an object that it was to delete, or to make anew, and that is gone is
    /// not missing. Nobody else took it away.
    fn forget_begun(&mut self, memory: &StoredRecord, against: Against) {
        let attempt = memory.record.as_ref().and_then(|record| record.attempting.as_ref());
        let changes = attempt.map(|attempt| attempt.changes.as_slice()).unwrap_or_default();
        for (address, action) in changes {
            let declared = self.desired.objects.get(address).is_some_and(|object| object.value.is_some());
            let is_ours = match against {
                Against::Record => true,
                Against::Revision => declared && *action != Action::Delete,
            };
            if is_ours && matches!(self.actual.objects.get(address), Some(Observed::Absent)) {
                self.bases.remove(address);
            }
        }
    }

    /// Leaves only what `only` selects.
    pub fn select(&mut self, only: &Selector) -> Result<()> {
        if only.is_empty() {
            return Ok(());
        }
        let ThreeWayState { desired, bases, actual, .. } = self;
        let known = desired.objects.keys().chain(bases.keys()).chain(actual.objects.keys());
        if let Some(pattern) = only.unmatched(known).first() {
            let message = format!("no object of the target matches `{pattern}`");
            return Err(UserError::new(Exit::NoInput, message)
                .hint("`trueup plan` lists the addresses")
                .into());
        }
        Rc::make_mut(desired).objects.retain(|address, _| only.matches(address));
        bases.retain(|address, _| only.matches(address));
        actual.objects.retain(|address, _| only.matches(address));
        Ok(())
    }

    /// What is declared of an object, or was when it was applied last.
    pub fn known_of(&self, address: &Address) -> Option<&Value> {
        let now = self.desired.objects.get(address).and_then(|object| object.value.as_ref());
        now.or_else(|| self.bases.get(address).and_then(Base::value))
    }

    /// Sorts out what is in sync.
    pub fn compare(&self) -> Comparison {
        diff::compare(&self.desired, &self.bases, &self.actual)
    }

    /// Decides about everything else, in address order. Remarks on what turns out to be in sync go to `notes`.
    pub fn decide(&self, comparison: &mut Comparison, notes: &mut Vec<String>) -> Vec<Change> {
        let mut changes: Vec<Change> = self.actual.incomplete.iter().map(incomplete).collect();
        for candidate in std::mem::take(&mut comparison.candidates) {
            let (address, remarks) = (candidate.address.clone(), candidate.notes.clone());
            let there = candidate.sides.desired.is_some();
            match diff::change(candidate, &self.desired, &self.actual, &self.bases) {
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
        changes
    }
}

/// A collection that could not be listed, as an entry of the plan.
fn incomplete((collection, cause, message): &(Address, Cause, String)) -> Change {
    let unknown = Some((*cause, format!("listing it: {message}")));
    Change { unknown, ..Change::new(collection.clone(), Action::Keep, Class::Unknown, ThreeWay::default()) }
}
