//! Objects: what is declared, and what the target holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{address::Address, ignore::Ignored, value::Value};

/// Where a desired value stands in the checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Origin {
    /// Path relative to the root of the checkout.
    pub file: Arc<str>,
    /// Line, counted from 1, where the declaration starts.
    pub line: Option<u32>,
    /// The lines of fields that stand in another one, by JSON pointer, as far as the provider tells.
    #[serde(skip)]
    pub fields: Arc<BTreeMap<Box<str>, u32>>,
}

impl Origin {
    /// A declaration that starts at `line` of `file`.
    pub fn new(file: impl Into<Arc<str>>, line: Option<u32>) -> Self {
        Origin { file: file.into(), line, fields: Arc::default() }
    }

    /// The line of the field at `pointer`, where it stands in one of its own.
    pub fn line_of(&self, pointer: &str) -> Option<u32> {
        self.fields.get(pointer).copied().filter(|line| Some(*line) != self.line)
    }

    /// The line of the field at `pointer`, or of what it is in.
    pub fn line_at(&self, pointer: &str) -> Option<u32> {
        let outer = |pointer: &str| pointer.rfind('/').map(|end| pointer[..end].len());
        let mut ends = std::iter::successors(Some(pointer.len()), |end| outer(&pointer[..*end]));
        ends.find_map(|end| self.fields.get(&pointer[..end]).copied()).or(self.line)
    }

    /// `FILE:LINE` of the field at `pointer`, or of what it is in.
    pub fn at(&self, pointer: &str) -> String {
        match self.line_at(pointer) {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.to_string(),
        }
    }
}

/// One declared object.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it should hold; `None` declares that it must not exist.
    pub value: Option<Value>,
    /// Where it is declared.
    pub origin: Origin,
}

/// Everything that one revision declares for one target.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// The objects by address.
    pub objects: BTreeMap<Address, Object>,
    /// Collections that must hold nothing but what is declared.
    pub exclusive: Vec<Scope>,
    /// Remarks for the person who reads the plan.
    pub notes: Vec<String>,
    /// Values that the target could not hold, with their places. A past revision may have had them all the same.
    pub invalid: Vec<String>,
}

/// A collection that is declared complete: what else the target has there is extra.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The collection, in the provider's own terms (a directory, a kind).
    pub collection: Address,
    /// Globs over addresses that are nobody's business.
    pub ignore: Vec<String>,
    /// Where it is declared.
    pub origin: Origin,
}

/// What a provider knows of the last writer of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Writer {
    /// Who, in the target's terms: a user, a field manager, a file's owner.
    pub who: String,
    /// When, RFC 3339, as the target recorded it.
    pub at: Option<String>,
    /// What `who` and `at` really say, for example `owner and time of the last modification`.
    pub precision: String,
}

/// Who wrote one field, as the target keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FieldWriter {
    /// The program; none where the target does not say.
    pub manager: Option<String>,
    /// How it wrote: `Apply` or `Update`.
    pub operation: Option<String>,
    /// Through which part of the object, for example `scale`.
    pub subresource: Option<String>,
    /// When it last wrote one of its fields, RFC 3339: this one was written then or before.
    pub at: Option<String>,
    /// The same for a person.
    pub text: String,
}

/// Who was behind something that moved, as a log of the target's server tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Person {
    /// Whose credentials were used.
    pub user: String,
    /// As whom they acted, where as somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted_as: Option<String>,
    /// The program that they used, as it called itself.
    pub agent: String,
    /// What they asked for, with the subresource: `patch`, `patch scale`, `delete`.
    pub verb: String,
    /// When their last request arrived, RFC 3339.
    pub at: String,
    /// The places, as JSON pointers; empty for the object as a whole.
    pub paths: Vec<String>,
    /// How many others used the same program on the object since the last apply, so that it may have been them.
    pub others: usize,
}

/// One object as the target has it.
#[derive(Clone, Debug)]
pub struct State {
    /// What it holds, in the same form as the declaration.
    pub value: Value,
    /// Who changed it last, as far as the target knows.
    pub writer: Option<Writer>,
    /// Remarks, for example `3 hard links: replacing it breaks them`.
    pub notes: Vec<String>,
    /// What rules leave to the target; none where the provider did not see to that.
    pub ignored: Option<Vec<Ignored>>,
}

impl State {
    /// The state of something that holds `value`.
    pub fn new(value: Value) -> Self {
        State { value, writer: None, notes: Vec::new(), ignored: None }
    }
}

/// Why something could not be read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, PartialOrd, Ord,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The target refuses access.
    NoPermission,
    /// The target, or a part of it, does not answer.
    Unavailable,
    /// The target could never hold what is declared.
    Invalid,
    /// Something else, or something that trueup does not manage stands there.
    Other,
}

impl Cause {
    /// The word before the reason in every output.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Invalid => "invalid",
            Cause::NoPermission | Cause::Unavailable | Cause::Other => "unknown",
        }
    }
}

/// What a read of one object answered. A failed read is never absence.
#[derive(Clone, Debug)]
pub enum Observed {
    /// It is there.
    Present(Box<State>),
    /// The target says that it is not there.
    Absent,
    /// Nobody can tell.
    Unknown {
        /// Why.
        cause: Cause,
        /// The same for a person.
        message: String,
    },
}

/// Fields that programs other than trueup own, where nobody declares them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct External {
    /// How many.
    pub fields: usize,
    /// Whose.
    pub managers: BTreeSet<String>,
}

/// What the target holds of the objects asked for, and what else it holds in
/// exclusive collections.
#[derive(Clone, Debug, Default)]
pub struct Actual {
    /// By address; an address that was asked for and is not in here counts as unknown.
    pub objects: BTreeMap<Address, Observed>,
    /// Collections that could not be listed completely, with the reason.
    pub incomplete: Vec<(Address, Cause, String)>,
    /// Objects that are there under the name they had before, by their new address.
    pub renamed: BTreeMap<Address, Address>,
    /// Objects that take more than one write to make: of an interrupted apply, a part may be there.
    pub in_steps: BTreeSet<Address>,
    /// Fields that programs own and that are not compared.
    pub external: External,
    /// Remarks for the person who reads the plan.
    pub notes: Vec<String>,
}
