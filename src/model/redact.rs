//! The only form of a plan that views accept: values that no output may show are gone from it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::Serialize;

use super::{
    change::{Action, Change, Class, ThreeWay},
    digest::Digest,
    explain::{Cost, Explanation},
    ignore::{Effect, Ignored, Use},
    object::{Cause, External, FieldWriter, Origin, Person, Writer},
    plan::{Failure, Plan, Summary, TargetName, join_digests},
    record::Attempted,
    revision::{Commit, DeclaredBy, Revision},
    value::Value,
};
use crate::exit::Exit;

/// A plan without sensitive values. There is no way back from it.
#[derive(Clone, Debug)]
pub struct ShownPlan {
    /// For which target.
    pub target: TargetName,
    /// What Git declares.
    pub revision: Revision,
    /// What was applied last.
    pub base: Option<Revision>,
    /// When that was, RFC 3339, UTC.
    pub applied_at: Option<String>,
    /// An apply after that.
    pub attempted: Option<Attempted>,
    /// The differences, in address order.
    pub changes: Vec<ShownChange>,
    /// The counts.
    pub summary: Summary,
    /// Fields that programs own and that are not compared.
    pub external: External,
    /// What ignore rules did.
    pub ignored: Vec<Use>,
    /// Whether everything declared was read and compared.
    pub complete: bool,
    /// Whether nothing but guards and consent stands in the way of applying it.
    pub applyable: bool,
    /// Identity of the plan.
    pub digest: String,
    /// The answer.
    pub exit: Exit,
    /// Remarks.
    pub notes: Vec<String>,
    /// What was asked to be explained.
    pub explanations: Vec<Explanation>,
    /// What it took, where that is counted.
    pub cost: Option<Cost>,
    /// Why there is nothing else here: the target could not be planned.
    pub failure: Option<Failure>,
}

/// What several plans say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The answer of all of them.
    pub exit: Exit,
    /// Identity of all of them, as [`super::plan::digest_all`] says it.
    pub digest: String,
    /// The counts of all of them.
    pub summary: Summary,
    /// Whether every one of them is complete.
    pub complete: bool,
    /// Whether there is something to apply and nothing in the way of it.
    pub applyable: bool,
}

impl ShownPlan {
    /// Whether something stands in the way of applying it that consent cannot remove.
    pub fn blocked(&self) -> bool {
        self.revision.merged || self.failure.is_some() || self.changes.iter().any(ShownChange::blocks)
    }

    /// The changes that keep the plan from being applied and are not among [`ShownPlan::dangers`].
    pub fn blockers(&self) -> Vec<&ShownChange> {
        let harmless = |change: &&ShownChange| {
            !matches!(change.action, Action::Delete | Action::Replace | Action::Adopt)
        };
        self.changes.iter().filter(|change| change.blocks()).filter(harmless).collect()
    }

    /// What would be gone or overwritten, the most dangerous first, then by address.
    pub fn dangers(&self) -> Vec<&ShownChange> {
        let rank = |change: &&ShownChange| match change.action {
            Action::Delete => 0,
            Action::Replace => 1,
            Action::Adopt => 2,
            Action::Keep | Action::Create | Action::Update | Action::Claim | Action::Release => 3,
        };
        let mut found: Vec<_> = self.changes.iter().filter(|change| rank(change) < 3).collect();
        found.sort_by_key(rank);
        found
    }
}

/// Adds plans up. The answer follows the rules of [`super::plan::answer`].
pub fn totals<'a>(plans: impl IntoIterator<Item = &'a ShownPlan>) -> Totals {
    let mut sum = Totals {
        exit: Exit::InSync,
        digest: String::new(),
        summary: Summary::default(),
        complete: true,
        applyable: false,
    };
    let (mut blocked, mut digests, mut failed) = (false, Vec::new(), None);
    for plan in plans {
        sum.exit = either(sum.exit, plan.exit);
        sum.summary += plan.summary;
        sum.complete &= plan.complete;
        sum.applyable |= plan.applyable;
        blocked |= plan.blocked();
        digests.push(plan.digest.clone());
        failed = failed.or(plan.failure.as_ref().map(|failure| failure.result));
    }
    // Nothing is known of such a target, so nothing is the answer of all.
    sum.exit = failed.unwrap_or(sum.exit);
    sum.applyable &= !blocked;
    sum.digest = join_digests(digests);
    sum
}

/// The answer of two plans together.
fn either(one: Exit, other: Exit) -> Exit {
    use Exit::{BadDesired, Conflict, Drift, DriftAndPending, InSync, Pending};
    match (one, other) {
        (BadDesired, _) | (_, BadDesired) => BadDesired,
        (Conflict, _) | (_, Conflict) => Conflict,
        (DriftAndPending, _) | (_, DriftAndPending) | (Drift, Pending) | (Pending, Drift) => DriftAndPending,
        (Drift, _) | (_, Drift) => Drift,
        (Pending, _) | (_, Pending) => Pending,
        (InSync, other) => other,
        (fault, _) => fault,
    }
}

