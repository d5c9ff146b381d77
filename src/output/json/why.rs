//! `trueup.why/v1`: the answer of `why`.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::{plan::FieldEntry, writer::write};
use crate::{
    model::{
        explain::Explanation,
        object::{Origin, Person},
        plan::TargetName,
        record::HistoryEntry,
        revision::{Commit, Revision},
    },
    output::{Why, Whys},
};

/// The version of [`Document`].
pub const SCHEMA: &str = "trueup.why/v1";

/// What is known of one object or of a place in it.
#[derive(Serialize, JsonSchema)]
pub struct Document<'a> {
    /// Always `trueup.why/v1`.
    schema: &'a str,
    /// One for each target that knows the object.
    answers: Vec<Answer<'a>>,
}

/// What one target, its record and Git know.
#[derive(Serialize, JsonSchema)]
struct Answer<'a> {
    /// Which target.
    target: &'a TargetName,
    /// The revision that was looked at.
    revision: &'a Revision,
    /// The place, as a JSON pointer; null for the object as a whole.
    path: Option<&'a str>,
    /// Where the object is declared.
    origin: Option<&'a Origin>,
    /// The commits that changed what is declared there, newest first.
    commits: &'a [Commit],
    /// The applies that did something with the object, newest first, with what they did with it.
    applies: &'a [HistoryEntry],
    /// What differs now.
    fields: Vec<FieldEntry<'a>>,
    /// Who was behind it, as the log of `--audit-log` tells.
    persons: &'a [Person],
    #[serde(flatten)]
    explanation: &'a Explanation,
}

/// Writes what is known of a place.
///
/// # Errors
/// `out` refused.
pub fn whys(whys: &Whys<'_>, out: &mut dyn Write) -> io::Result<()> {
    write(&Document { schema: SCHEMA, answers: whys.answers.iter().map(answer).collect() }, out)
}

fn answer(why: &Why) -> Answer<'_> {
    let change = why.change.as_ref();
    Answer {
        target: &why.target,
        revision: &why.revision,
        path: why.path.as_deref(),
        origin: why.origin.as_ref(),
        commits: &why.commits,
        applies: &why.applies,
        fields: change.iter().flat_map(|change| change.fields.iter().map(super::plan::field)).collect(),
        persons: change.map_or(&[], |change| &change.persons),
        explanation: &why.explanation,
    }
}
