//! A git checkout, opened for reading. This folder and `history` are the only ones that name gix.

use std::path::{Path, PathBuf};

use anyhow::Result;
use bstr::BString;

use crate::model::{
    digest::{Algorithm, Digest},
    revision::{Commit, Revision},
    tree::{Contents, Tree},
};

/// Which state of the checkout a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The files as they lie on disk, uncommitted edits included.
    WorkTree,
    /// A commit, by any name that git takes; the work tree is not looked at.
    Ref(String),
    /// HEAD merged into this revision, in memory.
    MergeInto(String),
}

/// A git repository, with the folder in it that a person stands in.
///
/// Can be shared between threads. Nothing reachable from here writes to the repository.
pub struct Checkout {
    repo: gix::ThreadSafeRepository,
    prefix: BString,
}

/// A selected state before anything of it was compared with the disk: enough
/// to read trueup.yaml, which says what else matters.
pub struct Selected {
    _private: (),
}

/// A state of the checkout that does not move any more.
pub struct Snapshot {
    /// What it is called.
    pub revision: Revision,
}

impl Checkout {
    /// Finds the repository that `dir` is in, as git does: `GIT_DIR` and
    /// `GIT_WORK_TREE`, linked worktrees, submodules and bare repositories included.
    ///
    /// # Errors
    /// A [`Fault`](crate::model::fault::Fault) where there is none (exit 66), or none that may or can be read.
    pub fn open(_dir: &Path) -> Result<Checkout> {
        unimplemented!()
    }

    /// The root of the work tree; `None` in a bare repository.
    pub fn root(&self) -> Option<&Path> {
        unimplemented!()
    }

    /// Where the repository is, for messages: the work tree, or the git directory of a bare repository.
    pub fn place(&self) -> PathBuf {
        unimplemented!()
    }

    /// The folder that was opened, relative to the root; empty at the root.
    pub fn prefix(&self) -> &BString {
        &self.prefix
    }

    /// The hash function of the repository's ids.
    pub fn algorithm(&self) -> Algorithm {
        unimplemented!()
    }

    /// Whether history was cut by `git clone --depth`.
    pub fn is_shallow(&self) -> bool {
        self.repo.to_thread_local().is_shallow().unwrap_or(false)
    }

    /// The commit of HEAD; `None` on an unborn branch.
    ///
    /// # Errors
    /// HEAD cannot be read.
    pub fn head(&self) -> Result<Option<Digest>> {
        unimplemented!()
    }

    /// The branch that is checked out; `None` if HEAD is detached.
    ///
    /// # Errors
    /// HEAD cannot be read.
    pub fn branch(&self) -> Result<Option<String>> {
        unimplemented!()
    }

    /// The commit that `rev` names, tags followed.
    ///
    /// # Errors
    /// A [`Fault`](crate::model::fault::Fault) with exit 66 if it names none, or more than one.
    pub fn resolve(&self, _rev: &str) -> Result<Digest> {
        unimplemented!()
    }

    /// The two commits of `A..B`; a missing side is HEAD.
    ///
    /// # Errors
    /// As [`Checkout::resolve`]; exit 64 if `range` is no range.
    pub fn range(&self, _range: &str) -> Result<(Digest, Digest)> {
        unimplemented!()
    }

    /// Whether `commit` is here.
    pub fn has(&self, _commit: &Digest) -> bool {
        unimplemented!()
    }

    /// Author, date and message of `commit`; the pull request as far as its own message tells.
    ///
    /// # Errors
    /// It is not here.
    pub fn commit(&self, _commit: &Digest) -> Result<Commit> {
        unimplemented!()
    }

    /// Whether `ancestor` is reachable from `descendant` and is another commit.
    ///
    /// # Errors
    /// History is not all here, so nobody can tell (exit 66).
    pub fn is_ancestor(&self, _ancestor: &Digest, _descendant: &Digest) -> Result<bool> {
        unimplemented!()
    }

    /// Whether `commit` is on `reference`: its tip, or reachable from it. A
    /// short name stands for the branch, the same branch of every remote, and the tag.
    ///
    /// # Errors
    /// There is no such reference (exit 66), or history is not all here.
    pub fn is_on(&self, _commit: &Digest, _reference: &str) -> Result<bool> {
        unimplemented!()
    }

    /// The branches, remote branches and tags that `commit` is on, sorted, short names.
    ///
    /// # Errors
    /// References cannot be read.
    pub fn refs_with(&self, _commit: &Digest) -> Result<Vec<String>> {
        unimplemented!()
    }

    /// Takes a state of the checkout.
    ///
    /// # Errors
    /// No such revision (66); no work tree (66); a merge with conflicts (65, the paths named).
    pub fn select(&self, _selection: &Selection) -> Result<Selected> {
        unimplemented!()
    }

    /// The files of `commit`, for base trees and for `diff A..B`.
    ///
    /// # Errors
    /// It is not here (66).
    pub fn at(&self, _commit: &Digest, _name: &str) -> Result<Snapshot> {
        unimplemented!()
    }
}

impl Selected {
    /// The commit; `None` on an unborn branch. For a merge, the commit it is merged into.
    pub fn commit(&self) -> Option<Digest> {
        unimplemented!()
    }

    /// The content of one file, `path` relative to the root: from disk for the work tree, else from the tree.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn file(&self, _path: &str) -> Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    /// Fixes the state. For the work tree, everything at or below one of
    /// `paths` is compared with HEAD, all in one pass; what lies elsewhere
    /// does not make the revision dirty. An empty slice means everything.
    ///
    /// # Errors
    /// The work tree cannot be read.
    pub fn snapshot(self, _paths: &[&str]) -> Result<Snapshot> {
        unimplemented!()
    }
}

impl Snapshot {
    /// The files below `path`, which is relative to the root; empty for all. For the
    /// work tree it must be one of the paths that the snapshot was made of, or below one.
    ///
    /// # Errors
    /// There is no such folder (66).
    pub fn tree(&self, _path: &str) -> Result<Tree> {
        unimplemented!()
    }

    /// The content of one file, `path` relative to the root.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn file(&self, _path: &str) -> Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    /// Reads the content of the files of every tree of this snapshot.
    pub fn contents(&self) -> &dyn Contents {
        unimplemented!()
    }
}
