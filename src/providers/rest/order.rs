//! The order of the writes of an apply, and what a failure keeps from being written.

use std::collections::{BTreeMap, BTreeSet};

use super::{address::Place, references, writer::Writing};
use crate::model::{
    address::Address,
    change::{Action, Change},
};

impl Writing {
    /// Steps of the apply: what is in one step does not depend on each other. Writes go from the
    /// outermost to the innermost, deletes the other way round and after all of them.
    pub(super) fn steps(&self, changes: &[&Change]) -> Vec<Vec<usize>> {
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
                let all = change.after.as_ref().map(references::all_of).unwrap_or_default();
                all.iter().filter_map(|address| index.get(address).copied()).collect()
            })
            .collect();
        // Each pass settles at least one more of them; references in a circle stay where they are.
        for _ in 0..changes.len().min(50) {
            for (at, needs) in needs.iter().enumerate() {
                level[at] = needs.iter().map(|need| level[*need] + 1).fold(level[at], usize::max).min(1000);
            }
        }
        let mut steps: BTreeMap<(bool, usize), Vec<usize>> = BTreeMap::new();
        for (at, change) in changes.iter().enumerate() {
            // What one request does is one step: the old may be in the way of the new.
            let batched =
                place(change).and_then(|place| definition.kind(&place.kind)?.batch.as_ref()).is_some();
            let deletes = change.action == Action::Delete && !batched;
            let key = if deletes { (true, 10_000 - level[at]) } else { (false, level[at]) };
            steps.entry(key).or_default().push(at);
        }
        steps.into_values().collect()
    }

    /// Whether something that `change` needs failed in this run.
    pub(super) fn depends_on_failed(&self, change: &Change, failed: &BTreeSet<Address>) -> Option<Address> {
        let definition = &self.session.setup.definition;
        let mut needs: Vec<Address> = change.after.as_ref().map(references::all_of).unwrap_or_default();
        let place = Place::parse(definition, &change.address)?;
        needs.extend(
            definition.kind(&place.kind).and_then(|kind| place.collection().parent(definition, kind)),
        );
        needs.into_iter().find(|need| failed.contains(need))
    }
}