/// One difference without sensitive values.
#[derive(Clone, Debug)]
pub struct ShownChange {
    /// Which object, as [`super::address::Address`] prints it.
    pub address: String,
    /// What apply would do.
    pub action: Action,
    /// The worst class of its fields.
    pub class: Class,
    /// A part of it drifted.
    pub drifted: bool,
    /// A part of it is pending.
    pub pending: bool,
    /// Where it is declared.
    pub origin: Option<Origin>,
    /// The fields that differ.
    pub fields: Vec<ShownField>,
    /// The object as the target has it; `None` if it does not.
    pub before: Option<Shown>,
    /// The object as apply would leave it; `None` if it would be gone.
    pub after: Option<Shown>,
    /// Who changed it in the target.
    pub writer: Option<Writer>,
    /// Who was behind it, where a log was given.
    pub persons: Vec<Person>,
    /// The commits that explain what is pending, newest first.
    pub commits: Vec<Commit>,
    /// Why it is unknown.
    pub unknown: Option<(Cause, String)>,
    /// How many objects that nobody declared go with it if it is deleted.
    pub cascade: usize,
    /// How many fields each ignore rule hides.
    pub ignored: Vec<(Arc<str>, usize)>,
    /// Remarks.
    pub notes: Vec<String>,
}

impl ShownChange {
    /// Whether apply leaves it as it is.
    pub fn is_kept(&self) -> bool {
        self.action == Action::Keep
    }

    /// Whether it keeps the plan from being applied.
    pub fn blocks(&self) -> bool {
        matches!(self.class, Class::Conflict | Class::Unknown)
    }
}

/// One field without sensitive values.
#[derive(Clone, Debug, Serialize)]
pub struct ShownField {
    /// Where, as a JSON pointer, with line numbers for a hunk of a text.
    pub path: String,
    /// What separates the sides.
    pub class: Class,
    /// The line of its declaration in the file that declares the object, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Which commit that line is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_by: Option<DeclaredBy>,
    /// Who wrote it in the target last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer: Option<FieldWriter>,
    /// The values.
    #[serde(flatten)]
    pub sides: ShownSides,
}

/// The three values of a field; a side that lacks it is left out.
#[derive(Clone, Debug, Serialize)]
pub struct ShownSides {
    /// What was applied last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Shown>,
    /// What Git declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<Shown>,
    /// What the target holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Shown>,
}

/// A value that may be shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// A scalar, a list or null, as JSON has it.
    Plain(serde_json::Value),
    /// Named fields in key order.
    Map(Vec<(Arc<str>, Shown)>),
    /// Items in order.
    List(Vec<Shown>),
    /// Content of a file.
    Content {
        /// Git's blob id.
        id: Digest,
        /// Length in bytes, where known.
        size: Option<u64>,
        /// The content, if it was loaded.
        bytes: Option<Arc<[u8]>>,
    },
    /// Something that must not be shown. Equal values of one plan have equal numbers.
    Hidden(usize),
}

impl Serialize for Shown {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        match self {
            Shown::Plain(value) => value.serialize(serializer),
            Shown::Map(fields) => serializer.collect_map(fields.iter().map(|(key, value)| (key, value))),
            Shown::List(items) => serializer.collect_seq(items),
            Shown::Content { id, size, .. } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("blob", id)?;
                if let Some(size) = size {
                    map.serialize_entry("size", size)?;
                }
                map.end()
            }
            Shown::Hidden(number) => serializer.collect_str(&format_args!("(sensitive) #{number}")),
        }
    }
}

impl Shown {
    /// The field `key` of a mapping.
    pub fn get(&self, key: &str) -> Option<&Shown> {
        match self {
            Shown::Map(fields) => fields.iter().find(|(name, _)| &**name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a plain string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Shown::Plain(serde_json::Value::String(text)) => Some(text),
            _ => None,
        }
    }
}

/// Takes everything out of `plan` that no output may show.
pub fn show(plan: &Plan) -> ShownPlan {
    let mut redactor = Redactor::default();
    ShownPlan {
        target: plan.target.clone(),
        revision: plan.revision.clone(),
        base: plan.base.clone(),
        applied_at: plan.applied_at.clone(),
        attempted: plan.attempted.clone(),
        changes: plan.changes.iter().map(|change| redactor.change(change)).collect(),
        summary: plan.summary(),
        external: plan.external.clone(),
        ignored: plan.ignored.clone(),
        complete: plan.complete,
        applyable: plan.applyable(),
        digest: plan.digest(),
        exit: plan.exit(),
        notes: plan.notes.clone(),
        explanations: plan.explanations.clone(),
        cost: plan.cost,
        failure: plan.failure.clone(),
    }
}

/// Numbers the hidden values of one plan.
#[derive(Default)]
struct Redactor {
    numbers: HashMap<String, usize>,
}

impl Redactor {
    fn change(&mut self, change: &Change) -> ShownChange {
        ShownChange {
            address: change.address.to_string(),
            action: change.action,
            class: change.class,
            drifted: change.drifted(),
            pending: change.pending(),
            origin: change.origin.clone(),
            fields: change
                .fields
                .iter()
                .map(|field| ShownField {
                    path: field.path.clone(),
                    class: field.class,
                    line: change.origin.as_ref().and_then(|origin| origin.line_of(&field.path)),
                    declared_by: field.declared_by.clone(),
                    writer: field.writer.clone(),
                    sides: self.sides(field.sides.as_ref()),
                })
                .collect(),
            before: change.sides.actual.as_ref().map(|value| self.value(value)),
            after: change.after.as_ref().map(|value| self.value(value)),
            writer: change.writer.clone(),
            persons: change.persons.clone(),
            commits: change.commits.clone(),
            unknown: change.unknown.clone(),
            cascade: change.cascade,
            ignored: hidden(&change.ignored),
            notes: change.notes.clone(),
        }
    }

