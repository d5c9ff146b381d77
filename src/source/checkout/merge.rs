//! A merge that is never written down.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use bstr::{BString, ByteSlice};
use gix::{
    attrs::StateRef,
    merge::{blob::builtin_driver::text::Labels, tree::TreatAsUnresolved},
    worktree::stack::state::attributes::Source,
};

use super::{
    faults::{missing, trouble},
    object_id,
};
use crate::{
    exit::Exit,
    model::{digest::Digest, user_error::UserError},
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
    let bases = check_related(&repo, ours, theirs, name)?;
    let programs = without_drivers(&mut repo, &doing)?;
    let labels =
        Labels { ancestor: Some("base".into()), current: Some(name.into()), other: Some("HEAD".into()) };
    let merged = repo.tree_merge_options().and_then(|options| {
        let mut outcome = repo.merge_commits(ours, theirs, labels, options.into())?;
        let unresolved = TreatAsUnresolved::default();
        let conflicts =
            outcome.tree_merge.conflicts.iter().filter(|conflict| conflict.is_unresolved(unresolved));
        let mut conflicts: BTreeSet<_> =
            conflicts.map(|conflict| conflict.changes_in_resolution().0.location().to_string()).collect();
        conflicts.extend(left_to_programs(&repo, &programs, &bases, [ours, theirs])?);
        Ok((outcome.tree_merge.tree.write()?.detach(), conflicts))
    });
    let (tree, conflicts) = merged.map_err(|error| trouble(&repo, &doing, error))?;
    if !conflicts.is_empty() {
        return Err(conflict(name, &conflicts).into());
    }
    let mut memory = repo.objects.take_object_memory().unwrap_or_default();
    Ok(Merge { tree, objects: memory.drain().collect() })
}

/// Removes the merge drivers that the configuration names, which are programs; answers their names.
fn without_drivers(repo: &mut gix::Repository, doing: &str) -> Result<Vec<BString>> {
    let mut config = repo.config_snapshot_mut();
    let named = config.sections_by_name("merge").into_iter().flatten();
    let names: Vec<BString> =
        named.filter_map(|section| section.header().subsection_name().map(ToOwned::to_owned)).collect();
    for name in &names {
        config.remove_section("merge", Some(name.as_ref()));
    }
    let committed = config.commit().map(|_| ());
    committed.map_err(|error| {
        UserError::new(Exit::Error, format!("{doing}: leaving merge drivers out: {error}"))
    })?;
    Ok(names)
}

/// The files that both sides changed and that a program of `programs` was to merge: nobody else can.
fn left_to_programs(
    repo: &gix::Repository,
    programs: &[BString],
    bases: &[gix::ObjectId],
    sides: [gix::ObjectId; 2],
) -> gix::Result<Vec<String>> {
    let mut found = Vec::new();
    let Some(base) = bases.first().filter(|_| !programs.is_empty()) else { return Ok(found) };
    let [base, ours, theirs] = [*base, sides[0], sides[1]].map(|commit| files(repo, commit));
    let (base, ours, theirs) = (base?, ours?, theirs?);
    let index = repo.index_or_empty()?;
    let mut attributes = repo.attributes_only(&index, Source::WorktreeThenIdMapping)?;
    let mut matches = attributes.selected_attribute_matches(["merge"]);
    for (path, id) in &ours {
        let (before, other) = (base.get(path), theirs.get(path));
        if other.is_none() || before == Some(id) || before == other || other == Some(id) {
            continue;
        }
        attributes.at_entry(path.as_bstr(), None)?.matching_attributes(&mut matches);
        let by_program = matches.iter_selected().any(|found| match found.assignment.state {
            StateRef::Value(name) => programs.iter().any(|program| program == name.as_bstr()),
            _ => false,
        });
        if by_program {
            found.push(path.to_string());
        }
    }
    Ok(found)
}

fn files(repo: &gix::Repository, commit: gix::ObjectId) -> gix::Result<HashMap<BString, gix::ObjectId>> {
    let tree = repo.find_object(commit)?.peel_to_tree()?;
    let entries = tree.traverse().breadthfirst.files()?;
    Ok(entries.into_iter().map(|entry| (entry.filepath, entry.oid)).collect())
}

fn check_related(
    repo: &gix::Repository,
    ours: gix::ObjectId,
    theirs: gix::ObjectId,
    name: &str,
) -> Result<Vec<gix::ObjectId>> {
    let bases = repo.merge_bases_many(ours, &[theirs]);
    let bases = bases.map_err(|error| trouble(repo, "looking for a common ancestor", error))?;
    if !bases.is_empty() {
        return Ok(bases.into_iter().map(|base| base.detach()).collect());
    }
    let message = format!("HEAD and `{name}` have no common ancestor");
    match repo.is_shallow().unwrap_or(false) {
        true => Err(missing(repo, &message).into()),
        false => {
            Err(UserError::new(Exit::BadDesired, message).hint("unrelated histories cannot be merged").into())
        }
    }
}

fn conflict(name: &str, paths: &BTreeSet<String>) -> UserError {
    let list: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
    UserError::new(
        Exit::BadDesired,
        format!("HEAD does not merge into `{name}`, conflict in {}", list.join(", ")),
    )
    .hint(format!("`git merge {name}` shows the conflict; commit its resolution and run it again"))
}
