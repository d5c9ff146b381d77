//! `trueup.plan/v1`: the answer of `plan`, `diff` and `drift`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::writer::write;
use crate::{
    exit::Exit,
    model::{
        change::{Action, Class},
        digest::Digest,
        explain::Explanation,
        ignore::{From, Use},
        object::{Cause, FieldWriter, Person, Writer},
        plan::{Failure, Summary},
        record::Attempted,
        redact::{Shown, ShownChange, ShownField, ShownPlan, totals},
        revision::{Commit, DeclaredBy, Revision},
    },
    output::{PlanView, Plans},
};

/// The version of [`Document`].
pub const SCHEMA: &str = "trueup.plan/v1";

/// The differences between base, desired and actual. What belongs to one
/// target (`target`, `base`) stands at the top where there is one target, and
/// is null where there are several; `targets` has all of them.
#[derive(Serialize, JsonSchema)]
pub struct Document<'a> {
    /// Always `trueup.plan/v1`.
    schema: &'a str,
    #[serde(flatten)]
    head: Head<'a>,
    /// Every target.
    targets: Vec<Target<'a>>,
    /// The differences, by target and address.
    changes: Vec<ChangeEntry<'a>>,
    /// Remarks.
    notes: Vec<Note<'a>>,
    /// With `--explain`: why objects are as declared or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explanations: Vec<ExplanationEntry<'a>>,
}

/// The answer as a whole.
#[derive(Serialize, JsonSchema)]
pub struct Head<'a> {
    /// The answer as a word.
    result: Exit,
    /// The answer as the exit code, before `--exit-zero`.
    exit: u8,
    /// What Git declares; null where targets differ in it.
    revision: Option<&'a Revision>,
    /// What was applied last.
    base: Option<&'a Revision>,
    /// Name of the target.
    target: Option<&'a str>,
    /// The environment, if it has a name.
    environment: Option<&'a str>,
    /// The counts of all targets.
    summary: Summary,
    /// Identity of the plan, for several targets of all of them.
    digest: String,
    /// Whether nothing but guards and consent stands in the way of applying it.
    applyable: bool,
    /// Whether everything declared was read and compared.
    complete: bool,
}

/// The plan of one target.
#[derive(Serialize, JsonSchema)]
pub struct Target<'a> {
    /// Its name in trueup.yaml.
    name: &'a str,
    /// The environment, if it has a name.
    environment: Option<&'a str>,
    /// Its provider.
    provider: &'a str,
    /// What the provider calls it.
    id: &'a str,
    /// What Git declares.
    revision: &'a Revision,
    /// What was applied last.
    base: Option<&'a Revision>,
    /// When that was, RFC 3339, UTC.
    applied_at: Option<&'a str>,
    /// An apply after that, which did not bring the target to its revision as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempted: Option<&'a Attempted>,
    /// The answer as a word.
    result: Exit,
    /// The answer as an exit code.
    exit: u8,
    /// Identity of the plan.
    digest: &'a str,
    /// The counts.
    summary: Summary,
    /// Fields that programs own and that are not compared, counted.
    external: usize,
    /// Whose they are.
    external_managers: &'a BTreeSet<String>,
    /// What ignore rules did: those of trueup.yaml, and others that hid something.
    ignored: Vec<IgnoredBy<'a>>,
    /// Whether everything declared was read and compared.
    complete: bool,
    /// Whether nothing but guards and consent stands in the way of applying it.
    applyable: bool,
    /// How many requests were sent to it, those that had to be repeated counted once; absent where none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<usize>,
    /// Why there is nothing else here: the target could not be planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
}

/// What an ignore rule did.
#[derive(Serialize, JsonSchema)]
struct IgnoredBy<'a> {
    /// The rule.
    rule: &'a str,
    /// Where it is from.
    from: From,
    /// Why there is one.
    reason: &'a str,
    /// Its last day.
    expires: Option<&'a str>,
    /// How many objects have a place that it names.
    objects: usize,
    /// How many fields it hides.
    fields: usize,
}

/// One difference.
#[derive(Serialize, JsonSchema)]
struct ChangeEntry<'a> {
    /// Name of the target.
    target: &'a str,
    /// Which object.
    address: &'a str,
    /// What apply would do.
    action: Action,
    /// The worst class of its fields.
    class: Class,
    /// Whether a part of it drifted.
    drifted: bool,
    /// Whether a part of it is pending.
    pending: bool,
    /// Where it is declared.
    origin: Option<OriginEntry<'a>>,
    /// The fields that differ.
    fields: Vec<FieldEntry<'a>>,
    /// Who changed it in the target, as far as the target knows.
    writer: Option<&'a Writer>,
    /// Who was behind it, as the log of `--audit-log` tells.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    persons: &'a [Person],
    /// The commits that explain what is pending, newest first.
    commits: &'a [Commit],
    /// Remarks.
    notes: &'a [String],
    /// Why it is unknown.
    unknown: Option<&'a str>,
    /// The kind of that reason; `invalid` where the target refuses what is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// How many objects that nobody declared go with it; absent where none do.
    #[serde(skip_serializing_if = "is_none")]
    cascade: usize,
    /// How many fields each ignore rule hides.
    ignored: BTreeMap<&'a str, usize>,
}

/// Where an object is declared.
#[derive(Serialize, JsonSchema)]
struct OriginEntry<'a> {
    /// Path relative to the root of the checkout.
    file: &'a str,
    /// Line, counted from 1.
    line: Option<u32>,
    /// The commit in which it stands there; null for a work tree with changes.
    #[schemars(with = "Option<String>")]
    commit: Option<Digest>,
}

