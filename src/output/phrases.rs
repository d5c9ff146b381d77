//! The words for changes, commits and counts that every text uses. Foreign text comes out visible.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    exit::Exit,
    model::{
        change::{Action, Class},
        ignore::Use,
        object::{External, Origin, Person, Writer},
        plan::Summary,
        record::Attempted,
        redact::{Shown, ShownChange, ShownField, ShownPlan},
        revision::{Commit, DeclaredBy, Revision},
    },
    output::{SelectionArgs, visible::visible},
};

/// How many fields of an object are named in its line.
const FIELDS: usize = 3;

/// How long a value may be to stand in a line, in characters.
const VALUE: usize = 40;

/// Where something is declared, as `file:line`.
pub fn place(origin: &Origin) -> String {
    let file = visible(&origin.file);
    origin.line.map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
}

/// A commit in one line: `9d0e77c Alice: Raise the limit (#812)`.
pub fn commit(commit: &Commit) -> String {
    visible(&commit.line()).into_owned()
}

/// The first line of a commit's message, with its pull request.
pub fn subject(commit: &Commit) -> String {
    visible(&commit.title()).into_owned()
}

/// The commits that the fields of a change are declared by, in the order of the fields; none where the one commit
/// that explains the change says as much.
pub fn declared(change: &ShownChange) -> Vec<String> {
    let mut groups: Vec<(&DeclaredBy, Vec<&str>)> = Vec::new();
    for field in &change.fields {
        let Some(by) = &field.declared_by else { continue };
        match groups.iter_mut().find(|(other, _)| *other == by) {
            Some((_, paths)) => paths.push(&field.path),
            None => groups.push((by, vec![&field.path])),
        }
    }
    if let ([(DeclaredBy::Exact(by), _)], [commit]) = (&groups[..], &change.commits[..])
        && by == commit
    {
        return Vec::new();
    }
    let line = |(by, paths): (&DeclaredBy, Vec<&str>)| {
        let more = paths.len().saturating_sub(FIELDS);
        let more = if more > 0 { format!(" and {}", count(more, "more field")) } else { String::new() };
        let named: Vec<&str> = paths.into_iter().take(FIELDS).collect();
        visible(&format!("{}{more}: {}", named.join(", "), by.text())).into_owned()
    };
    groups.into_iter().map(line).collect()
}

/// Who wrote something, when, and what that really says.
pub fn writer(writer: &Writer) -> String {
    let at = writer.at.as_ref().map(|at| format!(" at {}", visible(at))).unwrap_or_default();
    format!("{}{at} ({})", visible(&writer.who), visible(&writer.precision))
}

/// How many fields programs own: `14 external fields of 3 managers (…), not compared`.
pub fn external(external: &External) -> String {
    let names: Vec<_> = external.managers.iter().map(|name| visible(name)).collect();
    format!(
        "{} of {} ({}), not compared",
        count(external.fields, "external field"),
        count(names.len(), "manager"),
        names.join(", ")
    )
}

/// What an ignore rule hides, and why: "2 fields ignored by `hpa-replicas` (HPA owns replicas)".
pub fn ignored(found: &Use) -> String {
    format!("{} ({})", ignored_by(&found.rule.id, found.fields), visible(&found.rule.reason))
}

/// What an ignore rule hides.
pub fn ignored_by(rule: &str, fields: usize) -> String {
    format!("{} ignored by `{}`", count(fields, "field"), visible(rule))
}

/// Who was behind something: `jane (patch by kubectl/v1.35 at …): /data/colour`.
pub fn person(person: &Person) -> String {
    let Person { user, acted_as, agent, verb, at, paths, others } = person;
    let acted_as = acted_as.as_ref().map(|user| format!(" as {}", visible(user))).unwrap_or_default();
    let places = match paths.as_slice() {
        [] => String::new(),
        paths => format!(": {}", visible(&paths.join(", "))),
    };
    let others = match others {
        0 => String::new(),
        others => format!("; or one of {} with the same program", count(*others, "other")),
    };
    let (user, verb, agent, at) = (visible(user), visible(verb), visible(agent), visible(at));
    format!("{user}{acted_as} ({verb} by {agent} at {at}){places}{others}")
}

