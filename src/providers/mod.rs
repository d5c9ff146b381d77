//! The targets that trueup can talk to, and the contract they keep.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead,
    path::{Component, Path, PathBuf},
    sync::{Arc, LazyLock, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Result;
use bstr::BString;

use crate::{
    exit::Exit,
    model::{
        address::Address,
        attached::Attached,
        change::{Change, ThreeWay},
        diff::Candidate,
        digest::{Algorithm, Digest},
        event::Observer,
        explain::{Cost, Reason},
        ignore::{Rule, Rules},
        object::{Actual, Desired, Object, Scope},
        record::{Record, StoredRecord, Who},
        report::Outcome,
        tree::{Contents, EntryKind, Tree},
        user_error::UserError,
        value::Value,
    },
};

pub mod evidence;
pub mod files;
pub mod kubernetes;
pub mod meter;
pub mod options;
pub mod packed;
pub mod rest;

pub use crate::model::diff_style::DiffStyle;

/// Every provider, the only list of them.
pub static PROVIDERS: LazyLock<Vec<&'static Provider>> =
    LazyLock::new(|| BUILT_IN.iter().copied().chain(rest::names().filter_map(rest::find)).collect());

/// The providers that are more than a definition.
const BUILT_IN: &[&Provider] = &[&files::PROVIDER, &kubernetes::PROVIDER];

/// One kind of target.
pub struct Provider {
    /// The word after `provider:` in trueup.yaml.
    pub name: &'static str,
    /// What it manages, in one line.
    pub about: &'static str,
    /// How its objects look in a diff.
    pub form: DiffStyle,
    /// JSON Schema of its own keys in a target of trueup.yaml.
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
    /// Checks those keys without touching the target.
    pub check: fn(&Target) -> Result<(), BadOption>,
    /// The folder of this machine that the target is, if it is one; links resolved, the target not touched.
    pub folder: fn(&Target) -> Result<Option<PathBuf>, BadOption>,
    /// Says what the files below the target's path declare. Needs no target.
    pub declare: fn(&Target, &Tree, &dyn Contents) -> Result<Desired>,
    /// Opens the target for reading: what comes back cannot write.
    pub open: fn(&Target) -> Result<Box<dyn Reader>>,
    /// Opens the target for an apply.
    pub open_for_apply: fn(&Target) -> Result<Box<dyn Writer>>,
    /// Says how a file of the checkout has to change for the objects of some changes, which it declares, to be
    /// declared as they are to become: all of them, or an error; of several, a part is tried then.
    /// The last argument is the file as it is now, with what was adopted into it before.
    pub adopt: Adopt,
    /// The lines of the fields of changes in the file that declares their objects, where only a closer look at the
    /// file tells.
    pub lines: Option<Lines>,
    /// Writes down what the target holds of some kinds, where it can.
    pub import: Option<Import>,
    /// Patterns of addresses whose loss Git cannot bring back: deleting them needs a consent of its own.
    pub protected_by_default: fn(&Target) -> Result<Vec<String>>,
    /// Patterns of fields that give somebody something: taking that away needs a consent of its own.
    pub access_fields: fn(&Target) -> Result<Vec<String>>,
    /// Group, kind, namespace and name of an object, where the provider has such.
    pub names: fn(&Address) -> Option<[String; 4]>,
    /// The ignore rules that are on unless trueup.yaml says otherwise.
    pub rules: fn() -> Vec<Arc<Rule>>,
    /// What is behind a target as far as its options tell, where several targets can share the objects of one place.
    ///
    /// # Errors
    /// The options of the target do not tell.
    pub place: fn(&Target) -> Result<Option<TargetPlace>, BadOption>,
    /// How patterns of addresses are brought into the form in which addresses are written, where a person may spell
    /// them otherwise.
    ///
    /// # Errors
    /// The options of the target do not tell.
    pub spelling: fn(&Target) -> Result<Spelling, BadOption>,
    /// The collection that an object belongs to, for the guard against emptied collections.
    pub collection: fn(&Address) -> String,
}

/// What the declaration of one object is to become.
pub struct Taken<'a> {
    /// What moved.
    pub change: &'a Change,
    /// What is to be declared; `None`: nothing.
    pub merged: Option<Value>,
}

