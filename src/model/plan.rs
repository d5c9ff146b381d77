//! The plan: every difference between the three trees of one target.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    change::{Action, Change, Class, ThreeWay},
    explain::{Cost, Explanation},
    ignore,
    object::{Cause, External},
    record::Attempted,
    revision::Revision,
    value::Value,
};
use crate::exit::Exit;

/// What a plan was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TargetName {
    /// Its name in trueup.yaml.
    pub name: String,
    /// The environment, if it has a name.
    pub environment: Option<String>,
    /// Its provider.
    pub provider: String,
    /// What the provider calls it, for example `files /srv/www`.
    pub id: String,
}

/// Why a target could not be planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Failure {
    /// The answer as a word.
    pub result: Exit,
    /// What is wrong.
    pub message: String,
    /// What to type or change instead.
    pub hint: Option<String>,
}

/// Every difference between base, desired and actual of one target.
#[derive(Clone, Debug)]
pub struct Plan {
    /// For which target.
    pub target: TargetName,
    /// What Git declares.
    pub revision: Revision,
    /// What was applied last; `None` if nothing was, or nobody knows.
    pub base: Option<Revision>,
    /// When that was, RFC 3339, UTC.
    pub applied_at: Option<String>,
    /// An apply after that.
    pub attempted: Option<Attempted>,
    /// The differences, in address order.
    pub changes: Vec<Change>,
    /// Objects that are as declared.
    pub unchanged: usize,
    /// How many of them trueup wrote nothing of.
    pub found: usize,
    /// How many objects trueup owns there.
    pub owned: usize,
    /// Fields that programs own and that are not compared.
    pub external: External,
    /// What ignore rules did.
    pub ignored: Vec<ignore::Use>,
    /// Whether everything declared was read and compared: false with `--only` or with something unknown.
    pub complete: bool,
    /// Remarks.
    pub notes: Vec<String>,
    /// What was asked to be explained.
    pub explanations: Vec<Explanation>,
    /// What it took, where that is counted.
    pub cost: Option<Cost>,
    /// What stands for the definition that decides how writes are sent, where the checkout brings one.
    pub definition: Option<String>,
    /// Why there is nothing else here: the target could not be planned.
    pub failure: Option<Failure>,
}

/// The counts of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Objects to create.
    pub create: usize,
    /// Objects to update in place.
    pub update: usize,
    /// Objects to delete and create anew.
    pub replace: usize,
    /// Objects to delete.
    pub delete: usize,
    /// Objects to take over from somebody else.
    pub adopt: usize,
    /// Objects to let go, which stay as they are.
    #[serde(default, skip_serializing_if = "is_none")]
    pub release: usize,
    /// Objects that are as declared.
    pub unchanged: usize,
    /// Those of them that trueup wrote nothing of.
    #[serde(default, skip_serializing_if = "is_none")]
    pub found: usize,
    /// Objects that could not be read.
    pub unknown: usize,
    /// Objects with something that Git declares and the target does not have yet.
    pub pending: usize,
    /// Objects with something that moved in the target.
    pub drift: usize,
    /// Objects where both moved in one place.
    pub conflict: usize,
    /// Objects that only the target has.
    pub extra: usize,
    /// Objects that were applied and are gone.
    pub missing: usize,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        self.create += other.create;
        self.update += other.update;
        self.replace += other.replace;
        self.delete += other.delete;
        self.release += other.release;
        self.found += other.found;
        self.adopt += other.adopt;
        self.unchanged += other.unchanged;
        self.unknown += other.unknown;
        self.pending += other.pending;
        self.drift += other.drift;
        self.conflict += other.conflict;
        self.extra += other.extra;
        self.missing += other.missing;
    }
}

impl Change {
    /// Whether a part of it drifted.
    pub fn drifted(&self) -> bool {
        self.class.drifted() || self.fields.iter().any(|field| field.class.drifted())
    }

    /// Whether a part of it is pending.
    pub fn pending(&self) -> bool {
        self.class.pending() || self.fields.iter().any(|field| field.class.pending())
    }
}

/// The answer that a list of differences gives. Every command and format takes its exit code from here.
pub fn answer<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Exit {
    let (mut drift, mut pending, mut conflict, mut unknown) = (false, false, false, None);
    for change in changes {
        match change.class {
            Class::Conflict => conflict = true,
            Class::Unknown => {
                let cause = change.unknown.as_ref().map_or(Cause::Other, |(cause, _)| *cause);
                unknown = unknown.filter(|_| cause != Cause::Invalid).or(Some(cause));
            }
            _ => {
                drift |= change.drifted();
                pending |= change.pending();
            }
        }
    }
    match (conflict, drift, pending, unknown) {
        // What Git declares is no state to compare with, and nothing of it can be applied.
        (.., Some(Cause::Invalid)) => Exit::BadDesired,
        (true, ..) => Exit::Conflict,
        (_, true, true, _) => Exit::DriftAndPending,
        (_, true, false, _) => Exit::Drift,
        (_, false, true, _) => Exit::Pending,
        (.., Some(cause)) => unknown_exit(cause),
        (.., None) => Exit::InSync,
    }
}

/// The code for something that could not be read, where nothing else is to be answered.
pub fn unknown_exit(cause: Cause) -> Exit {
    match cause {
        Cause::NoPermission => Exit::NoPermission,
        Cause::Unavailable => Exit::Unavailable,
        Cause::Invalid => Exit::BadDesired,
        Cause::Other => Exit::Error,
    }
}