/// The revision for headings.
pub fn revision(revision: &Revision) -> String {
    visible(&revision.label()).into_owned()
}

/// The last apply, where it did not go through: `last attempt main@9d0e77c at … by alice: applied in part`.
pub fn attempted(last: &Attempted) -> String {
    let end = match last.result {
        None => "it did not end",
        Some(Exit::InSync) => "only what was chosen was applied",
        Some(other) => other.meaning(),
    };
    let (at, who) = (visible(&last.started), visible(&last.who.actor));
    format!("last attempt {} at {at} by {who}: {end}", revision(&last.revision))
}

/// `1 object`, `2 objects`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The counts in one line. The first four are always there, the others where they are not zero.
pub fn counts(summary: &Summary) -> String {
    let some = |number: usize, word: &str| (number > 0).then(|| format!("{number} {word}"));
    let actions = [
        Some(format!("{} create", summary.create)),
        Some(format!("{} update", summary.update)),
        Some(format!("{} replace", summary.replace)),
        Some(format!("{} delete", summary.delete)),
        some(summary.adopt, "adopt"),
        some(summary.release, "release"),
    ];
    let classes = [
        some(summary.pending, "pending"),
        some(summary.drift, "drifted"),
        some(summary.missing, "missing"),
        some(summary.extra, "extra"),
        some(summary.conflict, "in conflict"),
        some(summary.unknown, "unknown"),
    ];
    let join = |words: &[Option<String>]| words.iter().flatten().cloned().collect::<Vec<_>>().join(", ");
    let parts = [join(&actions), join(&classes), format!("{} unchanged", summary.unchanged)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Why nothing is known of an object, or why the target refuses it.
pub fn unknown(change: &ShownChange) -> String {
    match &change.unknown {
        Some((cause, why)) => format!("{}: {}", cause.word(), visible(why)),
        None => "unknown: it could not be read".to_owned(),
    }
}

/// What would happen to an object and why, in one line.
pub fn what(change: &ShownChange) -> String {
    match (change.class, change.action) {
        (Class::Unknown, _) => unknown(change),
        (Class::Extra, Action::Keep) => "extra: only the target has it".to_owned(),
        (Class::Extra, action) => format!("{action}: only the target has it"),
        (Class::Missing, Action::Create) => "create: it is gone from the target".to_owned(),
        (Class::Missing, _) => "missing: it is gone from the target".to_owned(),
        (Class::Converged, _) => "converged: the target has it already".to_owned(),
        (Class::Conflict, Action::Create) => "conflict: gone from the target, changed in Git".to_owned(),
        (Class::Conflict, Action::Delete) => "conflict: changed in the target, removed from Git".to_owned(),
        (Class::Conflict, _) => with_fields("conflict", change),
        (_, Action::Adopt) => with_fields("adopt", change),
        (_, Action::Release) => "release: it stays as it is, and is not ours any more".to_owned(),
        (_, Action::Claim) => "claim: it is as declared, its fields become ours".to_owned(),
        (_, Action::Create | Action::Delete) => change.action.to_string(),
        (_, Action::Replace) => with_fields("replace", change),
        _ if change.fields.is_empty() => change.class.to_string(),
        _ => fields(change),
    }
}

fn with_fields(word: &str, change: &ShownChange) -> String {
    match change.fields.is_empty() {
        true => word.to_owned(),
        false => format!("{word}: {}", fields(change)),
    }
}

/// The fields that differ, by class, the worst first.
fn fields(change: &ShownChange) -> String {
    let classes =
        [Class::Conflict, Class::Drift, Class::Missing, Class::Extra, Class::Pending, Class::Converged];
    let lists = classes.iter().filter_map(|class| {
        let of_class: Vec<_> = change.fields.iter().filter(|field| field.class == *class).collect();
        let named: Vec<_> = of_class.iter().take(FIELDS).map(|shown| field(shown)).collect();
        let more = of_class.len().saturating_sub(FIELDS);
        let more = if more > 0 { format!(" and {}", count(more, "more field")) } else { String::new() };
        let word = if *class == Class::Conflict { "both moved" } else { class.word() };
        (!of_class.is_empty()).then(|| format!("{word} {}{more}", named.join(", ")))
    });
    lists.collect::<Vec<_>>().join("; ")
}

/// A field with the values that separate its sides, where these are short.
fn field(field: &ShownField) -> String {
    let line = field.line.map(|line| format!(" (line {line})")).unwrap_or_default();
    let path = format!("{}{line}", visible(&field.path));
    let (from, to) = match field.class {
        Class::Drift | Class::Missing | Class::Extra => (&field.sides.base, &field.sides.actual),
        _ => (&field.sides.actual, &field.sides.desired),
    };
    match (short(from.as_ref()), short(to.as_ref())) {
        (Some(from), Some(to)) if from != to => format!("{path} {from} → {to}"),
        _ => path,
    }
}

/// A value that fits a line.
fn short(value: Option<&Shown>) -> Option<String> {
    let text = match value {
        None => "nothing".to_owned(),
        Some(Shown::Hidden(number)) => format!("(sensitive) #{number}"),
        Some(Shown::Content { size: Some(size), .. }) => format!("{size} bytes"),
        Some(Shown::List(_) | Shown::Map(_)) => brief(value?)?,
        // The line feed that ends the only line of a hunk goes without saying.
        Some(Shown::Plain(Value::String(text))) => {
            Value::from(text.strip_suffix('\n').unwrap_or(text)).to_string()
        }
        Some(Shown::Plain(value)) if !value.is_array() && !value.is_object() => value.to_string(),
        Some(_) => return None,
    };
    let fits = text.chars().count() <= VALUE && !text.contains("\\n");
    fits.then(|| visible(&text).into_owned())
}

/// A whole in one line; none where it holds content that is not shown.
fn brief(value: &Shown) -> Option<String> {
    Some(match value {
        Shown::Plain(value) => value.to_string(),
        Shown::Hidden(number) => format!("(sensitive) #{number}"),
        Shown::Content { .. } => return None,
        Shown::List(items) => {
            format!("[{}]", items.iter().map(brief).collect::<Option<Vec<_>>>()?.join(", "))
        }
        Shown::Map(map) => {
            let entry = |(key, value): &(Arc<str>, Shown)| Some(format!("{key}: {}", brief(value)?));
            format!("{{{}}}", map.iter().map(entry).collect::<Option<Vec<_>>>()?.join(", "))
        }
    })
}

/// The two status columns and the mark after them.
pub fn columns(change: &ShownChange) -> &'static str {
    let drifted = change.drifted;
    match (change.class, change.action) {
        (Class::Unknown, _) => "?? ",
        (Class::Conflict, _) => "DP!",
        (_, Action::Delete) if drifted => "D- ",
        (_, Action::Delete) => ".- ",
        (_, Action::Create) if drifted => "D+ ",
        (_, Action::Create) => ".+ ",
        _ if drifted && change.pending => "DP ",
        _ if drifted => "D. ",
        _ if change.pending => ".P ",
        _ => ".. ",
    }
}

/// The options that chose the objects of a plan, to be typed again: `--ref`, and `--only`.
pub fn given(given: &SelectionArgs) -> (String, String) {
    let option = |name: &str, value: &String| {
        let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:@=+,".contains(character);
        let value = match value.chars().all(plain) {
            true => value.clone(),
            false => format!("'{}'", visible(value).replace('\'', "'\\''")),
        };
        format!(" {name} {value}")
    };
    let reference = given.reference.iter().map(|value| option("--ref", value)).collect();
    (reference, given.only.iter().map(|value| option("--only", value)).collect())
}

/// What a person could type next, with the arguments that select these targets.
pub fn apply_command(plans: &[&ShownPlan]) -> String {
    let mut command = "trueup apply".to_owned();
    let environment = plans.first().and_then(|plan| plan.target.environment.as_ref());
    if let Some(environment) = environment {
        command.push_str(&format!(" -e {}", visible(environment)));
    }
    if let [plan] = plans {
        command.push_str(&format!(" {}", visible(&plan.target.name)));
    }
    command
}
