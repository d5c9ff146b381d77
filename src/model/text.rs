//! Three texts compared by line.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::change::{Class, ThreeWay};

/// How long one comparison looks for the smallest edits. After that, edits are larger than they need be, and so is
/// what is said to be in conflict; no edit is missed.
const PATIENCE: Duration = Duration::from_millis(200);

/// A run of lines in which at least one of two texts left the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// What separates the sides: converged, pending, drift or conflict.
    pub class: Class,
    /// The lines on each side, counted from 0.
    pub lines: ThreeWay<Range<usize>>,
}

/// Compares `desired` and `actual`, each against `base`.
///
/// Changes of both sides that overlap or touch are one hunk, as in git's
/// merge: two people who edit neighbouring lines have to be asked.
pub fn hunks(texts: ThreeWay<&str>) -> Vec<Hunk> {
    let lines = texts.map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let (base, desired, actual) =
        (lines.base.unwrap_or_default(), lines.desired.unwrap_or_default(), lines.actual.unwrap_or_default());
    let mut ours = Edits::new(&base, &desired);
    let mut theirs = Edits::new(&base, &actual);
    let mut found = Vec::new();
    while let Some(start) = [ours.next_start(), theirs.next_start()].into_iter().flatten().min() {
        let mut end = start;
        while ours.take_until(&mut end) | theirs.take_until(&mut end) {}
        let lines = ThreeWay {
            base: Some(start..end),
            desired: Some(ours.side_of(start..end)),
            actual: Some(theirs.side_of(start..end)),
        };
        ours.leave();
        theirs.leave();
        let (before, git, target) = (
            &base[start..end],
            &desired[lines.desired.clone().unwrap_or_default()],
            &actual[lines.actual.clone().unwrap_or_default()],
        );
        let class = match (before == git, before == target, git == target) {
            (_, _, true) => Class::Converged,
            (_, true, _) => Class::Pending,
            (true, ..) => Class::Drift,
            _ => Class::Conflict,
        };
        found.push(Hunk { class, lines });
    }
    found
}

/// The changes that one text makes to the base, consumed from the front.
struct Edits {
    /// (base lines, own lines), only where they differ.
    edits: std::vec::IntoIter<(Range<usize>, Range<usize>)>,
    next: Option<(Range<usize>, Range<usize>)>,
    /// Own line minus base line before the hunk under construction.
    before: isize,
    /// The same after the edits taken so far.
    after: isize,
}

impl Edits {
    fn new(base: &[&str], own: &[&str]) -> Self {
        let deadline = Instant::now() + PATIENCE;
        let edits: Vec<_> = capture_diff_slices_deadline(Algorithm::Myers, base, own, Some(deadline))
            .into_iter()
            .filter(|op| !matches!(op, DiffOp::Equal { .. }))
            .map(|op| (op.old_range(), op.new_range()))
            .collect();
        let mut edits = edits.into_iter();
        Edits { next: edits.next(), edits, before: 0, after: 0 }
    }

    fn next_start(&self) -> Option<usize> {
        self.next.as_ref().map(|(base, _)| base.start)
    }

    /// Takes every edit that begins at or before `end`, and moves `end` on; tells whether there was one.
    fn take_until(&mut self, end: &mut usize) -> bool {
        let mut took = false;
        while let Some((base, own)) = self.next.take_if(|(base, _)| base.start <= *end) {
            *end = (*end).max(base.end);
            self.after = own.end as isize - base.end as isize;
            self.next = self.edits.next();
            took = true;
        }
        took
    }

    /// Which own lines stand for the base lines of the hunk.
    fn side_of(&self, base: Range<usize>) -> Range<usize> {
        base.start.saturating_add_signed(self.before)..base.end.saturating_add_signed(self.after)
    }

    fn leave(&mut self) {
        self.before = self.after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_texts_without_a_line_in_common_cost_little() {
        let text = |seed: u64| -> String {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                char::from(b'a' + (state >> 60) as u8)
            };
            (0..512 * 1024).flat_map(|_| [next(), '\n']).collect()
        };
        let (base, desired, actual) = (text(1), text(2), text(3));
        let begun = Instant::now();
        let sides = ThreeWay { base: Some(&*base), desired: Some(&*desired), actual: Some(&*actual) };
        assert!(!hunks(sides).is_empty());
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    fn classes(base: &str, desired: &str, actual: &str) -> Vec<Class> {
        let sides = ThreeWay { base: Some(base), desired: Some(desired), actual: Some(actual) };
        hunks(sides).into_iter().map(|hunk| hunk.class).collect()
    }

    #[test]
    fn edits_in_different_places_are_drift_and_pending() {
        assert_eq!(classes("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n"), [Class::Pending, Class::Drift]);
    }

    #[test]
    fn edits_in_the_same_place_conflict_unless_they_agree() {
        assert_eq!(classes("a\nb\n", "x\nb\n", "y\nb\n"), [Class::Conflict]);
        assert_eq!(classes("a\nb\n", "x\nb\n", "x\nb\n"), [Class::Converged]);
    }

    #[test]
    fn edits_of_neighbouring_lines_conflict() {
        assert_eq!(classes("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n"), [Class::Conflict]);
    }

    #[test]
    fn a_lost_final_newline_is_a_change() {
        assert_eq!(classes("a\n", "a\n", "a"), [Class::Drift]);
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof!["a\n", "b\n", "c\n", "\n", "d"], 0..8)
            .prop_map(|lines| lines.concat())
    }

    /// Puts a text together again from the hunks, taking one side of each.
    fn rebuild(base: &str, side: &str, hunks: &[Hunk], pick: impl Fn(&Hunk) -> Range<usize>) -> String {
        let base: Vec<_> = base.split_inclusive('\n').collect();
        let side: Vec<_> = side.split_inclusive('\n').collect();
        let mut at = 0;
        let mut out = String::new();
        for hunk in hunks {
            let old = hunk.lines.base.clone().unwrap();
            out.extend(base[at..old.start].iter().copied());
            out.extend(side[pick(hunk)].iter().copied());
            at = old.end;
        }
        out.extend(base[at..].iter().copied());
        out
    }

    proptest! {
        #[test]
        fn taking_one_side_of_every_hunk_gives_that_side((base, desired, actual) in (text(), text(), text())) {
            let found = hunks(ThreeWay { base: Some(&base), desired: Some(&desired), actual: Some(&actual) });
            prop_assert_eq!(rebuild(&base, &desired, &found, |hunk| hunk.lines.desired.clone().unwrap()), desired);
            prop_assert_eq!(rebuild(&base, &actual, &found, |hunk| hunk.lines.actual.clone().unwrap()), actual);
        }

        #[test]
        fn swapping_the_sides_swaps_drift_and_pending((base, desired, actual) in (text(), text(), text())) {
            let swapped: Vec<_> = classes(&base, &actual, &desired).into_iter().map(|class| match class {
                Class::Drift => Class::Pending,
                Class::Pending => Class::Drift,
                other => other,
            }).collect();
            prop_assert_eq!(classes(&base, &desired, &actual), swapped);
        }
    }
}
