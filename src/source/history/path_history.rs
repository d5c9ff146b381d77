//! Which paths a commit touched.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
};

use anyhow::Result;
use bstr::{BStr, BString, ByteSlice};
use gix::{
    ObjectId,
    objs::{
        Find, TreeRefIter,
        tree::{EntryMode, EntryRef},
    },
};

use super::walk::Node;
use crate::source::checkout::{entry, missing, trouble};

/// The paths that somebody wants explained, folder by folder.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Number of the path that ends here.
    path: Option<usize>,
    inner: HashMap<BString, Wanted>,
    /// How many paths end here or below and are still wanted.
    open: usize,
}

impl Wanted {
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a BStr>) -> Self {
        let mut root = Wanted::default();
        paths.into_iter().enumerate().for_each(|(number, path)| root.add(path, number));
        root
    }

    /// Wants one more path explained.
    pub fn add(&mut self, path: &BStr, number: usize) {
        let mut at = self;
        at.open += 1;
        for name in names(path) {
            at = at.inner.entry(name.into()).or_default();
            at.open += 1;
        }
        at.path = Some(number);
    }

    pub fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// Says that nobody wants to know more of `path`, which is one of those it was made of.
    pub fn close(&mut self, path: &BStr) {
        let mut at = self;
        at.open -= 1;
        for name in names(path) {
            let Some(inner) = at.inner.get_mut(name.as_bstr()) else { return };
            at = inner;
            at.open -= 1;
        }
        at.path = None;
    }
}

fn names(path: &BStr) -> impl Iterator<Item = &[u8]> {
    path.split_str("/").filter(|name| !name.is_empty())
}

/// What stands at one path of a commit, and of each of its parents.
type Row = Vec<Option<(EntryMode, ObjectId)>>;

/// How much memory the trees that were read last may take.
const CACHE: usize = 8 << 20;

/// Compares commits with their parents.
pub struct Touch<'repo> {
    repo: &'repo gix::Repository,
    roots: HashMap<ObjectId, ObjectId>,
    /// Trees that were read last: those of a commit are those of the next one's parent.
    trees: HashMap<ObjectId, Rc<[u8]>>,
    cached: usize,
}

impl<'repo> Touch<'repo> {
    pub fn new(repo: &'repo gix::Repository) -> Self {
        Touch { repo, roots: HashMap::new(), trees: HashMap::new(), cached: 0 }
    }

    /// The numbers of the wanted paths where the entry of `commit` differs from that of every parent.
    pub fn touched(&mut self, commit: &Node, wanted: &Wanted) -> Result<Vec<usize>> {
        let mut touched = Vec::new();
        if commit.boundary {
            return Ok(touched);
        }
        let tree = |id| Some((gix::objs::tree::EntryKind::Tree.into(), id));
        let mut row = vec![tree(commit.tree)];
        for parent in &commit.parents {
            row.push(tree(self.tree_of(*parent)?));
        }
        if row.len() == 1 {
            row.push(None);
        }
        self.compare(&row, wanted, &mut touched)?;
        Ok(touched)
    }

    fn compare(&mut self, row: &Row, wanted: &Wanted, touched: &mut Vec<usize>) -> Result<()> {
        if wanted.open == 0 || !differs(row) {
            return Ok(());
        }
        if let Some(path) = wanted.path
            && self.differs_below(row)?
        {
            touched.push(path);
        }
        if wanted.inner.is_empty() {
            return Ok(());
        }
        let rows = self.rows(row, |name| wanted.inner.contains_key(name))?;
        for (name, row) in rows {
            self.compare(&row, &wanted.inner[name.as_bstr()], touched)?;
        }
        Ok(())
    }

