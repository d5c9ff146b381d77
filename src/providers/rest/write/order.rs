//! The order of the writes of an apply, and what a failure keeps from being written.

use std::collections::{BTreeMap, BTreeSet};

use super::{lock_fields::Locks, writer::RestWriter};
use crate::{
    model::{
        address::Address,
        change::{Action, Change},
        value::Value,
    },
    providers::rest::{client::json, declare::address::Place},
};

/// The parts of an apply, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// What is made or changed.
    Writes,
    /// What is deleted.
    Deletes,
    /// What is deleted with something that had to go first.
    DeletesInside,
    /// What locks an object.
    Locks,
}

impl RestWriter {
    /// Steps of the apply: what is in one step does not depend on each other. Writes go from the
    /// outermost to the innermost, deletes the other way round and after all of them. What locks an object comes last,
    /// and what lives in a locked object that is deleted goes with it.
    pub fn steps(&self, changes: &[&Change], locks: &Locks) -> Vec<Vec<usize>> {
        let definition = &self.session.setup.definition;
        let place = |change: &Change| Place::parse(definition, &change.address);
        let index: BTreeMap<&Address, usize> =
            changes.iter().enumerate().map(|(at, change)| (&change.address, at)).collect();
        let mut level: Vec<usize> = changes
            .iter()
            .map(|change| place(change).map_or(0, |place| definition.rank(&place.kind)))
            .collect();
        let needs: Vec<Vec<usize>> = changes
            .iter()
            .map(|change| {
                let all =
                    change.after.as_ref().map(|after| self.session.referents(after)).unwrap_or_default();
                all.iter().filter_map(|address| index.get(address).copied()).collect()
            })
            .collect();
        // Each pass settles at least one more of them; references in a circle stay where they are.
        for _ in 0..changes.len().min(50) {
            for (at, needs) in needs.iter().enumerate() {
                level[at] = needs.iter().map(|need| level[*need] + 1).fold(level[at], usize::max).min(1000);
            }
        }
        let mut steps: BTreeMap<(Stage, usize), Vec<usize>> = BTreeMap::new();
        for (at, change) in changes.iter().enumerate() {
            // What one request does is one step: the old may be in the way of the new.
            let batched =
                place(change).and_then(|place| definition.kind(&place.kind)?.batch.as_ref()).is_some();
            let key = match change.action {
                _ if locks.is_last(at) => (Stage::Locks, 10_000 - level[at]),
                Action::Delete if self.goes_with_locked(change, changes) => (Stage::DeletesInside, level[at]),
                Action::Delete if !batched => (Stage::Deletes, 10_000 - level[at]),
                _ => (Stage::Writes, level[at]),
            };
            steps.entry(key).or_default().push(at);
        }
        steps.into_values().collect()
    }

    /// Whether `change` is about something in a locked object that is deleted too.
    fn goes_with_locked(&self, change: &Change, changes: &[&Change]) -> bool {
        let definition = &self.session.setup.definition;
        let Some(place) = Place::parse(definition, &change.address) else { return false };
        let is_locked = |address: &Address| {
            let kind = self.session.kind_of(address);
            let raw = self.session.seen.get(address);
            kind.zip(raw).is_some_and(|(kind, raw)| kind.is_locked(raw))
        };
        let goes = |address: &Address| {
            changes.iter().any(|other| other.address == *address && other.action == Action::Delete)
        };
        place.collection().ancestors(definition).iter().any(|outer| is_locked(outer) && goes(outer))
    }

    /// Whether something that `change` needs failed in this run.
    pub fn depends_on_failed(&self, change: &Change, failed: &BTreeSet<Address>) -> Option<Address> {
        let definition = &self.session.setup.definition;
        let after = change.after.as_ref();
        let mut needs: Vec<Address> = after.map(|after| self.session.referents(after)).unwrap_or_default();
        let holders = |after: &Value| self.session.holders(&change.address, &json::from_model(after));
        needs.extend(after.map(holders).unwrap_or_default());
        let place = Place::parse(definition, &change.address)?;
        needs.extend(
            definition.kind(&place.kind).and_then(|kind| place.collection().parent(definition, kind)),
        );
        needs.into_iter().find(|need| failed.contains(need))
    }
}
