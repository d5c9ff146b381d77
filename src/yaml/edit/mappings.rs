//! Keys that come, go and change.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::{Editor, Outcome, Slot, Turn, parts::parts, within};
use crate::yaml::{
    Node,
    emit::{self, Quotes},
};

impl Editor<'_> {
    pub(super) fn mapping(
        &mut self,
        node: &Node,
        entries: &[(Node, Node)],
        (old, new): (&Map<String, Json>, &Map<String, Json>),
        slot: Slot<'_>,
    ) -> Outcome {
        let quotes = self.quotes(slot, entries.first().map(|(key, _)| key));
        let find = |key: &str| {
            let named = |(name, _): &&(Node, Node)| name.anchor.is_none() && name.text() == Some(key);
            entries
                .iter()
                .find(named)
                .ok_or_else(|| format!("`{key}` comes from a merge (`<<`) or is no plain key"))
        };
        let (flow, mut gone) = (node.flow, BTreeSet::new());
        for (key, value) in old {
            match new.get(key) {
                Some(now) if now == value => {}
                Some(now) => {
                    let (name, node) = find(key)?;
                    let slot = if flow { Slot::Inside(quotes) } else { Slot::Field(name) };
                    self.value(node, &Turn { old: value, new: now }, slot)
                        .map_err(|why| within(key, &why))?;
                }
                None => {
                    let (name, _) = find(key)?;
                    gone.insert(name.span.bytes.start);
                }
            }
        }
        let added: Vec<(&String, &Json)> = new.iter().filter(|(key, _)| !old.contains_key(*key)).collect();
        if gone.len() == entries.len() {
            return Err("nothing of it is left".to_owned());
        }
        match node.flow {
            true => {
                let field = |(key, value): &(&String, &Json)| {
                    let text = format!("{}: {}", emit::scalar(key, quotes), emit::flow(value, quotes));
                    (entries.len(), text)
                };
                let added: Vec<(usize, String)> = added.iter().map(field).collect();
                self.change_flow(node, &parts(entries), &gone, &added)
            }
            false => {
                let parts = parts(entries);
                let indent = self.space(&parts).len() + 2;
                let field = |(key, value): &(&String, &Json)| {
                    let key = emit::scalar(key, Quotes::AsNeeded);
                    (entries.len(), format!("{key}:{}", self.block(value, indent)))
                };
                let added: Vec<(usize, String)> = added.iter().map(field).collect();
                self.change_block(&parts, &gone, &added)
            }
        }
    }
}