impl<'a> Taken<'a> {
    /// The only one of `all`.
    ///
    /// # Errors
    /// There are several.
    pub fn alone<'b>(all: &'b [Taken<'a>]) -> Result<&'b Taken<'a>> {
        match all {
            [taken] => Ok(taken),
            _ => anyhow::bail!("only one object can be taken in at a time"),
        }
    }
}

/// Says how a file has to change, given what moved of the objects that it declares, and the file as it is.
pub type Adopt = fn(&Target, &[Taken<'_>], Option<&[u8]>) -> Result<Edit>;

/// Gives a pattern of addresses the form in which addresses are written; `None` if that is its own.
pub type Spelling = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The spelling of a target whose addresses are written in one way only.
fn as_typed(_: &Target) -> Result<Spelling, BadOption> {
    Ok(Arc::new(|_| None))
}

/// The lines in which the fields of one change are declared, by their paths.
pub type FieldLines = BTreeMap<Box<str>, u32>;

/// Says for each change of one file in which of its lines the fields are declared.
pub type Lines = fn(&Target, &[&Change], &[u8]) -> Vec<FieldLines>;

/// Writes down what a target holds of some kinds, less what is declared already.
pub type Import = fn(&Target, &[String], &Desired) -> Result<Vec<Edit>>;

/// A target as trueup.yaml describes it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The word after `provider:`.
    pub provider: String,
    /// Where its declarations are, relative to the root of the checkout; empty for all of it.
    pub path: String,
    /// The folder of trueup.yaml, which relative paths in `options` start from.
    pub base_dir: PathBuf,
    /// The provider's own keys.
    pub options: serde_yaml::Mapping,
    /// Whether programs that the checkout names may run.
    pub programs: Programs,
    /// The text of the file that the key `definition` names, as the selected revision has it.
    pub definition: Option<Arc<[u8]>>,
    /// The other targets of trueup.yaml that may declare objects of the same place.
    pub siblings: Vec<Target>,
}

/// Where the objects and the record of a target are, as far as its options tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetPlace {
    /// The server.
    pub server: String,
    /// The record on that server. Two targets that would have the same one are on different servers, whatever their
    /// options say: an environment variable may name them.
    pub record: String,
}

impl TargetPlace {
    /// Whether two targets may share objects.
    pub fn is_beside(&self, other: &TargetPlace) -> bool {
        self.server == other.server && self.record != other.record
    }
}

/// Whether programs that the checkout names may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Programs {
    /// They may.
    #[default]
    Run,
    /// `--no-exec`: what would need one is an error.
    Refuse,
}

impl Programs {
    /// Refuses, where that is wanted, what would run `program`; `by` says who names it.
    ///
    /// # Errors
    /// Programs are refused (78).
    pub fn check(self, program: &str, by: &str) -> Result<(), UserError> {
        match self {
            Programs::Run => Ok(()),
            Programs::Refuse => {
                let message = format!(
                    "{by} gets its credentials from the program `{program}`, and `--no-exec` runs none"
                );
                Err(UserError::new(Exit::BadConfig, message)
                    .hint("leave out `--no-exec` if you trust this checkout, or take credentials from a file or the environment"))
            }
        }
    }
}

impl Target {
    /// Its own keys as text, for digests.
    pub fn keys(&self) -> String {
        format!("{:?}", self.options)
    }

    /// Where a path of its options leads: relative ones start at the folder of trueup.yaml.
    pub fn path(&self, path: &Path) -> PathBuf {
        // In a folder without links, `..` can be resolved by name, and names look as people write them.
        let mut whole = self.base_dir.canonicalize().unwrap_or_else(|_| self.base_dir.clone());
        let mut rest = path.components().peekable();
        while let Some(Component::CurDir | Component::ParentDir) = rest.peek() {
            if rest.next() == Some(Component::ParentDir) {
                whole.pop();
            }
        }
        whole.extend(rest);
        whole
    }
}

