//! Plans as Markdown.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::{page::Page, span};
use crate::{
    model::{
        explain::{Explanation, Reason},
        plan::Summary,
        redact::{ShownChange, ShownPlan, totals},
    },
    output::{
        Bytes, PlanView, Plans, Verb,
        hunks::{CONTEXT, Pen},
        phrases,
        style::Paint,
        unified,
    },
};

/// Writes plans in at most `max_bytes`.
///
/// # Errors
/// `out` refused.
pub fn plans(plans: &Plans<'_>, max_bytes: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(head(plans), max_bytes);
    let several = plans.sheets.len() > 1;
    let changes = || {
        let of = |sheet: &'_ PlanView| sheet.plan.changes.len();
        plans
            .sheets
            .iter()
            .flat_map(move |sheet| (0..of(sheet)).map(move |at| (sheet, &sheet.plan.changes[at])))
    };
    let named = |sheet: &PlanView, change: &ShownChange| match several {
        true => format!("{}: {}", sheet.plan.target.name, change.address),
        false => change.address.clone(),
    };
    let row = |sheet: &PlanView| format!("- {}\n", target(&sheet.plan));
    page.list("Targets:", "targets", plans.sheets.iter().map(row));
    let dangerous = plans.sheets.iter().flat_map(|sheet| {
        sheet.plan.dangers().into_iter().chain(sheet.plan.blockers()).map(move |change| (sheet, change))
    });
    let danger = |(sheet, change): (&PlanView, &ShownChange)| {
        format!("- {}: {}\n", span::code(&named(sheet, change)), span::code(&phrases::what(change)))
    };
    page.list("**Look at these first:**", "deletes, conflicts and the like", dangerous.map(danger));
    let notes = plans.sheets.iter().flat_map(|sheet| remarks(&sheet.plan));
    page.list("Remarks:", "remarks", notes.map(|note| format!("- {}\n", span::code(&note))));
    let explained = plans.sheets.iter().flat_map(|sheet| &sheet.plan.explanations);
    page.list("Why:", "explanations", explained.map(explanation));
    let line = |(sheet, change)| object(&named(sheet, change), change);
    page.list("Objects (`D` drifted, `P` pending):", "objects", changes().map(line));
    let all: Vec<_> =
        changes().map(|(sheet, change)| Diff { sheet, change, name: named(sheet, change) }).collect();
    diffs(&all, &mut page);
    out.write_all(page.finish(&format!("trueup {} -o json", command(plans.verb))).as_bytes())
}

fn command(verb: Verb) -> &'static str {
    match verb {
        Verb::Plan => "plan",
        Verb::Diff => "diff",
        Verb::Drift => "drift",
        Verb::Apply => "apply",
    }
}

/// The mark, the verdict, the counts and the digest.
fn head(plans: &Plans<'_>) -> String {
    let shown: Vec<_> = plans.sheets.iter().map(|sheet| &sheet.plan).collect();
    let sum = totals(shown.iter().copied());
    let mut head = mark(command(plans.verb), &shown);
    let (word, code) = (plans.exit.word(), plans.exit.code());
    let _ = write!(head, "**trueup {}: {word}** (exit {code})\n\n", command(plans.verb));
    head.push_str(&table(&sum.summary));
    if !sum.complete {
        head.push_str("\nNot complete: something could not be read, or was not asked for.\n");
    }
    head
}

/// The hidden line by which a poster finds its own comment again.
pub fn mark(command: &str, plans: &[&ShownPlan]) -> String {
    let environment = plans.first().and_then(|plan| plan.target.environment.as_deref()).unwrap_or_default();
    let target = if let [plan] = plans { plan.target.name.as_str() } else { "" };
    format!("<!-- trueup:{command} env={} target={} v1 -->\n", span::mark(environment), span::mark(target))
}

/// What there is to say of a plan, besides its objects.
fn remarks(plan: &ShownPlan) -> Vec<String> {
    let ignored = plan.ignored.iter().filter(|found| found.fields > 0).map(phrases::ignored);
    let external = (plan.external.fields > 0).then(|| phrases::external(&plan.external));
    plan.notes.iter().cloned().chain(external).chain(ignored).collect()
}

/// Why an object is as declared or not.
fn explanation(found: &Explanation) -> String {
    let reason = |Reason { basis, path, text }: &Reason| {
        let path = path.as_ref().map(|path| format!(" {}", span::code(path))).unwrap_or_default();
        format!("  - {}{path}: {}\n", basis.word(), span::code(text))
    };
    let reasons: String = found.reasons.iter().map(reason).collect();
    format!("- {}: {}\n{reasons}", span::code(found.address.as_str()), found.class)
}

