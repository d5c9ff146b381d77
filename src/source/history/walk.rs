//! Walking the commits between revisions, newest first.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashMap},
    ops::ControlFlow,
};

use anyhow::Result;
use gix::{ObjectId, objs::Find};

use crate::source::checkout::{missing, trouble};

/// What a walk knows of one commit.
#[derive(Clone, Debug)]
pub(in crate::source) struct Node {
    pub(in crate::source) id: ObjectId,
    pub(in crate::source) tree: ObjectId,
    pub(in crate::source) parents: Vec<ObjectId>,
    /// Its parents exist and are not here: what it changed cannot be told.
    pub(in crate::source) boundary: bool,
    pub(super) time: i64,
}

/// A way through history.
pub(super) struct Walk<'repo> {
    repo: &'repo gix::Repository,
    shallow: Vec<ObjectId>,
    queue: BinaryHeap<Queued>,
    /// Whether each commit that was met is reachable from the hidden ones.
    hidden: HashMap<ObjectId, bool>,
    nodes: HashMap<ObjectId, Node>,
    /// How many commits in the queue are not hidden.
    open: usize,
    /// Whether a shallow boundary was reached.
    pub(super) cut: bool,
    buffer: Vec<u8>,
}

/// A commit whose parents are not looked at yet; the newest first, ties by id.
pub(super) struct Queued(pub(super) i64, pub(super) ObjectId);

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0).then_with(|| other.1.cmp(&self.1))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}

/// How many hidden commits are looked at after the last other one: commit times may lie a little.
const SLOP: usize = 64;

impl<'repo> Walk<'repo> {
    /// A walk over what is reachable from `tips` and not from `hidden`.
    pub(super) fn new(repo: &'repo gix::Repository, tips: &[ObjectId], hidden: &[ObjectId]) -> Result<Self> {
        let shallow =
            repo.shallow_commits().map_err(|error| trouble(repo, "reading the shallow boundary", error))?;
        let shallow = shallow.map(|commits| commits.iter().copied().collect()).unwrap_or_default();
        let mut walk = Walk {
            repo,
            shallow,
            queue: BinaryHeap::new(),
            hidden: HashMap::new(),
            nodes: HashMap::new(),
            open: 0,
            cut: false,
            buffer: Vec::new(),
        };
        for id in hidden {
            walk.push(*id, true)?;
        }
        for id in tips {
            walk.push(*id, false)?;
        }
        Ok(walk)
    }

    /// Calls `visit` for each commit, newest first, as they are met. With hidden
    /// commits, one may be visited and turn out to be hidden later: see [`Walk::range`].
    pub(super) fn each(&mut self, mut visit: impl FnMut(&Node) -> ControlFlow<()>) -> Result<()> {
        let mut slop = SLOP;
        while let Some(Queued(_, id)) = self.queue.pop() {
            let hidden = self.hidden[&id];
            if !hidden {
                self.open -= 1;
                self.cut |= self.nodes[&id].boundary;
                if visit(&self.nodes[&id]).is_break() {
                    return Ok(());
                }
                slop = SLOP;
            } else if self.open == 0 {
                match slop.checked_sub(1) {
                    Some(left) => slop = left,
                    None => return Ok(()),
                }
            }
            for parent in self.nodes[&id].parents.clone() {
                self.push(parent, hidden)?;
            }
            if self.open == 0 && !self.hidden.values().any(|hidden| !hidden) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The commits that are not hidden, newest first, at most `limit`; and whether there are more.
    pub(super) fn range(mut self, limit: usize) -> Result<(Vec<Node>, bool, bool)> {
        let mut met = Vec::new();
        let mut more = false;
        self.each(|node| {
            more = met.len() == limit;
            if more {
                return ControlFlow::Break(());
            }
            met.push(node.id);
            ControlFlow::Continue(())
        })?;
        let nodes = met.iter().filter(|id| !self.hidden[*id]).map(|id| self.nodes[id].clone()).collect();
        Ok((nodes, more, self.cut))
    }

    fn push(&mut self, id: ObjectId, hidden: bool) -> Result<()> {
        match self.hidden.get(&id) {
            None => {}
            Some(known) if *known || !hidden => return Ok(()),
            Some(_) => return self.hide(id),
        }
        let node = self.load(id)?;
        self.queue.push(Queued(node.time, id));
        self.open += usize::from(!hidden);
        self.nodes.insert(id, node);
        self.hidden.insert(id, hidden);
        Ok(())
    }

    /// Hides a commit that was met before, and those met through it.
    fn hide(&mut self, id: ObjectId) -> Result<()> {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if self.hidden.get(&id) != Some(&false) {
                continue;
            }
            self.hidden.insert(id, true);
            todo.extend(self.nodes[&id].parents.iter().copied());
        }
        self.open = self.queue.iter().filter(|Queued(_, id)| !self.hidden[id]).count();
        Ok(())
    }

    /// Reads a commit.
    pub(super) fn load(&mut self, id: ObjectId) -> Result<Node> {
        let doing = || format!("reading commit `{id}`");
        let found = self.repo.objects.try_find(&id, &mut self.buffer);
        let found = found.map_err(|error| trouble(self.repo, &doing(), error))?;
        let data = found.ok_or_else(|| missing(self.repo, &format!("commit `{id}` is not here")))?;
        let mut node = Node { id, tree: id, parents: Vec::new(), boundary: false, time: 0 };
        let commit = gix::objs::CommitRef::from_bytes(data.data, id.kind());
        let commit = commit.map_err(|error| trouble(self.repo, &doing(), error))?;
        node.tree = commit.tree();
        node.time = commit.committer().ok().map_or(0, |committer| committer.seconds());
        match self.shallow.contains(&id) {
            true => node.boundary = commit.parents().next().is_some(),
            false => node.parents.extend(commit.parents()),
        }
        Ok(node)
    }
}

/// Whether `wanted` is one of `tips` or reachable from one; `None` if history is cut before that is clear.
pub(in crate::source) fn reaches(
    repo: &gix::Repository,
    tips: &[ObjectId],
    wanted: &ObjectId,
) -> Result<Option<bool>> {
    if repo.find_commit(*wanted).is_err() {
        return Ok(if repo.is_shallow().unwrap_or(false) { None } else { Some(false) });
    }
    // What is left of `wanted` after everything reachable from the tips is hidden.
    let mut walk = Walk::new(repo, &[*wanted], tips)?;
    walk.each(|_| ControlFlow::Continue(()))?;
    match walk.hidden[wanted] {
        true => Ok(Some(true)),
        false if walk.nodes.values().any(|node| node.boundary) => Ok(None),
        false => Ok(Some(false)),
    }
}
