//! Changes that wait for others.

use std::collections::{BTreeMap, BTreeSet};

/// The objects that each object has to come after.
pub type Before = BTreeMap<usize, BTreeSet<usize>>;

/// Changes that wait, and those of them that may begin.
pub struct Queue {
    waiting: Before,
    /// The reverse of `waiting`.
    dependants: BTreeMap<usize, Vec<usize>>,
    free: BTreeSet<usize>,
}

impl Queue {
    /// All of them wait.
    pub fn of(waiting: Before) -> Queue {
        let mut dependants: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, before) in &waiting {
            before.iter().for_each(|other| dependants.entry(*other).or_default().push(*index));
        }
        let free = waiting.iter().filter(|(_, before)| before.is_empty()).map(|(index, _)| *index);
        Queue { free: free.collect(), dependants, waiting }
    }

    /// Takes out the first that is free and `may` begin, or the first of all where nothing else would ever end.
    pub fn take(&mut self, idle: bool, may: impl Fn(usize) -> bool) -> Option<usize> {
        let free = self.free.iter().copied().find(|index| may(*index));
        let any = || self.waiting.keys().copied().find(|index| may(*index)).filter(|_| idle);
        free.or_else(any).inspect(|index| _ = self.remove(*index))
    }

    /// Takes one out; whether it was still waiting.
    pub fn remove(&mut self, index: usize) -> bool {
        self.free.remove(&index);
        self.waiting.remove(&index).is_some()
    }

    /// What waited for one that ended.
    pub fn end(&mut self, index: usize) -> Vec<usize> {
        self.dependants.remove(&index).unwrap_or_default()
    }

    /// `index` need not wait for `other` any more.
    pub fn meet(&mut self, index: usize, other: usize) {
        if let Some(before) = self.waiting.get_mut(&index) {
            before.remove(&other);
            if before.is_empty() {
                self.free.insert(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(before: &[(usize, &[usize])]) -> Queue {
        Queue::of(before.iter().map(|(index, before)| (*index, before.iter().copied().collect())).collect())
    }

    #[test]
    fn each_comes_after_what_it_needs() {
        let mut queue = queue(&[(0, &[2]), (1, &[0, 2]), (2, &[])]);
        let mut order = Vec::new();
        while let Some(index) = queue.take(false, |_| true) {
            order.push(index);
            queue.end(index).into_iter().for_each(|dependant| queue.meet(dependant, index));
        }
        assert_eq!(order, [2, 0, 1]);
    }

    #[test]
    fn a_circle_is_broken_only_when_nothing_else_runs() {
        let mut queue = queue(&[(0, &[1]), (1, &[0])]);
        assert_eq!(queue.take(false, |_| true), None);
        assert_eq!(queue.take(true, |index| index != 0), Some(1));
        assert!(queue.remove(0) && !queue.remove(0));
    }
}