/// One file of the checkout as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Path relative to the root of the checkout.
    pub path: BString,
    /// What it should be; `None` if it should not be.
    pub content: Option<(EntryKind, Vec<u8>)>,
    /// Whether it holds something that no output may show.
    pub hidden: bool,
}

/// An option that the provider does not take.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BadOption {
    /// The keys that lead to it, below the target.
    pub path: Vec<String>,
    /// What is wrong, with the way out.
    pub message: String,
}

impl Provider {
    /// The provider called `name`.
    pub fn find(name: &str) -> Option<&'static Provider> {
        BUILT_IN.iter().copied().find(|kind| kind.name == name).or_else(|| rest::find(name))
    }
}

/// The ignore rules that come with trueup, of every provider.
pub fn built_in_rules() -> Vec<Arc<Rule>> {
    BUILT_IN.iter().flat_map(|kind| (kind.rules)()).collect()
}

/// What a plan wants to know of a target.
pub struct Query<'a> {
    /// The objects asked for, with what base and desired say of each.
    pub objects: BTreeMap<&'a Address, ThreeWay<&'a Value>>,
    /// Collections to be listed whole, for what is extra there.
    pub exclusive: &'a [Scope],
    /// What Git declares, with its places; `None` where the target is held against what was applied.
    pub declared: Option<&'a BTreeMap<Address, Object>>,
    /// Whether what the target made of writes is to be taken into Git, and so counts as drift.
    pub adopting: bool,
    /// Trust nothing remembered: read every byte.
    pub verify: bool,
    /// The objects that [`Reader::explain`] will be asked about.
    pub explain: &'a BTreeSet<Address>,
    /// What is left to others.
    pub rules: &'a Rules,
    /// The hash function of the repository's ids.
    pub algorithm: Algorithm,
    /// Told of progress.
    pub observer: &'a dyn Observer,
}

/// A log that a server wrote, line by line.
pub struct Log {
    /// What the file is called.
    pub name: String,
    /// Its content.
    pub lines: Box<dyn BufRead>,
}

/// One system that holds actual state, as far as reading goes.
///
/// A provider translates between its system and [`crate::model`]. It does not
/// decide what to change, does not print, and does not read the checkout.
/// Nothing that is reachable through this trait may write to the target.
pub trait Reader: Send {
    /// Names the target for people and for the record, for example `files /srv/www`.
    fn id(&self) -> String;

    /// What the target remembers of past applies. A target that has no memory
    /// answers the default; a memory that is damaged, truncated or foreign is
    /// an error that names the way out.
    fn memory(&mut self) -> Result<StoredRecord>;

    /// May begin to read what `memory` names, since [`Reader::observe`] will be asked for all of it.
    fn prefetch(&mut self, _: &StoredRecord) {}

    /// Reads the objects asked for, and lists the exclusive collections. What
    /// is not there is `Absent`; what could not be read is `Unknown`, never left out.
    ///
    /// # Errors
    /// Only when the target as a whole cannot be read.
    fn observe(&mut self, query: &Query<'_>) -> Result<Actual>;

    /// Completes what the plan has to know of objects that differ: what the
    /// target would make of `desired`, and the content of blobs on the sides
    /// where a person or the three-way comparison needs to see it.
    ///
    /// # Errors
    /// A declaration that the target could never hold (exit 65), or a failed read.
    fn complete(&mut self, candidates: &mut [Candidate], contents: &dyn Contents) -> Result<()>;

    /// What the target deletes along with objects that `changes` delete or replace. `in_sync` are the other objects
    /// that are declared. Targets that take nothing along answer nothing.
    ///
    /// # Errors
    /// A failed read of the target as a whole.
    fn attached(&mut self, _changes: &[Change], _in_sync: &[Address]) -> Result<Vec<Attached>> {
        Ok(Vec::new())
    }

    /// Why an object of [`Query::explain`] is as declared or not, as far as
    /// [`Reader::observe`] and [`Reader::complete`] found out. Holds no values.
    fn explain(&self, address: &Address) -> Vec<Reason>;

    /// Names who was behind what moved, by logs that the target's server wrote.
    /// `since` is the last apply. Nobody is named without evidence. Answers remarks.
    ///
    /// # Errors
    /// A log that cannot be read or is none.
    fn attribute_from_audit(&self, _: &mut [Log], _: &mut [Change], _: Option<&str>) -> Result<Vec<String>> {
        Ok(vec!["no audit log is read for targets of this kind".to_owned()])
    }

    /// What was asked of the target so far; `None` where nothing is sent.
    fn cost(&self) -> Option<Cost> {
        None
    }
}

/// What an apply lends to its provider.
pub struct Run<'a> {
    /// Content of desired blobs.
    pub contents: &'a dyn Contents,
    /// Told of each change.
    pub observer: &'a dyn Observer,
    /// Set when no further write may begin.
    pub stop: &'a AtomicBool,
    /// Id of this apply, for names of temporary things.
    pub id: &'a str,
    /// What the command line says about waiting.
    pub waiting: Waiting,
}