    fn sides(&mut self, sides: ThreeWay<&Value>) -> ShownSides {
        let ThreeWay { base, desired, actual } = sides.map(|value| self.value(value));
        ShownSides { base, desired, actual }
    }

    fn value(&mut self, value: &Value) -> Shown {
        match value {
            Value::Null => Shown::Plain(serde_json::Value::Null),
            Value::Bool(flag) => Shown::Plain((*flag).into()),
            Value::Number(number) => Shown::Plain(number.clone().into()),
            Value::String(text) => Shown::Plain((&**text).into()),
            Value::List(items) => Shown::List(items.iter().map(|item| self.value(item)).collect()),
            Value::Map(map) => match value.items() {
                Some(items) => Shown::List(items.into_iter().map(|item| self.value(item)).collect()),
                None => Shown::Map(map.iter().map(|(key, value)| (key.clone(), self.value(value))).collect()),
            },
            Value::Blob(blob) => Shown::Content { id: blob.id, size: blob.size, bytes: blob.bytes.clone() },
            Value::Sensitive(inner) => Shown::Hidden(self.number(inner)),
        }
    }

    fn number(&mut self, hidden: &Value) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(identity(hidden)).or_insert(next)
    }
}

/// How many fields each rule hides.
fn hidden(ignored: &[Ignored]) -> Vec<(Arc<str>, usize)> {
    let mut counts = BTreeMap::<Arc<str>, usize>::new();
    for one in ignored.iter().filter(|one| one.effect == Effect::Hidden) {
        *counts.entry(one.rule.clone()).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// Tells hidden values apart, in memory only.
fn identity(value: &Value) -> String {
    match value {
        Value::Blob(blob) => blob.id.to_string(),
        Value::Sensitive(inner) => identity(inner),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{change::Field, digest::Algorithm, testing};

    fn secret(text: &str) -> Value {
        Value::Sensitive(Box::new(Value::string(text)))
    }

    fn plan(actual: &str, desired: &str) -> Plan {
        let sides = ThreeWay {
            base: Some(secret(actual)),
            desired: Some(secret(desired)),
            actual: Some(secret(actual)),
        };
        let field = Field::new("/password", Class::Pending, sides.clone());
        let mut change = testing::change("o", Action::Update, Class::Pending, sides);
        change.fields = vec![field];
        let mut plan = testing::plan(vec![change]);
        plan.revision.commit = Some(Digest::null(Algorithm::Sha1));
        plan
    }

    #[test]
    fn a_changed_secret_is_visible_and_its_value_is_not() {
        let shown = show(&plan("old-canary", "new-canary"));
        let field = serde_json::to_value(&shown.changes[0].fields[0]).unwrap();
        assert_eq!(field["actual"], "(sensitive) #1");
        assert_eq!(field["desired"], "(sensitive) #2");
        assert!(!format!("{shown:?}").contains("canary"));
    }

    #[test]
    fn lists_by_key_are_shown_as_the_lists_that_people_wrote() {
        let text = r#"{"env":{"[name=A]":{"name":"A"},"[name=B]":{"name":"B"},"(order)":["[name=B]","[name=A]"]},
            "finalizers":{"[a]":"a","[b]":"b"},"odd":{"[a]":"c"},"none":{}}"#;
        let shown = serde_json::to_string(&Redactor::default().value(&testing::value(text))).unwrap();
        assert_eq!(
            shown,
            r#"{"env":[{"name":"B"},{"name":"A"}],"finalizers":["a","b"],"none":{},"odd":{"[a]":"c"}}"#
        );
    }

    #[test]
    fn the_digest_of_a_plan_does_not_depend_on_a_secret() {
        assert_eq!(plan("a", "b").digest(), plan("c", "d").digest());
    }

    #[test]
    fn the_commit_stands_for_a_secret_in_the_digest() {
        let mut later = plan("a", "b");
        later.revision.commit = Some(Digest::from_bytes(&[1; 20]).unwrap());
        assert_ne!(plan("a", "b").digest(), later.digest());
    }
}
