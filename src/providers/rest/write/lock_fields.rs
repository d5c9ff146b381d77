//! Fields that lock an object, and what lives in it, once they are written: they are a write of their own, after all others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::{
    model::{
        address::Address,
        change::{Action, Change},
        report::{FailureKind, Outcome, Verdict},
        value::Value,
    },
    providers::rest::{
        client::json, compare::projection::Projection, declare::address::Place, definition::Definition,
    },
};

/// The changes of an apply, those that lock an object in two parts.
#[derive(Default)]
pub struct Locks {
    /// Everything but the lock, by the number of the change.
    first: BTreeMap<usize, Change>,
    /// The lock: the number of its change, and the whole.
    last: Vec<(usize, Change)>,
    /// Changes that do nothing but lock.
    only: BTreeSet<usize>,
    count: usize,
}

impl Locks {
    /// Finds those of `changes` that lock an object.
    pub fn of(definition: &Definition, changes: &[&Change]) -> Locks {
        let mut locks = Locks { count: changes.len(), ..Locks::default() };
        for (at, change) in changes.iter().enumerate() {
            let Some(first) = without_lock(definition, change) else { continue };
            if change.action == Action::Update && first.after == first.sides.actual {
                locks.only.insert(at);
                continue;
            }
            let mut last = (*change).clone();
            last.action = Action::Update;
            last.sides.actual = None;
            locks.first.insert(at, first);
            locks.last.push((at, last));
        }
        locks
    }

    /// Every write: the first parts in the places of their changes, the last ones behind.
    pub fn parts<'a>(&'a self, changes: &[&'a Change]) -> Vec<&'a Change> {
        let first = changes.iter().enumerate().map(|(at, change)| self.first.get(&at).unwrap_or(change));
        first.chain(self.last.iter().map(|(_, last)| last)).collect()
    }

    /// Whether the part `at` locks its object.
    pub fn is_last(&self, at: usize) -> bool {
        at >= self.count || self.only.contains(&at)
    }

    /// The number of the first part of what `at` locks, where that was written by this run.
    pub fn first_of(&self, at: usize) -> Option<usize> {
        self.last.get(at.checked_sub(self.count)?).map(|(first, _)| *first)
    }

    /// What became of whole changes. What was written in part is different from what is declared.
    pub fn join(&self, mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
        let last = outcomes.split_off(self.count.min(outcomes.len()));
        for ((at, _), last) in self.last.iter().zip(last) {
            let Some(first) = outcomes.get_mut(*at).filter(|first| first.verdict.is_written()) else {
                continue;
            };
            if last.verdict == Verdict::Done {
                continue;
            }
            let (kind, why) = last.error.unwrap_or((FailureKind::Other, "it was not tried".to_owned()));
            first.verdict = Verdict::Different;
            first.error = Some((kind, format!("it was written, but not locked: {why}")));
        }
        outcomes
    }

    /// Why an object that holds what failed is not locked: that could not be written any more.
    pub fn is_open_for(
        definition: &Definition,
        address: &Address,
        failed: &BTreeSet<Address>,
    ) -> Option<Address> {
        let lives_in_it = |other: &&Address| {
            let place = Place::parse(definition, other);
            place.is_some_and(|place| place.collection().ancestors(definition).contains(address))
        };
        failed.iter().find(|other| *other == address || lives_in_it(other)).cloned()
    }
}

/// `change` without the field that locks its object, if it locks it.
fn without_lock(definition: &Definition, change: &Change) -> Option<Change> {
    let kind = definition.kind(&Place::parse(definition, &change.address)?.kind)?;
    let (pointer, locked) = kind.lock()?;
    let holds = |side: &Option<Value>| {
        side.as_ref().map(json::from_model).is_some_and(|side| side.pointer(pointer) == Some(locked))
    };
    if change.action == Action::Delete || !holds(&change.after) || holds(&change.sides.actual) {
        return None;
    }
    let form = Projection::of(kind);
    let without = |side: &Value| {
        let mut side: Json = json::from_model(side);
        json::remove(&mut side, pointer);
        form.to_model(&side)
    };
    let mut first = change.clone();
    first.after = first.after.as_ref().map(without);
    first.sides = first.sides.as_ref().map(without);
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            change::{Class, ThreeWay},
            testing,
        },
        providers::rest::definition::embedded,
    };

    fn change(action: Action, actual: Option<&str>, desired: &str) -> Change {
        let sides = ThreeWay {
            base: None,
            desired: Some(testing::value(desired)),
            actual: actual.map(testing::value),
        };
        testing::change("repository/acme/web", action, Class::Pending, sides)
    }

    #[test]
    fn a_lock_is_a_write_of_its_own_after_the_others() {
        let definition = embedded::find("gitea").unwrap();
        let locked = r#"{"name": "web", "archived": true, "description": "a"}"#;
        let open = r#"{"name": "web", "archived": false, "description": "b"}"#;
        let same = r#"{"name": "web", "archived": false, "description": "a"}"#;
        let parts = |change: Change| {
            let changes = [&change];
            let locks = Locks::of(definition, &changes);
            let parts = locks.parts(&changes);
            parts
                .iter()
                .enumerate()
                .map(|(at, part)| (part.after.clone(), locks.is_last(at)))
                .collect::<Vec<_>>()
        };
        let rest = Some(testing::value(r#"{"name": "web", "description": "a"}"#));
        let whole = Some(testing::value(locked));
        assert_eq!(
            parts(change(Action::Update, Some(open), locked)),
            [(rest.clone(), false), (whole.clone(), true)]
        );
        assert_eq!(parts(change(Action::Create, None, locked)), [(rest, false), (whole.clone(), true)]);
        assert_eq!(parts(change(Action::Update, Some(same), locked)), [(whole.clone(), true)]);
        assert_eq!(parts(change(Action::Update, Some(locked), locked)), [(whole, false)]);
    }
}
