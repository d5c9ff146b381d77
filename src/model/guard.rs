//! Guards: what apply refuses although the plan is well-formed, and the consent that lifts each.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    address::Address,
    change::{Action, Change, Class},
    object::Cause,
    path,
    plan::Plan,
    resolve,
    selector::{self, Selector},
    suggest::nearest,
    user_error::UserError,
};
use crate::exit::Exit;

pub mod access_fields;

/// How much a plan may delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// At most so many deletes and replacements.
    pub max_delete: usize,
    /// At most this share, in percent, of the objects that trueup owns there; one delete is always within it.
    pub max_delete_percent: usize,
    /// Addresses that are never deleted or replaced.
    pub protect: Selector,
    /// Addresses that are let go and not deleted once they are not declared any more.
    pub keep: Selector,
    /// Fields, below addresses, that give somebody something: nothing of them is taken away.
    pub access_fields: Selector,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_delete: 25,
            max_delete_percent: 20,
            protect: Selector::default(),
            keep: Selector::default(),
            access_fields: Selector::default(),
        }
    }
}

const SKIP_UNKNOWN: &str = "--skip-unknown";
const SKIP_INVALID: &str = "--skip-invalid";

/// What the command line consents to. Each part lifts one refusal; there is no consent to everything.
#[derive(Clone, Debug, Default)]
pub struct Consent {
    /// `--adopt`: overwrite what is there and was not written by trueup, or delete it where it is declared absent.
    pub adopt: Selector,
    /// `--overwrite`: Git wins a conflict, of an object or of single fields.
    pub overwrite: Selector,
    /// `--keep`: leave the object as it is, or single fields of it.
    pub keep: Selector,
    /// `--allow-replace`: delete and make anew.
    pub replace: Selector,
    /// `--allow-protected`: touch protected addresses.
    pub protected: Selector,
    /// `--allow-emptied`: delete the last object of a collection.
    pub emptied: Selector,
    /// `--allow-empty`: accept that nothing is declared any more.
    pub empty: bool,
    /// `--skip-unknown`: apply the rest where something could not be read; deletes nothing then.
    pub skip_unknown: bool,
    /// `--skip-invalid`: apply the rest where the target refuses what is declared; deletes nothing then.
    pub skip_invalid: bool,
    /// `--only-drift`: undo drift and nothing else.
    pub only_drift: bool,
}

impl Consent {
    /// The option that leaves out what is unknown for this reason, if it is given.
    fn skipped(&self, cause: Cause) -> Option<&'static str> {
        let (given, option) = match cause {
            Cause::Invalid => (self.skip_invalid, SKIP_INVALID),
            _ => (self.skip_unknown, SKIP_UNKNOWN),
        };
        given.then_some(option)
    }

    /// The same consent, with patterns as `spelled` writes them.
    ///
    /// # Errors
    /// A form that is no pattern.
    pub fn respelled(self, spelled: &dyn Fn(&str) -> Option<String>) -> Result<Self, UserError> {
        Ok(Consent {
            adopt: self.adopt.respelled(spelled)?,
            overwrite: self.overwrite.respelled(spelled)?,
            keep: self.keep.respelled(spelled)?,
            replace: self.replace.respelled(spelled)?,
            protected: self.protected.respelled(spelled)?,
            emptied: self.emptied.respelled(spelled)?,
            ..self
        })
    }
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code that apply would end with.
    pub exit: Exit,
    /// Why.
    pub message: String,
    /// What to type instead.
    pub hint: String,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> UserError {
        UserError::new(refusal.exit, refusal.message).hint(refusal.hint)
    }
}

/// Facts about the whole target that guards weigh a plan against.
pub struct Context<'a> {
    /// How much may be deleted.
    pub limits: &'a Limits,
    /// Collection of each owned address, for the guard against emptied collections.
    pub collections: BTreeMap<String, usize>,
    /// The collection of an address.
    pub collection: fn(&super::address::Address) -> String,
    /// How many objects are declared.
    pub declared: usize,
}

