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

impl Editor<'_> {
    /// Takes parts out of a collection between brackets, and adds others at its end.
    pub(super) fn change_flow(
        &mut self,
        node: &Node,
        all: &[Part<'_>],
        gone: &BTreeSet<usize>,
        added: &[String],
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
        let Some(last) = all.iter().rev().find(|part| kept(part)) else { return Ok(()) };
        let first = &all[0];
        let own_lines = self.line_start(first.start) > node.span.bytes.start;
        let between = match own_lines {
            true => format!(",{}{}", self.eol, self.indent(first.start)?),
            false => ", ".to_owned(),
        };
        let end = self.end_of(last.value);
        self.edits.extend(added.iter().map(|text| (end..end, format!("{between}{text}"))));
        Ok(())
    }

    /// Takes parts out of a block, and adds others at its end.
    pub(super) fn change_block(
        &mut self,
        all: &[Part<'_>],
        gone: &BTreeSet<usize>,
        added: &dyn Fn(&Self, &str) -> Vec<String>,
    ) -> Outcome {
        let (Some(first), Some(last)) =
            (all.first(), all.iter().rev().find(|part| !gone.contains(&part.start)))
        else {
            return Err("nothing of it is left".to_owned());
        };
        let column = first.start - self.line_start(first.start);
        let space = " ".repeat(self.text[first.start - column..first.start].chars().count());
        let added = added(self, &space);
        let mut edits = Vec::new();
        for (at, part) in all.iter().enumerate().filter(|(_, part)| gone.contains(&part.start)) {
            let (start, end) = (self.line_start(part.start), self.line_end(self.end_of(part.value)));
            edits.push(match all.get(at + 1) {
                _ if self.text[start..part.start].trim_matches(' ').is_empty() => (start..end, String::new()),
                // It shares its line with the dash of an item: what follows takes its place.
                Some(next) if self.line_start(next.start) == end => (part.start..next.start, String::new()),
                _ => return Err("it shares its line with something else".to_owned()),
            });
        }
        if !added.is_empty() {
            let end = self.line_end(self.end_of(last.value));
            let lines = added.iter().map(|line| format!("{space}{line}{}", self.eol));
            let mut lines: String = lines.collect();
            if !self.text[..end].ends_with('\n') {
                lines = format!("{}{}", self.eol, lines.trim_end_matches(self.eol));
            }
            edits.push((end..end, lines));
        }
        self.edits.extend(edits);
        Ok(())
    }
}
