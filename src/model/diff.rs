//! The three-tree comparison: what separates base, desired and actual, and what apply would do about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use itertools::{EitherOrBoth, Itertools};

use super::{
    address::Address,
    change::{Action, Change, Class, Field, ThreeWay},
    ignore::Ignored,
    object::{Actual, Cause, Desired, FieldWriter, Observed, Origin, Writer},
    path::escape,
    text,
    value::{Blob, Map, Value},
};

/// What is known of the last apply of one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// trueup wrote this.
    Known(Value),
    /// trueup wrote it, but what it wrote cannot be told; the text says why.
    Lost(String),
    /// trueup wrote it, and nobody will ever be able to tell what.
    Unremembered,
}

impl Base {
    /// What trueup wrote, where that is known.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Base::Known(value) => Some(value),
            Base::Lost(_) | Base::Unremembered => None,
        }
    }
}

/// What is known of the last apply, by address; what is not in it is not ours.
pub type Bases = BTreeMap<Address, Base>;

/// An object whose sides differ, on its way to becoming a change.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which.
    pub address: Address,
    /// Where it is declared.
    pub origin: Option<Origin>,
    /// Its sides. A provider may replace `desired` by what the target would make of it.
    pub sides: ThreeWay<Value>,
    /// Why it cannot be changed in place, if so. Set by the provider.
    pub replace: Option<String>,
    /// Set by the provider where it finds that it cannot tell after all.
    pub unknown: Option<(Cause, String)>,
    /// What an apply would make ours although the content is as declared. Set by the provider.
    pub claim: Option<String>,
    /// Why it stays when it is not declared any more. Set by the provider.
    pub release: Option<String>,
    /// Whether another target of the same checkout wrote it, and it is declared here now. Set by the provider.
    pub transferred: bool,
    /// How many objects that nobody declared would go with it if it is deleted. Set by the provider.
    pub cascade: usize,
    /// Who moved it, where the provider found out only now.
    pub writer: Option<Writer>,
    /// Who wrote its places in the target, by path.
    pub writers: Vec<(String, FieldWriter)>,
    /// What rules leave to the target; none where nobody saw to that yet.
    pub ignored: Option<Vec<Ignored>>,
    /// Remarks of the provider.
    pub notes: Vec<String>,
}

impl Candidate {
    /// An object whose sides differ, of which nothing else is known.
    pub fn new(address: Address, sides: ThreeWay<Value>) -> Self {
        Candidate {
            address,
            origin: None,
            sides,
            replace: None,
            unknown: None,
            claim: None,
            release: None,
            transferred: false,
            cascade: 0,
            writer: None,
            writers: Vec::new(),
            ignored: None,
            notes: Vec::new(),
        }
    }
}

/// The outcome of the first, cheap pass over all objects.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Objects that need a closer look.
    pub candidates: Vec<Candidate>,
    /// Objects that are as declared.
    pub in_sync: Vec<Address>,
    /// Objects that are ours, not declared any more, and gone already.
    pub gone: Vec<Address>,
}

/// Every address that a declaration or a base knows, with what they say.
pub fn addresses<'a>(desired: &'a Desired, bases: &'a Bases) -> BTreeMap<&'a Address, ThreeWay<&'a Value>> {
    let declared = desired.objects.iter().map(|(address, object)| (address, object.value.as_ref()));
    let known = bases.iter().map(|(address, base)| match base {
        Base::Known(value) => (address, Some(value)),
        Base::Lost(_) | Base::Unremembered => (address, None),
    });
    let joined = declared.merge_join_by(known, |(one, _), (other, _)| one.cmp(other));
    let sides = |either: EitherOrBoth<(&'a Address, Option<&'a Value>)>| match either {
        EitherOrBoth::Both((address, desired), (_, base)) => {
            (address, ThreeWay { base, desired, actual: None })
        }
        EitherOrBoth::Left((address, desired)) => (address, ThreeWay { desired, ..ThreeWay::default() }),
        EitherOrBoth::Right((address, base)) => (address, ThreeWay { base, ..ThreeWay::default() }),
    };
    joined.map(sides).collect()
}

