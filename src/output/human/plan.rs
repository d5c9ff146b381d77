//! Plans for people.

use std::io::{self, Write};

use crate::{
    exit::Exit,
    model::{
        change::{Action, Class},
        explain::{Explanation, Reason},
        object::Cause,
        redact::{ShownChange, ShownPlan, totals},
    },
    output::{
        Bytes, Detail, Look, PlanView, Plans, Verb,
        hunks::{CONTEXT, Pen},
        phrases,
        style::{Paint, Role},
        unified,
        visible::visible,
    },
};

/// The widest that a column of names may get.
const WIDEST: usize = 48;

/// How many commits explain an object in its list.
const COMMITS: usize = 3;

/// Writes plans.
///
/// # Errors
/// `out` refused.
pub fn plans(plans: &Plans<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    for (at, sheet) in plans.sheets.iter().enumerate() {
        if at > 0 && look.detail > Detail::Counts {
            writeln!(out)?;
        }
        one(plans.verb, sheet, look, out)?;
    }
    if plans.sheets.len() > 1 {
        let all = totals(plans.sheets.iter().map(|sheet| &sheet.plan));
        let (count, failed) = (plans.sheets.len(), plans.failures());
        let which =
            if failed > 0 { format!("{} of {count}", count - failed) } else { format!("All {count}") };
        writeln!(out, "\n{which} targets: {}.", phrases::counts(&all.summary))?;
        writeln!(out, "Digest {}.", all.digest)?;
    }
    // What apply answers is not known before it is done.
    if plans.exit != Exit::InSync && plans.verb != Verb::Apply {
        writeln!(out, "Exit {} ({}).", plans.exit.code(), plans.exit.word())?;
    }
    match hint(plans) {
        Some(hint) if look.detail > Detail::Counts => {
            writeln!(out, "{}", look.paint.apply(Role::Aside, &format!("next: {hint}")))
        }
        _ => Ok(()),
    }
}

/// Writes the plan of one target.
fn one(verb: Verb, sheet: &PlanView, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let plan = &sheet.plan;
    if let Some(failure) = &plan.failure {
        let (name, id) = (visible(&plan.target.name), visible(&plan.target.id));
        let state = look.paint.apply(Role::Conflict, "could not be planned");
        return writeln!(out, "target {name} ({id}): {state}: {}", visible(&failure.message));
    }
    if plan.changes.is_empty() {
        explanations(plan, look.paint, out)?;
        return in_sync(plan, look, out);
    }
    if look.detail > Detail::Counts {
        writeln!(out, "{}", look.paint.apply(Role::Heading, &heading(verb, plan)))?;
        rows(&plan.changes, look.paint, out)?;
    }
    if look.detail == Detail::Diffs {
        writeln!(out)?;
        let mut pen = Pen { out, paint: look.paint, bytes: Bytes::Visible, context: CONTEXT };
        unified::sheet(sheet, &mut pen)?;
        writeln!(out)?;
    }
    if look.detail == Detail::Objects && !plan.explanations.is_empty() {
        writeln!(out)?;
    }
    explanations(plan, look.paint, out)?;
    notes(plan, look.paint, out)?;
    if look.detail > Detail::Counts {
        dangers(plan, look.paint, out)?;
    }
    let word = if verb == Verb::Drift { "Drift" } else { "Plan" };
    let target = if look.detail == Detail::Counts {
        format!(" {}", visible(&plan.target.name))
    } else {
        String::new()
    };
    writeln!(out, "{word}{target}: {}.", phrases::counts(&plan.summary))?;
    writeln!(out, "Digest {}.", plan.digest)
}

fn in_sync(plan: &ShownPlan, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let (name, id) = (visible(&plan.target.name), visible(&plan.target.id));
    let objects = phrases::count(plan.summary.unchanged, "object");
    let state = if plan.complete { "in sync" } else { "in sync as far as compared" };
    let state = look.paint.apply(Role::Good, state);
    writeln!(out, "target {name} ({id}): {state} with {}, {objects}", phrases::revision(&plan.revision))?;
    notes(plan, look.paint, out)
}

fn heading(verb: Verb, plan: &ShownPlan) -> String {
    let mut parts = vec![format!("target {} ({})", visible(&plan.target.name), visible(&plan.target.id))];
    if let Some(environment) = &plan.target.environment {
        parts.push(format!("environment {}", visible(environment)));
    }
    match (&plan.base, &plan.applied_at) {
        (Some(base), Some(at)) => {
            parts.push(format!("applied {} ({})", phrases::revision(base), visible(at)))
        }
        (Some(base), None) => parts.push(format!("applied {}", phrases::revision(base))),
        (None, _) if verb == Verb::Diff => {}
        (None, _) if plan.attempted.is_some() => parts.push("nothing applied as a whole".to_owned()),
        (None, _) => parts.push("nothing recorded as applied".to_owned()),
    }
    parts.extend(plan.attempted.as_ref().map(phrases::attempted));
    parts.push(format!("desired {}", phrases::revision(&plan.revision)));
    parts.join("   ")
}

/// Writes one line for each object, and what explains it below.
fn rows(changes: &[ShownChange], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let width = |text: &str| text.chars().count();
    let names = changes.iter().map(|change| width(&visible(&change.address)));
    let widest = names.filter(|width| *width <= WIDEST).max().unwrap_or(0).max("object".len());
    writeln!(out, "{}", paint.apply(Role::Aside, &format!("DP   {:widest$}   what", "object")))?;
    for change in changes {
        let name = visible(&change.address);
        let origin = change.origin.as_ref().map(|origin| format!("   {}", phrases::place(origin)));
        writeln!(
            out,
            "{}  {name:widest$}   {}{}",
            paint.apply(role(change), phrases::columns(change)),
            phrases::what(change),
            paint.apply(Role::Aside, &origin.unwrap_or_default()),
        )?;
        reasons(change, out)?;
    }
    Ok(())
}

