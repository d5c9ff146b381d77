//! What an apply did, for people.

use std::io::{self, Write};

use crate::{
    exit::Exit,
    model::report::{Outcome, Verdict},
    output::{
        Applied, Detail, Look, Reports, phrases,
        style::{Paint, Role},
        visible::visible,
    },
};

/// Writes what an apply did.
///
/// # Errors
/// `out` refused.
pub fn reports(reports: &Reports<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    for applied in reports.targets {
        one(applied, look, out)?;
    }
    let plans: Vec<_> = reports.targets.iter().map(|applied| &applied.plan).collect();
    let again = phrases::apply_command(&plans);
    let hint = match reports.exit {
        Exit::InSync => return Ok(()),
        Exit::StalePlan => {
            format!("`{}` shows what the target holds now", again.replacen("apply", "plan", 1))
        }
        _ => format!("`{again}` does what is left"),
    };
    writeln!(out, "Exit {} ({}).", reports.exit.code(), reports.exit.word())?;
    writeln!(out, "{}", look.paint.apply(Role::Aside, &format!("next: {hint}")))
}

fn one(applied: &Applied, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let (plan, report) = (&applied.plan, &applied.report);
    let heading = format!("target {} ({})", visible(&plan.target.name), visible(&plan.target.id));
    let revision = phrases::revision(&plan.revision);
    if report.outcomes.is_empty() {
        return writeln!(out, "{heading}: nothing to do for {revision}");
    }
    writeln!(out, "{}", look.paint.apply(Role::Heading, &format!("{heading}   {revision}")))?;
    for outcome in &report.outcomes {
        if outcome.verdict != Verdict::Done || look.detail > Detail::Counts {
            row(outcome, look.paint, out)?;
        }
    }
    if let Some(signal) = report.interrupted {
        writeln!(out, "{}", look.paint.apply(Role::Warning, &format!("stopped: {}", signal.word())))?;
    }
    writeln!(out, "Applied: {}.", tally(applied))
}

fn row(outcome: &Outcome, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let role = match outcome.verdict {
        Verdict::Done => Role::Good,
        Verdict::Failed | Verdict::Gone | Verdict::Different | Verdict::Uncertain | Verdict::Unready => {
            Role::Error
        }
        Verdict::Stale | Verdict::NotAttempted | Verdict::Skipped => Role::Warning,
    };
    let verdict = format!("{:13}", outcome.verdict.words());
    let name = visible(outcome.address.as_str());
    write!(out, "{}  {:7}  {name}", paint.apply(role, &verdict), outcome.action)?;
    match &outcome.error {
        Some((_, reason)) => writeln!(out, "   {}", visible(reason)),
        None => writeln!(out),
    }
}

/// How many ended how, those that are not zero.
fn tally(applied: &Applied) -> String {
    let counts = Verdict::ALL.map(|verdict| (applied.report.count(verdict), verdict.words()));
    let words: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.join(", ")
}
