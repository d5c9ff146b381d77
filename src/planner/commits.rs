//! Which commits explain what is pending.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

use super::base::BaseHistory;
use crate::{
    model::{address, change::Change, digest::Digest, record::StoredRecord},
    source::history,
};

/// Gives every pending change the commits that brought it, and every delete
/// the place where it was declared. What history cannot tell becomes a note.
pub fn explain(
    past: &mut BaseHistory<'_>,
    memory: &StoredRecord,
    changes: &mut [Change],
    notes: &mut Vec<String>,
) {
    let tips = past.session.snapshot.tips.clone();
    let applied = memory.record.as_ref().and_then(|record| record.applied.as_ref()?.revision.commit);
    let mut groups: BTreeMap<Option<Digest>, Vec<&mut Change>> = BTreeMap::new();
    for change in changes.iter_mut().filter(|change| change.pending()) {
        let base = memory.since(&change.address).or(applied);
        if let (None, Some(base)) = (&change.origin, base)
            && let Ok(declared) = past.at(&base)
        {
            change.origin = declared.objects.get(&change.address).map(|object| object.origin.clone());
        }
        groups.entry(base).or_default().push(change);
    }
    for (base, group) in groups {
        let paths: BTreeSet<BString> = group.iter().filter_map(|change| path(change)).collect();
        match history::causes(&past.session.checkout, base, &tips, &paths) {
            Ok(causes) => {
                notes.extend(causes.cut.map(|cut| cut.note().to_owned()));
                for change in group {
                    let found = path(change).and_then(|path| causes.by_path.get(&path));
                    change.commits = found.cloned().unwrap_or_default();
                }
            }
            Err(error) => notes.push(format!("the commits behind pending changes are not known: {error:#}")),
        }
    }
    notes.dedup();
}

fn path(change: &Change) -> Option<BString> {
    change.origin.as_ref().map(|origin| address::unquote(&origin.file).into_owned().into())
}