    /// Whether some file at or below a path that differs from every parent's does so too. A clean merge
    /// makes a folder that no parent has, of files that one of them has.
    fn differs_below(&mut self, row: &Row) -> Result<bool> {
        let is_tree = |entry: &Option<(EntryMode, ObjectId)>| entry.is_some_and(|(mode, _)| mode.is_tree());
        if row.len() == 2 || !row.iter().any(is_tree) {
            return Ok(true);
        }
        for row in self.rows(row, |_| true)?.values() {
            if differs(row) && self.differs_below(row)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What stands below the folders of `row`, by name, as far as `keep` is
    /// interested; without what is the same in one of the parents.
    fn rows(&mut self, row: &Row, keep: impl Fn(&BStr) -> bool) -> Result<BTreeMap<BString, Row>> {
        let mut data = Vec::with_capacity(row.len());
        for entry in row {
            data.push(match entry {
                Some((mode, id)) if mode.is_tree() => self.tree(id)?,
                _ => Rc::default(),
            });
        }
        let kind = self.repo.object_hash();
        let mut sides = Vec::with_capacity(data.len());
        for data in &data {
            let entries = TreeRefIter::from_bytes(data, kind).collect::<gix::Result<Vec<_>>>();
            sides.push(entries.map_err(|error| trouble(self.repo, "reading a tree", error))?);
        }
        let settled = settled(&sides);
        let mut rows = BTreeMap::<BString, Row>::new();
        for (at, side) in sides.iter().enumerate() {
            for entry in side.iter().filter(|entry| !settled.contains(entry.filename) && keep(entry.filename))
            {
                let inner = rows.entry(entry.filename.to_owned()).or_insert_with(|| vec![None; row.len()]);
                inner[at] = Some((entry.mode, entry.oid.to_owned()));
            }
        }
        Ok(rows)
    }

    /// The id of the file at `path` of a tree.
    pub fn find(&mut self, tree: ObjectId, path: &BStr) -> Result<Option<ObjectId>> {
        let mut at = (gix::objs::tree::EntryKind::Tree.into(), tree);
        for name in names(path) {
            if !EntryMode::is_tree(&at.0) {
                return Ok(None);
            }
            let data = self.tree(&at.1)?;
            let Some(entry) = entry(&data, &at.1, name)? else { return Ok(None) };
            at = (entry.mode, entry.oid.to_owned());
        }
        Ok(at.0.is_blob_or_symlink().then_some(at.1))
    }

    /// The bytes of a tree.
    fn tree(&mut self, id: &ObjectId) -> Result<Rc<[u8]>> {
        if let Some(known) = self.trees.get(id) {
            return Ok(known.clone());
        }
        let mut buffer = Vec::new();
        let found = self.repo.objects.try_find(id, &mut buffer);
        let found = found.map_err(|error| trouble(self.repo, &format!("reading tree `{id}`"), error))?;
        let found = found.ok_or_else(|| missing(self.repo, &format!("tree `{id}` is not here")))?;
        let data: Rc<[u8]> = found.data.into();
        self.cached += data.len();
        if self.cached > CACHE {
            self.trees.clear();
            self.cached = data.len();
        }
        self.trees.insert(*id, data.clone());
        Ok(data)
    }

    fn tree_of(&mut self, commit: ObjectId) -> Result<ObjectId> {
        if let Some(tree) = self.roots.get(&commit) {
            return Ok(*tree);
        }
        let doing = || format!("reading commit `{commit}`");
        let tree = self.repo.find_commit(commit).and_then(|commit| commit.tree_id().map(|id| id.detach()));
        let tree = tree.map_err(|error| trouble(self.repo, &doing(), error))?;
        self.roots.insert(commit, tree);
        Ok(tree)
    }
}

/// The names that are the same in the first tree and in one of the others. Trees are sorted, so one pass
/// over both finds them.
fn settled<'a>(sides: &[Vec<EntryRef<'a>>]) -> HashSet<&'a BStr> {
    let mut names = HashSet::new();
    let Some((ours, parents)) = sides.split_first() else { return names };
    for parent in parents {
        let mut theirs = parent.iter().peekable();
        for entry in ours {
            while theirs.next_if(|other| *other < entry).is_some() {}
            if theirs.next_if(|other| *other == entry).is_some() {
                names.insert(entry.filename);
            }
        }
    }
    names
}

fn differs(row: &Row) -> bool {
    row[1..].iter().all(|parent| *parent != row[0])
}
