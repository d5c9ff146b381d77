//! What commands hand over to be shown.

use std::collections::BTreeMap;

use super::{human, style::Paint};
use crate::{
    exit::Exit,
    model::{
        diff_style::DiffStyle,
        explain::Explanation,
        object::Origin,
        plan::TargetName,
        record::HistoryEntry,
        redact::{ShownChange, ShownPlan},
        report::Report,
        revision::{Commit, Revision},
    },
};

/// Which command shows plans; it decides words, not content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `plan`
    Plan,
    /// `diff`
    Diff,
    /// `drift`
    Drift,
    /// `apply`, before it asks.
    Apply,
}

/// One plan, and how its objects look in a diff.
#[derive(Clone, Debug)]
pub struct PlanView {
    /// The plan.
    pub plan: ShownPlan,
    /// How its objects look.
    pub form: DiffStyle,
}

/// What chose the objects of a plan, to be typed again.
#[derive(Clone, Debug, Default)]
pub struct SelectionArgs {
    /// `--ref`
    pub reference: Option<String>,
    /// `--only`
    pub only: Vec<String>,
}

/// The answer of `plan`, `diff` and `drift`, and what `apply` shows first.
#[derive(Clone, Copy, Debug)]
pub struct Plans<'a> {
    /// Which command.
    pub verb: Verb,
    /// One plan for each target.
    pub sheets: &'a [PlanView],
    /// The answer of all of them, before `--exit-zero`.
    pub exit: Exit,
    /// What chose the objects.
    pub given: &'a SelectionArgs,
    /// The plan that [`Format::Plan`](super::Format::Plan) writes, as [`crate::model::saved`] made it.
    pub saved: Option<&'a str>,
}

impl Plans<'_> {
    /// How many targets could not be planned.
    pub fn failures(&self) -> usize {
        self.sheets.iter().filter(|sheet| sheet.plan.failure.is_some()).count()
    }
}

/// What an apply did with one target.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What was to be done.
    pub plan: ShownPlan,
    /// What was done.
    pub report: Report,
}

/// The answer of `apply`.
#[derive(Clone, Copy, Debug)]
pub struct Reports<'a> {
    /// One for each target.
    pub targets: &'a [Applied],
    /// The answer of all of them.
    pub exit: Exit,
}

/// The past of one target.
#[derive(Clone, Debug)]
pub struct Log {
    /// Which target.
    pub target: TargetName,
    /// Its applies, newest first.
    pub applies: Vec<HistoryEntry>,
    /// For `log --missing`: what was merged into the branch and never applied.
    pub missing: Option<Missing>,
}

/// Commits that were never applied.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The branch that they are on.
    pub revision: Revision,
    /// What was applied last.
    pub base: Option<Revision>,
    /// The commits, newest first.
    pub commits: Vec<Commit>,
}

/// The answer of `log`.
#[derive(Clone, Copy, Debug)]
pub struct Logs<'a> {
    /// One for each target.
    pub targets: &'a [Log],
    /// The answer of the command.
    pub exit: Exit,
}

/// What is known of one object, or of a place in it.
#[derive(Clone, Debug)]
pub struct Why {
    /// In which target.
    pub target: TargetName,
    /// The revision that was looked at.
    pub revision: Revision,
    /// The place, as a JSON pointer.
    pub path: Option<String>,
    /// Where the object is declared.
    pub origin: Option<Origin>,
    /// The commits that changed what is declared there, newest first.
    pub commits: Vec<Commit>,
    /// The applies that did something with the object, newest first, with that and nothing else.
    pub applies: Vec<HistoryEntry>,
    /// Why it is as it is now.
    pub explanation: Explanation,
    /// What differs now.
    pub change: Option<ShownChange>,
}

/// The answer of `why`.
#[derive(Clone, Copy, Debug)]
pub struct Whys<'a> {
    /// One for each target that knows the object.
    pub answers: &'a [Why],
}

/// One provider, for `providers`.
#[derive(Clone, Debug)]
pub struct ProviderInfo {
    /// The word after `provider:`.
    pub name: String,
    /// What it manages, in one line.
    pub about: String,
    /// JSON Schema of its own keys in a target.
    pub schema: serde_json::Value,
    /// Its built-in ignore rules: id and reason.
    pub rules: Vec<(String, String)>,
    /// What it was tried with, where a definition describes it.
    pub tested_with: Vec<String>,
    /// What can be declared, where a definition says so.
    pub kinds: Vec<KindInfo>,
}

/// One kind of object of a provider.
#[derive(Clone, Debug)]
pub struct KindInfo {
    /// Its name in declarations.
    pub name: String,
    /// What it is.
    pub about: String,
    /// What names the scope that it lives in, from the outside in.
    pub scope: Vec<String>,
    /// What tells two of them apart.
    pub identity: Vec<String>,
    /// What is lost when one is deleted, if that is not little.
    pub risk: Option<String>,
    /// The fields that can be declared, by pointer, with what is special about each.
    pub fields: BTreeMap<String, String>,
}

/// The answer of `providers`.
#[derive(Clone, Copy, Debug)]
pub struct Providers<'a> {
    /// The providers.
    pub providers: &'a [ProviderInfo],
    /// How much is said of each.
    pub explain: Explain,
}

/// How much is said of a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Explain {
    /// Its name and what it manages.
    #[default]
    Names,
    /// And the keys that it takes, and what can be declared.
    Keys,
}

/// An error as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What lies behind it, the nearest first.
    pub causes: Vec<String>,
    /// What to type or change instead.
    pub hint: Option<String>,
}

impl Problem {
    /// The lines that say it: `error:`, `caused by:`, `hint:`.
    pub fn render(&self, paint: Paint) -> String {
        human::problem(self, paint)
    }
}
