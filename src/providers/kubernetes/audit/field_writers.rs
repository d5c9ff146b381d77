//! Who moved what, as far as `managedFields` tells.

use crate::{
    model::{
        change::ThreeWay,
        object::{FieldWriter, Writer},
        path::escape,
        value::Value,
    },
    providers::kubernetes::ownership::{
        fields::{Fields, ORDER},
        managed::{self, Entry, applied},
    },
};

/// How many fields are attributed one by one.
const LISTED: usize = 8;

/// What the name and the time of a writer mean.
const PRECISION: &str = "field manager, a program and no person; it last wrote one of its fields then";

/// The places that differ from what was applied, each with the last who wrote it.
pub fn owners<'a>(sides: &ThreeWay<Value>, live: &'a Value) -> Vec<(Vec<String>, Option<Entry<'a>>)> {
    let mut paths = Vec::new();
    // Without a base, what stands in the way of the declaration is of interest.
    let before = sides.base.as_ref().or(sides.desired.as_ref());
    moved(before, sides.actual.as_ref(), &mut Vec::new(), &mut paths);
    let entries: Vec<(Entry<'_>, Fields)> = managed::entries(live)
        .filter(|entry| !entry.is_by_us())
        .map(|entry| (entry, entry.fields()))
        .collect();
    let owner = |path: &[String]| {
        let owners = entries.iter().filter(|(_, fields)| owns(fields, path)).map(|(entry, _)| *entry);
        owners.max_by_key(|entry| entry.time)
    };
    paths.into_iter().map(|path| (path.clone(), owner(&path))).collect()
}

/// Who moved what differs from what was applied.
#[derive(Default)]
pub struct Writers {
    /// The last of them.
    pub last: Option<Writer>,
    /// All of them, by path.
    pub each: Vec<(String, FieldWriter)>,
    /// What others than the last wrote, as lines for a person, where it is known what was applied.
    pub notes: Vec<String>,
}

/// Who moved what differs from what was applied.
pub fn writers(sides: &ThreeWay<Value>, live: &Value) -> Writers {
    let owners = owners(sides, live);
    let mut last: Option<&Entry<'_>> = None;
    for owner in owners.iter().filter_map(|(_, owner)| owner.as_ref()) {
        if last.is_none_or(|last| last.time < owner.time) {
            last = Some(owner);
        }
    }
    // Where something drifted the last of them is named, and what it wrote goes without saying.
    let drifted =
        owners.iter().any(|(path, _)| at(sides.desired.as_ref(), path) != at(sides.actual.as_ref(), path));
    let last_said = last.filter(|_| drifted);
    let writing = |entry: &Entry<'_>| (entry.who(), entry.time.map(str::to_owned));
    let is_other = |owner: &Option<Entry<'_>>| {
        owner.as_ref().is_none_or(|owner| last_said.is_none_or(|last| writing(owner) != writing(last)))
    };
    let told = owners.iter().filter(|(_, owner)| sides.base.is_some() && is_other(owner));
    let line = |(path, owner): &(Vec<String>, Option<Entry<'_>>)| {
        format!("`{}`: {}", pointer(path), said(owner.as_ref(), path))
    };
    let mut notes: Vec<String> = told.map(line).collect();
    let more = notes.len().saturating_sub(LISTED);
    notes.truncate(LISTED);
    if more > 0 {
        notes.push(format!("and {more} more fields"));
    }
    let each = owners.iter().map(|(path, owner)| (pointer(path), field_writer(owner.as_ref(), path)));
    Writers { last: last.map(writer), each: each.collect(), notes }
}

fn at<'a>(whole: Option<&'a Value>, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(whole?, |at, step| at.get(step))
}

/// A path as plans print it.
pub fn pointer(path: &[String]) -> String {
    path.iter().map(|step| format!("/{}", escape(step))).collect()
}

fn field_writer(owner: Option<&Entry<'_>>, path: &[String]) -> FieldWriter {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    FieldWriter {
        manager: owner.and_then(|owner| some(owner.manager)),
        operation: owner.and_then(|owner| some(owner.operation)),
        subresource: owner.and_then(|owner| some(owner.subresource)),
        at: owner.and_then(|owner| owner.time.map(str::to_owned)),
        text: said(owner, path),
    }
}

fn writer(entry: &Entry<'_>) -> Writer {
    Writer { who: entry.who(), at: entry.time.map(str::to_owned), precision: PRECISION.to_owned() }
}

/// Who wrote a place, and when.
fn said(owner: Option<&Entry<'_>>, path: &[String]) -> String {
    match owner {
        Some(entry) => match entry.time {
            Some(time) => format!("{}, at or before {time}", entry.who()),
            None => format!("{}, at a time that the server does not keep", entry.who()),
        },
        None if path.last().is_some_and(|step| step == ORDER) => {
            "another order; the server does not keep who changes an order".to_owned()
        }
        None => "the server does not say who".to_owned(),
    }
}

/// Whether a set of fields names a path, or something below it, or the whole that it is in.
fn owns(fields: &Fields, path: &[String]) -> bool {
    let mut at = fields;
    for step in path {
        match at.get(step) {
            Some(below) => at = below,
            None => return false,
        }
    }
    true
}

/// The paths of the deepest places that differ.
fn moved(before: Option<&Value>, after: Option<&Value>, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Map(before)), Some(Value::Map(after))) => {
            let mut keys: Vec<_> = before.keys().chain(after.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                at.push(key.to_string());
                moved(before.get(key), after.get(key), at, found);
                at.pop();
            }
        }
        _ => found.push(at.clone()),
    }
}

/// What becomes of declarations that were removed: a line for each that stays.
pub fn removals(live: &Value, preview: &Value, after: &Value) -> Vec<String> {
    let (Some(was), Some(is)) = (applied(live), applied(preview)) else { return Vec::new() };
    let mut removed = was.fields();
    removed.subtract(&is.fields());
    let others: Vec<(Entry<'_>, Fields)> = managed::entries(preview)
        .filter(|entry| !entry.is_by_us())
        .map(|entry| (entry, entry.fields()))
        .collect();
    let mut lines = Vec::new();
    removed.each(&mut Vec::new(), &mut |path| {
        let stays = at(Some(after), path).is_some();
        let owner = others.iter().find(|(_, fields)| owns(fields, path)).map(|(entry, _)| entry);
        if let (true, Some(owner)) = (stays, owner) {
            lines.push(format!(
                "`{}` is not declared any more and stays: {} owns it too",
                pointer(path),
                owner.who()
            ));
        }
    });
    lines.truncate(LISTED);
    lines
}
