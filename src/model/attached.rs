//! Objects that are deleted along with another one: what is declared of them is made again, the rest is counted.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    address::Address,
    change::{Action, Change, Class, ThreeWay},
    object::Desired,
};

/// The most objects that a remark names.
const NAMED: usize = 5;

/// What the target deletes along with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The object that is deleted or replaced.
    pub of: Address,
    /// The objects that go with it.
    pub objects: BTreeSet<Address>,
    /// What could not be listed, and why.
    pub unlisted: Vec<String>,
}

/// Puts what is declared and goes along with a replaced object into the plan, as something to be made again, and counts
/// what nothing makes again at the object that takes it along.
pub fn take(
    changes: &mut Vec<Change>,
    in_sync: &mut Vec<Address>,
    attached: Vec<Attached>,
    desired: &Desired,
) {
    for one in attached {
        let Some(at) = changes.iter().position(|change| change.address == one.of) else { continue };
        let again = changes[at].action == Action::Replace;
        let known: BTreeMap<&Address, usize> =
            changes.iter().enumerate().map(|(at, change)| (&change.address, at)).collect();
        let (mut lost, mut marked, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for address in &one.objects {
            match known.get(address).map(|at| (*at, changes[*at].action)) {
                Some((_, Action::Delete | Action::Create)) => {}
                Some((at, action)) if again && action != Action::Keep => marked.push(at),
                None if again && in_sync.contains(address) => made.push(address.clone()),
                _ => lost.push(address),
            }
        }
        let lost: Vec<String> = lost.into_iter().map(|address| format!("`{address}`")).collect();
        in_sync.retain(|address| !made.contains(address));
        let class = changes[at].class;
        let note = format!("goes along with `{}`, which is replaced, and is made again", one.of);
        for at in marked {
            changes[at].notes.push(note.clone());
            changes[at].along = Some(one.of.clone());
            if changes[at].action == Action::Update {
                // There is nothing left to be changed in place.
                changes[at].action = Action::Create;
            }
        }
        count(&mut changes[at], &lost, one.unlisted);
        changes.extend(made.into_iter().map(|address| made_again(address, &one.of, class, &note, desired)));
    }
    changes.sort_by(|one, other| one.address.cmp(&other.address));
}

/// Notes what is lost with `change`. What could not be listed counts as one, since there may be some.
fn count(change: &mut Change, lost: &[String], unlisted: Vec<String>) {
    change.cascade += lost.len() + unlisted.len();
    if !lost.is_empty() {
        let more = lost.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names = lost[..lost.len().min(NAMED)].join(", ");
        change.notes.push(format!("deletes with it, and nothing makes them again: {names}{more}"));
    }
    let unlisted =
        unlisted.into_iter().map(|what| format!("deletes with it what could not be counted: {what}"));
    change.notes.extend(unlisted);
}

/// An object that is as declared now, and is not there once another one is replaced.
fn made_again(address: Address, of: &Address, class: Class, note: &str, desired: &Desired) -> Change {
    let object = desired.objects.get(&address);
    let value = object.and_then(|object| object.value.clone());
    let sides = ThreeWay { base: value.clone(), desired: value.clone(), actual: value };
    Change {
        origin: object.map(|object| object.origin.clone()),
        owned: true,
        along: Some(of.clone()),
        notes: vec![note.to_owned()],
        ..Change::new(address, Action::Create, class, sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        object::{Object, Origin},
        testing,
    };

    /// Takes `b` of `a` along, whose actions are these; `b` is as declared where it has none.
    fn taken(a: Action, b: Option<Action>) -> (Vec<(Action, usize)>, usize) {
        let change = |address, action| testing::change(address, action, Class::Pending, ThreeWay::default());
        let mut changes = vec![change("a", a)];
        changes.extend(b.map(|action| change("b", action)));
        let mut in_sync = if b.is_none() { vec![Address::new("b")] } else { Vec::new() };
        let mut desired = Desired::default();
        let object = Object { value: Some(testing::value("{}")), origin: Origin::new("f", None) };
        desired.objects.insert(Address::new("b"), object);
        let objects = [Address::new("b")].into();
        let attached = Attached { of: Address::new("a"), objects, unlisted: Vec::new() };
        take(&mut changes, &mut in_sync, vec![attached], &desired);
        (changes.iter().map(|change| (change.action, change.cascade)).collect(), in_sync.len())
    }

    #[test]
    fn what_goes_along_is_made_again_or_counted() {
        use Action::{Create, Delete, Keep, Replace, Update};
        assert_eq!(taken(Replace, None), (vec![(Replace, 0), (Create, 0)], 0));
        assert_eq!(taken(Replace, Some(Update)), (vec![(Replace, 0), (Create, 0)], 0));
        assert_eq!(taken(Replace, Some(Delete)), (vec![(Replace, 0), (Delete, 0)], 0));
        assert_eq!(taken(Replace, Some(Keep)), (vec![(Replace, 1), (Keep, 0)], 0));
        assert_eq!(taken(Delete, None), (vec![(Delete, 1)], 1));
        assert_eq!(taken(Delete, Some(Update)), (vec![(Delete, 1), (Update, 0)], 0));
    }

    #[test]
    fn what_could_not_be_listed_counts() {
        let mut changes = vec![testing::change("a", Action::Replace, Class::Pending, ThreeWay::default())];
        let attached =
            Attached { of: Address::new("a"), objects: BTreeSet::new(), unlisted: vec!["b: 500".into()] };
        take(&mut changes, &mut Vec::new(), vec![attached], &Desired::default());
        assert_eq!((changes[0].cascade, changes[0].notes.len()), (1, 1));
    }
}