fn role(change: &ShownChange) -> Role {
    match (change.class, change.action) {
        (Class::Unknown | Class::Conflict, _) => Role::Conflict,
        (_, Action::Delete) => Role::Removed,
        (_, Action::Create) => Role::Added,
        _ if change.drifted => Role::Drift,
        _ => Role::Changed,
    }
}

/// Writes who and what caused a change, and remarks.
fn reasons(change: &ShownChange, out: &mut dyn Write) -> io::Result<()> {
    if let Some(writer) = change.writer.as_ref().filter(|_| change.drifted) {
        writeln!(out, "       by {}", phrases::writer(writer))?;
    }
    for person in &change.persons {
        writeln!(out, "       person {}", phrases::person(person))?;
    }
    for commit in change.commits.iter().take(COMMITS) {
        writeln!(out, "       {}", phrases::commit(commit))?;
    }
    let more = change.commits.len().saturating_sub(COMMITS);
    if more > 0 {
        writeln!(out, "       and {}", phrases::count(more, "earlier commit"))?;
    }
    for line in phrases::declared(change) {
        writeln!(out, "       {line}")?;
    }
    for (rule, fields) in &change.ignored {
        writeln!(out, "       note: {}", phrases::ignored_by(rule, *fields))?;
    }
    change.notes.iter().try_for_each(|note| writeln!(out, "       note: {}", visible(note)))
}

fn notes(plan: &ShownPlan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let word = paint.apply(Role::Warning, "note:");
    plan.notes.iter().try_for_each(|note| writeln!(out, "{word} {}", visible(note)))?;
    if plan.external.fields > 0 {
        writeln!(out, "{word} {}", phrases::external(&plan.external))?;
    }
    for found in plan.ignored.iter().filter(|found| found.fields > 0) {
        writeln!(out, "{word} {}", phrases::ignored(found))?;
    }
    if !plan.complete && !plan.changes.is_empty() {
        writeln!(out, "{word} not complete: something could not be read, or was not asked for")?;
    }
    Ok(())
}

/// Writes why objects are as declared or not.
fn explanations(plan: &ShownPlan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for Explanation { address, class, reasons } in &plan.explanations {
        writeln!(out, "{}", paint.apply(Role::Heading, &format!("{}: {class}", visible(address.as_str()))))?;
        for Reason { basis, path, text } in reasons {
            let place = path.as_ref().map_or_else(String::new, |path| format!("{}  ", visible(path)));
            writeln!(out, "  {:11}  {place}{}", basis.word(), visible(text))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Repeats at the end what cannot be undone, since a long list hides it.
fn dangers(plan: &ShownPlan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for change in plan.dangers() {
        let word = paint.apply(Role::Conflict, change.action.word());
        writeln!(out, "to {word}: {}", visible(&change.address))?;
    }
    Ok(())
}

/// What to type next.
fn hint(plans: &Plans<'_>) -> Option<String> {
    let shown: Vec<_> = plans.sheets.iter().map(|sheet| &sheet.plan).collect();
    let all = totals(shown.iter().copied());
    let (reference, only) = phrases::given(plans.given);
    let command = phrases::apply_command(&shown);
    let adopt = format!("{}{only}", command.replacen("apply", "drift --adopt", 1));
    // What drifted is put back to what was applied, whatever revision that was.
    let undo = format!("{command}{only} --only-drift");
    let apply = format!("{command}{reference}{only}");
    let dirty = shown.iter().any(|plan| plan.revision.dirty);
    match (plans.verb, plans.exit) {
        (Verb::Diff | Verb::Apply, _) | (_, Exit::InSync) => None,
        (Verb::Drift, _) if plans.failures() > 0 => None,
        (Verb::Drift, _) if shown.iter().all(|plan| plan.changes.iter().all(ShownChange::is_kept)) => Some(
            format!("`{adopt}` takes what is there into Git; nothing was applied that could be put back"),
        ),
        (Verb::Drift, _) => {
            Some(format!("`{undo}` puts back what was applied; `{adopt}` takes what is there into Git"))
        }
        _ if all.summary.conflict > 0 => Some(format!(
            "`{apply} --overwrite ADDRESS` lets Git win, `{apply} --keep ADDRESS` leaves an object as it is"
        )),
        _ if plans.failures() == 0 && all.summary.unknown > 0 && only_invalid(&shown) => {
            Some(format!("`{apply} --skip-invalid` applies all but what the target refuses"))
        }
        _ if all.summary.unknown > 0 || plans.failures() > 0 => {
            Some("nothing of it can be applied before everything can be read".to_owned())
        }
        _ if shown.iter().any(|plan| plan.revision.merged) => {
            Some(format!("merge, then `{apply}`; a merge in memory cannot be applied"))
        }
        _ if !all.applyable => None,
        _ if dirty => Some(format!("commit, then `{apply}`, which takes a commit")),
        _ if all.summary.adopt > 0 => Some(format!(
            "`{apply} --adopt ADDRESS` overwrites what is there already, `--adopt '**'` all of it"
        )),
        (_, Exit::Drift) => {
            Some(format!("`{apply}` puts back what Git declares; `{adopt}` takes what is there into Git"))
        }
        _ => Some(format!("`{apply}`; with `--digest {}` this and nothing else", all.digest)),
    }
}

/// Whether nothing is unknown but what the target refuses.
fn only_invalid(plans: &[&ShownPlan]) -> bool {
    let mut unknown =
        plans.iter().flat_map(|plan| &plan.changes).filter_map(|change| change.unknown.as_ref());
    unknown.all(|(cause, _)| *cause == Cause::Invalid)
}