/// Narrows a plan down to what the command line asked to do: kept objects, kept fields
/// and, with `--only-drift`, everything but drift are turned into
/// [`Action::Keep`]; taken ones become writes.
pub fn narrow(plan: &mut Plan, consent: &Consent) {
    let mut skipped = plan.changes.iter().filter_map(|change| consent.skipped(change.unknown.as_ref()?.0));
    let skipped = skipped.next().map(|option| format!("not deleted while `{option}` leaves something out"));
    for change in &mut plan.changes {
        narrow_one(change, consent);
        if let Some(why) = skipped.as_ref().filter(|_| change.action.removes()) {
            keep(change, why);
        }
    }
}

fn narrow_one(change: &mut Change, consent: &Consent) {
    if consent.keep.matches(&change.address) {
        keep(change, "left as it is by `--keep`");
    } else if let Some(option) = change.unknown.as_ref().and_then(|(cause, _)| consent.skipped(*cause)) {
        keep(change, &format!("left out by `{option}`"));
    } else if change.class == Class::Extra && consent.adopt.matches(&change.address) {
        change.action = Action::Delete;
        change.after = None;
    } else if consent.only_drift && change.class != Class::Conflict {
        undo_drift(change, consent);
    } else {
        leave(change, consent);
    }
}

fn keep(change: &mut Change, why: &str) {
    change.action = Action::Keep;
    change.after = change.sides.actual.clone();
    change.notes.push(why.to_owned());
}

/// Leaves single fields of an object that is changed in place.
fn leave(change: &mut Change, consent: &Consent) {
    let in_place = matches!(change.action, Action::Update | Action::Adopt);
    if !in_place || !note_left(change, consent) {
        return;
    }
    let after = resolve::merge_except(change.sides.as_ref(), &is_left(change, consent));
    change.after = after;
    if change.after == change.sides.actual {
        change.action = Action::Keep;
    }
}

fn is_left<'a>(change: &'a Change, consent: &'a Consent) -> impl Fn(&str) -> bool + 'a {
    |path| consent.keep.matches_field(&change.address, path)
}

/// Notes which fields are left; whether there are any.
fn note_left(change: &mut Change, consent: &Consent) -> bool {
    let is_left = is_left(change, consent);
    let paths: Vec<String> =
        change.fields.iter().map(|field| &field.path).filter(|path| is_left(path)).cloned().collect();
    drop(is_left);
    change.left = paths.iter().map(|path| path::place(path)).collect();
    if !paths.is_empty() {
        change.notes.push(format!("left as it is by `--keep`: {}", paths.join(", ")));
    }
    !paths.is_empty()
}

fn undo_drift(change: &mut Change, consent: &Consent) {
    if !change.drifted() {
        return keep(change, "not drift; left for an ordinary apply");
    }
    if !change.pending() {
        return leave(change, consent);
    }
    let after = resolve::without_drift(change.sides.as_ref(), &is_left(change, consent));
    match after {
        Some(after) => {
            note_left(change, consent);
            change.after = after;
            change.action = match (&change.sides.actual, &change.after) {
                (None, Some(_)) => Action::Create,
                (Some(_), None) => Action::Delete,
                (None, None) => Action::Keep,
                _ => Action::Update,
            };
        }
        None => keep(
            change,
            "its drift cannot be told from what was already applied by hand; left for an ordinary apply",
        ),
    }
}

