//! `trueup.apply/v1`: the answer of `apply`.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    plan::{Head, Target, head, target},
    writer::write,
};
use crate::{
    exit::Exit,
    model::{
        change::{Action, Class},
        report::{Outcome, Verdict},
    },
    output::{Applied, Reports},
};

/// The version of [`Document`].
pub const SCHEMA: &str = "trueup.apply/v1";

/// What an apply did. The keys that a plan has too say what was to be done;
/// `result` and `exit` say how it ended.
#[derive(Serialize, JsonSchema)]
pub struct Document<'a> {
    /// Always `trueup.apply/v1`.
    schema: &'a str,
    #[serde(flatten)]
    head: Head<'a>,
    /// Whether something was, or may have been, written and something else was not.
    partial: bool,
    /// Every target.
    targets: Vec<AppliedEntry<'a>>,
    /// How each change ended, by target, in the order of the plan.
    outcomes: Vec<OutcomeEntry<'a>>,
}

/// What an apply did with one target.
#[derive(Serialize, JsonSchema)]
struct AppliedEntry<'a> {
    /// What was to be done.
    plan: Target<'a>,
    /// How it ended, as a word.
    result: Exit,
    /// How it ended, as an exit code.
    exit: u8,
    /// Whether something was, or may have been, written and something else was not.
    partial: bool,
    /// The signal that ended it early.
    interrupted: Option<Exit>,
}

/// How one change ended.
#[derive(Serialize, JsonSchema)]
struct OutcomeEntry<'a> {
    /// Name of the target.
    target: &'a str,
    /// Which object.
    address: &'a str,
    /// What was to be done.
    action: Action,
    /// Why it differed.
    class: Class,
    /// How it ended.
    verdict: Verdict,
    /// What went wrong.
    error: Option<&'a str>,
}

/// Writes what an apply did.
///
/// # Errors
/// `out` refused.
pub fn reports(reports: &Reports<'_>, out: &mut dyn Write) -> io::Result<()> {
    let plans: Vec<_> = reports.targets.iter().map(|applied| &applied.plan).collect();
    let outcomes = reports.targets.iter().flat_map(|applied| {
        applied.report.outcomes.iter().map(|outcome| self::outcome(outcome, &applied.plan.target.name))
    });
    let partial =
        reports.exit == Exit::Partial || reports.targets.iter().any(|applied| applied.report.partial());
    let document = Document {
        schema: SCHEMA,
        head: head(&plans, reports.exit),
        partial,
        targets: reports.targets.iter().map(entry).collect(),
        outcomes: outcomes.collect(),
    };
    write(&document, out)
}

fn entry(applied: &Applied) -> AppliedEntry<'_> {
    let exit = applied.report.exit();
    AppliedEntry {
        plan: target(&applied.plan),
        result: exit,
        exit: exit.code(),
        partial: applied.report.partial(),
        interrupted: applied.report.interrupted,
    }
}

fn outcome<'a>(outcome: &'a Outcome, target: &'a str) -> OutcomeEntry<'a> {
    OutcomeEntry {
        target,
        address: outcome.address.as_str(),
        action: outcome.action,
        class: outcome.class,
        verdict: outcome.verdict,
        error: outcome.error.as_ref().map(|(_, reason)| reason.as_str()),
    }
}
