//! The shortest way from one list to another.

use serde_json::Value as Json;

/// One step from an old list to a new one.
pub(super) enum Step {
    /// An old item becomes a new one.
    Turn(usize, usize),
    /// An old item goes.
    Drop(usize),
    /// A new item comes, after so many old ones.
    Insert(usize, usize),
}

/// Whether one item may become the other: what has another name is another thing, with comments of its own.
fn is_akin(one: &Json, other: &Json) -> bool {
    match (one.get("name"), other.get("name")) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// For each item of a new list that holds those of an old one in another order, which of them it is.
pub(super) fn moves(old: &[Json], new: &[Json]) -> Option<Vec<usize>> {
    if old.len() != new.len() {
        return None;
    }
    let mut left: Vec<usize> = (0..old.len()).collect();
    let find = |item: &Json| {
        let at = left.iter().position(|from| old[*from] == *item)?;
        Some(left.remove(at))
    };
    new.iter().map(find).collect()
}

impl Step {
    /// The same behind some items that stay.
    fn behind(self, count: usize) -> Step {
        match self {
            Step::Turn(at, now) => Step::Turn(at + count, now + count),
            Step::Drop(at) => Step::Drop(at + count),
            Step::Insert(at, now) => Step::Insert(at + count, now + count),
        }
    }
}

/// The shortest way from one list to another; a neighbour that goes makes place for one that comes.
pub(super) fn align(old: &[Json], new: &[Json]) -> Vec<Step> {
    // What a long list holds before and behind a change costs nothing.
    let same = |(one, other): &(&Json, &Json)| one == other;
    let before = old.iter().zip(new).take_while(same).count();
    let (old, new) = (&old[before..], &new[before..]);
    let behind = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    let steps = way(&old[..old.len() - behind], &new[..new.len() - behind]);
    steps.into_iter().map(|step| step.behind(before)).collect()
}

fn way(old: &[Json], new: &[Json]) -> Vec<Step> {
    let mut lengths = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            lengths[i][j] = match one == other {
                true => lengths[i + 1][j + 1] + 1,
                false => lengths[i + 1][j].max(lengths[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut steps) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (mut dropped, mut inserted) = (Vec::new(), Vec::new());
        while (i < old.len() || j < new.len()) && !(i < old.len() && j < new.len() && old[i] == new[j]) {
            if j >= new.len() || i < old.len() && lengths[i + 1][j] >= lengths[i][j + 1] {
                dropped.push(i);
                i += 1;
            } else {
                inserted.push(j);
                j += 1;
            }
        }
        let mut left = dropped.as_slice();
        for now in inserted {
            match left.iter().position(|at| is_akin(&old[*at], &new[now])) {
                Some(akin) => {
                    steps.extend(left[..akin].iter().map(|at| Step::Drop(*at)));
                    steps.push(Step::Turn(left[akin], now));
                    left = &left[akin + 1..];
                }
                None => steps.push(Step::Insert(left.first().copied().unwrap_or(i), now)),
            }
        }
        steps.extend(left.iter().map(|at| Step::Drop(*at)));
    }
    steps
}
