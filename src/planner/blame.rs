//! Which commits the lines are from that declare the fields that differ.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use anyhow::Result;

use super::session::{ResolvedTarget, Session};
use crate::{
    model::{
        address,
        change::{Change, Class, Field},
        object::Origin,
        revision::Revision,
    },
    source::history::{self, Asked},
};

/// What is asked about one file.
#[derive(Default)]
struct Questions {
    lines: Vec<Range<u32>>,
    /// Who asks: the numbers of a change and of a field of it, for each range of lines.
    askers: Vec<(usize, usize)>,
}

/// Gives the fields of objects that are on both sides the commit that declares them; of an object that comes or
/// goes, the commits that explain it are all there is to know. Answers what history cannot tell.
pub fn credit(
    session: &Session,
    chosen: &ResolvedTarget,
    revision: &Revision,
    changes: &mut [Change],
) -> Option<String> {
    let error = give(session, chosen, revision, changes).err()?;
    Some(format!("the commits of single fields are not known: {error:#}"))
}

fn give(
    session: &Session,
    chosen: &ResolvedTarget,
    revision: &Revision,
    changes: &mut [Change],
) -> Result<()> {
    let mut asked: BTreeMap<Arc<str>, Questions> = BTreeMap::new();
    for (number, change) in changes.iter().enumerate() {
        let Some(origin) = change.origin.as_ref().filter(|_| is_on_both_sides(change)) else { continue };
        for (at, field) in change.fields.iter().enumerate() {
            if let Some(lines) = lines(chosen, origin, field) {
                let questions = asked.entry(origin.file.clone()).or_default();
                questions.askers.push((number, at));
                questions.lines.push(lines);
            }
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    let past = match revision.commit {
        Some(commit) if *revision != *session.revision() => {
            Some(session.checkout.at(&commit, &commit.short())?)
        }
        _ => None,
    };
    let snapshot = past.as_ref().unwrap_or(&session.snapshot);
    let (mut files, mut askers) = (Vec::new(), Vec::new());
    for (file, questions) in asked {
        let path = address::unquote(&file).into_owned();
        let content = std::str::from_utf8(&path).ok().map(|path| snapshot.file(path)).transpose()?.flatten();
        if let Some(content) = content {
            files.push(Asked { path: path.into(), content, lines: questions.lines });
            askers.push(questions.askers);
        }
    }
    let found = history::blame(&session.checkout, &snapshot.tips, &files)?;
    for ((number, at), found) in askers.into_iter().flatten().zip(found.into_iter().flatten()) {
        changes[number].fields[at].declared_by = found;
    }
    Ok(())
}

fn is_on_both_sides(change: &Change) -> bool {
    change.sides.desired.is_some() && change.sides.actual.is_some()
}

/// The lines that declare a field, counted from 1.
fn lines(chosen: &ResolvedTarget, origin: &Origin, field: &Field) -> Option<Range<u32>> {
    if field.class == Class::Converged || field.sides.desired.is_none() {
        return None;
    }
    if let (Some(lines), None) = (&field.lines, origin.line) {
        return Some(lines.clone());
    }
    // Where a provider looks at the file again it finds every field that stands there, and no other.
    let line = match chosen.kind.lines {
        Some(_) => origin.fields.get(&*field.path).copied(),
        None => origin.line_at(&field.path),
    }?;
    Some(line..line + 1)
}
