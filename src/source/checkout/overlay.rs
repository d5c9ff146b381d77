//! The work tree as it lies on disk, as `git add --all` would make it a tree.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use anyhow::Result;
use bstr::{BStr, BString, ByteSlice, ByteVec};
use rayon::prelude::*;

use super::{
    compare::{self, Difference, Differences},
    digest,
    faults::trouble,
    files::{Stored, WorkTree},
    flat, object_id,
    objects::{Objects, Pool},
    scope::Scope,
};
use crate::{
    exit::Exit,
    model::{
        tree::{Entry, EntryKind},
        user_error::UserError,
    },
};

/// Content that lies on disk and need not be in the object database.
#[derive(Clone, Debug)]
pub(super) struct Loose {
    pub(super) path: BString,
    pub(super) kind: EntryKind,
    pub(super) len: u64,
}

/// A part of the work tree.
pub(super) struct Overlay {
    /// The files, paths relative to the root, sorted.
    pub(super) files: Vec<Entry>,
    /// What differs from HEAD or the index, by the id of its content.
    pub(super) loose: HashMap<gix::ObjectId, Loose>,
    /// Whether it differs from HEAD.
    pub(super) dirty: bool,
    /// What is in conflict in the index.
    pub(super) unmerged: Vec<BString>,
}

/// Reads the part `scope` of the work tree, and compares it with the tree `head`.
pub(super) fn read(objects: &Objects, head: Option<gix::ObjectId>, scope: &Scope) -> Result<Overlay> {
    let repo = objects.pool.shared.to_thread_local();
    let doing = |error| trouble(&repo, "reading the work tree", error);
    let index = repo.index_or_empty().map_err(doing)?;
    if index.is_sparse() {
        return Err(UserError::new(
            Exit::Error,
            "the index is sparse and cannot be compared with the work tree",
        )
        .hint("`git sparse-checkout reapply --no-sparse-index` expands it; `--ref HEAD` does without it")
        .into());
    }
    let (differences, staged) = rayon::join(
        || compare::compare(&objects.pool.shared.to_thread_local(), &index, scope),
        || is_staged(objects, &index, head, scope),
    );
    let mut files = tracked(&index, scope);
    let changes = changes(&objects.pool, &files, differences.map_err(doing)?)?;
    let unmerged = unmerged(&index, scope);
    let dirty = staged? || !changes.is_empty() || !unmerged.is_empty();
    let loose = apply(&mut files, changes);
    Ok(Overlay { files, loose, dirty, unmerged })
}

/// The files that are in conflict in the index.
fn unmerged(index: &gix::index::State, scope: &Scope) -> Vec<BString> {
    let entries = index.entries().iter().filter(|entry| entry.stage_raw() != 0);
    let mut paths: Vec<BString> = entries
        .map(|entry| entry.path(index))
        .filter(|path| scope.contains(path))
        .map(ToOwned::to_owned)
        .collect();
    paths.dedup();
    paths
}

