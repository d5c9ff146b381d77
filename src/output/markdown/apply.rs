//! What an apply did, as Markdown.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::{
    page::Page,
    plan::{mark, target},
    span,
};
use crate::{
    model::report::{Outcome, Verdict},
    output::Reports,
};

/// Writes what an apply did in at most `max_bytes`.
///
/// # Errors
/// `out` refused.
pub fn reports(reports: &Reports<'_>, max_bytes: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(head(reports), max_bytes);
    let targets = reports.targets.iter().map(|applied| format!("- {}\n", target(&applied.plan)));
    page.list("Targets:", "targets", targets);
    for good in [false, true] {
        let title = if good { "Done:" } else { "**Not done:**" };
        let outcomes = reports.targets.iter().flat_map(|applied| {
            let name = applied.plan.target.name.as_str();
            applied.report.outcomes.iter().map(move |outcome| (name, outcome))
        });
        let some = outcomes.filter(|(_, outcome)| (outcome.verdict == Verdict::Done) == good);
        let several = reports.targets.len() > 1;
        page.list(title, "objects", some.map(|(target, outcome)| row(several.then_some(target), outcome)));
    }
    out.write_all(page.finish("trueup log").as_bytes())
}

fn head(reports: &Reports<'_>) -> String {
    let plans: Vec<_> = reports.targets.iter().map(|applied| &applied.plan).collect();
    let mut head = mark("apply", &plans);
    let _ = writeln!(head, "**trueup apply: {}** (exit {})\n", reports.exit.word(), reports.exit.code());
    let count = |verdict| reports.targets.iter().map(|applied| applied.report.count(verdict)).sum::<usize>();
    let row = |cell: &dyn Fn(Verdict) -> String| {
        Verdict::ALL.iter().fold("|".to_owned(), |row, verdict| row + &cell(*verdict) + "|") + "\n"
    };
    head.push_str(&row(&|verdict| verdict.words().to_owned()));
    head.push_str(&row(&|_| "-:".to_owned()));
    head.push_str(&row(&|verdict| count(verdict).to_string()));
    head
}

fn row(target: Option<&str>, outcome: &Outcome) -> String {
    let name = outcome.address.as_str();
    let name = target.map_or_else(|| name.to_owned(), |target| format!("{target}: {name}"));
    let mut row = format!("- {} {} {}", outcome.verdict.words(), outcome.action, span::code(&name));
    if let Some((_, reason)) = &outcome.error {
        let _ = write!(row, ": {}", span::code(reason));
    }
    row.push('\n');
    row
}