impl Plan {
    /// The plan of a target that could not be planned.
    pub fn failed(target: TargetName, revision: Revision, failure: Failure) -> Plan {
        Plan {
            target,
            revision,
            base: None,
            applied_at: None,
            attempted: None,
            changes: Vec::new(),
            unchanged: 0,
            found: 0,
            owned: 0,
            external: External::default(),
            ignored: Vec::new(),
            complete: false,
            notes: Vec::new(),
            explanations: Vec::new(),
            cost: None,
            definition: None,
            failure: Some(failure),
        }
    }

    /// The answer of this plan.
    pub fn exit(&self) -> Exit {
        self.failure.as_ref().map_or_else(|| answer(&self.changes), |failure| failure.result)
    }

    /// Whether apply has nothing to write.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.action == Action::Keep)
    }

    /// Whether nothing stands in the way of applying it but guards and consent.
    pub fn applyable(&self) -> bool {
        !self.revision.merged
            && !self.is_empty()
            && self.changes.iter().all(|change| !matches!(change.class, Class::Conflict | Class::Unknown))
    }

    /// The counts.
    pub fn summary(&self) -> Summary {
        let mut sum = Summary { unchanged: self.unchanged, found: self.found, ..Summary::default() };
        for change in &self.changes {
            match change.action {
                Action::Keep => {}
                Action::Create => sum.create += 1,
                Action::Update | Action::Claim => sum.update += 1,
                Action::Replace => sum.replace += 1,
                Action::Delete => sum.delete += 1,
                Action::Adopt => sum.adopt += 1,
                Action::Release => sum.release += 1,
            }
            match change.class {
                Class::Unknown => sum.unknown += 1,
                Class::Conflict => sum.conflict += 1,
                Class::Extra => sum.extra += 1,
                Class::Missing => sum.missing += 1,
                _ => {
                    sum.drift += usize::from(change.drifted());
                    sum.pending += usize::from(change.pending());
                }
            }
        }
        sum
    }

    /// The identity of what this plan would do: equal digests, equal plans.
    /// `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        hasher.text(&self.target.provider);
        hasher.text(&self.target.id);
        for change in &self.changes {
            hasher.text(&change_digest(change, self));
        }
        hasher.finish()
    }
}

/// The identity of one change, by the rules of [`Plan::digest`].
///
/// A sensitive value never enters a digest, not even hashed; the commit that declares it stands for it, and for
/// uncommitted files the time of their last change.
/// A definition of the checkout is a part of it, since that decides which request makes the change.
pub fn change_digest(change: &Change, plan: &Plan) -> String {
    let revision = &plan.revision;
    let mut hasher = Hasher::new();
    plan.definition.iter().for_each(|definition| hasher.text(definition));
    if change.sides.has_sensitive()
        && let Some(commit) = &revision.commit
    {
        hasher.text(&commit.to_string());
        hasher.text(revision.stamp.as_deref().unwrap_or_default());
    }
    hasher.text(change.address.as_str());
    hasher.text(change.action.word());
    hasher.text(change.class.word());
    for side in [&change.sides.base, &change.sides.desired, &change.sides.actual, &change.after] {
        match change.ignored.is_empty() {
            true => hasher.value(side.as_ref()),
            false => hasher.value(side.as_ref().map(|side| ignore::without(side, &change.ignored)).as_ref()),
        }
    }
    hasher.finish()
}

impl ThreeWay<Value> {
    /// Whether any side holds a value that no output may show.
    pub fn has_sensitive(&self) -> bool {
        [&self.base, &self.desired, &self.actual].into_iter().flatten().any(has_sensitive)
    }
}

fn has_sensitive(value: &Value) -> bool {
    match value {
        Value::Sensitive(_) => true,
        Value::List(items) => items.iter().any(has_sensitive),
        Value::Map(map) => map.values().any(has_sensitive),
        _ => false,
    }
}

/// The digest of several targets together; that of a single one is its own.
pub fn digest_all<'a>(plans: impl Iterator<Item = &'a Plan>) -> String {
    join_digests(plans.map(Plan::digest).collect())
}

/// The digest that stands for all of `digests`; a single one stands for itself.
pub fn join_digests(mut digests: Vec<String>) -> String {
    if digests.len() == 1 {
        return digests.remove(0);
    }
    let mut hasher = Hasher::new();
    digests.iter().for_each(|digest| hasher.text(digest));
    hasher.finish()
}

/// The digest of several texts in this order.
pub fn digest_of(texts: &[&str]) -> String {
    let mut hasher = Hasher::new();
    texts.iter().for_each(|text| hasher.text(text));
    hasher.finish()
}

/// SHA-256 over length-prefixed parts, so that no two lists of parts collide.
struct Hasher(Sha256);

impl Hasher {
    fn new() -> Self {
        Hasher(Sha256::new())
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn value(&mut self, value: Option<&Value>) {
        match value {
            None => self.text("-"),
            Some(Value::Null) => self.text("n"),
            Some(Value::Bool(flag)) => self.text(if *flag { "t" } else { "f" }),
            Some(Value::Number(number)) => {
                self.text("#");
                self.text(&number.to_string());
            }
            Some(Value::String(text)) => {
                self.text("s");
                self.text(text);
            }
            Some(Value::Blob(blob)) => {
                self.text("b");
                self.text(&blob.id.to_string());
            }
            Some(Value::Sensitive(_)) => self.text("*"),
            Some(Value::List(items)) => {
                self.text("[");
                items.iter().for_each(|item| self.value(Some(item)));
                self.text("]");
            }
            Some(Value::Map(map)) => {
                self.text("{");
                for (key, value) in map.iter() {
                    self.text(key);
                    self.value(Some(value));
                }
                self.text("}");
            }
        }
    }

    fn finish(self) -> String {
        self.0.finalize().iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }
}