/// Sorts out what is in sync. An object that was asked for and that `actual`
/// does not mention is unknown, never absent.
pub fn compare(desired: &Desired, bases: &Bases, actual: &Actual) -> Comparison {
    let mut comparison = Comparison::default();
    let asked = addresses(desired, bases);
    for pair in
        asked.into_iter().merge_join_by(&actual.objects, |(asked, _), (answered, _)| asked.cmp(answered))
    {
        let address =
            pair.as_ref().map_any(|(asked, _)| *asked, |(answered, _)| *answered).reduce(|asked, _| asked);
        let (sides, observed) = pair.left_and_right();
        let sides = sides.map(|(_, sides)| sides).unwrap_or_default();
        let observed = observed.map(|(_, observed)| observed);
        let (actual, unknown) = match observed {
            Some(Observed::Present(state)) => (Some(&state.value), None),
            Some(Observed::Absent) => (None, None),
            Some(Observed::Unknown { cause, message }) => (None, Some((*cause, message.clone()))),
            None => (None, Some((Cause::Other, "the provider did not answer for it".to_owned()))),
        };
        if unknown.is_none() && sides.desired == actual {
            match actual {
                Some(_) => comparison.in_sync.push(address.clone()),
                None if bases.contains_key(address) => comparison.gone.push(address.clone()),
                None => {}
            }
            continue;
        }
        let lost = match bases.get(address) {
            Some(Base::Lost(why)) => Some((Cause::Other, why.clone())),
            _ => None,
        };
        let sides = ThreeWay { actual, ..sides }.map(Value::clone);
        let unknown = unknown.or(lost);
        let origin = desired.objects.get(address).map(|object| object.origin.clone());
        comparison.candidates.push(Candidate { unknown, origin, ..Candidate::new(address.clone(), sides) });
    }
    comparison
}

/// Decides what separates the sides of one object and what apply would do; `None` if nothing does.
pub fn change(candidate: Candidate, desired: &Desired, actual: &Actual, bases: &Bases) -> Option<Change> {
    let Candidate {
        address,
        origin: _,
        sides,
        replace,
        unknown,
        claim,
        release,
        transferred,
        cascade,
        writer,
        writers,
        ignored,
        notes,
    } = candidate;
    let owned = bases.contains_key(&address) || transferred;
    let object = desired.objects.get(&address);
    let state = match actual.objects.get(&address) {
        Some(Observed::Present(state)) => Some(state),
        _ => None,
    };
    let mut change = Change {
        origin: object.map(|object| object.origin.clone()),
        after: sides.actual.clone(),
        owned,
        cascade,
        ignored: ignored.unwrap_or_default(),
        notes: state.into_iter().flat_map(|state| state.notes.clone()).chain(notes).collect(),
        ..Change::new(address, Action::Keep, Class::Unknown, sides)
    };
    if unknown.is_some() {
        change.unknown = unknown;
        return Some(change);
    }
    (change.action, change.class) = decide(change.sides.as_ref(), owned)?;
    if change.class == Class::InSync {
        change.notes.push(claim?);
        change.class = Class::Pending;
        change.action = if owned { Action::Claim } else { Action::Adopt };
    }
    change.fields = match change.action {
        Action::Update => fields(change.sides.as_ref()),
        Action::Adopt => two_way(change.sides.as_ref()),
        Action::Claim => Vec::new(),
        _ => parts(change.sides.as_ref(), change.class),
    };
    if change.action == Action::Update
        && let Some(worst) = change.fields.iter().map(|field| whole(field.class)).max()
    {
        change.class = worst;
    }
    if let (Some(why), Action::Update | Action::Adopt) = (replace, change.action) {
        change.notes.push(why);
        change.action = Action::Replace;
    }
    if change.action != Action::Keep {
        change.after = change.sides.desired.clone();
    } else if object.is_some_and(|object| object.value.is_none()) {
        change.notes.push("declared absent, but trueup did not write it; `--adopt` deletes it".to_owned());
    }
    if let (Some(why), Action::Delete) = (release, change.action) {
        change.release(why);
    }
    if change.drifted() {
        change.writer = writer.or_else(|| state.and_then(|state| state.writer.clone()));
        change.fields.iter_mut().for_each(|field| field.writer = last_writer(field, &writers));
    }
    Some(change)
}

