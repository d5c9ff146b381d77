//! `--explain`: why objects are as declared or not.

use std::collections::BTreeSet;

use super::{session::TargetPlan, three_way::ThreeWayState};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::{Change, Class, Field},
        diff::{Base, Bases, Comparison},
        explain::{Basis, Explanation, Reason},
        object::{Desired, Object},
        record::StoredRecord,
        selector::Selector,
        suggest,
        user_error::UserError,
    },
    providers::Reader,
};

/// How many addresses are suggested.
const SUGGESTED: usize = 3;

/// What Git and the record say.
pub struct Known<'a> {
    /// What was applied, what is declared, and what is there.
    pub trees: &'a ThreeWayState,
    /// What the target remembers.
    pub memory: &'a StoredRecord,
}

/// The objects to explain, as far as they are known before the target is asked.
pub fn asked(explain: &Selector, desired: &Desired, bases: &Bases) -> BTreeSet<Address> {
    let known = desired.objects.keys().chain(bases.keys());
    known.filter(|address| explain.matches(address)).cloned().collect()
}

/// Explains what `explain` selects.
pub fn explanations(
    explain: &Selector,
    known: &Known<'_>,
    changes: &[Change],
    comparison: &Comparison,
    reader: &dyn Reader,
) -> Vec<Explanation> {
    let settled = comparison.in_sync.iter().chain(&comparison.gone).map(|address| (address, None));
    let all = changes.iter().map(|change| (&change.address, Some(change))).chain(settled);
    let mut found: Vec<Explanation> = all
        .filter(|(address, _)| explain.matches(address))
        .map(|(address, change)| {
            let mut reasons = declaration(known, address);
            reasons.extend(reader.explain(address));
            reasons.extend(change.into_iter().flat_map(separation));
            let class = change.map_or(Class::InSync, |change| change.class);
            Explanation { address: address.clone(), class, reasons }
        })
        .collect();
    found.sort_by(|one, other| one.address.cmp(&other.address));
    found
}

fn declaration(known: &Known<'_>, address: &Address) -> Vec<Reason> {
    let ThreeWayState { revision, desired, bases, .. } = known.trees;
    let desired = desired.objects.get(address);
    let declared = match desired {
        Some(Object { value, origin }) => {
            let line = origin.line.map_or_else(String::new, |line| format!(":{line}"));
            let absent = if value.is_none() { "absent " } else { "" };
            format!("declared {absent}at {}{line} in {}", origin.file, revision.label())
        }
        None => format!("not declared in {}", revision.label()),
    };
    let applied = match known.memory.owned.get(address).map(|owned| owned.commit) {
        None => "not in the record of what was applied".to_owned(),
        Some(None) => "applied last from uncommitted files".to_owned(),
        Some(commit) if commit == revision.commit && !revision.dirty => {
            "applied last from the same commit".to_owned()
        }
        Some(Some(commit)) => format!("applied last from commit {}", commit.short()),
    };
    let same = match (bases.get(address), desired.and_then(|object| object.value.as_ref())) {
        (Some(Base::Lost(why)), _) => Some(why.clone()),
        (Some(Base::Unremembered), _) => {
            Some("the target does not remember what it got from uncommitted files".to_owned())
        }
        (Some(Base::Known(base)), Some(desired)) if base == desired => {
            Some("what was applied last is what is declared now".to_owned())
        }
        (Some(Base::Known(_)), Some(_)) => {
            Some("what was applied last differs from what is declared now".to_owned())
        }
        _ => None,
    };
    [Some(declared), Some(applied), same]
        .into_iter()
        .flatten()
        .map(|text| Basis::Declaration.says(text))
        .collect()
}

/// What separates the sides, place by place.
fn separation(change: &Change) -> Vec<Reason> {
    let unknown = change.unknown.iter().map(|(_, why)| Basis::Failure.says(why.as_str()));
    let field = |field: &Field| {
        let text = format!("{}: {}", field.class, meaning(field));
        let writer = field.writer.as_ref().map(|writer| {
            let operation = writer.operation.iter().map(|operation| format!(" ({operation})"));
            Basis::Writer.says_at(field.path.as_str(), writer.text.clone() + &operation.collect::<String>())
        });
        let declared_by = field.declared_by.as_ref();
        let declared_by = declared_by.map(|by| Basis::Declaration.says_at(field.path.as_str(), by.text()));
        [Some(Basis::Comparison.says_at(field.path.as_str(), text)), writer, declared_by]
    };
    unknown.chain(change.fields.iter().flat_map(field).flatten()).collect()
}

fn meaning(field: &Field) -> &'static str {
    match field.class {
        Class::InSync => "all sides are the same",
        Class::Converged => "the target has what Git declares, and it was not applied",
        Class::Pending if field.sides.base.is_none() => "Git declares it, and it was never applied",
        Class::Pending => "the target has what was applied, and Git declares something else",
        Class::Extra => "only the target has it",
        Class::Missing => "it was applied and is declared, and the target lacks it",
        Class::Drift => "what was applied is still declared, and the target has something else",
        Class::Conflict => "what was applied, what is declared and what is there all differ",
        Class::Unknown => "it could not be read",
    }
}

/// Refuses addresses that no target knows.
///
/// # Errors
/// The first of them, with addresses that may have been meant (66).
pub fn check(explain: &Selector, planned: &[TargetPlan]) -> Result<(), UserError> {
    if planned.iter().any(|planned| planned.plan.failure.is_some()) {
        return Ok(());
    }
    let known = || planned.iter().flat_map(TargetPlan::addresses);
    let Some(pattern) = explain.unmatched(known()).first().copied() else { return Ok(()) };
    let known = known().map(Address::to_string).collect();
    Err(suggest(pattern, &known, format!("no object of the plan matches `{pattern}`")))
}

/// The fault of a name that nobody knows, with those that may have been meant (66).
pub fn suggest(typed: &str, known: &BTreeSet<String>, message: String) -> UserError {
    let fault = UserError::new(Exit::NoInput, message);
    match meant(typed, known.iter().map(String::as_str).collect()) {
        meant if meant.is_empty() => fault.hint("an address looks as in the list that `trueup plan` prints"),
        meant => fault.hint(format!("did you mean {}?", meant.join(" or "))),
    }
}

/// Addresses that are spelled like `typed`, or end in the same name.
fn meant(typed: &str, known: BTreeSet<&str>) -> Vec<String> {
    let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_lowercase();
    let near = suggest::nearest(typed, known.iter().copied());
    let alike = known.iter().copied().filter(|address| last(address) == last(typed));
    let mut found: Vec<&str> = Vec::new();
    for address in near.into_iter().chain(alike) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found.into_iter().take(SUGGESTED).map(|address| format!("`{address}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_near_or_has_the_same_name() {
        let known = BTreeSet::from([
            "apps/v1/Deployment/shop/web",
            "v1/ConfigMap/shop/web",
            "v1/ConfigMap/shop/settings",
        ]);
        let meant = |typed| meant(typed, known.clone());
        assert_eq!(meant("v1/ConfigMap/shop/setings"), ["`v1/ConfigMap/shop/settings`"]);
        assert_eq!(meant("web"), ["`apps/v1/Deployment/shop/web`", "`v1/ConfigMap/shop/web`"]);
        assert!(meant("nothing/like/it").is_empty());
    }
}
