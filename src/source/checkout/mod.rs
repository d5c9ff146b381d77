//! A git checkout, opened for reading. This folder and `history` are the only ones that name gix.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use bstr::{BString, ByteSlice};

use crate::model::digest::{Algorithm, Digest};

mod blobs;
mod compare;
mod faults;
mod files;
mod flat;
mod lfs_gitcrypt;
mod merge;
mod names;
mod objects;
mod open;
mod overlay;
mod scope;
mod select;
mod snapshot;
mod stream;
#[cfg(test)]
mod tests;

pub(in crate::source) use faults::{missing, trouble};
pub(in crate::source) use flat::entry;
pub use names::{Branch, short};
use objects::Pool;
pub use select::{Selected, Selection};
pub use snapshot::Snapshot;

/// A git repository, with the folder in it that a person stands in.
///
/// Can be shared between threads. Nothing reachable from here writes to the repository.
pub struct Checkout {
    pool: Arc<Pool>,
    prefix: BString,
}

impl Checkout {
    /// Finds the repository that `dir` is in, as git does: `GIT_DIR` and
    /// `GIT_WORK_TREE`, linked worktrees, submodules and bare repositories included.
    ///
    /// # Errors
    /// A [`Fault`](crate::model::user_error::UserError) where there is none (66), where it belongs to
    /// somebody else (77), or where its format cannot be read (1).
    pub fn open(dir: &Path) -> Result<Checkout> {
        let repo = open::open(dir)?;
        let prefix = repo.work_dir().and_then(|root| open::prefix(root, dir)).unwrap_or_default();
        let prefix = gix::path::into_bstr(prefix).map(|path| path.into_owned()).unwrap_or_default();
        Ok(Checkout { pool: Arc::new(Pool::new(repo)), prefix })
    }

    /// The same checkout, in which no program is run that the configuration names as a filter.
    ///
    /// # Errors
    /// The configuration cannot be changed in memory.
    pub fn without_programs(self) -> Result<Checkout> {
        let repo = open::without_programs(&self.pool.shared)?;
        Ok(Checkout { pool: Arc::new(Pool::new(repo)), ..self })
    }

    /// The root of the work tree; `None` in a bare repository.
    pub fn root(&self) -> Option<&Path> {
        self.pool.shared.work_dir()
    }

    /// Where the repository is, for messages: the work tree, or the git directory of a bare repository.
    pub fn place(&self) -> PathBuf {
        self.root().unwrap_or_else(|| self.pool.shared.git_dir()).to_owned()
    }

    /// The folder that was opened, relative to the root, `/` between components; empty at the root.
    pub fn prefix(&self) -> &bstr::BStr {
        self.prefix.as_bstr()
    }

    /// The hash function of the repository's ids.
    pub fn algorithm(&self) -> Algorithm {
        algorithm(self.pool.shared.objects.object_hash())
    }

    /// The id that Git would give to a file with this content.
    ///
    /// # Errors
    /// The content is an attack on the hash function.
    pub fn blob_id(&self, content: &[u8]) -> anyhow::Result<Digest> {
        let kind = self.pool.shared.objects.object_hash();
        Ok(digest(&compare::blob_id(kind, content)?))
    }

    /// Whether the index has a file at `path`.
    pub fn is_tracked(&self, path: &[u8]) -> bool {
        let index = self.pool.with(|repo| repo.index_or_empty());
        index.is_ok_and(|index| index.entry_by_path(path.as_bstr()).is_some())
    }

    /// Whether history was cut by `git clone --depth`.
    pub fn is_shallow(&self) -> bool {
        self.pool.with(|repo| repo.is_shallow().unwrap_or(false))
    }

    /// A view of the repository for this thread.
    pub(in crate::source) fn repo(&self) -> gix::Repository {
        self.pool.shared.to_thread_local()
    }
}

/// The id of the library as the model has it.
pub(in crate::source) fn digest(id: &gix::oid) -> Digest {
    Digest::from_bytes(id.as_bytes()).expect("object ids are 20 or 32 bytes")
}

/// The id of the model as the library has it.
pub(in crate::source) fn object_id(digest: &Digest) -> gix::ObjectId {
    gix::ObjectId::try_from(digest.as_bytes()).expect("digests are 20 or 32 bytes")
}

fn algorithm(kind: gix::hash::Kind) -> Algorithm {
    match kind {
        gix::hash::Kind::Sha256 => Algorithm::Sha256,
        _ => Algorithm::Sha1,
    }
}
