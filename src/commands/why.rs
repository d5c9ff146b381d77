//! `trueup why`: one object, or one place in it, across Git, the record and the target.

use std::collections::BTreeSet;

use anyhow::Result;

use super::show;
use crate::{
    cli::{GlobalArgs, args::WhyArgs},
    exit::Exit,
    model::{
        address::{self, Address},
        object::Desired,
        record::HistoryEntry,
        redact,
        revision::Commit,
        selector::Selector,
        user_error::UserError,
        value::Value,
    },
    output::{Format, Outputs, Why, Whys, terminal::Terminal},
    planner::{
        explain,
        session::{self, Against, PlanOptions, ResolvedTarget, Session, TargetPlan},
    },
    source::{checkout::Selection, history},
};

pub(super) fn run(global: &GlobalArgs, args: &WhyArgs, terminal: &mut Terminal) -> Result<Exit> {
    let format = show::format(args.format.as_deref(), Format::Human)?;
    let outputs = Outputs { format, ..Outputs::default() };
    crate::output::check::<Whys<'_>>(&outputs).map_err(|message| UserError::new(Exit::Usage, message))?;
    let session = Session::open(global, &Selection::WorkTree, args.env.as_deref(), &args.targets)?;
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    let asked = session.targets.iter();
    let asked = asked.map(|chosen| session.blame(chosen, why(&session, chosen, args, &mut known, terminal)));
    let (answers, failed) = show::answering(asked)?;
    found.extend(answers.into_iter().flatten());
    if found.is_empty() {
        show::tell(&failed, terminal);
        let message = format!("no target knows an object `{}`", args.address);
        return Err(explain::suggest(&args.address, &known, message).into());
    }
    outputs.show(&Whys { answers: &found }, terminal)?;
    show::tell(&failed, terminal);
    Ok(show::worst(&failed).unwrap_or(Exit::InSync))
}

/// What is known of the place that `args` name, if the target knows the object.
fn why(
    session: &Session,
    chosen: &ResolvedTarget,
    args: &WhyArgs,
    known: &mut BTreeSet<String>,
    terminal: &mut Terminal,
) -> Result<Option<Why>> {
    let mut reader = (chosen.kind.open)(&chosen.target)?;
    let declared = session.declared(chosen)?;
    let memory = reader.memory()?;
    let addresses = || declared.objects.keys().chain(memory.owned.keys());
    known.extend(addresses().map(Address::to_string));
    let Some((address, path)) = place(&args.address, addresses()) else { return Ok(None) };
    let only = Selector::new(&[address.as_str()])?;
    let look = PlanOptions {
        only: &only,
        explain: &only,
        logs: &args.audit_log,
        verify: false,
        against: Against::Revision,
        adopting: false,
        observer: &terminal.progress(),
    };
    let TargetPlan { plan, .. } = session::plan(session, chosen, &mut *reader, &look)?;
    let shown = redact::show(&plan);
    let of_place = |other: &str| path.as_deref().is_none_or(|path| is_within(other, path));
    let Some(mut explanation) = shown.explanations.into_iter().find(|found| found.address == address) else {
        return Ok(None);
    };
    explanation.reasons.retain(|reason| reason.path.as_deref().is_none_or(of_place));
    let mut change = shown.changes.into_iter().find(|change| change.address == address.as_str());
    if let Some(change) = &mut change {
        change.fields.retain(|field| of_place(&field.path));
    }
    let origin = declared.objects.get(&address).map(|object| object.origin.clone());
    let origin = origin.or_else(|| change.as_ref()?.origin.clone());
    let commits = match &origin {
        Some(origin) => commits(session, chosen, &address, path.as_deref(), &origin.file, args.max_count)?,
        None => Vec::new(),
    };
    let history = memory.record.map(|record| record.history).unwrap_or_default();
    let applies = history.into_iter().filter_map(|past| about(past, &address)).take(args.max_count);
    Ok(Some(Why {
        target: plan.target,
        revision: plan.revision,
        path,
        origin,
        commits,
        applies: applies.collect(),
        explanation,
        change,
    }))
}

