//! Merge keys (`<<`), done in the order of the file as kubectl does them.

use std::{collections::HashMap, sync::Arc};

use super::{
    node::{Content, Entry, Node},
    warning::Warning,
};
use crate::yaml::{Place, Problem};

/// A key of a mapping.
pub(super) enum Key {
    /// An ordinary one.
    Named(Arc<str>, Place),
    /// A plain `<<`.
    Merge,
}

/// The entries of a mapping, its merges done.
pub(super) fn entries(written: Vec<(Key, Node)>, warnings: &mut Vec<Warning>) -> Result<Vec<Entry>, Problem> {
    if written.iter().all(|(key, _)| matches!(key, Key::Named(..))) {
        let entry = |(key, node)| match key {
            Key::Named(key, place) => Some(Entry { key, place, node }),
            Key::Merge => None,
        };
        return Ok(written.into_iter().filter_map(entry).collect());
    }
    let mut mapping = Mapping { warnings, entries: Vec::new(), positions: HashMap::new() };
    for (key, node) in written {
        match key {
            Key::Named(key, place) => mapping.put(Entry { key, place, node }, Source::Explicit),
            Key::Merge => mapping.merge(node)?,
        }
    }
    Ok(mapping.entries)
}

/// Where an entry comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Explicit,
    Merged,
}

/// A mapping with merges on its way.
struct Mapping<'a> {
    warnings: &'a mut Vec<Warning>,
    entries: Vec<Entry>,
    positions: HashMap<Arc<str>, (usize, Source)>,
}

impl Mapping<'_> {
    /// Puts an entry in the place of the one with the same key, or at the end.
    fn put(&mut self, entry: Entry, source: Source) {
        let end = self.entries.len();
        let (position, from) = self.positions.entry(entry.key.clone()).or_insert((end, source));
        *from = source;
        match self.entries.get_mut(*position) {
            Some(there) => *there = entry,
            None => self.entries.push(entry),
        }
    }

    /// Takes in what `<<` names. It wins over keys that stand before it, as in kubectl.
    fn merge(&mut self, node: Node) -> Result<(), Problem> {
        match node.content {
            Content::Map(entries) => {
                entries.into_iter().for_each(|entry| self.take(entry, node.place));
                Ok(())
            }
            // The first of several wins, so it comes last.
            Content::List(items) => items.into_iter().rev().try_for_each(|item| match item.content {
                Content::Map(_) => self.merge(item),
                _ => Err(Problem::new(item.place, "`<<` takes mappings")),
            }),
            Content::Scalar(_) => Err(Problem::new(node.place, "`<<` takes a mapping")),
        }
    }

    fn take(&mut self, entry: Entry, place: Place) {
        if let Some((position, Source::Explicit)) = self.positions.get(&entry.key) {
            let message = format!(
                "`<<` overrides `{}` of line {}, as kubectl does; put `<<` first",
                entry.key, self.entries[*position].place.line
            );
            self.warnings.push(Warning { place, message });
        }
        self.put(entry, Source::Merged);
    }
}
