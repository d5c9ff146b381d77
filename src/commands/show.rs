//! Plans on their way to the views.

use anyhow::Result;

use crate::{
    cli::args::{OutputArgs, SourceArgs},
    exit::Exit,
    model::{
        change::Change,
        explain::Cost,
        guard::{self, Consent, Context, Limits, Refusal},
        plan::Failure,
        redact, saved,
        user_error::UserError,
    },
    output::{
        self, Detail, Format, Outputs, PlanView, Plans, Problem, SelectionArgs, Sink, Verb, View, count,
        markdown, terminal::Terminal,
    },
    planner::session::{self, ResolvedTarget, Session, TargetPlan},
};

/// Where the answer goes, as the command line says it.
///
/// # Errors
/// A format or budget that does not exist, or that this answer does not have (64).
pub fn outputs<V: View>(args: &OutputArgs, usual: Format, detail: Detail) -> Result<Outputs> {
    let usage = |message: String| UserError::new(Exit::Usage, message);
    let sinks =
        args.out.iter().map(|sink| sink.parse().map_err(|error| usage(format!("--out {sink}: {error}"))));
    let sinks: Vec<Sink> = sinks.collect::<Result<_, _>>()?;
    let (here, copies): (Vec<Sink>, Vec<Sink>) = sinks.into_iter().partition(Sink::is_stdout);
    output::apart(&copies).map_err(usage)?;
    let outputs = Outputs {
        format: match (&here[..], args.format.as_deref()) {
            ([], typed) => format(typed, usual)?,
            ([one], None) => one.format,
            _ => {
                let message = "standard output takes one format: `--output FORMAT`, or one `--out FORMAT=-`";
                return Err(usage(message.to_owned()).into());
            }
        },
        copies,
        detail,
        max_bytes: match &args.max_bytes {
            Some(text) => {
                markdown::budget(text).map_err(|error| usage(format!("--max-bytes {text}: {error}")))?
            }
            None => 0,
        },
    };
    output::check::<V>(&outputs).map_err(usage)?;
    Ok(outputs)
}

/// A format as typed.
///
/// # Errors
/// There is no such format (64).
pub fn format(typed: Option<&str>, usual: Format) -> Result<Format, UserError> {
    let parse = |text: &str| {
        text.parse().map_err(|error| UserError::new(Exit::Usage, format!("--output {text}: {error}")))
    };
    typed.map_or(Ok(usual), parse)
}

/// What the options of a plan chose.
pub fn given(source: &SourceArgs) -> SelectionArgs {
    SelectionArgs { reference: source.reference.clone(), only: source.only.clone() }
}

/// Shows plans, and answers with the exit code that their list gives.
///
/// # Errors
/// A stream or file refused.
pub fn plans(
    verb: Verb,
    session: &Session,
    planned: &[TargetPlan],
    given: &SelectionArgs,
    outputs: &Outputs,
    terminal: &mut Terminal,
) -> Result<Exit> {
    detail(session, planned, terminal);
    let sheets = sheets(session, planned);
    let exit = redact::totals(sheets.iter().map(|sheet| &sheet.plan)).exit;
    let saved = saved::write(&saved::save(planned.iter().map(|planned| &planned.plan)));
    outputs.show(&Plans { verb, sheets: &sheets, exit, given, saved: Some(&saved) }, terminal)?;
    for plan in planned.iter().map(|planned| &planned.plan) {
        plan.failure.iter().for_each(|failure| terminal.problem(&problem(&plan.target.name, failure)));
    }
    Ok(exit)
}

fn problem(target: &str, failure: &Failure) -> Problem {
    Problem {
        message: format!("target `{target}` could not be planned: {}", failure.message),
        causes: Vec::new(),
        hint: failure.hint.clone(),
    }
}

fn sheets(session: &Session, planned: &[TargetPlan]) -> Vec<PlanView> {
    let kinds = session.targets.iter().map(|chosen| chosen.kind);
    kinds
        .zip(planned)
        .map(|(kind, planned)| PlanView { plan: redact::show(&planned.plan), form: kind.form })
        .collect()
}

/// Says on stderr, with `-v`, what the plans are about.
fn detail(session: &Session, planned: &[TargetPlan], terminal: &mut Terminal) {
    let place = session.checkout.place();
    terminal.detail(&format!("checkout {} at {}", place.display(), session.revision().label()));
    for (chosen, planned) in session.targets.iter().zip(planned) {
        let plan = &planned.plan;
        let path = if chosen.target.path.is_empty() { "the whole checkout" } else { &chosen.target.path };
        terminal.detail(&format!(
            "target {} ({}): {} declared below {path}, {} owned, {} in sync, {} not",
            plan.target.name,
            plan.target.id,
            planned.declared,
            plan.owned,
            plan.unchanged,
            plan.changes.len(),
        ));
        terminal.detail(&cost(planned));
    }
}

/// `shop: 1,020 objects of 4 kinds, 9 requests, 0.21 s`
fn cost(planned: &TargetPlan) -> String {
    let plan = &planned.plan;
    let many = |number: usize, noun: &str| {
        let count = count(number, noun);
        count.replacen(&number.to_string(), &grouped(number), 1)
    };
    let mut text = format!("{}: {}", plan.target.name, many(plan.unchanged + plan.changes.len(), "object"));
    if let Some(Cost { requests, repeated, kinds }) = plan.cost {
        text += &format!(" of {}, {}", many(kinds, "kind"), many(requests, "request"));
        if repeated > 0 {
            text += &format!(" ({} sent again)", grouped(repeated));
        }
    }
    format!("{text}, {:.2} s", planned.took.as_secs_f64())
}

/// `1,020`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

/// What stands in the way of applying `planned`, given what was consented to.
pub fn refusals(
    chosen: &ResolvedTarget,
    planned: &TargetPlan,
    limits: &Limits,
    consent: &Consent,
) -> Vec<Refusal> {
    let collection = chosen.kind.collection;
    let mut collections = std::collections::BTreeMap::new();
    let removes = |change: &Change| change.after.is_none() && change.sides.actual.is_some();
    if planned.plan.changes.iter().any(removes) {
        for address in planned.memory.owned.keys() {
            *collections.entry(collection(address)).or_default() += 1;
        }
    }
    let context = Context { limits, collections, collection, declared: planned.declared };
    guard::check(&planned.plan, consent, &context)
}

/// The answers of the targets that gave one, and why the others did not.
///
/// # Errors
/// None did.
pub fn answering<T>(asked: impl Iterator<Item = Result<T>>) -> Result<(Vec<T>, Vec<Failure>)> {
    let (mut answers, mut errors) = (Vec::new(), Vec::new());
    for answer in asked {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(error) => errors.push(error),
        }
    }
    match answers.is_empty() && !errors.is_empty() {
        true => Err(errors.swap_remove(0)),
        false => Ok((answers, errors.iter().map(session::failure).collect())),
    }
}

/// Says why targets gave no answer.
pub fn tell(failed: &[Failure], terminal: &mut Terminal) {
    for Failure { message, hint, .. } in failed {
        let (message, hint) = (message.clone(), hint.clone());
        terminal.problem(&Problem { message, causes: Vec::new(), hint });
    }
}

/// The answer where some targets gave none.
pub fn worst(failed: &[Failure]) -> Option<Exit> {
    failed.iter().map(|failure| failure.result).max_by_key(|exit| exit.code())
}
