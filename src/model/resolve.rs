//! One object put together from its three sides, place by place: what is written, or taken into Git.

use super::{
    change::{Class, ThreeWay},
    diff::{all, as_map, at, hunk_path, keys, three_way},
    path::escape,
    text::{self, Hunk},
    value::{Blob, Map, Value},
};

/// Whether the field at a path stays as the target has it.
pub type Left<'a> = dyn Fn(&str) -> bool + 'a;

/// What to make of one place where the sides differ.
enum Pick {
    Base,
    Desired,
    Actual,
    /// Text of its own, put together from hunks.
    Text(String),
    /// There is no good answer.
    Refuse,
}

/// What the object would hold if its drift were undone and nothing else: base
/// where it drifted or is pending, the common value where both sides agree.
/// `None` if that cannot be told, as in a text that drifted and converged.
pub fn without_drift(sides: ThreeWay<&Value>, left: &Left<'_>) -> Option<Option<Value>> {
    resolve(sides, "", &|sides, path| match all(sides, Value::as_text).map(text::hunks) {
        _ if left(path) => Pick::Actual,
        Some(hunks) if hunks.iter().any(|hunk| left(&hunk_path(path, hunk))) => Pick::Actual,
        Some(hunks) if hunks.iter().any(|hunk| hunk.class == Class::Converged) => Pick::Refuse,
        _ => Pick::Base,
    })
}

/// What the object would hold as Git declares it, but for the fields that are left.
pub fn merge_except(sides: ThreeWay<&Value>, left: &Left<'_>) -> Option<Value> {
    let whole = resolve(sides, "", &|sides, path| match all(sides, Value::as_text) {
        _ if left(path) => Pick::Actual,
        Some(texts) if texts.base.is_some() => {
            let stays = |hunk: &Hunk| left(&hunk_path(path, hunk));
            merge_text(texts, &|hunk| Some(if stays(hunk) { From::Actual } else { From::Desired }))
        }
        _ => Pick::Desired,
    });
    whole.unwrap_or_else(|| sides.desired.cloned())
}

/// What Git should declare to take in the drift and keep what is pending:
/// the target's value where it drifted, Git's where that moved. `None` where both moved in one place.
pub fn with_drift(sides: ThreeWay<&Value>) -> Option<Option<Value>> {
    resolve(sides, "", &|sides, _| match (three_way(sides), all(sides, Value::as_text)) {
        (Class::Conflict, Some(texts)) if texts.base.is_some() => {
            merge_text(texts, &|hunk| match hunk.class {
                Class::Conflict => None,
                Class::Drift => Some(From::Actual),
                _ => Some(From::Desired),
            })
        }
        (Class::Conflict, _) => Pick::Refuse,
        (Class::Pending, _) => Pick::Desired,
        _ => Pick::Actual,
    })
}

/// The side that gives the lines of a hunk.
enum From {
    Desired,
    Actual,
}

fn merge_text(texts: ThreeWay<&str>, from: &dyn Fn(&Hunk) -> Option<From>) -> Pick {
    let [base, desired, actual] = [texts.base, texts.desired, texts.actual]
        .map(|text| text.unwrap_or_default().split_inclusive('\n').collect::<Vec<_>>());
    let (mut merged, mut at) = (String::new(), 0);
    for hunk in text::hunks(texts) {
        let Some(from) = from(&hunk) else { return Pick::Refuse };
        let old = hunk.lines.base.unwrap_or_default();
        merged.extend(base[at..old.start].iter().copied());
        let lines = match from {
            From::Actual => &actual[hunk.lines.actual.unwrap_or_default()],
            From::Desired => &desired[hunk.lines.desired.unwrap_or_default()],
        };
        merged.extend(lines.iter().copied());
        at = old.end;
    }
    merged.extend(base[at..].iter().copied());
    Pick::Text(merged)
}

/// `None` if a place refused.
fn resolve(
    sides: ThreeWay<&Value>,
    path: &str,
    pick: &dyn Fn(&ThreeWay<&Value>, &str) -> Pick,
) -> Option<Option<Value>> {
    if sides.desired == sides.actual {
        return Some(sides.actual.cloned());
    }
    if let Some(maps) = all(&sides, |value| as_map(Some(value))) {
        let mut whole = Map::new();
        for key in keys(&maps) {
            if let Some(value) = resolve(at(&maps, key), &format!("{path}/{}", escape(key)), pick)? {
                whole.insert(key.clone(), value);
            }
        }
        return Some(Some(whole.into()));
    }
    match pick(&sides, path) {
        Pick::Base => Some(sides.base.cloned()),
        Pick::Desired => Some(sides.desired.cloned()),
        Pick::Actual => Some(sides.actual.cloned()),
        Pick::Text(text) => Some(Some(Blob::made(&text, sides.desired?.as_blob()?.id).into())),
        Pick::Refuse => None,
    }
}
