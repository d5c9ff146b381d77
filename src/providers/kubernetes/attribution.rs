//! Who moved what, as far as `managedFields` tells.

use super::{
    fields::{Fields, ORDER},
    managed::{self, Entry, applied},
};
use crate::model::{change::Sides, object::Writer, value::Value};

/// How many fields are attributed one by one.
const LISTED: usize = 8;

/// What the name and the time of a writer mean.
const PRECISION: &str = "field manager, a program and no person; it last wrote one of its fields then";

/// The places that differ from what was applied, each with the last who wrote it.
pub(super) fn owners<'a>(sides: &Sides<Value>, live: &'a Value) -> Vec<(Vec<String>, Option<Entry<'a>>)> {
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

/// Who moved what differs from what was applied: the last of them, and a line for each field.
pub(super) fn writers(sides: &Sides<Value>, live: &Value) -> (Option<Writer>, Vec<String>) {
    let owners = owners(sides, live);
    let mut last: Option<&Entry<'_>> = None;
    for owner in owners.iter().filter_map(|(_, owner)| owner.as_ref()) {
        if last.is_none_or(|last| last.time < owner.time) {
            last = Some(owner);
        }
    }
    let told = owners.iter().filter(|_| sides.base.is_some());
    let mut lines: Vec<String> =
        told.map(|(path, owner)| format!("`/{}`: {}", path.join("/"), said(owner.as_ref(), path))).collect();
    let more = lines.len().saturating_sub(LISTED);
    lines.truncate(LISTED);
    if more > 0 {
        lines.push(format!("and {more} more fields"));
    }
    (last.map(writer), lines)
}

fn writer(entry: &Entry<'_>) -> Writer {
    Writer { who: who(entry), at: entry.time.map(str::to_owned), precision: PRECISION.to_owned() }
}

fn who(entry: &Entry<'_>) -> String {
    match entry.subresource {
        "" => entry.manager.to_owned(),
        subresource => format!("{} ({subresource})", entry.manager),
    }
}

/// Who wrote a place, and when.
pub(super) fn said(owner: Option<&Entry<'_>>, path: &[String]) -> String {
    match owner {
        Some(entry) => match entry.time {
            Some(time) => format!("{}, at or before {time}", who(entry)),
            None => format!("{}, at a time that the server does not keep", who(entry)),
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
pub(super) fn removals(live: &Value, preview: &Value, after: &Value) -> Vec<String> {
    let (Some(was), Some(is)) = (applied(live), applied(preview)) else { return Vec::new() };
    let mut removed = was.fields();
    removed.subtract(&is.fields());
    let others: Vec<(Entry<'_>, Fields)> = managed::entries(preview)
        .filter(|entry| !entry.is_by_us())
        .map(|entry| (entry, entry.fields()))
        .collect();
    let mut lines = Vec::new();
    removed.each(&mut Vec::new(), &mut |path| {
        let stays = path.iter().try_fold(after, |at, step| at.get(step)).is_some();
        let owner = others.iter().find(|(_, fields)| owns(fields, path)).map(|(entry, _)| entry);
        if let (true, Some(owner)) = (stays, owner) {
            lines.push(format!(
                "`/{}` is not declared any more and stays: {} owns it too",
                path.join("/"),
                who(owner)
            ));
        }
    });
    lines.truncate(LISTED);
    lines
}
