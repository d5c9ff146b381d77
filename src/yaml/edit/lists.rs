//! Items that come, go and change.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{
    Editor, Outcome, Slot, Turn,
    align::{Step, align},
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
        let quotes = self.quotes(slot, None);
        let slot = if node.flow { Slot::Inside(quotes) } else { Slot::Item };
        let steps = align(old, new);
        let mut gone = BTreeSet::new();
        // What is inserted, by the number of old items before it.
        let mut added: Vec<(usize, &Json)> = Vec::new();
        for step in steps {
            match step {
                Step::Turn(at, now) => {
                    let turn = Turn { old: &old[at], new: &new[now] };
                    self.value(&items[at], &turn, slot).map_err(|why| within(&at.to_string(), &why))?;
                }
                Step::Drop(at) => {
                    gone.insert(self.item_start(node, &items[at])?);
                }
                Step::Insert(at, now) => added.push((at, &new[now])),
            }
        }
        if gone.len() == items.len() {
            return Err("nothing of it is left".to_owned());
        }
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            found.push(Part { start: self.item_start(node, item)?, value: item });
        }
        if added.iter().any(|(at, _)| *at != items.len()) && !gone.is_empty() {
            return Err("items came and went in the middle of a list".to_owned());
        }
        if node.flow {
            if added.iter().any(|(at, _)| *at != items.len()) {
                return Err("an item came in the middle of a list".to_owned());
            }
            let added: Vec<String> = added.iter().map(|(_, value)| emit::flow(value, quotes)).collect();
            return self.change_flow(node, &found, &gone, &added);
        }
        self.insert_between(&found, &added)?;
        let last: Vec<&Json> =
            added.iter().filter(|(at, _)| *at == items.len()).map(|(_, value)| *value).collect();
        self.change_block(&found, &gone, &|editor, space| {
            last.iter().map(|value| format!("-{}", editor.item(value, space.len() + 2))).collect()
        })
    }

    /// Inserts items before others of a block.
    pub(super) fn insert_between(&mut self, items: &[Part<'_>], added: &[(usize, &Json)]) -> Outcome {
        for (at, value) in added {
            let Some(next) = items.get(*at) else { continue };
            let space = self.indent(next.start)?;
            let line = self.line_start(next.start);
            let text = format!("{space}-{}{}", self.item(value, space.len() + 2), self.eol);
            self.edits.push((line..line, text));
        }
        Ok(())
    }
}
