//! The files of one revision below one path, as git names them.

use std::{io, sync::Arc};

use bstr::BString;

use super::digest::{Algorithm, Digest};

/// What a git tree says an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// `100644`
    File,
    /// `100755`
    Executable,
    /// `120000`; the blob holds the link's target.
    Link,
    /// `160000`; the id is a commit of another repository.
    Submodule,
}

/// One file of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to the tree, `/` between components.
    pub path: BString,
    /// What it is.
    pub kind: EntryKind,
    /// Git's id of its content.
    pub id: Digest,
}

/// The files below one path of one revision, sorted by path.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The path relative to the root of the checkout, without a final `/`; empty for all of it.
    pub path: BString,
    /// The files.
    pub entries: Vec<Entry>,
    /// The hash function of the ids.
    pub algorithm: Algorithm,
}

impl Tree {
    /// The path of `entry` as a person finds it in the checkout.
    pub fn source_path(&self, entry: &Entry) -> Arc<str> {
        self.shown(&entry.path)
    }

    /// A path below that of the tree as a person finds it in the checkout; `.` for the root of the checkout.
    pub fn shown(&self, below: &[u8]) -> Arc<str> {
        let parts = [&self.path[..], below].into_iter().filter(|part| !part.is_empty());
        match parts.collect::<Vec<_>>().join(&b'/') {
            path if path.is_empty() => ".".into(),
            path => super::address::quote(&path).into(),
        }
    }
}

/// Reads the content of blobs: from the object database, or from the work
/// tree for content that is not committed.
pub trait Contents: Sync {
    /// Length in bytes.
    ///
    /// # Errors
    /// The blob is not here (a partial clone), or cannot be read.
    fn size(&self, id: &Digest) -> anyhow::Result<u64>;

    /// The whole content.
    ///
    /// # Errors
    /// As [`Contents::size`]; and content that changed since its id was taken.
    fn read(&self, id: &Digest) -> anyhow::Result<Vec<u8>>;

    /// Writes the content to `out` without holding all of it in memory where
    /// the store allows that; returns its length.
    ///
    /// # Errors
    /// As [`Contents::read`], and what `out` answers. What was written before
    /// an error is not the content.
    fn copy(&self, id: &Digest, out: &mut dyn io::Write) -> anyhow::Result<u64>;
}
