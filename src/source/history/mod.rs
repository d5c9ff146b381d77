//! Which commits brought a change.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use anyhow::Result;
use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::checkout::{Checkout, digest, object_id, trouble};
use crate::model::{digest::Digest, revision::Commit};

mod blame;
mod path_history;
mod pull_request;
mod renames;
#[cfg(test)]
mod tests;
pub(in crate::source) mod walk;

pub use blame::{Asked, blame};
use {
    path_history::{Touch, Wanted},
    walk::{Node, Walk},
};

/// How many commits an answer looks at.
const LIMIT: usize = 10_000;

/// Why an answer from history may lack commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The clone is shallow; older commits are not here.
    Shallow,
    /// More commits than are looked at.
    TooLong,
    /// The base commit is not here.
    NoBase,
}

impl Cut {
    /// Why, in a few words.
    pub fn why(self) -> &'static str {
        match self {
            Cut::Shallow => "history is cut by a shallow clone",
            Cut::TooLong => "history is longer than 10000 commits",
            Cut::NoBase => "a commit that was applied is not in this clone",
        }
    }

    /// The same for a person.
    pub fn note(self) -> &'static str {
        match self {
            Cut::Shallow => {
                "history is cut by a shallow clone, so some commits are not named; in CI, check out with `fetch-depth: 0`"
            }
            Cut::TooLong => "history is longer than 10000 commits, so some commits are not named",
            Cut::NoBase => {
                "the commit that was applied last is not in this clone, so only the newest commit is named for each change"
            }
        }
    }
}

/// The commits that explain changes.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    /// For each path with at least one commit, newest first.
    pub by_path: BTreeMap<BString, Vec<Commit>>,
    /// Why something may be missing.
    pub cut: Option<Cut>,
}

/// A list of commits, newest first.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// As many as were asked for.
    pub commits: Vec<Commit>,
    /// How many there are.
    pub total: usize,
    /// Why something may be missing.
    pub cut: Option<Cut>,
}

/// Finds the commits that are reachable from `tips` ([`Snapshot::tips`](super::checkout::Snapshot::tips)),
/// not from `base`, and touched each of `paths` (relative to the root), newest
/// first. A commit touches a path if its entry there differs from every parent's.
/// Without a base: the newest commit that touched each path.
///
/// # Errors
/// A commit or tree is not here.
pub fn causes(
    checkout: &Checkout,
    base: Option<Digest>,
    tips: &[Digest],
    paths: &BTreeSet<BString>,
) -> Result<Causes> {
    if paths.is_empty() || base.is_some_and(|base| tips.iter().all(|tip| *tip == base)) {
        return Ok(Causes::default());
    }
    let known = base.filter(|base| checkout.has(base));
    let lost = (known != base).then_some(Cut::NoBase);
    let repo = checkout.repo();
    let tips: Vec<ObjectId> = tips.iter().map(object_id).collect();
    let found = match known {
        Some(base) => between(&repo, &object_id(&base), &tips, paths)?,
        None => newest(&repo, &tips, paths)?,
    };
    let mut teller = Teller::new(&repo, &found.nodes, &tips);
    let mut by_path = BTreeMap::new();
    for (path, touched) in paths.iter().zip(found.touched) {
        if !touched.is_empty() {
            let commits = touched.into_iter().map(|node| teller.tell(&found.nodes[node].id));
            by_path.insert(path.clone(), commits.collect::<Result<_>>()?);
        }
    }
    Ok(Causes { by_path, cut: lost.or(found.cut) })
}

/// Lists the commits in `base..desired` that touched something at or below `path`; an empty path means anywhere.
///
/// # Errors
/// As [`causes`].
pub fn commits(
    checkout: &Checkout,
    base: Option<Digest>,
    desired: Digest,
    path: &str,
    limit: usize,
) -> Result<Log> {
    unapplied(checkout, desired, base.as_slice(), path, limit)
}

/// Lists the commits reachable from `tip` that touched something at or below
/// `path` and are not reachable from any of `applied`.
///
/// # Errors
/// As [`causes`].
pub fn unapplied(
    checkout: &Checkout,
    tip: Digest,
    applied: &[Digest],
    path: &str,
    limit: usize,
) -> Result<Log> {
    if applied.contains(&tip) {
        return Ok(Log::default());
    }
    let hidden: Vec<ObjectId> = applied.iter().filter(|id| checkout.has(id)).map(object_id).collect();
    let lost = (hidden.len() < applied.len()).then_some(Cut::NoBase);
    let repo = checkout.repo();
    let tips = [object_id(&tip)];
    let (nodes, more, shallow) = Walk::new(&repo, &tips, &hidden)?.range(LIMIT)?;
    let wanted = Wanted::new([path.as_bytes().as_bstr()]);
    let mut touch = Touch::new(&repo);
    let mut teller = Teller::new(&repo, &nodes, &tips);
    let mut log = Log { cut: lost.or(cut(more, shallow)), ..Log::default() };
    for node in &nodes {
        if touch.touched(node, &wanted)?.is_empty() {
            continue;
        }
        log.total += 1;
        if log.commits.len() < limit {
            log.commits.push(teller.tell(&node.id)?);
        }
    }
    Ok(log)
}

