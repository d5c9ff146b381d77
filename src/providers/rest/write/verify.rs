//! What the server made of a write, held against what was written.

use std::fmt;

use serde_json::Value as Json;

use super::write_error::Trouble;
use crate::{
    model::{change::Change, report::Verdict},
    providers::rest::{
        client::{json, session::Session},
        compare::projection::Projection,
        declare::address::Place,
        definition::{Field, Kind},
        read::collection_reader::Found,
    },
};

/// Holds what the server has now against what was written.
///
/// # Errors
/// It is something else: `accepted, but different`, field by field.
pub fn verify(
    session: &Session,
    change: &Change,
    place: &Place,
    found: Option<&Found>,
) -> Result<(), Trouble> {
    let Some(kind) = session.definition().kind(&place.kind) else { return Ok(()) };
    let failed = |what: &str| Err(Trouble::new(Verdict::Failed, what));
    let unknown = |why: &str| {
        Err(Trouble::new(Verdict::Uncertain, format!("it was written, but reading it back failed: {why}")))
    };
    match (found, &change.after) {
        (Some(Found::Absent | Found::NoParent) | None, None) => Ok(()),
        (Some(Found::Here(_)), None) => failed("it was deleted, and is still there"),
        (Some(Found::Absent | Found::NoParent), Some(_)) => failed("it was written, and is not there"),
        (Some(Found::Unknown(failure)), _) => unknown(&failure.message),
        (None, Some(_)) => unknown("nothing was answered"),
        (Some(Found::Here(raw)), Some(after)) => {
            let shape = json::from_model(after);
            let now = session.projected(&Projection::of(kind), raw, &shape, Some(&shape));
            if now == *after {
                return Ok(());
            }
            let differences = differences(kind, &json::from_model(&now), &shape);
            let words: Vec<String> = differences.iter().map(Difference::to_string).collect();
            let message =
                format!("the server accepted it, but has something different: {}", words.join(", "));
            let differs = differences.into_iter().map(|one| (one.pointer, one.now.unwrap_or(Json::Null)));
            Err(Trouble { differs: differs.collect(), ..Trouble::new(Verdict::Different, message) })
        }
    }
}

/// A field in which what the server has is not what was written.
struct Difference {
    pointer: String,
    now: Option<Json>,
    written: Json,
    /// Whether no text may show the values.
    hidden: bool,
    about: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { pointer, now, written, hidden, about } = self;
        let about = about.as_ref().map_or_else(String::new, |about| format!(" ({about})"));
        match now {
            _ if *hidden => write!(f, "`{pointer}`"),
            Some(has) => write!(f, "`{pointer}` is {has}, not {written}{about}"),
            None => write!(f, "`{pointer}` is not there"),
        }
    }
}

/// The fields in which what the server has is not what was written.
fn differences(kind: &Kind, now: &Json, written: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&Projection::of(kind), Some(now), written, &mut Vec::new(), &mut found);
    found
}

fn compare(
    form: &Projection<'_>,
    now: Option<&Json>,
    written: &Json,
    path: &mut Vec<String>,
    found: &mut Vec<Difference>,
) {
    if now == Some(written) {
        return;
    }
    let divided = form.is_divided(path);
    if let (Json::Object(fields), true) = (written, divided) {
        for (key, wanted) in fields {
            path.push(key.clone());
            compare(form, now.and_then(|now| now.get(key)), wanted, path, found);
            path.pop();
        }
        return;
    }
    let field = form.field(path);
    found.push(Difference {
        pointer: json::pointer(path),
        now: now.cloned(),
        written: written.clone(),
        hidden: divided || field.is_some_and(Field::is_hidden),
        about: field.and_then(|field| field.about.clone()),
    });
}
