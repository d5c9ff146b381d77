//! Git trees as flat lists of files.

use bstr::{BStr, BString, ByteSlice};
use gix::objs::{
    TreeRefIter,
    tree::{EntryKind as GitKind, EntryMode, EntryRef},
};

use super::{digest, objects::Objects};
use crate::{
    exit::Exit,
    model::{
        tree::{Entry, EntryKind},
        user_error::UserError,
    },
};

/// The most entries of a tree, folders included: a small one can name others many times over.
const MOST: usize = 4_000_000;

/// The longest path.
const LONGEST: usize = 8192;

fn damaged(id: &gix::oid) -> UserError {
    UserError::new(Exit::Error, format!("tree `{id}` is damaged")).hint("`git fsck` shows more")
}

fn too_much(what: &str) -> UserError {
    UserError::new(Exit::BadDesired, format!("the tree has {what}"))
        .hint("name a folder with less in it as the `path` of the target")
}

/// What stands at a path of a tree.
pub(super) struct Found {
    pub(super) mode: EntryMode,
    pub(super) id: gix::ObjectId,
}

/// Lists the files below the tree `id`, in the order of their paths.
pub(super) fn files(objects: &Objects, id: gix::ObjectId) -> Result<Vec<Entry>, UserError> {
    let mut files = Vec::new();
    let mut left = MOST;
    collect(objects, id, &mut BString::default(), &mut files, &mut left)?;
    Ok(files)
}

/// Finds what stands at `path` below the tree `root`.
pub(super) fn find(objects: &Objects, root: gix::ObjectId, path: &BStr) -> Result<Option<Found>, UserError> {
    let mut found = Found { mode: GitKind::Tree.into(), id: root };
    let mut buffer = Vec::new();
    for name in path.split_str("/").filter(|name| !name.is_empty()) {
        if !found.mode.is_tree() {
            return Ok(None);
        }
        objects.read(&found.id, &mut buffer)?;
        match entry(&buffer, &found.id, name)? {
            Some(entry) => found = Found { mode: entry.mode, id: entry.oid.to_owned() },
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// The entry called `name` of the tree `id`, whose bytes are `data`.
pub(in crate::source) fn entry<'a>(
    data: &'a [u8],
    id: &gix::oid,
    name: &[u8],
) -> Result<Option<EntryRef<'a>>, UserError> {
    // What is damaged before it hides whether it is there.
    let mut entries = TreeRefIter::from_bytes(data, id.kind());
    let entry = entries.find(|entry| entry.as_ref().map_or(true, |entry| entry.filename == name));
    entry.transpose().map_err(|_| damaged(id))
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
    left: &mut usize,
) -> Result<(), UserError> {
    let mut buffer = Vec::new();
    objects.read(&id, &mut buffer)?;
    for entry in TreeRefIter::from_bytes(&buffer, objects.hash_kind()) {
        let entry = entry.map_err(|_| damaged(&id))?;
        let parent = path.len();
        path.extend_from_slice(entry.filename);
        *left = left.checked_sub(1).ok_or_else(|| too_much(&format!("more than {MOST} entries")))?;
        if path.len() > LONGEST {
            return Err(too_much(&format!("a path longer than {LONGEST} bytes")));
        }
        match kind(entry.mode) {
            Some(kind) => files.push(Entry { path: path.clone(), kind, id: digest(entry.oid) }),
            None => {
                path.push(b'/');
                collect(objects, entry.oid.to_owned(), path, files, left)?;
            }
        }
        path.truncate(parent);
    }
    Ok(())
}
