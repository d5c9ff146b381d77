//! An open target, as far as reading goes.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result};

use super::{
    confined_dir::{Dir, Obstacle},
    describe::Found,
    errno,
    memory::{Home, Stored},
    options::Places,
    storage,
    users::People,
};
use crate::{
    exit::Exit,
    model::{
        address::Address, explain::Reason, object::Actual, record::StoredRecord, tree::Contents,
        user_error::UserError, value::Value,
    },
    providers::{Candidate, Query, Reader, Target, evidence::Reasons},
};

/// An open target. It holds nothing that could write to it.
pub struct FilesTarget {
    /// Where things are.
    pub places: Places,
    /// The root; `None` while it does not exist.
    pub root: Option<Dir>,
    /// The state directory below the root, if it is there.
    pub state: Option<Vec<u8>>,
    /// Names of users and groups.
    pub people: People,
    /// Whether what is found is kept for writes that may follow.
    pub keeps: bool,
    /// What was found by the last look, if it is kept.
    pub seen: HashMap<Address, Seen>,
    /// What Git says must not be there although it is not ours: what is
    /// declared absent, and strangers in exclusive directories.
    pub unwanted: HashSet<Address>,
    /// The reasons of what is to be explained.
    pub reasons: Reasons,
    /// How many files the last look read.
    pub hashed: usize,
    memory: Option<Option<Stored>>,
    shown: String,
}

/// What a look found, for the writes and the memory that follow.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What was there.
    pub found: Found,
    /// The same as the model got it.
    pub value: Value,
    /// It is declared to be there.
    pub declared: bool,
    /// It was as declared.
    pub in_sync: bool,
    /// Its fingerprint may be relied on from now on.
    pub settled: bool,
}

impl FilesTarget {
    /// Opens the target for reading.
    ///
    /// # Errors
    /// A [`UserError`] if it is not there, not a directory, or not accessible.
    pub fn open(target: &Target) -> Result<FilesTarget> {
        let places = Places::of(target)?;
        let mut site = FilesTarget {
            state: places.state_below_root().filter(|state| !state.is_empty()),
            shown: places.shown_root(),
            places,
            root: None,
            people: People::default(),
            keeps: false,
            seen: HashMap::new(),
            unwanted: HashSet::new(),
            reasons: Reasons::new(),
            hashed: 0,
            memory: None,
        };
        site.open_root()?;
        Ok(site)
    }

    /// Opens the root, if it is there by now.
    pub fn open_root(&mut self) -> Result<()> {
        use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
        let shown = &self.shown;
        // A directory can be opened that may not be entered; looking at `.` tells.
        match Dir::open(&self.places.root).and_then(|root| Ok(root.own_stat().map(|_| root)?)) {
            Ok(root) => self.root = Some(root),
            Err(error) => match error.kind() {
                NotFound if self.places.root.symlink_metadata().is_ok() => {
                    return Err(unavailable(
                        format!("the root `{shown}` is a link that leads nowhere"),
                        "create what it leads to, or mount the file system that holds it",
                    ));
                }
                NotFound if self.places.root.parent().is_none_or(|parent| parent.is_dir()) => {}
                NotFound => {
                    return Err(unavailable(
                        format!("the directory that should hold the root `{shown}` is not there"),
                        "create it, mount the file system that holds it, or correct `root` in trueup.yaml",
                    ));
                }
                NotADirectory => {
                    return Err(unavailable(
                        format!("the root `{shown}` is not a directory, or something above it is none"),
                        "move the file away, or correct `root` in trueup.yaml",
                    ));
                }
                PermissionDenied => {
                    return Err(UserError::new(
                        Exit::NoPermission,
                        format!("opening the root `{shown}`: permission denied"),
                    )
                    .hint("run trueup as a user who may enter it")
                    .into());
                }
                _ => return Err(error).with_context(|| format!("opening the root `{shown}`")),
            },
        }
        Ok(())
    }

    /// The root as people know it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Makes sure that a state directory below the root really is there. A
    /// link in its place would be an invitation to write somewhere else.
    ///
    /// # Errors
    /// A [`UserError`] that names the link.
    pub fn check_state(&self) -> Result<()> {
        let (Some(root), Some(state)) = (&self.root, &self.state) else { return Ok(()) };
        match root.beneath(state) {
            Err(obstacle @ (Obstacle::Link(_) | Obstacle::NotDirectory(_))) => {
                let what = errno::obstacle(&obstacle).map_or_else(String::new, |(_, words)| words);
                Err(UserError::new(Exit::Error, format!("the state directory of `{}`: {what}", self.shown))
                    .hint("move it away, or name another directory by `state` in trueup.yaml")
                    .into())
            }
            _ => Ok(()),
        }
    }

    /// What is remembered, read once.
    ///
    /// # Errors
    /// The memory is damaged or foreign.
    pub fn stored(&mut self) -> Result<Option<&Stored>> {
        if self.memory.is_none() {
            self.check_state()?;
            let home = self.root.as_ref().map(|root| Home::of(root, &self.places.root)).transpose()?;
            self.memory = Some(storage::load(&self.places, home.as_ref())?);
        }
        Ok(self.memory.as_ref().and_then(Option::as_ref))
    }

    /// What is remembered, as far as it was read.
    pub fn remembered(&self) -> Option<&Stored> {
        self.memory.as_ref().and_then(Option::as_ref)
    }

    /// Makes the next read of the memory a real one.
    pub fn forget(&mut self) {
        self.memory = None;
    }

    /// Takes note of what the memory is from now on.
    pub fn remember(&mut self, stored: Stored) {
        self.memory = Some(Some(stored));
    }
}

fn unavailable(message: String, hint: &str) -> anyhow::Error {
    UserError::new(Exit::Unavailable, message).hint(hint).into()
}

impl Seen {
    /// What a look found, next to what was looked for.
    pub fn new(found: Found, value: Value, desired: Option<&Value>, settled: bool) -> Seen {
        Seen { declared: desired.is_some(), in_sync: desired == Some(&value), found, value, settled }
    }
}

impl Reader for FilesTarget {
    fn id(&self) -> String {
        format!("files {}", self.shown)
    }

    fn memory(&mut self) -> Result<StoredRecord> {
        Ok(self.stored()?.map(Stored::to_memory).unwrap_or_default())
    }

    fn observe(&mut self, query: &Query<'_>) -> Result<Actual> {
        super::observe::observe(self, query)
    }

    fn complete(&mut self, candidates: &mut [Candidate], contents: &dyn Contents) -> Result<()> {
        super::complete::complete(self, candidates, contents)
    }

    fn explain(&self, address: &Address) -> Vec<Reason> {
        self.reasons.get(address).cloned().unwrap_or_default()
    }
}
