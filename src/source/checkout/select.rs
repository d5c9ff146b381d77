//! Selecting a state of the checkout.

use std::path::PathBuf;

use anyhow::Result;
use bstr::ByteSlice as _;

use super::{
    Checkout, blobs, digest,
    faults::{bare, missing, trouble},
    flat, merge, object_id,
    objects::Objects,
    overlay::{self, Loose},
    scope::Scope,
    snapshot::{Files, Snapshot},
};
use crate::model::{digest::Digest, revision::Revision};

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

/// A selected state before anything of it was compared with the disk: enough
/// to read trueup.yaml, which says what else matters.
pub struct Selected {
    revision: Revision,
    tips: Vec<Digest>,
    objects: Objects,
    place: Place,
}

enum Place {
    /// The tree of a commit or of a merge.
    Tree(Digest),
    /// The work tree over the tree of HEAD.
    Disk { root: PathBuf, head: Option<Digest> },
}

impl Checkout {
    /// Takes a state of the checkout.
    ///
    /// # Errors
    /// No such revision (66); no work tree (66); a merge with conflicts (65, the paths named).
    pub fn select(&self, selection: &Selection) -> Result<Selected> {
        match selection {
            Selection::WorkTree => self.select_disk(),
            Selection::Ref(rev) => self.select_commit(self.resolve(rev)?, rev),
            Selection::MergeInto(rev) => self.select_merge(rev),
        }
    }

    /// The state of the checkout, all of it: [`Checkout::select`] and [`Selected::snapshot`] in one.
    ///
    /// # Errors
    /// As both.
    pub fn snapshot(&self, selection: &Selection) -> Result<Snapshot> {
        self.select(selection)?.snapshot(&[])
    }

    /// The files of `commit`, for base trees and for `diff A..B`; `name` is what a person calls it.
    ///
    /// # Errors
    /// It is not here (66).
    pub fn at(&self, commit: &Digest, name: &str) -> Result<Snapshot> {
        self.select_commit(*commit, name)?.snapshot(&[])
    }

    /// Both sides of `A..B`.
    ///
    /// # Errors
    /// As [`Checkout::range`].
    pub fn between(&self, range: &str) -> Result<(Snapshot, Snapshot)> {
        let (a, b) = self.range(range)?;
        let name = |commit: &Digest, said: &str| match said {
            "" => "HEAD".to_owned(),
            said if commit.to_string().starts_with(said) => commit.short(),
            said => said.to_owned(),
        };
        let (said_a, said_b) = range.split_once("..").unwrap_or((range, range));
        Ok((self.at(&a, &name(&a, said_a))?, self.at(&b, &name(&b, said_b))?))
    }

    fn select_disk(&self) -> Result<Selected> {
        let root = self.root().ok_or_else(|| bare(&self.place()))?.to_owned();
        let commit = self.head()?;
        let head = commit.map(|commit| self.tree_of(&commit)).transpose()?;
        let name = self.branch()?.unwrap_or_else(|| "HEAD".to_owned());
        let revision = Revision::of(commit, name);
        let tips = commit.into_iter().collect();
        Ok(Selected { revision, tips, objects: Objects::new(&self.pool), place: Place::Disk { root, head } })
    }

    fn select_commit(&self, commit: Digest, name: &str) -> Result<Selected> {
        let tree = self.tree_of(&commit)?;
        let revision = Revision::of(Some(commit), name);
        let (tips, objects) = (vec![commit], Objects::new(&self.pool));
        Ok(Selected { revision, tips, objects, place: Place::Tree(tree) })
    }

    fn select_merge(&self, rev: &str) -> Result<Selected> {
        let (ours, theirs) = (self.resolve(rev)?, self.head_commit()?);
        let merge = merge::merge(self.repo(), &ours, &theirs, rev)?;
        let name = format!("merge of HEAD into {rev}");
        let revision = Revision { merged: true, ..Revision::of(Some(theirs), name) };
        let objects = Objects::with_memory(&self.pool, merge.objects);
        let place = Place::Tree(digest(&merge.tree));
        Ok(Selected { revision, tips: vec![ours, theirs], objects, place })
    }

    fn tree_of(&self, commit: &Digest) -> Result<Digest> {
        let repo = self.repo();
        let object = repo.try_find_object(object_id(commit));
        let object = object.map_err(|error| trouble(&repo, &format!("reading commit `{commit}`"), error))?;
        let object = object.ok_or_else(|| missing(&repo, &format!("commit `{commit}` is not here")))?;
        let tree = object.peel_to_tree();
        Ok(digest(&tree.map_err(|error| trouble(&repo, &format!("reading commit `{commit}`"), error))?.id))
    }
}

impl Selected {
    /// The commit; `None` on an unborn branch. For a merge, the commit that is merged.
    pub fn commit(&self) -> Option<Digest> {
        self.revision.commit
    }

    /// The content of one file of configuration, `path` relative to the root: from disk for the work tree, else
    /// from the tree. Never what a link leads to.
    ///
    /// # Errors
    /// It is there and cannot be read, or it is a link or larger than any configuration (78).
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match &self.place {
            Place::Disk { root, .. } => blobs::read_own(root, path),
            Place::Tree(tree) => {
                let found = flat::find(&self.objects, object_id(tree), path.into())?;
                found.map(|found| blobs::read_committed(&self.objects, &found, path)).transpose()
            }
        }
    }

    /// Fixes the state. For the work tree, everything at or below one of
    /// `paths` is compared with HEAD, all in one pass; what lies elsewhere
    /// does not make the revision dirty. An empty slice means everything.
    /// Single files among `paths` are compared whatever the index says of them.
    ///
    /// # Errors
    /// The work tree cannot be read.
    pub fn snapshot(self, paths: &[&str]) -> Result<Snapshot> {
        let Selected { mut revision, tips, objects, place } = self;
        let (root, head) = match place {
            Place::Tree(tree) => return Ok(Snapshot::of_tree(revision, tips, objects, &tree)),
            Place::Disk { root, head } => (root, head),
        };
        let scope = Scope::new(paths);
        let head = head.as_ref().map(object_id);
        let overlay = overlay::read(&objects, head, &scope)?;
        revision.dirty = overlay.dirty || overlay::differs(&objects, head, &root, paths)?;
        if revision.dirty {
            revision.name = "HEAD+dirty".to_owned();
            revision.stamp = Some(stamp(&root, overlay.loose.values()));
        }
        let blobs = blobs::Blobs::new(objects, overlay.loose);
        let unmerged = overlay.unmerged;
        Ok(Snapshot {
            revision,
            tips,
            unmerged,
            blobs,
            files: Files::Listed { files: overlay.files, scope, root },
        })
    }
}

/// What tells uncommitted files of one moment from those of another without a look into them: digests may not
/// depend on what no output may show.
fn stamp<'a>(root: &std::path::Path, loose: impl Iterator<Item = &'a Loose>) -> String {
    use std::{fmt::Write as _, os::unix::fs::MetadataExt as _};
    let mut files: Vec<&Loose> = loose.collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.into_iter().fold(String::new(), |mut text, file| {
        let place = gix::path::from_bstr(file.path.as_bstr());
        let meta = place.ok().and_then(|place| root.join(place).symlink_metadata().ok());
        let when =
            meta.map(|meta| (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()));
        // Writing to a text does not fail.
        let _ = writeln!(text, "{} {} {when:?}", file.path, file.len);
        text
    })
}
