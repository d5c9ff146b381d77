//! Parts of a mapping or a list that leave it or join it.

use std::collections::BTreeSet;

use super::{Editor, Outcome};
use crate::yaml::Node;

/// A field or an item.
pub(super) struct Part<'a> {
    /// Where its key or its dash is.
    pub(super) start: usize,
    pub(super) value: &'a Node,
}

pub(super) fn parts(entries: &[(Node, Node)]) -> Vec<Part<'_>> {
    entries.iter().map(|(key, value)| Part { start: key.span.bytes.start, value }).collect()
}

/// What is to join a collection, by the number of parts before it.
type Added = (usize, String);

/// The neighbour of something that joins a collection.
enum Neighbour<'a, 'n> {
    Before(&'a Part<'n>),
    /// And its number.
    After(&'a Part<'n>, usize),
}

/// Where something joins, next to a part that stays.
fn neighbour<'a, 'n>(
    all: &'a [Part<'n>],
    at: usize,
    kept: impl Fn(&Part<'n>) -> bool,
) -> Result<Neighbour<'a, 'n>, String> {
    let before = all[..at].iter().rev().find(|part| kept(part)).map(Neighbour::Before);
    let after = || {
        let found = all.iter().enumerate().skip(at).find(|(_, part)| kept(part));
        found.map(|(at, part)| Neighbour::After(part, at))
    };
    before.or_else(after).ok_or_else(|| "nothing of it is left".to_owned())
}

impl Editor<'_> {
    /// Takes parts out of a collection between brackets, and adds others.
    pub(super) fn change_flow(
        &mut self,
        node: &Node,
        all: &[Part<'_>],
        gone: &BTreeSet<usize>,
        added: &[Added],
    ) -> Outcome {
        let kept = |part: &Part<'_>| !gone.contains(&part.start);
        for (at, part) in all.iter().enumerate().filter(|(_, part)| !kept(part)) {
            // The first ones go with the comma behind them, the others with that before them.
            let range = match (all[..at].iter().rev().find(|part| kept(part)), all.get(at + 1)) {
                (Some(_), _) => self.end_of(all[at - 1].value)..self.end_of(part.value),
                (None, Some(next)) => part.start..next.start,
                (None, None) => return Err("nothing of it is left".to_owned()),
            };
            if self.text[range.clone()].contains('#') {
                return Err("a comment stands in between".to_owned());
            }
            self.edits.push((range, String::new()));
        }
        let between = match all.first() {
            Some(first) if self.line_start(first.start) > node.span.bytes.start => {
                format!(",{}{}", self.eol, self.indent(first.start)?)
            }
            _ => ", ".to_owned(),
        };
        for (at, text) in added {
            let (place, text) = match neighbour(all, *at, kept)? {
                Neighbour::Before(part) => (self.end_of(part.value), format!("{between}{text}")),
                Neighbour::After(part, _) => (part.start, format!("{text}{between}")),
            };
            self.edits.push((place..place, text));
        }
        Ok(())
    }

    /// Takes parts out of a block, and adds others.
    pub(super) fn change_block(
        &mut self,
        all: &[Part<'_>],
        gone: &BTreeSet<usize>,
        added: &[Added],
    ) -> Outcome {
        let kept = |part: &Part<'_>| !gone.contains(&part.start);
        for (at, part) in all.iter().enumerate().filter(|(_, part)| !kept(part)) {
            let (start, end) = (self.line_start(part.start), self.line_end(self.end_of(part.value)));
            self.edits.push(match all.get(at + 1) {
                _ if self.text[start..part.start].trim_matches(' ').is_empty() => (start..end, String::new()),
                // It shares its line with the dash of an item: what follows takes its place.
                Some(next) if self.line_start(next.start) == end => (part.start..next.start, String::new()),
                _ => return Err("it shares its line with something else".to_owned()),
            });
        }
        let space = self.space(all);
        for (at, text) in added {
            let place = match neighbour(all, *at, kept)? {
                Neighbour::Before(part) => self.line_end(self.end_of(part.value)),
                Neighbour::After(part, at) => {
                    self.indent(part.start)?;
                    self.remarks_start(all, at)
                }
            };
            let text = match self.text[..place].ends_with('\n') || place == 0 {
                true => format!("{space}{text}{}", self.eol),
                false => format!("{}{space}{text}", self.eol),
            };
            self.edits.push((place..place, text));
        }
        Ok(())
    }

    /// The blanks before the parts of a block, the first of which may stand behind a dash.
    pub(super) fn space(&self, all: &[Part<'_>]) -> String {
        let before = all.first().map_or("", |first| &self.text[self.line_start(first.start)..first.start]);
        " ".repeat(before.chars().count())
    }

    /// Where the remarks right above a part begin, or the line of the part.
    pub(super) fn remarks_start(&self, all: &[Part<'_>], at: usize) -> usize {
        // What ends with the part before may be text that looks like a remark.
        let floor = at.checked_sub(1).map_or(0, |before| self.line_end(self.end_of(all[before].value)));
        let mut start = self.line_start(all[at].start);
        while start > floor {
            let before = self.line_start(start - 1);
            if before < floor || !self.text[before..start].trim_start().starts_with('#') {
                break;
            }
            start = before;
        }
        start
    }
}
