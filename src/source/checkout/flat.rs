//! Git trees as flat lists of files.

use bstr::{BStr, BString, ByteSlice};
use gix::objs::{
    TreeRefIter,
    tree::{EntryKind as GitKind, EntryMode},
};

use super::{digest, objects::Objects};
use crate::{
    exit::Exit,
    model::{
        fault::Fault,
        tree::{Entry, EntryKind},
    },
};

/// What stands at a path of a tree.
pub(super) struct Found {
    pub(super) mode: EntryMode,
    pub(super) id: gix::ObjectId,
}

/// Lists the files below the tree `id`, in the order of their paths.
pub(super) fn files(objects: &Objects, id: gix::ObjectId) -> Result<Vec<Entry>, Fault> {
    let mut files = Vec::new();
    collect(objects, id, &mut BString::default(), &mut files)?;
    Ok(files)
}

/// Finds what stands at `path` below the tree `root`.
pub(super) fn find(objects: &Objects, root: gix::ObjectId, path: &BStr) -> Result<Option<Found>, Fault> {
    let mut found = Found { mode: GitKind::Tree.into(), id: root };
    let mut buffer = Vec::new();
    for name in path.split_str("/").filter(|name| !name.is_empty()) {
        if !found.mode.is_tree() {
            return Ok(None);
        }
        objects.read(&found.id, &mut buffer)?;
        let mut entries = TreeRefIter::from_bytes(&buffer, objects.hash_kind());
        let entry = entries.find_map(|entry| entry.ok().filter(|entry| entry.filename == name));
        match entry {
            Some(entry) => found = Found { mode: entry.mode, id: entry.oid.to_owned() },
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// What a tree or index entry of this mode is to us; `None` for folders.
pub(super) fn kind(mode: EntryMode) -> Option<EntryKind> {
    match mode.kind() {
        GitKind::Blob => Some(EntryKind::File),
        GitKind::BlobExecutable => Some(EntryKind::Executable),
        GitKind::Link => Some(EntryKind::Link),
        GitKind::Commit => Some(EntryKind::Submodule),
        GitKind::Tree => None,
    }
}

fn collect(
    objects: &Objects,
    id: gix::ObjectId,
    path: &mut BString,
    files: &mut Vec<Entry>,
) -> Result<(), Fault> {
    let mut buffer = Vec::new();
    objects.read(&id, &mut buffer)?;
    for entry in TreeRefIter::from_bytes(&buffer, objects.hash_kind()) {
        let entry = entry.map_err(|_| {
            Fault::new(Exit::Error, format!("tree `{id}` is damaged")).hint("`git fsck` shows more")
        })?;
        let parent = path.len();
        path.extend_from_slice(entry.filename);
        match kind(entry.mode) {
            Some(kind) => files.push(Entry { path: path.clone(), kind, id: digest(entry.oid) }),
            None => {
                path.push(b'/');
                collect(objects, entry.oid.to_owned(), path, files)?;
            }
        }
        path.truncate(parent);
    }
    Ok(())
}