/// Everything that stands in the way of applying `plan`, in the order of the
/// plan; empty if it may be applied.
pub fn check(plan: &Plan, consent: &Consent, context: &Context<'_>) -> Vec<Refusal> {
    if plan.failure.is_some() {
        return Vec::new();
    }
    let mut counts: BTreeMap<Common<'_>, usize> = BTreeMap::new();
    let common = plan.changes.iter().filter_map(|change| Common::of(change, consent));
    common.for_each(|common| *counts.entry(common).or_default() += 1);
    let replaced: BTreeSet<&Address> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Replace)
        .map(|change| &change.address)
        .collect();
    let mut refusals: Vec<Refusal> = Vec::new();
    for change in &plan.changes {
        refusals.extend(of_change(change, consent, context.limits));
        refusals.extend(lost_along(change, &replaced));
        if let Some(common) = Common::of(change, consent)
            && let Some(count) = counts.remove(&common)
        {
            refusals.push(common.refuse(change, count));
        }
    }
    let removals: Vec<&Change> = plan.changes.iter().filter(|change| change.action.removes()).collect();
    refusals.extend(too_many(&removals, plan.owned, context.limits));
    refusals.extend(nothing_declared(plan, consent, context));
    refusals.extend(missed(plan, consent));
    refusals.extend(emptied(&removals, consent, context));
    refusals
}

/// What stands in the way of many objects alike, and is said once with how many they are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Common<'a> {
    Unread(&'a (Cause, String)),
    Stranger,
}

