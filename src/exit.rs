//! The exit codes, the only place where their numbers stand.

use serde::{Deserialize, Serialize};

/// What a run answered, as the process tells it to scripts.
///
/// Codes 2 to 9 are answers, 1 and 64 to 78 are faults (the latter in the
/// ranges of BSD's `sysexits.h`), 130 and 143 follow the shells' `128 + signal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Exit {
    /// The target is as declared, or everything was applied.
    InSync = 0,
    /// Something failed that no other code names; never an answer.
    Error = 1,
    /// Git declares something that the target does not have yet.
    Pending = 2,
    /// The target moved away from what was applied.
    Drift = 3,
    /// Both, in different places.
    DriftAndPending = 4,
    /// Both, in the same place.
    Conflict = 5,
    /// The approved plan is not today's plan; nothing was written.
    StalePlan = 6,
    /// Some writes were made, some were not.
    Partial = 7,
    /// A guard refused.
    Refused = 8,
    /// Another run holds the lock.
    Locked = 9,
    /// The command line is wrong.
    Usage = 64,
    /// The desired state is wrong.
    BadDesired = 65,
    /// No such revision, path or target.
    NoInput = 66,
    /// The target cannot be reached.
    Unavailable = 69,
    /// The target refuses access.
    NoPermission = 77,
    /// The configuration is wrong.
    BadConfig = 78,
    /// Interrupted by SIGINT.
    Interrupted = 130,
    /// Terminated by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Every code with the word that JSON uses for it, in the order of the documentation.
    pub const ALL: [(Exit, &'static str, &'static str); 18] = [
        (Exit::InSync, "in-sync", "in sync, or everything was applied"),
        (Exit::Error, "error", "an error; never an answer"),
        (Exit::Pending, "pending", "Git declares changes that are not applied"),
        (Exit::Drift, "drift", "the target moved away from what was applied"),
        (Exit::DriftAndPending, "drift-and-pending", "drift and pending changes, in different places"),
        (Exit::Conflict, "conflict", "drift and pending changes in the same place"),
        (Exit::StalePlan, "stale-plan", "the approved plan is stale, nothing was written"),
        (Exit::Partial, "partial", "applied in part"),
        (Exit::Refused, "refused", "refused by a guard"),
        (Exit::Locked, "locked", "locked by another run"),
        (Exit::Usage, "usage", "wrong command line"),
        (Exit::BadDesired, "bad-desired", "wrong desired state"),
        (Exit::NoInput, "no-input", "no such revision, path or target"),
        (Exit::Unavailable, "unavailable", "the target is unavailable"),
        (Exit::NoPermission, "no-permission", "the target refuses access"),
        (Exit::BadConfig, "bad-config", "wrong configuration"),
        (Exit::Interrupted, "interrupted", "interrupted (SIGINT)"),
        (Exit::Terminated, "terminated", "terminated (SIGTERM)"),
    ];

    /// The number that the process returns.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The same answer as a word, as the JSON result carries it.
    pub fn word(self) -> &'static str {
        self.words().0
    }

    /// What it says, as the documentation has it.
    pub fn meaning(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        let found = Self::ALL.iter().find(|(exit, ..)| *exit == self);
        found.map_or(("error", "an error"), |(_, word, meaning)| (word, meaning))
    }

    /// Folds every answer that holds drift into 3, as `drift` answers.
    pub fn as_drift(self) -> Exit {
        match self {
            Exit::DriftAndPending | Exit::Conflict => Exit::Drift,
            other => other,
        }
    }

    /// Turns the answers 2 to 5 into 0 and nothing else (`--exit-zero`).
    pub fn zeroed(self) -> Exit {
        match self {
            Exit::Pending | Exit::Drift | Exit::DriftAndPending | Exit::Conflict => Exit::InSync,
            other => other,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn exit_zero_folds_the_four_answers_and_nothing_else() {
        let folded: Vec<u8> = Exit::ALL
            .iter()
            .filter(|(exit, ..)| exit.zeroed() != *exit)
            .map(|(exit, ..)| exit.code())
            .collect();
        assert_eq!(folded, [2, 3, 4, 5]);
    }

    #[test]
    fn every_word_is_the_serialized_name() {
        for (exit, word, _) in Exit::ALL {
            assert_eq!(serde_json::to_value(exit).unwrap(), word);
        }
    }
}
