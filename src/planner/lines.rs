//! In which lines the fields that differ are declared.

use std::{collections::BTreeMap, sync::Arc};

use super::session::{ResolvedTarget, Session};
use crate::{
    model::{address, change::Change, revision::Revision},
    source::checkout::Snapshot,
};

/// Gives every field of `changes` the line that declares it. A file is read once, and only where something of it
/// differs; what cannot be read any more has no lines.
pub fn locate(session: &Session, chosen: &ResolvedTarget, revision: &Revision, changes: &mut [Change]) {
    let Some(lines) = chosen.kind.lines else { return };
    let past = match revision.commit {
        Some(commit) if *revision != *session.revision() => {
            session.checkout.at(&commit, &commit.short()).ok()
        }
        _ => None,
    };
    let snapshot = past.as_ref().unwrap_or(&session.snapshot);
    let mut files: BTreeMap<Arc<str>, Vec<&mut Change>> = BTreeMap::new();
    for change in changes.iter_mut().filter(|change| !change.fields.is_empty()) {
        if let Some(file) = change.origin.as_ref().map(|origin| origin.file.clone()) {
            files.entry(file).or_default().push(change);
        }
    }
    for (file, mut changes) in files {
        let Some(content) = read(snapshot, &file) else { continue };
        let found =
            lines(&chosen.target, &changes.iter().map(|change| &**change).collect::<Vec<_>>(), &content);
        for (change, fields) in changes.iter_mut().zip(found) {
            if let Some(origin) = &mut change.origin {
                origin.fields = Arc::new(fields);
            }
        }
    }
}

fn read(snapshot: &Snapshot, file: &str) -> Option<Vec<u8>> {
    let path = address::unquote(file);
    snapshot.file(std::str::from_utf8(&path).ok()?).ok()?
}
