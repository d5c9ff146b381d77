//! The files of one revision below one path, as git names them.

use std::{io, sync::Arc};

use bstr::BString;

use super::{
    digest::{Algorithm, Digest},
    user_error::UserError,
};
use crate::exit::Exit;

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

/// Whether a file of this name holds declarations as YAML or JSON.
pub fn is_declaration(name: &str) -> bool {
    let known =
        |extension: &str| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    name.rsplit_once('.').is_some_and(|(_, extension)| known(extension))
}

/// Where declarations stand, for hints.
pub const DECLARED_IN: &str = "declarations are files that end in `.yaml`, `.yml` or `.json`";

/// `file` has the name of a declaration, and is none.
pub fn not_a_file(file: &str) -> UserError {
    let message = format!("`{file}` is a link or a submodule, and no declaration is read through one");
    UserError::new(Exit::BadDesired, message)
}

/// Whether a file of this name is for people or for git, and declares nothing by rule.
pub fn is_aside(name: &str) -> bool {
    name.starts_with('.') || name.to_ascii_lowercase().ends_with(".md")
}

/// The largest file of declarations.
pub const LARGEST: u64 = 64 * 1024 * 1024;

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

    /// The whole content of what is to be understood, if it is no longer than `most` bytes.
    ///
    /// # Errors
    /// As [`Contents::read`], and 65 where it is longer.
    fn read_at_most(&self, id: &Digest, most: u64) -> anyhow::Result<Vec<u8>> {
        match self.size(id)? {
            size if size > most => Err(UserError::new(
                Exit::BadDesired,
                format!("it has {size} bytes, more than the {most} that are read"),
            )
            .into()),
            _ => self.read(id),
        }
    }

    /// Writes the content to `out` without holding all of it in memory where
    /// the store allows that; returns its length.
    ///
    /// # Errors
    /// As [`Contents::read`], and what `out` answers. What was written before
    /// an error is not the content.
    fn copy(&self, id: &Digest, out: &mut dyn io::Write) -> anyhow::Result<u64>;
}
