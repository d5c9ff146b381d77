//! A state of the checkout that does not move any more.

use anyhow::{Result, bail};
use bstr::{BStr, BString, ByteSlice};

use super::{
    algorithm,
    blobs::{self, Blobs},
    flat, lfs_gitcrypt, object_id,
    scope::{Scope, below},
};
use crate::{
    exit::Exit,
    model::{
        digest::Digest,
        revision::Revision,
        tree::{Contents, Entry, EntryKind, Tree},
        user_error::UserError,
    },
};

/// A state of the checkout that does not move any more: a commit, a merge, or
/// the work tree as it was when it was looked at.
pub struct Snapshot {
    /// What it is called.
    pub revision: Revision,
    /// The commits that it is made of: one, two for a merge, none on an unborn branch.
    pub tips: Vec<Digest>,
    /// What is in conflict in the index.
    pub unmerged: Vec<BString>,
    pub(super) blobs: Blobs,
    pub(super) files: Files,
}

/// Where the list of files is.
pub(super) enum Files {
    /// In a tree of the object database.
    Tree(gix::ObjectId),
    /// Here, as far as `scope` goes; the work tree lies at `root`.
    Listed { files: Vec<Entry>, scope: Scope, root: std::path::PathBuf },
}

impl Snapshot {
    /// The files below `path`, which is relative to the root; empty for all. For the
    /// work tree it must be one of the paths that the snapshot was made of, or below one.
    ///
    /// # Errors
    /// There is no such folder (66), or the content of a file in it is not in git (65).
    pub fn tree(&self, path: &str) -> Result<Tree> {
        let path = path.trim_matches('/');
        let entries = match &self.files {
            Files::Tree(root) => self.committed(*root, path)?,
            Files::Listed { files, scope, root } => listed(files, scope, root, path, &self.revision.name)?,
        };
        lfs_gitcrypt::refuse(self, path, &entries)?;
        Ok(Tree { path: path.into(), entries, algorithm: algorithm(self.blobs.objects.hash_kind()) })
    }

    /// The content of one file, `path` relative to the root; for the work tree
    /// it must be in the part that the snapshot was made of.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match &self.files {
            Files::Tree(root) => {
                let found = flat::find(&self.blobs.objects, *root, path.into())?;
                found.map(|found| blobs::read_text(&self.blobs.objects, &found, path)).transpose()
            }
            Files::Listed { files, .. } => {
                let path = BStr::new(path);
                let at = files.binary_search_by(|file| file.path.as_bstr().cmp(path));
                at.ok().map(|at| self.blobs.read(&files[at].id)).transpose()
            }
        }
    }

    /// Reads the content of the files of every tree of this snapshot.
    pub fn contents(&self) -> &dyn Contents {
        &self.blobs
    }

    /// A file of attributes, wherever it lies: for the work tree also outside of the part that was looked at.
    pub(super) fn attributes(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match &self.files {
            Files::Tree(_) => self.file(path),
            Files::Listed { root, .. } => blobs::read_disk(&root.join(path), path),
        }
    }

    fn committed(&self, root: gix::ObjectId, path: &str) -> Result<Vec<Entry>> {
        let objects = &self.blobs.objects;
        let found = flat::find(objects, root, path.into())?;
        let found = match found {
            Some(found) => found,
            None => return Err(self.no_folder(root, path)?.into()),
        };
        match flat::kind(found.mode) {
            None => Ok(flat::files(objects, found.id)?),
            Some(kind) => Err(not_a_folder(path, kind).into()),
        }
    }

    /// Why there is no folder at `path` of the tree `root`.
    fn no_folder(&self, root: gix::ObjectId, path: &str) -> Result<UserError> {
        for (end, _) in path.match_indices('/') {
            let above = &path[..end];
            if let Some(found) = flat::find(&self.blobs.objects, root, above.into())?
                && let Some(kind) = flat::kind(found.mode)
            {
                return Ok(not_a_folder(above, kind));
            }
        }
        Ok(absent(path, &self.revision.label()))
    }
}

fn listed(
    files: &[Entry],
    scope: &Scope,
    root: &std::path::Path,
    path: &str,
    name: &str,
) -> Result<Vec<Entry>> {
    let wanted = BStr::new(path);
    if !scope.contains(wanted) {
        bail!("`{path}` is not in the part of the work tree that was looked at");
    }
    // A path that is or is below a file, a link or a submodule is no folder.
    let blocker = files.iter().find(|file| below(file.path.as_bstr(), wanted) && !wanted.is_empty());
    if let Some(file) = blocker {
        return Err(not_a_folder(&file.path.to_str_lossy(), file.kind).into());
    }
    let start = files.partition_point(|file| file.path.as_bstr() < wanted);
    let inside = files[start..].iter().take_while(|file| file.path.starts_with(wanted.as_bytes()));
    let inner = |file: &Entry| {
        let skip = if path.is_empty() { 0 } else { path.len() + 1 };
        Entry { path: file.path[skip..].into(), ..*file }
    };
    let entries: Vec<_> = inside.filter(|file| below(wanted, file.path.as_bstr())).map(inner).collect();
    if entries.is_empty() {
        if let Some(link) = link_on(root, path) {
            return Err(not_a_folder(link, EntryKind::Link).into());
        }
        if !root.join(path).is_dir() {
            return Err(absent(path, name).into());
        }
    }
    Ok(entries)
}

/// The first part of `path` that is a link on disk.
fn link_on<'a>(root: &std::path::Path, path: &'a str) -> Option<&'a str> {
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    ends.map(|end| &path[..end]).find(|part| root.join(part).is_symlink())
}

fn absent(path: &str, name: &str) -> UserError {
    UserError::new(Exit::NoInput, format!("no folder `{path}` in `{name}`"))
        .hint("`path` of a target names a folder of the checkout, relative to the folder of trueup.yaml")
}

fn not_a_folder(path: &str, kind: EntryKind) -> UserError {
    let (is, hint) = match kind {
        EntryKind::Submodule => (
            "a submodule",
            "its files belong to another repository: run trueup there with `-C`, or copy them here",
        ),
        EntryKind::Link => ("a link", "name the folder that it points to"),
        EntryKind::File | EntryKind::Executable => ("a file", "name the folder that it lies in"),
    };
    UserError::new(Exit::NoInput, format!("`{path}` is {is}, not a folder")).hint(hint)
}

impl Snapshot {
    /// The tree of a commit, for snapshots of commits and merges.
    pub(super) fn of_tree(
        revision: Revision,
        tips: Vec<Digest>,
        objects: super::objects::Objects,
        tree: &Digest,
    ) -> Self {
        let blobs = Blobs::new(objects, Default::default());
        Snapshot { revision, tips, unmerged: Vec::new(), blobs, files: Files::Tree(object_id(tree)) }
    }
}