/// Whether an apply waits until objects are ready, where the command line says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waiting {
    /// `--wait`, `--no-wait`.
    pub wanted: Option<bool>,
    /// `--timeout`.
    pub timeout: Option<Duration>,
}

/// A target that can be written.
///
/// Call order: [`Writer::lock`], then the reads, then [`Writer::save`] with
/// `attempting` set, [`Writer::apply`], and [`Writer::save`] again.
pub trait Writer: Reader {
    /// The same target, for what only reads. (A default is not possible for a trait object.)
    fn reader(&mut self) -> &mut dyn Reader;

    /// Takes the lock of the target, waiting up to `patience`. It is released
    /// when the writer is dropped or the process ends, however it ends.
    ///
    /// # Errors
    /// A [`UserError`] with exit 9 that names the holder and the age, if another run holds it.
    fn lock(&mut self, who: &Who, patience: Duration) -> Result<()>;

    /// What gives the lock back from another thread, where the process ends before the writer is dropped; `None`
    /// where the end of the process does that.
    fn release(&self) -> Option<Box<dyn Fn() + Send>> {
        None
    }

    /// Makes the changes, in an order that respects their dependencies, in
    /// parallel where that is safe. Each write is preceded by a check that the
    /// object still is what [`Reader::observe`] saw, and is read back. Stops
    /// beginning new writes when `run.stop` is set; never starts a delete after a failure.
    ///
    /// Answers one outcome for each change, in the same order.
    fn apply(&mut self, changes: &[&Change], run: &Run<'_>) -> Vec<Outcome>;

    /// Takes our marks from objects that are released. Nothing else of them changes.
    fn let_go(&mut self, changes: &[&Change]) -> Vec<Outcome> {
        changes.iter().map(|change| Outcome::done(change)).collect()
    }

    /// Waits until objects that no write was about are ready, where the target or the command line
    /// wants that. Answers those that are not, with what is missing.
    fn wait(&mut self, _addresses: &[&Address], _run: &Run<'_>) -> Vec<(Address, String)> {
        Vec::new()
    }

    /// Replaces what the target remembers, durably, all or nothing. `owned`
    /// holds every object that is ours from now on, with the commit that its
    /// present value is from; values and fingerprints are the provider's own
    /// from its last `observe` and `apply`.
    ///
    /// # Errors
    /// The memory could not be written; the old one is intact.
    fn save(&mut self, record: &Record, owned: &BTreeMap<Address, Option<Digest>>) -> Result<()>;
}

/// The most bytes of one content that is loaded to be compared by line or shown.
pub const SHOWN_BYTES: u64 = 1024 * 1024;

/// Loads the declared content of `candidates`, as far as it is small enough to be shown.
///
/// # Errors
/// Content that is not here.
pub fn load(candidates: &mut [Candidate], contents: &dyn Contents) -> Result<()> {
    for candidate in candidates {
        let ThreeWay { base, desired, actual } = &mut candidate.sides;
        for blob in [base, desired, actual].into_iter().flatten().flat_map(Value::blobs_mut) {
            let size = contents.size(&blob.id)?;
            blob.size = Some(size);
            if size <= SHOWN_BYTES && blob.bytes.is_none() {
                blob.bytes = Some(contents.read(&blob.id)?.into());
            }
        }
    }
    Ok(())
}