impl<'a> Common<'a> {
    fn of(change: &'a Change, consent: &Consent) -> Option<Common<'a>> {
        let Change { address, action, unknown, .. } = change;
        match unknown {
            Some(reason) if consent.skipped(reason.0).is_none() => Some(Common::Unread(reason)),
            None if *action == Action::Adopt && !consent.adopt.matches(address) => Some(Common::Stranger),
            _ => None,
        }
    }

    /// The refusal of `count` objects, `first` being the first of them.
    fn refuse(&self, first: &Change, count: usize) -> Refusal {
        let (address, typed) = (&first.address, selector::typed(&first.address));
        let more = count - 1;
        match self {
            Common::Unread((cause, why)) => Refusal {
                exit: super::plan::unknown_exit(*cause),
                message: match (more, cause) {
                    (0, Cause::Invalid) => format!("`{address}` is invalid: {why}"),
                    (_, Cause::Invalid) => format!("`{address}` and {more} more are invalid: {why}"),
                    (0, _) => format!("`{address}` could not be read: {why}"),
                    _ => format!("`{address}` and {more} more could not be read: {why}"),
                },
                hint: format!(
                    "`{}` applies the rest, without deletes; `--only` chooses what to apply",
                    if *cause == Cause::Invalid { SKIP_INVALID } else { SKIP_UNKNOWN }
                ),
            },
            Common::Stranger if more == 0 => Refusal {
                exit: Exit::Refused,
                message: format!("`{address}` is there already and was not written by trueup"),
                hint: format!("`--adopt {typed}` overwrites it, `--keep {typed}` leaves it"),
            },
            Common::Stranger => Refusal {
                exit: Exit::Refused,
                message: format!(
                    "`{address}` and {more} more are there already and were not written by trueup"
                ),
                hint: "`--adopt ADDRESS` overwrites one, `--adopt '**'` all, `--keep ADDRESS` leaves one"
                    .to_owned(),
            },
        }
    }
}

/// Everything that stands in the way of one change; each of them is lifted by a consent of its own.
fn of_change(change: &Change, consent: &Consent, limits: &Limits) -> Vec<Refusal> {
    let found = [
        conflict(change, consent),
        protected(change, consent, limits),
        access(change, consent, limits),
        replacement(change, consent),
    ];
    found.into_iter().flatten().collect()
}

fn conflict(change: &Change, consent: &Consent) -> Option<Refusal> {
    let Change { address, class, .. } = change;
    let settled = consent.overwrite.matches(address) || consent.keep.matches(address);
    let open = unsettled(change, consent);
    if *class != Class::Conflict || settled || open == Some(Vec::new()) {
        return None;
    }
    let fields = open.map(|open| format!(": {} is not settled", open.join(", ")));
    Some(Refusal {
        exit: Exit::Conflict,
        message: format!(
            "`{address}` changed in Git and in the target, in the same place{}",
            fields.unwrap_or_default()
        ),
        hint: format!(
            "`--overwrite {0}` lets Git win, `--keep {0}` leaves it as it is",
            selector::typed(address)
        ),
    })
}

/// An object that is protected, or that takes others along.
fn protected(change: &Change, consent: &Consent, limits: &Limits) -> Option<Refusal> {
    let Change { address, action, cascade, .. } = change;
    let is_protected = change.action.removes() && limits.protect.matches(address);
    let along = *action == Action::Replace && *cascade > 0;
    if !(is_protected || along) || consent.protected.matches(address) {
        return None;
    }
    let verb = if *action == Action::Delete { "deleted" } else { "replaced" };
    let first =
        if is_protected { format!("is protected and would be {verb}") } else { format!("would be {verb}") };
    let along = along.then(|| format!(", and {cascade} that go with it are not made again"));
    refused(
        format!("`{address}` {first}{}", along.unwrap_or_default()),
        format!("`--allow-protected {}` if this is meant", selector::typed(address)),
    )
}

/// A field that gives somebody something.
fn access(change: &Change, consent: &Consent, limits: &Limits) -> Option<Refusal> {
    let address = &change.address;
    let path = access_fields::taken(change, &limits.access_fields, &consent.protected)?;
    let field = Address::new(format!("{address}{path}"));
    refused(
        format!("`{address}` has something in `{path}` that would be taken away"),
        format!("`--allow-protected {}` if this is meant", selector::typed(&field)),
    )
}

fn replacement(change: &Change, consent: &Consent) -> Option<Refusal> {
    let address = &change.address;
    if change.action != Action::Replace || consent.replace.matches(address) {
        return None;
    }
    refused(
        format!("`{address}` cannot be changed in place and would be deleted and made anew"),
        format!("`--allow-replace {}` if this is meant", selector::typed(address)),
    )
}

fn refused(message: String, hint: String) -> Option<Refusal> {
    Some(Refusal { exit: Exit::Refused, message, hint })
}

/// What is to be left as it is and goes along with something that is replaced would be lost.
fn lost_along(change: &Change, replaced: &BTreeSet<&Address>) -> Option<Refusal> {
    let of = change.along.as_ref().filter(|of| change.action == Action::Keep && replaced.contains(of))?;
    refused(
        format!(
            "`{}` goes along with `{of}`, which is replaced, and would not be made again",
            change.address
        ),
        format!("`--keep {}` leaves both as they are", selector::typed(of)),
    )
}

/// The fields in conflict that the command line leaves open, where it settles others one by one.
fn unsettled<'a>(change: &'a Change, consent: &Consent) -> Option<Vec<&'a str>> {
    let in_conflict = change.fields.iter().filter(|field| field.class == Class::Conflict);
    let chosen = |path: &str| {
        [&consent.overwrite, &consent.keep].iter().any(|side| side.matches_field(&change.address, path))
    };
    let (settled, open): (Vec<_>, Vec<_>) =
        in_conflict.map(|field| field.path.as_str()).partition(|path| chosen(path));
    let in_place = change.action == Action::Update || !change.left.is_empty();
    (in_place && !settled.is_empty()).then_some(open)
}

/// Fields that were to be left and are none of those that differ: what was meant would be written.
fn missed(plan: &Plan, consent: &Consent) -> Vec<Refusal> {
    let written = || plan.changes.iter().filter(|change| change.action != Action::Keep);
    let refuse = |pattern: &str| {
        let change = written().find(|change| {
            pattern.strip_prefix(change.address.as_str()).is_some_and(|path| path.starts_with('/'))
        })?;
        let single = Selector::new(&[pattern]).ok()?;
        let hit = |place: &Vec<_>| single.matches_field(&change.address, &path::pointer(place));
        (!change.left.iter().any(hit)).then(|| Refusal {
            exit: Exit::Usage,
            message: format!(
                "`--keep {pattern}` names no field of `{}` that would be changed",
                change.address
            ),
            hint: format!(
                "`trueup plan` prints the paths; `--keep {}` leaves the whole object as it is",
                selector::typed(&change.address)
            ),
        })
    };
    let addresses = plan.changes.iter().map(|change| &change.address);
    consent.keep.unmatched(addresses).into_iter().filter_map(refuse).collect()
}

