//! Which commits the lines of files are from.

use std::{
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet, hash_map::Entry},
    ops::{ControlFlow, Range},
};

use anyhow::Result;
use bstr::{BString, ByteSlice};
use gix::ObjectId;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{
    LIMIT, Teller,
    touch::{Touch, Wanted},
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
/// One walk serves all files; renames are not followed.
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

/// Lines of one version of a file that are not explained yet: by their place there, those of the file asked about.
type Open = BTreeMap<usize, Vec<u32>>;

/// What a commit may have brought, by file.
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

struct Blame<'a> {
    repo: &'a gix::Repository,
    files: &'a [Asked],
    wanted: Wanted,
    commits: Walk<'a>,
    trees: Touch<'a>,
    queue: BinaryHeap<Queued>,
    /// What the commits in the queue are suspected of.
    open: HashMap<ObjectId, (Node, Suspicions)>,
    found: Vec<BTreeMap<u32, Found>>,
    /// Whether the way led into a branch that was merged.
    aside: bool,
}

impl<'a> Blame<'a> {
    fn new(repo: &'a gix::Repository, files: &'a [Asked]) -> Result<Self> {
        Ok(Blame {
            repo,
            files,
            wanted: Wanted::new(files.iter().map(|file| file.path.as_bstr())),
            commits: Walk::new(repo, &[], &[])?,
            trees: Touch::new(repo),
            queue: BinaryHeap::new(),
            open: HashMap::new(),
            found: files.iter().map(|_| BTreeMap::new()).collect(),
            aside: false,
        })
    }

    /// Takes the files for children of the tips.
    fn begin(&mut self, tips: &[ObjectId]) -> Result<()> {
        let tips: Vec<Node> = tips.iter().map(|tip| self.commits.load(*tip)).collect::<Result<_>>()?;
        for (number, file) in self.files.iter().enumerate() {
            let lines = file.lines.iter().cloned().flatten();
            let mut open: Open = lines.map(|line| (line as usize - 1, vec![line])).collect();
            for tip in &tips {
                self.divide(&file.content, tip, number, &mut open)?;
            }
            self.found[number].extend(open.into_values().flatten().map(|line| (line, Found::Nowhere)));
        }
        Ok(())
    }

    fn walk(&mut self) -> Result<()> {
        let mut visited = 0;
        while let Some(Queued(_, id)) = self.queue.pop() {
            let Some((node, open)) = self.open.remove(&id) else { continue };
            visited += 1;
            match node.boundary || visited > LIMIT {
                true => self.settle(&node, open, false),
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
            self.settle(node, open, true);
            return Ok(());
        };
        let alone = Node { parents: vec![first.id], ..node.clone() };
        let moved = self.trees.touched(&alone, &self.wanted)?;
        let mut moved: Suspicions =
            moved.into_iter().filter_map(|number| open.remove_entry(&number)).collect();
        self.suspect(first, open);
        for (number, open) in &mut moved {
            let path = self.files[*number].path.as_bstr();
            let Some(here) = self.trees.find(node.tree, path)? else { continue };
            for parent in &parents[1..] {
                if self.trees.find(parent.tree, path)? == Some(here) {
                    self.aside = true;
                    self.suspect(parent, [(*number, std::mem::take(open))].into());
                }
            }
            if open.is_empty() {
                continue;
            }
            let content = self.content(here)?;
            for (position, parent) in parents.iter().enumerate() {
                let passed = self.divide(&content, parent, *number, open)?;
                self.aside |= passed && position > 0;
            }
        }
        self.settle(node, moved, true);
        Ok(())
    }

    /// Passes the lines that a parent has too on to it; whether there are any.
    fn divide(&mut self, content: &[u8], parent: &Node, number: usize, open: &mut Open) -> Result<bool> {
        let Some(there) = self.trees.find(parent.tree, self.files[number].path.as_bstr())? else {
            return Ok(false);
        };
        let unchanged = carry(content, &self.content(there)?, open);
        let passed = !unchanged.is_empty();
        self.suspect(parent, [(number, unchanged)].into());
        Ok(passed)
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

    fn settle(&mut self, node: &Node, lines: Suspicions, exact: bool) {
        let found = Found::Commit { time: node.time, id: node.id, exact };
        for (number, open) in lines {
            self.found[number].extend(open.into_values().flatten().map(|line| (line, found)));
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
    let [old, new] = [old, new].map(|text| text.lines_with_terminator().collect::<Vec<_>>());
    let mut carried = Open::new();
    for operation in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let DiffOp::Equal { old_index, new_index, len } = operation else { continue };
        let places: Vec<usize> = open.range(new_index..new_index + len).map(|(place, _)| *place).collect();
        for place in places {
            carried.extend(open.remove(&place).map(|lines| (place - new_index + old_index, lines)));
        }
    }
    carried
}
