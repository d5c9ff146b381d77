//! A merge that is never written down.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use gix::merge::{blob::builtin_driver::text::Labels, tree::TreatAsUnresolved};

use super::{
    faults::{missing, trouble},
    object_id,
};
use crate::{
    exit::Exit,
    model::{digest::Digest, fault::Fault},
};

/// The result of a merge, with the objects that it made.
pub(super) struct Merge {
    pub(super) tree: gix::ObjectId,
    pub(super) objects: HashMap<gix::ObjectId, (gix::objs::Kind, Vec<u8>)>,
}

/// Merges `theirs` into `ours`, which a person calls `name`.
pub(super) fn merge(repo: gix::Repository, ours: &Digest, theirs: &Digest, name: &str) -> Result<Merge> {
    let mut repo = repo.with_object_memory();
    let doing = format!("merging HEAD into `{name}`");
    let (ours, theirs) = (object_id(ours), object_id(theirs));
    check_related(&repo, ours, theirs, name)?;
    let labels =
        Labels { ancestor: Some("base".into()), current: Some(name.into()), other: Some("HEAD".into()) };
    let merged = repo.tree_merge_options().and_then(|options| {
        let mut outcome = repo.merge_commits(ours, theirs, labels, options.into())?;
        let unresolved = TreatAsUnresolved::default();
        let conflicts =
            outcome.tree_merge.conflicts.iter().filter(|conflict| conflict.is_unresolved(unresolved));
        let conflicts: BTreeSet<_> =
            conflicts.map(|conflict| conflict.changes_in_resolution().0.location().to_string()).collect();
        Ok((outcome.tree_merge.tree.write()?.detach(), conflicts))
    });
    let (tree, conflicts) = merged.map_err(|error| trouble(&repo, &doing, error))?;
    if !conflicts.is_empty() {
        return Err(conflict(name, &conflicts).into());
    }
    let mut memory = repo.objects.take_object_memory().unwrap_or_default();
    Ok(Merge { tree, objects: memory.drain().collect() })
}

fn check_related(
    repo: &gix::Repository,
    ours: gix::ObjectId,
    theirs: gix::ObjectId,
    name: &str,
) -> Result<()> {
    let bases = repo.merge_bases_many(ours, &[theirs]);
    let bases = bases.map_err(|error| trouble(repo, "looking for a common ancestor", error))?;
    if !bases.is_empty() {
        return Ok(());
    }
    let message = format!("HEAD and `{name}` have no common ancestor");
    match repo.is_shallow().unwrap_or(false) {
        true => Err(missing(repo, &message).into()),
        false => {
            Err(Fault::new(Exit::BadDesired, message).hint("unrelated histories cannot be merged").into())
        }
    }
}

fn conflict(name: &str, paths: &BTreeSet<String>) -> Fault {
    let list: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
    Fault::new(
        Exit::BadDesired,
        format!("HEAD does not merge into `{name}`, conflict in {}", list.join(", ")),
    )
    .hint(format!("`git merge {name}` shows the conflict; commit its resolution and run it again"))
}