/// `--keep` patterns without wildcards that name none of the `known` objects, and nothing in one: what was meant
/// would be written.
pub fn strangers(consent: &Consent, known: &BTreeSet<&Address>) -> Vec<Refusal> {
    let is_within = |pattern: &str| {
        known
            .iter()
            .any(|address| pattern.strip_prefix(address.as_str()).is_some_and(|path| path.starts_with('/')))
    };
    let patterns = consent.keep.unmatched(known.iter().copied()).into_iter();
    let refuse = |pattern: &str| {
        let names = known.iter().map(|address| address.as_str());
        let hint = match nearest(pattern, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "`trueup plan` prints the addresses".to_owned(),
        };
        Refusal { exit: Exit::Usage, message: format!("`--keep {pattern}` names no object"), hint }
    };
    patterns.filter(|pattern| !pattern.contains(['*', '?', '{']) && !is_within(pattern)).map(refuse).collect()
}

/// Refuses more than the limits allow. What goes along with others counts, but not as a share of what is ours.
fn too_many(removals: &[&Change], owned: usize, limits: &Limits) -> Vec<Refusal> {
    let Limits { max_delete, max_delete_percent: percent, .. } = limits;
    let share = (owned * percent / 100).max(1);
    let along: usize = removals.iter().map(|change| change.cascade).sum();
    let (count, all) = (removals.len(), removals.len() + along);
    let noted = if along > 0 { format!(", {along} of them along with others") } else { String::new() };
    let by_count = (all > *max_delete).then(|| {
        refused(
            format!(
                "the plan deletes or replaces {all} objects{noted}, more than the {max_delete} that \
                 `max-delete` allows"
            ),
            format!("`--max-delete {all}` if this is meant"),
        )
    });
    let by_share = (count > share).then(|| {
        refused(
            format!(
                "the plan deletes or replaces {count} objects, more than {percent}% of the {owned} that are \
                 ours, which `max-delete-percent` allows"
            ),
            format!("`--max-delete-percent {}` if this is meant", (count * 100).div_ceil(owned.max(1))),
        )
    });
    [by_count, by_share].into_iter().flatten().flatten().collect()
}

fn nothing_declared(plan: &Plan, consent: &Consent, context: &Context<'_>) -> Option<Refusal> {
    (context.declared == 0 && plan.owned > 0 && !consent.empty).then(|| Refusal {
        exit: Exit::Refused,
        message: format!(
            "nothing is declared any more for `{}`, which has {} of ours",
            plan.target.name,
            objects(plan.owned)
        ),
        hint: "check `path` and the revision; `--allow-empty` if this is meant".to_owned(),
    })
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

/// Refuses to delete the last objects of a collection that had several.
fn emptied(removals: &[&Change], consent: &Consent, context: &Context<'_>) -> Vec<Refusal> {
    let mut deleted: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
    for change in removals.iter().filter(|change| change.action == Action::Delete && change.owned) {
        deleted.entry((context.collection)(&change.address)).or_default().push(change);
    }
    deleted
        .into_iter()
        .filter(|(collection, gone)| {
            gone.len() > 1 && context.collections.get(collection) == Some(&gone.len())
        })
        .filter(|(collection, gone)| {
            let emptied = &consent.emptied;
            let named = emptied.names(&Address::new(collection.as_str()));
            !named && !gone.iter().all(|change| emptied.names(&change.address))
        })
        .map(|(collection, gone)| Refusal {
            exit: Exit::Refused,
            message: format!("all {} objects of ours in `{collection}` would be deleted", gone.len()),
            hint: format!(
                "`--allow-emptied {}` if this is meant",
                selector::typed(&Address::new(collection))
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests;
