//! Why an object is as declared or not, and what it cost to find out.

use serde::Serialize;

use super::{address::Address, change::Class};

/// The answer to `--explain` for one object. Holds no values, so that it may be shown as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Explanation {
    /// Which object.
    #[schemars(with = "String")]
    pub address: Address,
    /// What the plan says of it; `in-sync` for one that is as declared.
    pub class: Class,
    /// The reasons, in the order in which they were found.
    pub reasons: Vec<Reason>,
}

/// One thing that was found out about an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Reason {
    /// What it rests on.
    pub basis: Basis,
    /// The place that it is about, as a JSON pointer; absent for the object as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What was found.
    pub text: String,
}

/// What a reason rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Git, and the record of what was applied.
    Declaration,
    /// How the object was read.
    Read,
    /// Who owns its fields.
    Ownership,
    /// Declared and actual values, held against each other.
    Comparison,
    /// The target was asked what an apply would do.
    DryRun,
    /// Nobody was asked: it was foretold from what was read.
    Prediction,
    /// Who wrote a field that differs.
    Writer,
    /// Something that did not work.
    Failure,
}

impl Basis {
    /// The word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Basis::Declaration => "declaration",
            Basis::Read => "read",
            Basis::Ownership => "ownership",
            Basis::Comparison => "comparison",
            Basis::DryRun => "dry-run",
            Basis::Prediction => "prediction",
            Basis::Writer => "writer",
            Basis::Failure => "failure",
        }
    }

    /// A reason about the object as a whole.
    pub fn says(self, text: impl Into<String>) -> Reason {
        Reason { basis: self, path: None, text: text.into() }
    }

    /// A reason about one place of it.
    pub fn says_at(self, path: impl Into<String>, text: impl Into<String>) -> Reason {
        Reason { basis: self, path: Some(path.into()), text: text.into() }
    }
}

/// What a target was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests, each counted once however often it was sent.
    pub requests: usize,
    /// How often one had to be sent again.
    pub repeated: usize,
    /// Of how many kinds the objects are.
    pub kinds: usize,
}
