//! One difference between the three trees, as data.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

use super::{
    address::Address,
    ignore::Ignored,
    object::{Cause, FieldWriter, Origin, Person, Writer},
    path::Place,
    revision::{Commit, DeclaredBy},
    value::Value,
};

/// What separates base, desired and actual, for a field or a whole object.
///
/// The order is by how much attention it asks for: the class of an object is
/// the worst of its fields.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Desired equals actual, and base too.
    InSync,
    /// Desired equals actual, base differs: somebody made the change by hand first.
    Converged,
    /// Git moved: base equals actual, desired differs.
    Pending,
    /// Only the target has it.
    Extra,
    /// Base and desired have it, the target lacks it.
    Missing,
    /// The target moved: base equals desired, actual differs.
    Drift,
    /// All three differ.
    Conflict,
    /// It could not be read.
    Unknown,
}

/// What apply would do with an object.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing: it is reported only.
    Keep,
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Delete it and make it anew, since it cannot be changed in place.
    Replace,
    /// Remove it.
    Delete,
    /// Overwrite something that is there and that trueup did not write.
    Adopt,
    /// Make fields ours that are as declared and that somebody else wrote.
    Claim,
    /// Let an object go that is not declared any more: it stays as it is, and is not ours any more.
    Release,
}

impl Class {
    /// The word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Class::InSync => "in-sync",
            Class::Converged => "converged",
            Class::Pending => "pending",
            Class::Extra => "extra",
            Class::Missing => "missing",
            Class::Drift => "drift",
            Class::Conflict => "conflict",
            Class::Unknown => "unknown",
        }
    }

    /// Whether the target moved by itself.
    pub fn drifted(self) -> bool {
        matches!(self, Class::Extra | Class::Missing | Class::Drift | Class::Conflict)
    }

    /// Whether Git moved since the last apply.
    pub fn pending(self) -> bool {
        matches!(self, Class::Pending | Class::Conflict)
    }
}

impl Action {
    /// Whether what is there goes, even if it is made anew.
    pub fn removes(self) -> bool {
        matches!(self, Action::Delete | Action::Replace)
    }

    /// The word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Action::Keep => "keep",
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Adopt => "adopt",
            Action::Claim => "claim",
            Action::Release => "release",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The three values of one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreeWay<T> {
    /// What was applied last.
    pub base: Option<T>,
    /// What Git declares.
    pub desired: Option<T>,
    /// What the target holds.
    pub actual: Option<T>,
}

impl<T> Default for ThreeWay<T> {
    fn default() -> Self {
        ThreeWay { base: None, desired: None, actual: None }
    }
}

impl<T> ThreeWay<T> {
    /// The same places, borrowed.
    pub fn as_ref(&self) -> ThreeWay<&T> {
        ThreeWay { base: self.base.as_ref(), desired: self.desired.as_ref(), actual: self.actual.as_ref() }
    }

    /// Turns each side that is there into something else.
    pub fn map<U>(self, mut turn: impl FnMut(T) -> U) -> ThreeWay<U> {
        ThreeWay {
            base: self.base.map(&mut turn),
            desired: self.desired.map(&mut turn),
            actual: self.actual.map(&mut turn),
        }
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where, as a JSON pointer; a hunk of a text adds its lines: `/content:12-14`.
    pub path: String,
    /// What separates the sides.
    pub class: Class,
    /// The values.
    pub sides: ThreeWay<Value>,
    /// Which lines of what Git declares it is about, counted from 1, where it is a hunk of a text.
    pub lines: Option<Range<u32>>,
    /// Who wrote it in the target last, where it drifted and the target tells that field by field.
    pub writer: Option<FieldWriter>,
    /// Which commit its declaration is from, where that stands in a line of its own.
    pub declared_by: Option<DeclaredBy>,
}

impl Field {
    /// A field of which nothing is known but what separates its sides.
    pub fn new(path: impl Into<String>, class: Class, sides: ThreeWay<Value>) -> Self {
        Field { path: path.into(), class, sides, lines: None, writer: None, declared_by: None }
    }
}

/// One object whose three sides are not the same.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub address: Address,
    /// What apply would do.
    pub action: Action,
    /// The worst class of its fields.
    pub class: Class,
    /// Where it is declared; where it was declared, for a delete.
    pub origin: Option<Origin>,
    /// The fields that differ, in path order.
    pub fields: Vec<Field>,
    /// The whole object on each side.
    pub sides: ThreeWay<Value>,
    /// What apply would write; `None` if the object would not be there afterwards.
    pub after: Option<Value>,
    /// Whether the target's memory says that trueup wrote it.
    pub owned: bool,
    /// How many objects that nobody declared go with it if it is deleted.
    pub cascade: usize,
    /// The object that takes it along when it is replaced, so that it is made again.
    pub along: Option<Address>,
    /// Who changed it in the target, where it drifted.
    pub writer: Option<Writer>,
    /// Who was behind it, where a log was given.
    pub persons: Vec<Person>,
    /// The commits that explain what is pending, newest first.
    pub commits: Vec<Commit>,
    /// Why it is unknown.
    pub unknown: Option<(Cause, String)>,
    /// What rules leave to the target.
    pub ignored: Vec<Ignored>,
    /// The target that declares it now, where it is released for that.
    pub moved: Option<String>,
    /// Single fields that the command line leaves as they are.
    pub left: Vec<Place>,
    /// Remarks.
    pub notes: Vec<String>,
}

impl Change {
    /// A change that leaves the object as desired, and of which nothing else is known.
    pub fn new(address: Address, action: Action, class: Class, sides: ThreeWay<Value>) -> Self {
        Change {
            address,
            action,
            class,
            origin: None,
            fields: Vec::new(),
            after: sides.desired.clone(),
            sides,
            owned: false,
            cascade: 0,
            along: None,
            writer: None,
            persons: Vec::new(),
            commits: Vec::new(),
            unknown: None,
            ignored: Vec::new(),
            moved: None,
            left: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Lets an object go that would be deleted.
    pub fn release(&mut self, why: String) {
        self.action = Action::Release;
        self.class = Class::Pending;
        self.after = self.sides.actual.clone();
        self.fields = Vec::new();
        self.notes.push(why);
    }
}
