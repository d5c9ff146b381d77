//! Objects that are not declared any more and are let go instead of deleted: another target of the checkout declares
//! them now, or a guard keeps them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::session::{self, ResolvedTarget, Session};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::{Action, Change},
        diff::Comparison,
        object::Desired,
        record::StoredRecord,
        user_error::UserError,
    },
    providers::Target,
    source::checkout::Snapshot,
};

/// Turns deletes into releases where the objects are to stay.
///
/// # Errors
/// What another target of the same place declares cannot be read: whether something moved there is not known then.
pub fn release(
    session: &Session,
    chosen: &ResolvedTarget,
    memory: &StoredRecord,
    changes: &mut [Change],
) -> Result<()> {
    let mut deletes: Vec<&mut Change> =
        changes.iter_mut().filter(|change| change.action == Action::Delete).collect();
    if deletes.is_empty() {
        return Ok(());
    }
    let elsewhere = declared_elsewhere(session, chosen)?;
    for change in &mut deletes {
        if let Some(target) = elsewhere.get(&change.address) {
            change.release(format!("moved to `{target}`"));
            change.moved = Some(target.clone());
        } else if memory.found(&change.address) {
            change.release("it was there before trueup wrote anything of it".to_owned());
        } else if chosen.limits.keep.matches(&change.address) {
            change.release("`keep` of the guards says that it stays".to_owned());
        }
    }
    Ok(())
}

/// How many objects are as declared although trueup wrote nothing of them; a note says what becomes of them.
pub fn found(memory: &StoredRecord, comparison: &Comparison, notes: &mut Vec<String>) -> usize {
    let mut found = comparison.in_sync.iter().filter(|address| !memory.knows(address)).peekable();
    let Some(first) = found.peek().map(|address| address.to_string()) else { return 0 };
    let count = found.count();
    let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    notes.push(format!(
        "found as declared: `{first}`{more}; once Git drops it, it stays as it is, unless `--adopt` makes it ours"
    ));
    count
}

/// What other targets of the same place declare, with the target that does.
fn declared_elsewhere(session: &Session, chosen: &ResolvedTarget) -> Result<BTreeMap<Address, String>> {
    let siblings = &chosen.target.siblings;
    let mut found = BTreeMap::new();
    if siblings.is_empty() {
        return Ok(found);
    }
    let paths: Vec<&str> = siblings.iter().map(|sibling| sibling.path.as_str()).collect();
    let snapshot = session.checkout.select(&session.selection)?.snapshot(&paths)?;
    for sibling in siblings {
        let desired = session::if_any(declared(chosen, sibling, &snapshot))
            .with_context(|| format!("looking for what moved to the target `{}`", sibling.name))?;
        let present = desired.objects.iter().filter(|(_, object)| object.value.is_some());
        found.extend(present.map(|(address, _)| (address.clone(), sibling.name.clone())));
    }
    Ok(found)
}

fn declared(chosen: &ResolvedTarget, sibling: &Target, snapshot: &Snapshot) -> Result<Desired> {
    let desired = (chosen.kind.declare)(sibling, &snapshot.tree(&sibling.path)?, snapshot.contents())?;
    match desired.invalid.as_slice() {
        [] => Ok(desired),
        invalid => Err(UserError::new(Exit::BadDesired, invalid.join("\n")).into()),
    }
}
