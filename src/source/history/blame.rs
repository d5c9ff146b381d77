//! Which commits the lines of files are from.

use std::{
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet, hash_map::Entry},
    ops::{ControlFlow, Range},
};

use anyhow::Result;
use bstr::{BStr, BString, ByteSlice};
use gix::{
    ObjectId,
    diff::blob::{Algorithm, Diff, InternedInput, sources::byte_lines},
};

use super::{
    LIMIT, Teller,
    path_history::{Touch, Wanted},
    renames::Renames,
    walk::{Node, Queued, Walk},
};
use crate::{
    model::{digest::Digest, revision::DeclaredBy},
    source::checkout::{Checkout, object_id, trouble},
};

/// A file, and the lines of it that somebody asks about.
pub struct Asked {
    /// Its path, relative to the root.
    pub path: BString,
    /// What it holds.
    pub content: Vec<u8>,
    /// The lines, counted from 1.
    pub lines: Vec<Range<u32>>,
}

/// Finds the commit that each range of lines of `files` is from, the newest one of several: a line is from the
/// commit, from `tips` on, that has it and none of whose parents has. A line that no tip has is not committed.
/// One walk serves all files, and follows a file that was renamed.
///
/// # Errors
/// A commit, a tree or a file of history is not here.
pub fn blame(checkout: &Checkout, tips: &[Digest], files: &[Asked]) -> Result<Vec<Vec<Option<DeclaredBy>>>> {
    let repo = checkout.repo();
    let tips: Vec<ObjectId> = tips.iter().map(object_id).collect();
    let mut blame = Blame::new(&repo, files)?;
    blame.begin(&tips)?;
    blame.walk()?;
    blame.tell(&tips)
}

/// A line that somebody asks about: the number of its file, and its own.
type Line = (usize, u32);

/// Lines of one version of a file that are not explained yet, by their place there.
type Open = BTreeMap<usize, Vec<Line>>;

/// What a commit may have brought, by the number of a path.
type Suspicions = BTreeMap<usize, Open>;

/// Where a line is from; the newest is the greatest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Commit {
        time: i64,
        id: ObjectId,
        /// Whether what was before it was looked at.
        exact: bool,
    },
    Nowhere,
}

impl Found {
    fn at(node: &Node, exact: bool) -> Found {
        Found::Commit { time: node.time, id: node.id, exact }
    }
}

struct Blame<'a> {
    repo: &'a gix::Repository,
    files: &'a [Asked],
    /// Where the files are, and where they were.
    paths: Vec<BString>,
    wanted: Wanted,
    commits: Walk<'a>,
    trees: Touch<'a>,
    queue: BinaryHeap<Queued>,
    /// What the commits in the queue are suspected of.
    open: HashMap<ObjectId, (Node, Suspicions)>,
    found: Vec<BTreeMap<u32, Found>>,
    renames: Renames<'a>,
    /// Whether the way led into a branch that was merged.
    aside: bool,
}

impl<'a> Blame<'a> {
    fn new(repo: &'a gix::Repository, files: &'a [Asked]) -> Result<Self> {
        let paths: Vec<BString> = files.iter().map(|file| file.path.clone()).collect();
        Ok(Blame {
            repo,
            files,
            wanted: Wanted::new(paths.iter().map(|path| path.as_bstr())),
            paths,
            commits: Walk::new(repo, &[], &[])?,
            trees: Touch::new(repo),
            queue: BinaryHeap::new(),
            open: HashMap::new(),
            found: files.iter().map(|_| BTreeMap::new()).collect(),
            renames: Renames::new(repo),
            aside: false,
        })
    }

    /// Takes the files for children of the tips.
    fn begin(&mut self, tips: &[ObjectId]) -> Result<()> {
        let tips: Vec<Node> = tips.iter().map(|tip| self.commits.load(*tip)).collect::<Result<_>>()?;
        for (number, file) in self.files.iter().enumerate() {
            let lines = file.lines.iter().cloned().flatten();
            let mut open: Open = lines.map(|line| (line as usize - 1, vec![(number, line)])).collect();
            for tip in &tips {
                if let Some(there) = self.trees.find(tip.tree, file.path.as_bstr())? {
                    self.divide(&file.content, tip, (number, there), &mut open)?;
                }
            }
            self.settle(Found::Nowhere, [(number, open)].into());
        }
        Ok(())
    }

    fn walk(&mut self) -> Result<()> {
        let mut visited = 0;
        while let Some(Queued(_, id)) = self.queue.pop() {
            let Some((node, open)) = self.open.remove(&id) else { continue };
            visited += 1;
            match node.boundary || visited > LIMIT {
                true => self.settle(Found::at(&node, false), open),
                false => self.visit(&node, open)?,
            }
        }
        Ok(())
    }

    /// Passes what a commit has from its parents on to them.
    fn visit(&mut self, node: &Node, mut open: Suspicions) -> Result<()> {
        let parents: Vec<Node> =
            node.parents.iter().map(|parent| self.commits.load(*parent)).collect::<Result<_>>()?;
        let Some(first) = parents.first() else {
            self.settle(Found::at(node, true), open);
            return Ok(());
        };
        let alone = Node { parents: vec![first.id], ..node.clone() };
        let moved = self.trees.touched(&alone, &self.wanted)?;
        let mut moved: Suspicions =
            moved.into_iter().filter_map(|number| open.remove_entry(&number)).collect();
        self.suspect(first, open);
        for (number, open) in &mut moved {
            self.pass(node, &parents, *number, open)?;
        }
        self.settle(Found::at(node, true), moved);
        Ok(())
    }

