//! `trueup.log/v1`: the answer of `log`.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::writer::write;
use crate::{
    exit::Exit,
    model::{
        plan::TargetName,
        record::HistoryEntry,
        revision::{Commit, Revision},
    },
    output::{Log, Logs, Missing},
};

/// The version of [`Document`].
pub const SCHEMA: &str = "trueup.log/v1";

/// The past of targets.
#[derive(Serialize, JsonSchema)]
pub struct Document<'a> {
    /// Always `trueup.log/v1`.
    schema: &'a str,
    /// The answer as a word.
    result: Exit,
    /// The answer as the exit code.
    exit: u8,
    /// Every target.
    targets: Vec<LogEntry<'a>>,
}

/// The past of one target.
#[derive(Serialize, JsonSchema)]
struct LogEntry<'a> {
    /// Which target.
    target: &'a TargetName,
    /// Its applies, newest first.
    applies: &'a [HistoryEntry],
    /// With `--missing`: what was merged and never applied.
    missing: Option<MissingEntry<'a>>,
}

/// Commits that were never applied.
#[derive(Serialize, JsonSchema)]
struct MissingEntry<'a> {
    /// The branch that they are on.
    revision: &'a Revision,
    /// What was applied last.
    base: Option<&'a Revision>,
    /// The commits, newest first.
    commits: &'a [Commit],
}

/// Writes past applies.
///
/// # Errors
/// `out` refused.
pub fn logs(logs: &Logs<'_>, out: &mut dyn Write) -> io::Result<()> {
    let targets = logs.targets.iter().map(entry).collect();
    write(&Document { schema: SCHEMA, result: logs.exit, exit: logs.exit.code(), targets }, out)
}

fn entry<'a>(log: &'a Log) -> LogEntry<'a> {
    let missing = |missing: &'a Missing| {
        let Missing { revision, base, commits } = missing;
        MissingEntry { revision, base: base.as_ref(), commits }
    };
    LogEntry { target: &log.target, applies: &log.applies, missing: log.missing.as_ref().map(missing) }
}