/// The last who wrote a field that drifted, or something in it.
fn last_writer(field: &Field, writers: &[(String, FieldWriter)]) -> Option<FieldWriter> {
    let within = |path: &str| {
        path.strip_prefix(&*field.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found = writers.iter().filter(|(path, _)| field.class.drifted() && within(path));
    found.map(|(_, writer)| writer).max_by_key(|writer| &writer.at).cloned()
}

/// The table of the design, for a whole object. `None` if there is nothing on either side.
fn decide(sides: ThreeWay<&Value>, owned: bool) -> Option<(Action, Class)> {
    let ThreeWay { base, desired, actual } = sides;
    Some(match (base, desired, actual) {
        (_, None, None) => return None,
        (_, Some(desired), Some(actual)) if desired == actual => (Action::Keep, Class::InSync),
        (None, Some(_), None) => (Action::Create, Class::Pending),
        (Some(base), Some(desired), None) if base == desired => (Action::Create, Class::Missing),
        (Some(_), Some(_), None) => (Action::Create, Class::Conflict),
        // It may have moved on either side.
        (None, Some(_), Some(_)) if owned => (Action::Update, Class::Conflict),
        (None, Some(_), Some(_)) => (Action::Adopt, Class::Pending),
        (Some(_), Some(_), Some(_)) => (Action::Update, Class::Pending),
        (Some(base), None, Some(actual)) if base == actual => (Action::Delete, Class::Pending),
        (Some(_), None, Some(_)) => (Action::Delete, Class::Conflict),
        (None, None, Some(_)) if owned => (Action::Delete, Class::Conflict),
        (None, None, Some(_)) => (Action::Keep, Class::Extra),
    })
}

/// The class that a field gives to its object.
fn whole(class: Class) -> Class {
    match class {
        Class::Extra | Class::Missing => Class::Drift,
        other => other,
    }
}

/// The fields in which three sides differ, in path order.
pub fn fields(sides: ThreeWay<&Value>) -> Vec<Field> {
    let mut found = Vec::new();
    walk(sides, String::new(), &mut found, &three_way);
    found
}

/// The fields in which desired and actual differ where nothing is known of a base.
fn two_way(sides: ThreeWay<&Value>) -> Vec<Field> {
    let mut found = Vec::new();
    walk(sides, String::new(), &mut found, &|_| Class::Pending);
    found
}

/// The fields of an object that is on one side only; all are of the object's class.
fn parts(sides: ThreeWay<&Value>, class: Class) -> Vec<Field> {
    let maps =
        ThreeWay { base: as_map(sides.base), desired: as_map(sides.desired), actual: as_map(sides.actual) };
    let field =
        |key: &Arc<str>| Field::new(format!("/{}", escape(key)), class, at(&maps, key).map(Value::clone));
    keys(&maps).into_iter().map(field).collect()
}

pub(super) fn as_map(value: Option<&Value>) -> Option<&Map> {
    match value {
        Some(Value::Map(map)) => Some(map),
        _ => None,
    }
}

/// The table of the design, for one field.
pub fn three_way(sides: &ThreeWay<&Value>) -> Class {
    let ThreeWay { base, desired, actual } = sides;
    match (base, desired, actual) {
        _ if desired == actual && base == desired => Class::InSync,
        _ if desired == actual => Class::Converged,
        (None, None, _) => Class::Extra,
        _ if base == actual => Class::Pending,
        (_, Some(_), None) if base == desired => Class::Missing,
        _ if base == desired => Class::Drift,
        _ => Class::Conflict,
    }
}

fn walk(
    sides: ThreeWay<&Value>,
    path: String,
    found: &mut Vec<Field>,
    classify: &dyn Fn(&ThreeWay<&Value>) -> Class,
) {
    if sides.desired == sides.actual {
        return;
    }
    if let Some(maps) = all(&sides, |value| as_map(Some(value))) {
        for key in keys(&maps) {
            walk(at(&maps, key), format!("{path}/{}", escape(key)), found, classify);
        }
        return;
    }
    let class = classify(&sides);
    if class == Class::Pending && sides.base.is_none() {
        found.push(Field::new(path, class, sides.map(Value::clone)));
        return;
    }
    match all(&sides, Value::as_text) {
        Some(texts) if texts.base.is_some() => text_fields(texts, &path, found),
        _ => found.push(Field::new(path, class, sides.map(Value::clone))),
    }
}

/// The hunks of a text as fields; the lines in the path are those of the target, counted from 1.
fn text_fields(texts: ThreeWay<&str>, path: &str, found: &mut Vec<Field>) {
    let lines = texts.map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    for hunk in text::hunks(texts) {
        if hunk.class == Class::Converged {
            continue;
        }
        let place = hunk_path(path, &hunk);
        let side = |lines: &Option<Vec<&str>>, range: &Option<std::ops::Range<usize>>| {
            let text = lines.as_ref()?[range.clone()?].concat();
            (!text.is_empty()).then(|| Value::string(text))
        };
        let sides = ThreeWay {
            base: side(&lines.base, &hunk.lines.base),
            desired: side(&lines.desired, &hunk.lines.desired),
            actual: side(&lines.actual, &hunk.lines.actual),
        };
        let lines = hunk.lines.desired.filter(|lines| !lines.is_empty());
        let lines = lines.map(|lines| lines.start as u32 + 1..lines.end as u32 + 1);
        found.push(Field { lines, ..Field::new(place, hunk.class, sides) });
    }
}

/// The path of a hunk of the text at `path`.
pub(super) fn hunk_path(path: &str, hunk: &text::Hunk) -> String {
    let lines = hunk.lines.actual.clone().unwrap_or_default();
    match lines.len() {
        0 | 1 => format!("{path}:{}", lines.start + 1),
        _ => format!("{path}:{}-{}", lines.start + 1, lines.end),
    }
}

/// The same view of every side that is there, if desired and actual have it and base has it or is absent.
pub(super) fn all<'a, T: ?Sized>(
    sides: &ThreeWay<&'a Value>,
    view: impl Fn(&'a Value) -> Option<&'a T>,
) -> Option<ThreeWay<&'a T>> {
    let base = match sides.base {
        Some(value) => Some(view(value)?),
        None => None,
    };
    Some(ThreeWay { base, desired: Some(view(sides.desired?)?), actual: Some(view(sides.actual?)?) })
}

pub(super) fn keys<'a>(maps: &ThreeWay<&'a Map>) -> BTreeSet<&'a Arc<str>> {
    [maps.base, maps.desired, maps.actual].into_iter().flatten().flat_map(Map::keys).collect()
}

/// The three values of one key.
pub(super) fn at<'a>(maps: &ThreeWay<&'a Map>, key: &str) -> ThreeWay<&'a Value> {
    let [base, desired, actual] =
        [maps.base, maps.desired, maps.actual].map(|map| map.and_then(|map| map.get(key)));
    ThreeWay { base, desired, actual }
}

impl Value {
    /// The text of loaded content.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Blob(blob) => Blob::text(blob),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