/// One target in a line.
pub fn target(plan: &ShownPlan) -> String {
    if let Some(failure) = &plan.failure {
        let (name, why) = (span::short(&plan.target.name), span::code(&failure.message));
        return format!("{name}: **could not be planned**: {why}");
    }
    let base = plan.base.as_ref().map(|base| format!(", applied {}", span::short(&base.label())));
    let attempted =
        plan.attempted.as_ref().map(|last| format!(", {}", span::code(&phrases::attempted(last))));
    format!(
        "{} ({}){}{}, desired {}, digest `{}`",
        span::short(&plan.target.name),
        span::short(&plan.target.id),
        base.unwrap_or_default(),
        attempted.unwrap_or_default(),
        span::short(&plan.revision.label()),
        plan.digest,
    )
}

/// The counts under the names that JSON gives them.
fn table(summary: &Summary) -> String {
    let counts = [
        ("create", summary.create),
        ("update", summary.update),
        ("replace", summary.replace),
        ("delete", summary.delete),
        ("adopt", summary.adopt),
        ("pending", summary.pending),
        ("drift", summary.drift),
        ("conflict", summary.conflict),
        ("extra", summary.extra),
        ("missing", summary.missing),
        ("unknown", summary.unknown),
        ("unchanged", summary.unchanged),
    ];
    let row = |cell: &dyn Fn(&(&str, usize)) -> String| {
        counts.iter().fold("|".to_owned(), |row, count| row + &cell(count) + "|") + "\n"
    };
    row(&|(name, _)| (*name).to_owned()) + &row(&|_| "-:".to_owned()) + &row(&|(_, count)| count.to_string())
}

/// One object with what explains it.
fn object(name: &str, change: &ShownChange) -> String {
    let columns = phrases::columns(change).trim_end();
    let mut item = format!("- `{columns}` {}: {}", span::code(name), span::code(&phrases::what(change)));
    if let Some(origin) = &change.origin {
        let _ = write!(item, ", {}", span::code(&phrases::place(origin)));
    }
    item.push('\n');
    if let Some(writer) = change.writer.as_ref().filter(|_| change.drifted) {
        let _ = writeln!(item, "  - by {}", span::code(&phrases::writer(writer)));
    }
    if let Some(commit) = change.commits.first() {
        let more = change.commits.len() - 1;
        let more =
            if more > 0 { format!(" and {}", phrases::count(more, "earlier commit")) } else { String::new() };
        let _ = writeln!(item, "  - {}{more}", span::code(&phrases::commit(commit)));
    }
    for line in phrases::declared(change) {
        let _ = writeln!(item, "  - {}", span::code(&line));
    }
    for (rule, fields) in &change.ignored {
        let _ = writeln!(item, "  - {}", span::code(&phrases::ignored_by(rule, *fields)));
    }
    for note in &change.notes {
        let _ = writeln!(item, "  - {}", span::code(note));
    }
    item
}

/// The diff of one object.
struct Diff<'a> {
    sheet: &'a PlanView,
    change: &'a ShownChange,
    name: String,
}

impl Diff<'_> {
    /// The block that folds it away; empty where there is nothing to show.
    fn render(&self, context: usize) -> String {
        let mut bytes = Vec::new();
        let mut pen = Pen { out: &mut bytes, paint: Paint::Plain, bytes: Bytes::Visible, context };
        // A vector takes everything.
        let _ = unified::change(self.change, self.sheet.form, &mut pen);
        let text = String::from_utf8_lossy(&bytes);
        if text.is_empty() {
            return String::new();
        }
        let name = span::html(&self.name);
        let fence = span::fence("diff", &text);
        format!("\n<details><summary><code>{name}</code></summary>\n\n{fence}\n</details>\n")
    }
}

/// Adds the diffs that fit, the smallest first so that most objects are
/// complete, in the order of the plan. One that does not fit is tried once
/// more without the lines around its changes.
fn diffs(all: &[Diff<'_>], page: &mut Page) {
    let mut sizes: Vec<_> =
        all.iter().enumerate().map(|(at, diff)| (diff.render(CONTEXT).len(), at)).collect();
    sizes.retain(|(size, _)| *size > 0);
    sizes.sort_unstable();
    let (mut room, mut chosen) = (page.room(), Vec::new());
    for (size, at) in &sizes {
        let candidates = [(CONTEXT, *size), (0, if *size > room { all[*at].render(0).len() } else { 0 })];
        if let Some((context, size)) = candidates.into_iter().find(|(_, size)| *size <= room) {
            room -= size;
            chosen.push((*at, context));
        }
    }
    chosen.sort_unstable();
    let shown = chosen.iter().filter(|(at, context)| page.add(&all[*at].render(*context))).count();
    page.count("diffs", shown, sizes.len());
}
