//! What is left to others: the rules of a target, what they do, and what to say of them.

use std::sync::Arc;

use super::session::{ResolvedTarget, Session, TargetPlan};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        diff::Comparison,
        ignore::{self, From, Git, Ignored, Rules, Subject, Use},
        object::{Actual, Observed},
        suggest::nearest,
        user_error::UserError,
        value::Value,
    },
    providers::{self, Provider},
    source::config::{Config, Environment, Target},
};

/// The rules of a target: its own, those of its environment, and the built-in ones that are on.
///
/// # Errors
/// A rule that is called like a built-in one, or the name of a built-in rule that does not exist (78).
pub fn rules(
    config: &Config,
    environment: &Environment,
    target: &Target,
    kind: &Provider,
) -> Result<Rules, UserError> {
    let keys = environment.keys(&target.name);
    let known: Vec<Arc<ignore::Rule>> = providers::built_in_rules();
    let mut ids: Vec<&str> = known.iter().map(|rule| &*rule.id).collect();
    ids.dedup();
    if let Some(id) = target.ignore.built_in.keys().find(|id| !ids.contains(&id.as_str())) {
        let hint = match nearest(id, ids.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there is {}", ids.join(", ")),
        };
        let message = format!("no built-in ignore rule `{id}`; {hint}");
        return Err(config.complaint(&[&keys[..], &["ignore-builtin", id]].concat(), &message));
    }
    if let Some(rule) = target.ignore.rules.iter().find(|rule| ids.contains(&&*rule.id)) {
        let message = format!("`{}` is a built-in ignore rule; give yours another `id`", rule.id);
        return Err(config.complaint(&[&keys[..], &["ignore"]].concat(), &message));
    }
    let on = |rule: &Arc<ignore::Rule>| target.ignore.built_in.get(&*rule.id) != Some(&false);
    Ok(Rules(target.ignore.rules.iter().cloned().chain((kind.rules)().into_iter().filter(on)).collect()))
}

/// Settles the candidates that their provider left alone, and counts what every rule did. `was` says what Git
/// declared when an object was applied last: a provider's own memory knows what it wrote, and that is not the same.
pub fn settle<'a>(
    chosen: &ResolvedTarget,
    declared: impl Fn(&Address) -> Option<&'a Value>,
    mut was: impl FnMut(&Address) -> Option<Value>,
    comparison: &mut Comparison,
    actual: &Actual,
) -> Vec<Use> {
    let Comparison { candidates, in_sync, .. } = comparison;
    let about = |address: &Address| {
        let names = (chosen.kind.names)(address);
        let names = names.as_ref().map(|names| names.each_ref().map(String::as_str));
        chosen.rules.about(&Subject { address, names, declared: declared(address), facts: &[] })
    };
    let effects = |address: &Address| match actual.objects.get(address) {
        Some(Observed::Present(state)) => {
            state.ignored.clone().unwrap_or_else(|| same(&about(address), &state.value))
        }
        _ => Vec::new(),
    };
    let ignored: Vec<Vec<Ignored>> =
        in_sync.iter().map(effects).filter(|effects| !effects.is_empty()).collect();
    for candidate in candidates.iter_mut().filter(|candidate| candidate.unknown.is_none()) {
        let effects = match candidate.ignored.take() {
            Some(effects) => effects,
            None => {
                let rules = about(&candidate.address);
                let was = if rules.is_empty() { None } else { was(&candidate.address) };
                let git = Git { was: was.as_ref(), is: declared(&candidate.address) };
                ignore::settle(&rules, &mut candidate.sides, &git, &|_| Vec::new())
            }
        };
        candidate.ignored = Some(effects);
    }
    let looked_at = candidates.iter().filter_map(|candidate| candidate.ignored.as_deref());
    chosen.rules.uses(ignored.iter().map(Vec::as_slice).chain(looked_at))
}

/// What rules name in an object that is as declared.
fn same(rules: &[Arc<ignore::Rule>], value: &Value) -> Vec<Ignored> {
    let effect = ignore::Effect::Same;
    let of = |rule: &Arc<ignore::Rule>| {
        let named = rule.places([value], &|_| Vec::new()).into_iter();
        named.map(|place| Ignored { rule: rule.id.clone(), place, effect }).collect::<Vec<_>>()
    };
    rules.iter().flat_map(of).collect()
}

/// Refuses to look for drift past rules that are overdue.
///
/// # Errors
/// One is (78).
pub fn refuse_expired(session: &Session, today: &str) -> Result<(), UserError> {
    let rules = session.targets.iter().flat_map(|chosen| &chosen.rules.0);
    rules.filter(|rule| rule.is_expired(today)).map(|rule| Err(expired(rule))).next().unwrap_or(Ok(()))
}

fn expired(rule: &ignore::Rule) -> UserError {
    let day = rule.expires.as_deref().unwrap_or_default();
    let message = format!("the ignore rule `{}` expired on {day} ({})", rule.id, rule.reason);
    UserError::new(Exit::BadConfig, message).hint("remove it from trueup.yaml, or give it a later `expires`")
}

/// Adds remarks on rules that are overdue or do nothing; of the latter, the complaint that `--strict-ignores` makes.
/// A rule of the environment may do its work in any of the targets.
pub fn remark(planned: &mut [TargetPlan], all_targets: bool, today: &str) -> Option<UserError> {
    let mut idle = Vec::new();
    let complete = planned.iter().all(|planned| planned.plan.complete);
    for at in 0..planned.len() {
        let uses = planned[at].plan.ignored.clone();
        for found in uses.iter().filter(|found| found.rule.is_expired(today)) {
            planned[at].plan.notes.push(expired(&found.rule).message);
        }
        for found in uses.iter().filter(|found| found.objects == 0 && complete) {
            let elsewhere = |other: &TargetPlan| {
                other.plan.ignored.iter().any(|other| other.rule.id == found.rule.id && other.objects > 0)
            };
            let idles = match found.rule.from {
                From::Target => true,
                From::Environment => all_targets && at == 0 && !planned.iter().any(elsewhere),
                From::BuiltIn | From::Object => false,
            };
            if idles {
                let plan = &mut planned[at].plan;
                let total = plan.unchanged + plan.changes.len();
                let message = format!("the ignore rule `{}` matched 0 of {total} objects", found.rule.id);
                plan.notes.push(message.clone());
                idle.push(message);
            }
        }
    }
    let hint = "correct its `match` and `paths`, or remove it from trueup.yaml";
    (!idle.is_empty()).then(|| UserError::new(Exit::BadConfig, idle.join("; ")).hint(hint))
}

/// Makes a complaint an error.
///
/// # Errors
/// There is one, and it is wanted (78).
pub fn strict(wanted: bool, complaint: Option<UserError>) -> Result<(), UserError> {
    complaint.filter(|_| wanted).map_or(Ok(()), Err)
}
