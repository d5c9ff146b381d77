//! What a target remembers of past applies. Holds no values, only names.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    address::Address,
    change::{Action, Class},
    digest::Digest,
    plan::Summary,
    report::Verdict,
    revision::{Commit, Revision},
    value::Value,
};
use crate::exit::Exit;

/// The version of [`Record`] that this build reads and writes.
pub const SCHEMA: &str = "trueup.record/v1";

/// How many past applies a record keeps.
pub const RING: usize = 20;

/// The small memory that a target keeps: what was applied last, what is being
/// applied, and a ring of past applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Identity of the target; a record found elsewhere is foreign.
    pub target: String,
    /// What was applied last, completely.
    pub applied: Option<Applied>,
    /// An apply that began and did not end, or is running now.
    pub attempting: Option<Attempt>,
    /// Past applies, newest first, at most [`RING`].
    pub history: Vec<HistoryEntry>,
    /// Single fields that an apply left as they were, by address and path, each with the commit whose value was
    /// applied to it last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<Address, BTreeMap<String, Digest>>,
    /// Objects of ours that were as declared before trueup wrote anything of them: they are not deleted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub found: BTreeSet<Address>,
}

/// The revision that a target was brought to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// The revision.
    pub revision: Revision,
    /// When the apply ended, RFC 3339, UTC.
    pub at: String,
    /// Id of the apply in the history.
    pub id: String,
}

/// An apply that began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Id of the apply, unique for the target.
    pub id: String,
    /// What it brings the target to.
    pub revision: Revision,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// Who runs it.
    pub who: Who,
    /// What it was about to do.
    pub changes: Vec<(Address, Action)>,
}

/// Who ran an apply. Environment variables can be set by anyone, so `source` says where the claim is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// The person, bot or system user.
    pub actor: String,
    /// Where `actor` is from: `gitlab-ci`, `github-actions`, `system user`.
    pub source: String,
    /// Name of the machine.
    pub host: String,
    /// Address of the CI job, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
}

/// One past apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryEntry {
    /// Id of the apply.
    pub id: String,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// When it ended; absent for an apply that was killed.
    pub finished: Option<String>,
    /// How it ended.
    pub result: Exit,
    /// The environment, if it has a name.
    pub environment: Option<String>,
    /// What the target was brought to.
    pub revision: Revision,
    /// What was applied before.
    pub base: Option<Revision>,
    /// Who ran it.
    pub who: Who,
    /// Why: the commits between base and revision, newest first, at most 50.
    pub why: Vec<Commit>,
    /// Overrides and selections that were given, as typed.
    pub flags: Vec<String>,
    /// Digest of the plan that was executed.
    pub digest: String,
    /// Counts of that plan.
    pub summary: Summary,
    /// Result for each object, at most 200 of them.
    pub objects: Vec<HistoryObject>,
    /// How many objects the list above leaves out.
    #[serde(default)]
    pub objects_omitted: usize,
}

/// The last apply, where it did not bring the target to its revision as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Attempted {
    /// What the target was to be brought to.
    pub revision: Revision,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// Who ran it.
    pub who: Who,
    /// How it ended; null if it did not.
    pub result: Option<Exit>,
}

/// What happened to one object in a past apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryObject {
    /// Which.
    #[schemars(with = "String")]
    pub address: Address,
    /// What was to be done.
    pub action: Action,
    /// Why it differed.
    pub class: Class,
    /// How it ended.
    pub verdict: Verdict,
    /// What went wrong, if anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

/// An object that the target's memory says trueup wrote or adopted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owned {
    /// The commit whose declaration it got last, where that was a clean commit.
    pub commit: Option<Digest>,
    /// What it was given, where the memory of the target holds enough to say so without Git.
    pub base: Option<Value>,
}

/// Everything that a target remembers.
#[derive(Clone, Debug, Default)]
pub struct StoredRecord {
    /// None if nothing was ever applied there.
    pub record: Option<Record>,
    /// What is ours.
    pub owned: BTreeMap<Address, Owned>,
}

impl StoredRecord {
    /// Whether trueup knows an object, as its own or as one that an apply was about to write.
    pub fn knows(&self, address: &Address) -> bool {
        let attempt = self.record.as_ref().and_then(|record| record.attempting.as_ref());
        let attempted = attempt.is_some_and(|attempt| attempt.changes.iter().any(|(one, _)| one == address));
        attempted || self.owned.contains_key(address)
    }

    /// Whether an object was there before trueup wrote anything of it.
    pub fn found(&self, address: &Address) -> bool {
        self.record.as_ref().is_some_and(|record| record.found.contains(address))
    }

    /// The fields of an object that were left, with the commits that they are at.
    pub fn kept(&self, address: &Address) -> Option<&BTreeMap<String, Digest>> {
        self.record.as_ref()?.kept.get(address)
    }

    /// The commit at which the part of a field was applied last that is at `path`.
    pub fn applied_to(&self, address: &Address, path: &str) -> Option<Digest> {
        let within = |whole: &str| {
            path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let kept = self.kept(address).and_then(|kept| kept.iter().rev().find(|(whole, _)| within(whole)));
        kept.map(|(_, commit)| *commit).or_else(|| self.owned.get(address)?.commit)
    }

    /// A commit before which nothing of an object is pending: that of its kept fields, where it has any.
    pub fn since(&self, address: &Address) -> Option<Digest> {
        let kept = self.kept(address).and_then(|kept| kept.values().next());
        kept.copied().or_else(|| self.owned.get(address)?.commit)
    }
}

impl Record {
    /// The record of a target that nothing was applied to yet.
    pub fn new(target: impl Into<String>) -> Self {
        Record {
            schema: SCHEMA.to_owned(),
            target: target.into(),
            applied: None,
            attempting: None,
            history: Vec::new(),
            kept: BTreeMap::new(),
            found: BTreeSet::new(),
        }
    }

    /// Whether the apply that is being attempted ended, and left writes of which nobody can tell whether they took place.
    pub fn has_ended(&self) -> bool {
        let attempt = self.attempting.as_ref();
        attempt.zip(self.history.first()).is_some_and(|(attempt, past)| attempt.id == past.id)
    }

    /// The last apply, unless it went through or is the one that `applied` names.
    pub fn attempted(&self) -> Option<Attempted> {
        let running = self.attempting.clone().filter(|_| !self.has_ended());
        if let Some(Attempt { revision, started, who, .. }) = running {
            return Some(Attempted { revision, started, who, result: None });
        }
        let is_done = |past: &&HistoryEntry| past.finished.is_some() && past.result == Exit::InSync;
        let past = self.history.first().filter(|past| self.applied.is_none() || !is_done(past))?;
        let HistoryEntry { revision, started, who, result, finished, .. } = past.clone();
        Some(Attempted { revision, started, who, result: finished.map(|_| result) })
    }

    /// Ends the running attempt with `past`, which enters the ring.
    pub fn finish(&mut self, past: HistoryEntry) {
        self.attempting = None;
        self.history.insert(0, past);
        self.history.truncate(RING);
    }
}