    /// Passes what a commit has of one file from its parents on to them.
    fn pass(&mut self, node: &Node, parents: &[Node], number: usize, open: &mut Open) -> Result<()> {
        let path = self.paths[number].clone();
        let Some(here) = self.trees.find(node.tree, path.as_bstr())? else { return Ok(()) };
        for parent in &parents[1..] {
            if self.trees.find(parent.tree, path.as_bstr())? == Some(here) {
                self.aside = true;
                self.suspect(parent, [(number, std::mem::take(open))].into());
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let content = self.content(here)?;
        for (position, parent) in parents.iter().enumerate() {
            let there = match self.trees.find(parent.tree, path.as_bstr())? {
                Some(there) => Some((number, there)),
                None => self.former(node, parent, path.as_bstr())?,
            };
            if let Some(there) = there {
                self.aside |= self.divide(&content, parent, there, open)? && position > 0;
            }
        }
        Ok(())
    }

    /// Passes the lines that a file of a parent has too on to it; whether there are any.
    fn divide(
        &mut self,
        content: &[u8],
        parent: &Node,
        (number, there): (usize, ObjectId),
        open: &mut Open,
    ) -> Result<bool> {
        let unchanged = carry(content, &self.content(there)?, open);
        let passed = !unchanged.is_empty();
        self.suspect(parent, [(number, unchanged)].into());
        Ok(passed)
    }

    /// The file of a parent that a commit moved to `path`.
    fn former(&mut self, node: &Node, parent: &Node, path: &BStr) -> Result<Option<(usize, ObjectId)>> {
        let Some((former, there)) = self.renames.former(node, parent, path)? else { return Ok(None) };
        let known = self.paths.iter().position(|path| *path == former);
        let number = known.unwrap_or_else(|| {
            self.wanted.add(former.as_bstr(), self.paths.len());
            self.paths.push(former);
            self.paths.len() - 1
        });
        Ok(Some((number, there)))
    }

    fn suspect(&mut self, node: &Node, mut lines: Suspicions) {
        lines.retain(|_, open| !open.is_empty());
        if lines.is_empty() {
            return;
        }
        match self.open.entry(node.id) {
            Entry::Vacant(place) => {
                self.queue.push(Queued(node.time, node.id));
                place.insert((node.clone(), lines));
            }
            Entry::Occupied(mut place) => {
                for (number, open) in lines {
                    let known = place.get_mut().1.entry(number).or_default();
                    open.into_iter().for_each(|(at, lines)| known.entry(at).or_default().extend(lines));
                }
            }
        }
    }

    fn settle(&mut self, found: Found, lines: Suspicions) {
        for (file, line) in lines.into_values().flat_map(Open::into_values).flatten() {
            self.found[file].insert(line, found);
        }
    }

    fn content(&self, id: ObjectId) -> Result<Vec<u8>> {
        let doing = |error| trouble(self.repo, &format!("reading file `{id}`"), error);
        Ok(self.repo.find_object(id).map_err(doing)?.detach().data)
    }

    /// Says who made the commits.
    fn tell(self, tips: &[ObjectId]) -> Result<Vec<Vec<Option<DeclaredBy>>>> {
        let nodes = if self.aside { self.around(tips)? } else { Vec::new() };
        let mut teller = Teller::new(self.repo, &nodes, tips);
        let mut tell = |found: Option<Found>| -> Result<Option<DeclaredBy>> {
            Ok(match found {
                None => None,
                Some(Found::Nowhere) => Some(DeclaredBy::NotCommitted),
                Some(Found::Commit { id, exact: true, .. }) => Some(DeclaredBy::Exact(teller.tell(&id)?)),
                Some(Found::Commit { id, .. }) => Some(DeclaredBy::AtOrBefore(teller.tell(&id)?)),
            })
        };
        let mut file = |(file, found): (&Asked, &BTreeMap<u32, Found>)| {
            let newest = |lines: &Range<u32>| found.range(lines.clone()).map(|(_, found)| *found).max();
            file.lines.iter().map(|lines| tell(newest(lines))).collect()
        };
        self.files.iter().zip(&self.found).map(&mut file).collect()
    }

    /// The commits from the tips on, until all that were found are among them: they tell what merges brought.
    fn around(&self, tips: &[ObjectId]) -> Result<Vec<Node>> {
        let found = self.found.iter().flat_map(BTreeMap::values).filter_map(|found| match found {
            Found::Commit { id, .. } => Some(*id),
            Found::Nowhere => None,
        });
        let mut wanted: HashSet<ObjectId> = found.collect();
        let mut nodes = Vec::new();
        Walk::new(self.repo, tips, &[])?.each(|node| {
            wanted.remove(&node.id);
            nodes.push(node.clone());
            match wanted.is_empty() || nodes.len() == LIMIT {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        Ok(nodes)
    }
}

/// Moves the lines of `new` that `old` has too out of `open`; answers them by their places in `old`.
fn carry(new: &[u8], old: &[u8], open: &mut Open) -> Open {
    let input = InternedInput::new(byte_lines(old), byte_lines(new));
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_lines(&input);
    let mut hunks = diff.hunks().peekable();
    // Where the lines after the last hunk that was passed stand in both.
    let (mut before, mut after) = (0, 0);
    let mut carried = Open::new();
    for (place, lines) in std::mem::take(open) {
        while let Some(hunk) = hunks.next_if(|hunk| hunk.after.end as usize <= place) {
            (before, after) = (hunk.before.end as usize, hunk.after.end as usize);
        }
        match hunks.peek() {
            Some(hunk) if hunk.after.start as usize <= place => open.insert(place, lines),
            _ => carried.insert(place - after + before, lines),
        };
    }
    carried
}