/// Which commits touched which paths.
struct Found {
    nodes: Vec<Node>,
    /// For each path, the numbers of the nodes.
    touched: Vec<Vec<usize>>,
    cut: Option<Cut>,
}

fn between(
    repo: &gix::Repository,
    base: &ObjectId,
    tips: &[ObjectId],
    paths: &BTreeSet<BString>,
) -> Result<Found> {
    let (nodes, more, shallow) = Walk::new(repo, tips, &[*base])?.range(LIMIT)?;
    let wanted = Wanted::new(paths.iter().map(|path| path.as_bstr()));
    let mut touched = vec![Vec::new(); paths.len()];
    let mut touch = Touch::new(repo);
    for (number, node) in nodes.iter().enumerate() {
        for path in touch.touched(node, &wanted)? {
            touched[path].push(number);
        }
    }
    Ok(Found { nodes, touched, cut: cut(more, shallow) })
}

fn newest(repo: &gix::Repository, tips: &[ObjectId], paths: &BTreeSet<BString>) -> Result<Found> {
    let names: Vec<&BString> = paths.iter().collect();
    let mut wanted = Wanted::new(names.iter().map(|path| path.as_bstr()));
    let mut touch = Touch::new(repo);
    let mut nodes: Vec<Node> = Vec::new();
    let mut touched = vec![Vec::new(); paths.len()];
    let mut result = Ok(());
    let mut walk = Walk::new(repo, tips, &[])?;
    walk.each(|node| {
        result = touch.touched(node, &wanted).map(|found| {
            for path in found {
                touched[path].push(nodes.len());
                wanted.close(names[path].as_bstr());
            }
        });
        nodes.push(node.clone());
        match result.is_err() || wanted.is_empty() || nodes.len() == LIMIT {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    result?;
    let more = nodes.len() == LIMIT && !wanted.is_empty();
    let cut = if wanted.is_empty() { None } else { cut(more, walk.cut) };
    Ok(Found { nodes, touched, cut })
}

fn cut(more: bool, shallow: bool) -> Option<Cut> {
    match (more, shallow) {
        (true, _) => Some(Cut::TooLong),
        (false, true) => Some(Cut::Shallow),
        (false, false) => None,
    }
}

/// Tells who made commits, and which pull request brought them.
struct Teller<'a> {
    repo: &'a gix::Repository,
    brought_in: BTreeMap<ObjectId, ObjectId>,
    told: BTreeMap<ObjectId, Commit>,
}

impl<'a> Teller<'a> {
    fn new(repo: &'a gix::Repository, nodes: &[Node], tips: &[ObjectId]) -> Self {
        let brought_in = pull_request::brought_in(nodes, tips).into_iter().collect();
        Teller { repo, brought_in, told: BTreeMap::new() }
    }

    fn tell(&mut self, id: &ObjectId) -> Result<Commit> {
        if let Some(commit) = self.told.get(id) {
            return Ok(commit.clone());
        }
        let mut commit = describe(self.repo, id)?;
        if commit.pull_request.is_none()
            && let Some(merge) = self.brought_in.get(id).copied()
        {
            commit.pull_request = self.tell(&merge)?.pull_request;
        }
        self.told.insert(*id, commit.clone());
        Ok(commit)
    }
}

/// What a commit says of itself.
pub(super) fn describe(repo: &gix::Repository, id: &ObjectId) -> Result<Commit> {
    let doing = |error| trouble(repo, &format!("reading commit `{id}`"), error);
    let commit = repo.find_commit(*id).map_err(doing)?;
    let author = commit.author().map_err(doing)?;
    let time = author.time().unwrap_or_default();
    let message = commit.message_raw().map_err(doing)?;
    Ok(Commit {
        id: digest(id),
        author: author.name.to_str_lossy().into_owned(),
        email: author.email.to_str_lossy().into_owned(),
        date: time.format_or_unix(gix::date::time::format::ISO8601_STRICT),
        subject: message.lines().next().unwrap_or_default().to_str_lossy().trim().to_owned(),
        pull_request: pull_request::number(message),
    })
}
