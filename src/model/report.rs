//! What an apply did.

use serde::{Deserialize, Serialize};

use super::{
    address::Address,
    change::{Action, Change, Class},
    object::Cause,
};
use crate::exit::Exit;

/// How one change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Written and read back.
    Done,
    /// Written, and not ready in time.
    Unready,
    /// Written, and the target has something else than what was written.
    Different,
    /// Deleted to be made anew, and not made.
    Gone,
    /// Refused by the target.
    Failed,
    /// The object was not what the plan saw; it was left alone.
    Stale,
    /// Not tried: an earlier failure or a signal came first.
    NotAttempted,
    /// It cannot be told whether the write took place.
    Uncertain,
    /// Left as it is because the command line said so (`--keep`, `--only-drift`).
    Skipped,
}

impl Verdict {
    /// Every verdict, the good ones first.
    pub const ALL: [Verdict; 9] = [
        Verdict::Done,
        Verdict::Skipped,
        Verdict::NotAttempted,
        Verdict::Stale,
        Verdict::Uncertain,
        Verdict::Unready,
        Verdict::Different,
        Verdict::Gone,
        Verdict::Failed,
    ];

    /// Whether it certainly was written.
    pub fn is_written(self) -> bool {
        matches!(self, Verdict::Done | Verdict::Unready | Verdict::Different)
    }

    /// The words used in every text.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Done => "done",
            Verdict::Unready => "not ready",
            Verdict::Different => "different",
            Verdict::Gone => "gone",
            Verdict::Failed => "failed",
            Verdict::Stale => "stale",
            Verdict::NotAttempted => "not attempted",
            Verdict::Uncertain => "uncertain",
            Verdict::Skipped => "skipped",
        }
    }
}

/// What kind of failure it was, where the exit code depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The target refuses access.
    NoPermission,
    /// The target does not answer any more.
    Unavailable,
    /// Another run has the lock.
    Locked,
    /// What Git declares is invalid there.
    Invalid,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// The kind of something that could not be read.
    pub fn of(cause: Cause) -> FailureKind {
        match cause {
            Cause::NoPermission => FailureKind::NoPermission,
            Cause::Unavailable => FailureKind::Unavailable,
            Cause::Invalid => FailureKind::Invalid,
            Cause::Other => FailureKind::Other,
        }
    }
}

/// How one change ended, and why.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which object.
    pub address: Address,
    /// What was to be done.
    pub action: Action,
    /// Why it differed.
    pub class: Class,
    /// How it ended.
    pub verdict: Verdict,
    /// What went wrong.
    pub error: Option<(FailureKind, String)>,
}

impl Outcome {
    /// A change that was made.
    pub fn done(change: &Change) -> Outcome {
        let Change { address, action, class, .. } = change;
        Outcome {
            address: address.clone(),
            action: *action,
            class: *class,
            verdict: Verdict::Done,
            error: None,
        }
    }
}

/// What an apply did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One for each change of the plan, in plan order.
    pub outcomes: Vec<Outcome>,
    /// The signal that ended it early.
    pub interrupted: Option<Exit>,
}

impl Report {
    /// How many changes ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.verdict == verdict).count()
    }

    /// Whether something was, or may have been, written and something else was not.
    pub fn partial(&self) -> bool {
        self.wrote() && self.exit() != Exit::InSync
    }

    /// Whether something was, or may have been, written.
    fn wrote(&self) -> bool {
        let may_be =
            |verdict: Verdict| verdict.is_written() || matches!(verdict, Verdict::Uncertain | Verdict::Gone);
        self.outcomes.iter().any(|outcome| may_be(outcome.verdict))
    }

    /// The answer of the apply: interrupted, applied, stale, in part, or failed as a whole.
    pub fn exit(&self) -> Exit {
        if let Some(signal) = self.interrupted {
            return signal;
        }
        let wrong = self
            .outcomes
            .iter()
            .filter(|outcome| !matches!(outcome.verdict, Verdict::Done | Verdict::Skipped));
        match wrong.clone().count() {
            0 => Exit::InSync,
            _ if self.wrote() => Exit::Partial,
            _ if self.count(Verdict::Stale) > 0 => Exit::StalePlan,
            _ => wrong
                .filter_map(|outcome| outcome.error.as_ref())
                .map(|(kind, _)| match kind {
                    FailureKind::NoPermission => Exit::NoPermission,
                    FailureKind::Unavailable => Exit::Unavailable,
                    FailureKind::Locked => Exit::Locked,
                    FailureKind::Invalid => Exit::BadDesired,
                    FailureKind::Other => Exit::Error,
                })
                .next()
                .unwrap_or(Exit::Error),
        }
    }
}
