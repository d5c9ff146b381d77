//! In which lines the fields that differ are declared.

use std::{collections::BTreeMap, sync::Arc};

use super::pipeline::{Chosen, Session};
use crate::model::{address, change::Change, object::Origin, revision::Revision};

/// Gives every field of `changes` the line that declares it. A file is read once, and only where something of it
/// differs; what cannot be read any more has no lines.
pub fn locate(session: &Session, chosen: &Chosen, revision: &Revision, changes: &mut [Change]) {
    let Some(lines) = chosen.kind.lines else { return };
    let past = match revision.commit {
        Some(commit) if *revision != *session.revision() => {
            session.checkout.at(&commit, &commit.short()).ok()
        }
        _ => None,
    };
    let snapshot = past.as_ref().unwrap_or(&session.snapshot);
    let mut files: BTreeMap<Arc<str>, Option<Vec<u8>>> = BTreeMap::new();
    for change in changes.iter_mut().filter(|change| !change.fields.is_empty()) {
        let Some(file) = change.origin.as_ref().map(|origin| origin.file.clone()) else { continue };
        let read = || {
            let path = address::unquote(&file).into_owned();
            snapshot.file(std::str::from_utf8(&path).ok()?).ok()?
        };
        let Some(content) = files.entry(file.clone()).or_insert_with(read) else { continue };
        let found = lines(&chosen.target, change, content);
        if let Some(origin) = &mut change.origin {
            *origin = Origin { fields: Arc::new(found), ..origin.clone() };
        }
    }
}