/// One field that differs. A side that lacks it is left out. Values that must
/// not be shown are `(sensitive) #N`, equal ones with equal numbers; content of
/// files is its blob id and size.
#[derive(Serialize, JsonSchema)]
pub(super) struct FieldEntry<'a> {
    /// Where, as a JSON pointer; a hunk of a text adds its lines: `/content:12-14`.
    path: &'a str,
    /// What separates the sides.
    class: Class,
    /// The line of its declaration in the file of `origin`, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// Which commit its declaration is from: `exact`; `at-or-before` the oldest commit that could be looked at; or none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_by: Option<&'a DeclaredBy>,
    /// Who wrote it in the target last, where it drifted and the target tells that field by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    writer: Option<&'a FieldWriter>,
    /// What was applied last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Value")]
    base: Option<&'a Shown>,
    /// What Git declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Value")]
    desired: Option<&'a Shown>,
    /// What the target holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Value")]
    actual: Option<&'a Shown>,
}

/// A remark on a target.
#[derive(Serialize, JsonSchema)]
struct Note<'a> {
    /// Name of the target.
    target: &'a str,
    /// The remark.
    text: &'a str,
}

/// Why an object of a target is as declared or not.
#[derive(Serialize, JsonSchema)]
struct ExplanationEntry<'a> {
    /// Name of the target.
    target: &'a str,
    #[serde(flatten)]
    explanation: &'a Explanation,
}

/// Writes plans.
///
/// # Errors
/// `out` refused.
pub fn plans(plans: &Plans<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<_> = plans.sheets.iter().map(|sheet: &PlanView| &sheet.plan).collect();
    let changes = all.iter().flat_map(|plan| plan.changes.iter().map(|change| entry(change, plan)));
    let notes =
        all.iter().flat_map(|plan| plan.notes.iter().map(|text| Note { target: &plan.target.name, text }));
    let explanations = all.iter().flat_map(|plan| {
        let entry = |explanation| ExplanationEntry { target: &plan.target.name, explanation };
        plan.explanations.iter().map(entry)
    });
    let document = Document {
        schema: SCHEMA,
        head: head(&all, plans.exit),
        targets: all.iter().map(|plan| target(plan)).collect(),
        changes: changes.collect(),
        notes: notes.collect(),
        explanations: explanations.collect(),
    };
    write(&document, out)
}

/// What `plans` say together.
pub fn head<'a>(plans: &[&'a ShownPlan], exit: Exit) -> Head<'a> {
    let sum = totals(plans.iter().copied());
    let single = match plans {
        [plan] => Some(*plan),
        _ => None,
    };
    let first = plans.first().copied();
    let revision = first.map(|plan| &plan.revision);
    let environment = first.and_then(|plan| plan.target.environment.as_deref());
    Head {
        result: exit,
        exit: exit.code(),
        revision: revision.filter(|revision| plans.iter().all(|plan| plan.revision == **revision)),
        base: single.and_then(|plan| plan.base.as_ref()),
        target: single.map(|plan| plan.target.name.as_str()),
        environment,
        summary: sum.summary,
        digest: sum.digest,
        applyable: sum.applyable,
        complete: sum.complete,
    }
}

/// The plan of one target without its changes.
pub fn target(plan: &ShownPlan) -> Target<'_> {
    Target {
        name: &plan.target.name,
        environment: plan.target.environment.as_deref(),
        provider: &plan.target.provider,
        id: &plan.target.id,
        revision: &plan.revision,
        base: plan.base.as_ref(),
        applied_at: plan.applied_at.as_deref(),
        attempted: plan.attempted.as_ref(),
        result: plan.exit,
        exit: plan.exit.code(),
        digest: &plan.digest,
        summary: plan.summary,
        external: plan.external.fields,
        external_managers: &plan.external.managers,
        ignored: plan.ignored.iter().filter_map(ignored_by).collect(),
        complete: plan.complete,
        applyable: plan.applyable,
        requests: plan.cost.map(|cost| cost.requests),
        failure: plan.failure.as_ref(),
    }
}

fn entry<'a>(change: &'a ShownChange, plan: &'a ShownPlan) -> ChangeEntry<'a> {
    let origin = change.origin.as_ref().map(|origin| OriginEntry {
        file: &origin.file,
        line: origin.line,
        commit: plan.revision.commit.filter(|_| !plan.revision.dirty && !plan.revision.merged),
    });
    ChangeEntry {
        target: &plan.target.name,
        address: &change.address,
        action: change.action,
        class: change.class,
        drifted: change.drifted,
        pending: change.pending,
        origin,
        fields: change.fields.iter().map(field).collect(),
        writer: change.writer.as_ref(),
        persons: &change.persons,
        commits: &change.commits,
        notes: &change.notes,
        unknown: change.unknown.as_ref().map(|(_, why)| why.as_str()),
        cause: change.unknown.as_ref().map(|(cause, _)| *cause),
        cascade: change.cascade,
        ignored: change.ignored.iter().map(|(rule, fields)| (&**rule, *fields)).collect(),
    }
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

fn ignored_by(found: &Use) -> Option<IgnoredBy<'_>> {
    let Use { rule, objects, fields } = found;
    let said = *fields > 0 || matches!(rule.from, From::Environment | From::Target);
    said.then(|| IgnoredBy {
        rule: &rule.id,
        from: rule.from,
        reason: &rule.reason,
        expires: rule.expires.as_deref(),
        objects: *objects,
        fields: *fields,
    })
}

pub(super) fn field(field: &ShownField) -> FieldEntry<'_> {
    let sides = &field.sides;
    FieldEntry {
        path: &field.path,
        class: field.class,
        line: field.line,
        declared_by: field.declared_by.as_ref(),
        writer: field.writer.as_ref(),
        base: sides.base.as_ref(),
        desired: sides.desired.as_ref(),
        actual: sides.actual.as_ref(),
    }
}
