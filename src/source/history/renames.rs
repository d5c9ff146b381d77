//! Which files a commit moved.

use std::collections::{HashMap, hash_map::Entry};

use anyhow::Result;
use bstr::{BStr, BString};
use gix::{ObjectId, diff::Rewrites, object::tree::diff::ChangeDetached};

use super::walk::Node;
use crate::source::checkout::trouble;

/// What a file was called in a parent, and what it held there.
type Former = (BString, ObjectId);

/// The files that commits moved, each commit compared once with each parent.
pub(super) struct Renames<'repo> {
    repo: &'repo gix::Repository,
    known: HashMap<(ObjectId, ObjectId), HashMap<BString, Former>>,
}

impl<'repo> Renames<'repo> {
    pub(super) fn new(repo: &'repo gix::Repository) -> Self {
        Renames { repo, known: HashMap::new() }
    }

    /// The file of `parent` that `node` moved to `path`: at least half of it is the same, as git sees it by itself.
    pub(super) fn former(&mut self, node: &Node, parent: &Node, path: &BStr) -> Result<Option<Former>> {
        let known = match self.known.entry((node.id, parent.id)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(renames(self.repo, node, parent)?),
        };
        Ok(known.get(path).cloned())
    }
}

fn renames(repo: &gix::Repository, node: &Node, parent: &Node) -> Result<HashMap<BString, Former>> {
    let doing = |error| trouble(repo, &format!("comparing commit `{}` with its parent", node.id), error);
    let [old, new] = [parent, node].map(|node| repo.find_tree(node.tree).map_err(doing));
    let options = gix::diff::Options::default().with_rewrites(Some(Rewrites::default()));
    let changes = repo.diff_tree_to_tree(&old?, &new?, options).map_err(doing)?;
    let renames = changes.into_iter().filter_map(|change| match change {
        ChangeDetached::Rewrite { source_location, source_id, location, copy: false, .. } => {
            Some((location, (source_location, source_id)))
        }
        _ => None,
    });
    Ok(renames.collect())
}
