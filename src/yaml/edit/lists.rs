//! Items that come, go, change and move.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{
    Editor, Outcome, Slot, Turn,
    align::{Step, align, moves},
    parts::Part,
    within,
};
use crate::yaml::{Node, emit};

impl Editor<'_> {
    pub(super) fn sequence(
        &mut self,
        node: &Node,
        items: &[Node],
        (old, new): (&[Json], &[Json]),
        slot: Slot<'_>,
    ) -> Outcome {
        let part = |item| Ok(Part { start: self.item_start(node, item)?, value: item });
        let found = items.iter().map(part).collect::<Result<Vec<_>, String>>()?;
        if let Some(order) = moves(old, new) {
            return self.arrange(node, &found, &order);
        }
        let quotes = self.quotes(slot, None);
        let slot = if node.flow { Slot::Inside(quotes) } else { Slot::Item };
        let mut gone = BTreeSet::new();
        // What is inserted, by the number of old items before it.
        let mut added: Vec<(usize, &Json)> = Vec::new();
        for step in align(old, new) {
            match step {
                Step::Turn(at, now) => {
                    let turn = Turn { old: &old[at], new: &new[now] };
                    self.value(&items[at], &turn, slot).map_err(|why| within(&at.to_string(), &why))?;
                }
                Step::Drop(at) => _ = gone.insert(found[at].start),
                Step::Insert(at, now) => added.push((at, &new[now])),
            }
        }
        if gone.len() == items.len() {
            return Err("nothing of it is left".to_owned());
        }
        if node.flow {
            let added: Vec<(usize, String)> =
                added.iter().map(|(at, value)| (*at, emit::flow(value, quotes))).collect();
            return self.change_flow(node, &found, &gone, &added);
        }
        let space = self.space(&found);
        let line = |(at, value): &(usize, &Json)| (*at, format!("-{}", self.item(value, space.len() + 2)));
        let added: Vec<(usize, String)> = added.iter().map(line).collect();
        self.change_block(&found, &gone, &added)
    }

    /// Puts the items of a list in another order, each with the remarks above and beside it.
    fn arrange(&mut self, node: &Node, items: &[Part<'_>], order: &[usize]) -> Outcome {
        let mut ranges = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let end = self.end_of(item.value);
            ranges.push(match node.flow {
                true => item.start..end,
                false => {
                    self.indent(item.start)?;
                    let line = &self.text[..self.line_end(end)];
                    self.remarks_start(items, at)..line.trim_end_matches(['\r', '\n']).len()
                }
            });
        }
        let all = ranges.first().map_or(0, |first| first.start)..ranges.last().map_or(0, |last| last.end);
        if node.flow && self.text[all].contains('#') {
            return Err("there are comments among the items that changed places".to_owned());
        }
        for (slot, from) in order.iter().enumerate().filter(|(slot, from)| slot != *from) {
            self.edits.push((ranges[slot].clone(), self.text[ranges[*from].clone()].to_owned()));
        }
        Ok(())
    }
}
