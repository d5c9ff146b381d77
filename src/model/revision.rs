//! Revisions and commits, as people and records name them.

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The state of the checkout that a run took its desired state from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The commit; absent on an unborn branch.
    #[schemars(with = "Option<String>")]
    pub commit: Option<Digest>,
    /// What was asked for, as a person would say it: `main`, `HEAD+dirty`, `merge of HEAD into main`.
    pub name: String,
    /// The work tree differs from the commit and was read as it lies on disk.
    pub dirty: bool,
    /// Made in memory by `--merge-into`; not a commit that can be applied.
    pub merged: bool,
    /// What tells the uncommitted files from those of another moment; nothing that lasts.
    #[serde(skip)]
    pub stamp: Option<String>,
}

impl Revision {
    /// A commit as it is, or an unborn branch.
    pub fn of(commit: Option<Digest>, name: impl Into<String>) -> Self {
        Revision { commit, name: name.into(), dirty: false, merged: false, stamp: None }
    }

    /// Whether both are the same commit without edits on top.
    pub fn same_commit(&self, other: &Revision) -> bool {
        self.commit.is_some() && self.commit == other.commit && !self.dirty && !other.dirty
    }

    /// The form for headings: `main@3f2c1ab`, `HEAD+dirty`.
    pub fn label(&self) -> String {
        match &self.commit {
            Some(commit) if self.name.starts_with(&commit.short()) => self.name.clone(),
            Some(commit) => format!("{}@{}", self.name, commit.short()),
            None => self.name.clone(),
        }
    }
}

/// A commit that explains a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Its id.
    #[schemars(with = "String")]
    pub id: Digest,
    /// The author's name.
    pub author: String,
    /// The author's e-mail address.
    pub email: String,
    /// Author time, RFC 3339 in the author's time zone.
    pub date: String,
    /// First line of the message.
    pub subject: String,
    /// Number of the pull or merge request that brought it in, where a message tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pull_request: Option<u64>,
}

impl Commit {
    /// The first line of its message, with its pull request: `Raise the limit (#812)`.
    pub fn title(&self) -> String {
        match self.pull_request.map(|number| format!("(#{number})")) {
            Some(mark) if !self.subject.contains(&mark) => format!("{} {mark}", self.subject),
            _ => self.subject.clone(),
        }
    }

    /// It in one line: `9d0e77c Alice: Raise the limit (#812)`.
    pub fn line(&self) -> String {
        format!("{} {}: {}", self.id.short(), self.author, self.title())
    }
}

/// Which commit a declared line is from, as far as the clone tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "certainty", content = "commit", rename_all = "kebab-case")]
pub enum DeclaredBy {
    /// This one.
    Exact(Commit),
    /// This one, the oldest that was looked at, or one before it.
    AtOrBefore(Commit),
    /// None yet.
    NotCommitted,
}

impl DeclaredBy {
    /// The same for a person.
    pub fn text(&self) -> String {
        match self {
            DeclaredBy::Exact(commit) => format!("declared by {}", commit.line()),
            DeclaredBy::AtOrBefore(commit) => {
                format!("declared at or before {}, the oldest commit that was looked at", commit.line())
            }
            DeclaredBy::NotCommitted => "declared, and not committed".to_owned(),
        }
    }
}