/// Whether one of `paths` is a file that is not as the tree `head` has it. The index is not asked: it may be told
/// not to look (`assume-unchanged`, `skip-worktree`), and a file may be ignored.
pub(super) fn differs(
    objects: &Objects,
    head: Option<gix::ObjectId>,
    root: &Path,
    paths: &[&str],
) -> Result<bool> {
    let mut work_tree = WorkTree::new(objects.pool.shared.to_thread_local())?;
    for path in paths.iter().filter(|path| root.join(path).is_file()) {
        let committed = head.map(|head| flat::find(objects, head, BStr::new(path))).transpose()?.flatten();
        let known = committed.as_ref().and_then(|found| flat::kind(found.mode));
        let stored = work_tree.stored(BStr::new(path), known)?;
        if stored.map(|stored| stored.id) != committed.map(|found| found.id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files of the index, without those in conflict.
fn tracked(index: &gix::index::State, scope: &Scope) -> Vec<Entry> {
    let entries = index.entries().iter().filter(|entry| entry.stage_raw() == 0);
    let entries = entries.filter(|entry| !entry.flags.contains(gix::index::entry::Flags::INTENT_TO_ADD));
    let entry = |entry: &gix::index::Entry| {
        let path = entry.path(index);
        let kind = entry.mode.to_tree_entry_mode().and_then(flat::kind)?;
        scope.contains(path).then(|| Entry { path: path.to_owned(), kind, id: digest(&entry.id) })
    };
    entries.filter_map(entry).collect()
}

/// Whether the index differs from the tree `head`. The trees that git caches in the index answer for most.
fn is_staged(
    objects: &Objects,
    index: &gix::index::State,
    head: Option<gix::ObjectId>,
    scope: &Scope,
) -> Result<bool> {
    let Some(head) = head else { return Ok(!tracked(index, scope).is_empty()) };
    for path in scope.paths() {
        let committed = flat::find(objects, head, path)?;
        if committed.as_ref().is_some_and(|found| cached(index, path) == Some(found.id)) {
            continue;
        }
        let committed = match committed {
            None => Vec::new(),
            Some(found) => match flat::kind(found.mode) {
                Some(kind) => vec![Entry { path: path.to_owned(), kind, id: digest(&found.id) }],
                None => rooted(path, flat::files(objects, found.id)?),
            },
        };
        let only = Scope::new(&[&path.to_str_lossy()]);
        if committed != tracked(index, &only) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn rooted(above: &BStr, mut files: Vec<Entry>) -> Vec<Entry> {
    if !above.is_empty() {
        files.iter_mut().for_each(|file| file.path.insert_str(0, format!("{above}/")));
    }
    files
}

/// The tree at `path` that the index remembers, if nothing changed in there since.
fn cached(index: &gix::index::State, path: &BStr) -> Option<gix::ObjectId> {
    let mut tree = index.tree()?;
    for name in path.split_str("/").filter(|name| !name.is_empty()) {
        tree = tree.children.iter().find(|child| child.name.as_slice() == name)?;
    }
    tree.num_entries.map(|_| tree.id)
}

/// What stands at the paths that differ, with content that is not in the index; `None` for nothing.
type Changes = BTreeMap<BString, Option<(EntryKind, gix::ObjectId, Option<u64>)>>;

fn changes(pool: &Arc<Pool>, files: &[Entry], differences: Differences) -> Result<Changes> {
    let known = |path: &BStr| {
        let at = files.binary_search_by(|file| file.path.as_bstr().cmp(path)).ok()?;
        Some(&files[at])
    };
    let mut changes = Changes::new();
    let mut others = Vec::new();
    let mut doubtful = HashSet::new();
    for (path, difference) in differences {
        let change = match (difference, known(path.as_bstr())) {
            (Difference::Removed, _) => None,
            (Difference::Submodule(head), _) => Some((EntryKind::Submodule, head, None)),
            (Difference::Content { content, executable }, Some(before)) => {
                let kind = if executable { flipped(before.kind) } else { before.kind };
                let id = content.map_or_else(|| object_id(&before.id), |(id, _)| id);
                Some((kind, id, content.map(|(_, len)| len)))
            }
            (difference, _) => {
                if matches!(difference, Difference::Perhaps) {
                    doubtful.insert(path.clone());
                }
                others.push(path);
                continue;
            }
        };
        changes.insert(path, change);
    }
    let mut seen = look(pool, others, &|path| known(path).map(|entry| entry.kind))?;
    seen.retain(|path, change| {
        let before = known(path.as_bstr()).map(|before| (before.kind, object_id(&before.id)));
        !doubtful.contains(path) || before != change.map(|(kind, id, _)| (kind, id))
    });
    changes.append(&mut seen);
    Ok(changes)
}

/// Looks at what stands at `paths`.
fn look(
    pool: &Arc<Pool>,
    paths: Vec<BString>,
    known: &(dyn Fn(&BStr) -> Option<EntryKind> + Sync),
) -> Result<Changes> {
    let stored = |chunk: &[BString]| {
        let mut work_tree = WorkTree::new(pool.shared.to_thread_local())?;
        let stored =
            |path: &BString| Ok((path.clone(), work_tree.stored(path.as_bstr(), known(path.as_bstr()))?));
        chunk.iter().map(stored).collect::<Result<Vec<_>>>()
    };
    let chunk = (paths.len() / (4 * rayon::current_num_threads())).max(16);
    let found: Vec<_> = paths.par_chunks(chunk).map(stored).collect::<Result<_>>()?;
    let change = |stored: Stored| (stored.kind, stored.id, Some(stored.len));
    Ok(found.into_iter().flatten().map(|(path, stored)| (path, stored.map(change))).collect())
}

fn flipped(kind: EntryKind) -> EntryKind {
    match kind {
        EntryKind::File => EntryKind::Executable,
        EntryKind::Executable => EntryKind::File,
        other => other,
    }
}

/// Puts the changes in the place of what the index has; answers the content that may be on disk only.
fn apply(files: &mut Vec<Entry>, changes: Changes) -> HashMap<gix::ObjectId, Loose> {
    let mut loose = HashMap::new();
    if changes.is_empty() {
        return loose;
    }
    files.retain(|file| !changes.contains_key(&file.path));
    for (path, change) in changes {
        let Some((kind, id, len)) = change else { continue };
        files.push(Entry { path: path.clone(), kind, id: digest(&id) });
        if let Some(len) = len {
            loose.insert(id, Loose { path, kind, len });
        }
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    loose
}