/// The object that `typed` begins with, and the place in it that follows.
fn place<'a>(typed: &str, known: impl Iterator<Item = &'a Address>) -> Option<(Address, Option<String>)> {
    let rest = |address: &Address| match typed.strip_prefix(address.as_str())? {
        "" => Some(None),
        rest => rest.starts_with('/').then(|| Some(rest.to_owned())),
    };
    let found = known.filter_map(|address| Some((address.clone(), rest(address)?)));
    found.max_by_key(|(address, _)| address.as_str().len())
}

/// Whether `other` is at, below or above `path`.
fn is_within(other: &str, path: &str) -> bool {
    let below = |one: &str, other: &str| {
        one.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
    };
    below(other, path) || below(path, other)
}

/// An apply with nothing but what it did with one object.
fn about(mut past: HistoryEntry, address: &Address) -> Option<HistoryEntry> {
    past.objects.retain(|object| object.address == *address);
    (!past.objects.is_empty()).then_some(past)
}

/// The commits that changed what is declared there, newest first.
fn commits(
    session: &Session,
    chosen: &ResolvedTarget,
    address: &Address,
    path: Option<&str>,
    file: &str,
    limit: usize,
) -> Result<Vec<Commit>> {
    let Some(tip) = session.revision().commit else { return Ok(Vec::new()) };
    let file = String::from_utf8_lossy(&address::unquote(file)).into_owned();
    let touched = history::commits(&session.checkout, None, tip, &file, limit)?.commits;
    let value = |declared: &Desired| {
        let object = declared.objects.get(address)?.value.as_ref()?;
        path.map_or(Some(object), |path| at(object, path)).cloned()
    };
    let mut found = Vec::new();
    for commit in touched {
        let before = match session.checkout.resolve(&format!("{}^1", commit.id)) {
            Ok(parent) => session.declared_at_if_any(&parent, chosen).ok().as_ref().and_then(value),
            Err(_) => None,
        };
        let after = session.declared_at_if_any(&commit.id, chosen).ok().as_ref().and_then(value);
        if before != after {
            found.push(commit);
        }
    }
    Ok(found)
}

/// What stands at a path: keys, positions, and items of lists as `[name=web]`.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('/').skip(1).try_fold(value, |value, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match value {
            Value::List(items) => match step.strip_prefix('[').and_then(|step| step.strip_suffix(']')) {
                Some(keys) => items.iter().find(|item| is_item(item, keys)),
                None => items.get(step.parse::<usize>().ok()?),
            },
            other => other.get(&step),
        }
    })
}

fn is_item(item: &Value, keys: &str) -> bool {
    keys.split(',').all(|pair| match pair.split_once('=') {
        Some((key, wanted)) => match item.get(key) {
            Some(Value::String(text)) => **text == *wanted,
            Some(Value::Number(number)) => number.to_string() == wanted,
            _ => false,
        },
        None => item.as_str() == Some(pair),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_address_wins_and_the_rest_is_a_path() {
        let known = ["v1/Namespace/shop", "v1/ConfigMap/shop/web", "etc", "etc/motd"].map(Address::new);
        let place = |typed| place(typed, known.iter()).map(|(address, path)| (address.to_string(), path));
        assert_eq!(place("etc/motd/content"), Some(("etc/motd".to_owned(), Some("/content".to_owned()))));
        assert_eq!(place("v1/Namespace/shop"), Some(("v1/Namespace/shop".to_owned(), None)));
        assert_eq!(place("v1/ConfigMap/shop/website"), None);
    }

    #[test]
    fn items_are_found_by_key() {
        let item = |name: &str, image: &str| {
            Value::map([("name", Value::string(name)), ("image", Value::string(image))])
        };
        let value = Value::map([("containers", Value::List(vec![item("a", "a:1"), item("web", "web:1")]))]);
        for path in ["/containers/[name=web]/image", "/containers/1/image"] {
            assert_eq!(at(&value, path), Some(&Value::string("web:1")), "{path}");
        }
        assert_eq!(at(&value, "/containers/[name=b]/image"), None);
    }
}
