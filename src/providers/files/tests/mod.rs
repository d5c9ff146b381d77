//! Tests of the provider as a whole, on real directories.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

use super::{hash, target::FilesTarget};
use crate::{
    model::{
        address::Address,
        change::ThreeWay,
        digest::{Algorithm, Digest},
        event::Silent,
        ignore,
        object::{Actual, Desired, Observed, Scope},
        tree::{Contents, Entry, EntryKind, Tree},
        user_error::UserError,
        value::Value,
    },
    providers::{Query, Reader, Target},
};

mod declare;
mod engine;
mod properties;
mod race;
mod read;
mod remember;
mod write;

/// A checkout in memory.
#[derive(Default)]
struct Checkout {
    files: BTreeMap<Vec<u8>, (EntryKind, Digest)>,
    blobs: HashMap<Digest, Vec<u8>>,
}

impl Checkout {
    fn of(files: &[(&str, &str)]) -> Checkout {
        files.iter().fold(Checkout::default(), |checkout, (path, content)| checkout.file(path, content))
    }

    fn with(mut self, path: impl AsRef<[u8]>, kind: EntryKind, content: impl AsRef<[u8]>) -> Checkout {
        let id = id(content.as_ref());
        self.files.insert(path.as_ref().to_vec(), (kind, id));
        self.blobs.insert(id, content.as_ref().to_vec());
        self
    }

    fn file(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Checkout {
        self.with(path, EntryKind::File, content)
    }

    fn program(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Checkout {
        self.with(path, EntryKind::Executable, content)
    }

    fn link(self, path: impl AsRef<[u8]>, leads_to: impl AsRef<[u8]>) -> Checkout {
        self.with(path, EntryKind::Link, leads_to)
    }

    fn rules(self, directory: &str, text: &str) -> Checkout {
        let path = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        self.file(path + ".trueup-files.yaml", text)
    }

    fn tree(&self) -> Tree {
        let entry = |(path, (kind, id)): (&Vec<u8>, &(EntryKind, Digest))| Entry {
            path: path.clone().into(),
            kind: *kind,
            id: *id,
        };
        Tree {
            path: "site".into(),
            entries: self.files.iter().map(entry).collect(),
            algorithm: Algorithm::Sha1,
        }
    }
}

impl std::fmt::Debug for Checkout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |(path, (kind, id)): (&Vec<u8>, &(EntryKind, Digest))| {
            let content = String::from_utf8_lossy(&self.blobs[id]).into_owned();
            format!("{} {kind:?} {content:?}", String::from_utf8_lossy(path))
        };
        f.debug_list().entries(self.files.iter().map(show)).finish()
    }
}

impl Contents for Checkout {
    fn size(&self, id: &Digest) -> anyhow::Result<u64> {
        self.read(id).map(|bytes| bytes.len() as u64)
    }

    fn read(&self, id: &Digest) -> anyhow::Result<Vec<u8>> {
        self.blobs.get(id).cloned().ok_or_else(|| anyhow::anyhow!("no blob `{id}`"))
    }

    fn copy(&self, id: &Digest, out: &mut dyn io::Write) -> anyhow::Result<u64> {
        let bytes = self.read(id)?;
        out.write_all(&bytes)?;
        Ok(bytes.len() as u64)
    }
}

fn id(content: &[u8]) -> Digest {
    hash::hash_bytes(content, Algorithm::Sha1).unwrap()
}

/// A directory with a root `www` in it, that is not there yet.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    /// With a root that holds `files`.
    fn with(files: &[(&str, &str)]) -> Place {
        let place = Place::new();
        fs::create_dir(place.root()).unwrap();
        files.iter().for_each(|(path, content)| place.write(path, content));
        place
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("www")
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn target(&self) -> Target {
        self.target_with("{root: www}")
    }

    fn target_with(&self, options: &str) -> Target {
        Target {
            name: "site".into(),
            provider: "files".into(),
            path: "site".into(),
            base_dir: self.0.path().into(),
            options: serde_yaml::from_str(options).unwrap(),
            programs: Default::default(),
            definition: None,
            siblings: Vec::new(),
        }
    }

    fn declare(&self, checkout: &Checkout) -> Desired {
        super::declare::declare(&self.target(), &checkout.tree(), checkout).unwrap()
    }

    fn site(&self) -> FilesTarget {
        FilesTarget::open(&self.target()).unwrap()
    }
}

/// Asks for all that is declared and all that is remembered.
fn look(site: &mut dyn Reader, desired: &Desired, verify: bool) -> Actual {
    let memory = site.memory().unwrap();
    let mut objects: BTreeMap<&Address, ThreeWay<&Value>> = BTreeMap::new();
    for (address, object) in &desired.objects {
        objects.insert(address, ThreeWay { desired: object.value.as_ref(), base: None, actual: None });
    }
    for (address, owned) in &memory.owned {
        objects.entry(address).or_insert(ThreeWay { desired: None, base: None, actual: None }).base =
            owned.base.as_ref();
    }
    site.observe(&query(objects, &desired.exclusive, verify)).unwrap()
}

static NO_RULES: ignore::Rules = ignore::Rules(Vec::new());

fn query<'a>(
    objects: BTreeMap<&'a Address, ThreeWay<&'a Value>>,
    exclusive: &'a [Scope],
    verify: bool,
) -> Query<'a> {
    static NOTHING: BTreeSet<Address> = BTreeSet::new();
    let (rules, explain) = (&NO_RULES, &NOTHING);
    Query {
        objects,
        exclusive,
        declared: None,
        adopting: false,
        verify,
        rules,
        explain,
        algorithm: Algorithm::Sha1,
        observer: &Silent,
    }
}

/// One word for each object: `absent`, `in-sync`, `differs`, or what is said of the unknown.
fn words(actual: &Actual, desired: &Desired) -> Vec<(String, String)> {
    let word = |address: &Address, observed: &Observed| match observed {
        Observed::Absent => "absent".to_owned(),
        Observed::Unknown { message, .. } => message.clone(),
        Observed::Present(state) => {
            match desired.objects.get(address).and_then(|object| object.value.as_ref()) {
                Some(value) if *value == state.value => "in-sync".to_owned(),
                Some(_) => "differs".to_owned(),
                None => "extra".to_owned(),
            }
        }
    };
    actual.objects.iter().map(|(address, observed)| (address.to_string(), word(address, observed))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(left, right)| ((*left).to_owned(), (*right).to_owned())).collect()
}

fn fault(error: anyhow::Error) -> UserError {
    error.downcast().unwrap()
}

/// Everything below `root`, as `path mode content`.
fn tree_of(root: &Path) -> BTreeMap<String, String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let stat = path.symlink_metadata().unwrap();
            let shown = if stat.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if stat.is_dir() {
                open.push(path.clone());
                format!("{:o}/", stat.permissions().mode() & 0o7777)
            } else {
                format!(
                    "{:o} {}",
                    stat.permissions().mode() & 0o7777,
                    fs::read_to_string(&path).unwrap_or_default()
                )
            };
            found.insert(path.strip_prefix(root).unwrap().display().to_string(), shown);
        }
    }
    found
}
