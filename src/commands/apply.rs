//! `trueup apply`

use std::{io::Read as _, path::Path, time::Duration};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::{actor, show, signals::Signals};
use crate::{
    applier::{self, Circumstances, Extent, Job},
    cli::{GlobalArgs, args::ApplyArgs},
    exit::Exit,
    model::{
        address::quote,
        change::Action,
        guard::{self, Consent, Limits, Refusal},
        plan, redact,
        report::Report,
        saved::{self, SavedPlan},
        selector::Selector,
        user_error::UserError,
    },
    output::{
        Applied, Detail, Format, Outputs, Reports, Verb,
        terminal::{Consent as Answer, Level, Question, Terminal},
    },
    planner::{
        ignore_rules,
        session::{self, Against, PlanOptions, Session, TargetPlan},
    },
    providers::{Waiting, Writer, options::Period},
    source::{
        checkout::{Selection, short},
        history,
    },
};

/// How many commits a record lists as the reason of an apply.
const WHY: usize = 50;

pub(super) fn run(global: &GlobalArgs, args: &ApplyArgs, terminal: &mut Terminal) -> Result<Exit> {
    let detail = if global.quiet { Detail::Counts } else { Detail::Objects };
    let outputs = show::outputs::<Reports<'_>>(&args.output, Format::Human, detail)?;
    let consent = consent(args)?;
    waiting(args)?;
    let only = Selector::new(&args.source.only)?;
    let selection = args.source.reference.clone().map_or(Selection::WorkTree, Selection::Ref);
    let session = Session::open(global, &selection, args.source.env.as_deref(), &args.targets)?;
    check_revision(&session, args)?;
    outputs.prepare()?;
    let signals = Signals::listen(terminal.teller())?;
    let mut writers = open(&session, args, &signals)?;
    let progress = terminal.progress();
    let look = PlanOptions {
        only: &only,
        explain: &Selector::default(),
        logs: &[],
        verify: args.source.verify,
        against: Against::Revision,
        adopting: false,
        observer: &progress,
    };
    let mut planned = plan_locked(&session, &mut writers, &look)?;
    let idle = ignore_rules::remark(&mut planned, args.targets.is_empty(), &actor::today());
    check_position(&session, &planned, args)?;
    show_plan(&session, &planned, &outputs, args, terminal)?;
    ignore_rules::strict(args.source.strict_ignores, idle)?;
    check_approval(&planned, args)?;
    let consent = consent.respelled(&|pattern| session.spelled(pattern))?;
    planned.iter_mut().for_each(|planned| guard::narrow(&mut planned.plan, &consent));
    refuse(&session, &planned, args, &consent, terminal)?;
    let extent = match (args.only_drift, only.is_empty()) {
        (true, _) => Extent::Drift,
        (false, false) => Extent::Selection,
        (false, true) => Extent::Whole,
    };
    confirm(&planned, args, terminal)?;
    let mut applied = Vec::new();
    let mut failed = None;
    for (planned, writer) in planned.iter().zip(&mut writers) {
        let done = apply(&session, planned, &mut **writer, extent, args, &signals, &progress);
        failed = match done {
            Ok(applier::Done { report, unrecorded }) => {
                applied.push(Applied { plan: redact::show(&planned.plan), report });
                unrecorded
            }
            Err(error) => Some(error),
        };
        if failed.is_some() {
            break;
        }
    }
    let exit = answer(&applied);
    outputs.show(&Reports { targets: &applied, exit }, terminal)?;
    match failed {
        // What was written counts more than that it could not be recorded.
        Some(error) if exit == Exit::Partial => {
            terminal.warning(&format!("{error:#}"));
            Ok(exit)
        }
        Some(error) => Err(error),
        None => Ok(exit),
    }
}

/// What the options say about waiting.
fn waiting(args: &ApplyArgs) -> Result<Waiting> {
    let read = |text: &String| {
        let period: Result<Period, String> = text.parse();
        period.map_err(|error| UserError::new(Exit::Usage, format!("--timeout {error}")))
    };
    Ok(Waiting {
        wanted: match (args.wait, args.no_wait) {
            (false, false) => None,
            (wait, _) => Some(wait),
        },
        timeout: args.timeout.as_ref().map(read).transpose()?.map(|Period(timeout)| timeout),
    })
}

/// What the options consent to.
fn consent(args: &ApplyArgs) -> Result<Consent> {
    Ok(Consent {
        adopt: Selector::new(&args.adopt)?,
        overwrite: Selector::new(&args.overwrite)?,
        keep: Selector::new(&args.keep)?,
        replace: Selector::new(&args.allow_replace)?,
        protected: Selector::new(&args.allow_protected)?,
        emptied: Selector::new(&args.allow_emptied)?,
        empty: args.allow_empty,
        skip_unknown: args.skip_unknown,
        skip_invalid: args.skip_invalid,
        only_drift: args.only_drift,
    })
}

/// Refuses what is no commit of the environment's ref, unless told otherwise.
fn check_revision(session: &Session, args: &ApplyArgs) -> Result<()> {
    let revision = session.revision();
    let Some(commit) = &revision.commit else {
        return Err(UserError::new(Exit::NoInput, "there is no commit yet")
            .hint("`git commit` what is to be applied")
            .into());
    };
    if let Some(path) = session.snapshot.unmerged.first() {
        let message = format!("the index has conflicts that are not resolved: `{}`", quote(path));
        return Err(UserError::new(Exit::BadDesired, message)
            .hint("resolve them and `git add` the files, or `--ref HEAD` for the commit as it is")
            .into());
    }
    if revision.dirty && !args.allow_dirty {
        let hint = "commit first, or `--ref HEAD` for the commit as it is, or `--allow-dirty` for the files as they lie";
        return Err(UserError::new(Exit::Refused, "the work tree has uncommitted edits").hint(hint).into());
    }
    let Some(branch) = session.environment.branch() else { return Ok(()) };
    if !args.allow_off_ref && !session.checkout.is_on(commit, branch)? {
        let (full, _) = session.checkout.tip(branch)?;
        let message =
            format!("commit {} is not on `{}`, the ref of this environment", commit.short(), short(&full));
        let hint = format!("merge it first, or `--ref {full}`, or `--allow-off-ref` if this is meant");
        return Err(UserError::new(Exit::Refused, message).hint(hint).into());
    }
    Ok(())
}

fn open(session: &Session, args: &ApplyArgs, signals: &Signals) -> Result<Vec<Box<dyn Writer>>> {
    let who = actor::who();
    let patience = Duration::from_secs(args.lock_timeout);
    let mut writers = Vec::new();
    for chosen in &session.targets {
        let opened = (chosen.kind.open_for_apply)(&chosen.target);
        let locked = opened.and_then(|mut writer| writer.lock(&who, patience).map(|()| writer));
        let writer = session.blame(chosen, locked)?;
        signals.holds(writer.release());
        writers.push(writer);
    }
    Ok(writers)
}

fn plan_locked(
    session: &Session,
    writers: &mut [Box<dyn Writer>],
    look: &PlanOptions<'_>,
) -> Result<Vec<TargetPlan>> {
    let pairs: Vec<_> = session.targets.iter().zip(writers).collect();
    pairs
        .into_par_iter()
        .map(|(chosen, writer)| session.blame(chosen, session::plan(session, chosen, writer.reader(), look)))
        .collect()
}

/// Refuses to go back: what was applied last has to be part of what is applied now.
fn check_position(session: &Session, planned: &[TargetPlan], args: &ApplyArgs) -> Result<()> {
    if args.rollback || args.only_drift {
        return Ok(());
    }
    let Some(new) = session.revision().commit else { return Ok(()) };
    let applied = planned.iter().filter_map(|planned| Some((planned, planned.plan.base.as_ref()?.commit?)));
    for (planned, old) in applied.filter(|(_, old)| *old != new) {
        if !session.checkout.is_ancestor(&old, &new)? {
            let target = &planned.plan.target.name;
            let message = format!(
                "commit {} does not contain {}, which was applied to `{target}` last",
                new.short(),
                old.short()
            );
            let hint = "apply a commit that contains it, or `--rollback` if going back is meant";
            return Err(UserError::new(Exit::Refused, message).hint(hint).into());
        }
    }
    Ok(())
}

/// Shows what is about to be done; a machine format and `--quiet` have the report only.
fn show_plan(
    session: &Session,
    planned: &[TargetPlan],
    outputs: &Outputs,
    args: &ApplyArgs,
    terminal: &mut Terminal,
) -> Result<()> {
    let differs = planned.iter().any(|planned| !planned.plan.changes.is_empty());
    if outputs.format != Format::Human || terminal.level() == Level::Quiet || !differs {
        return Ok(());
    }
    let detail = if args.yes || args.summary { Detail::Objects } else { Detail::Diffs };
    let shown = Outputs { format: Format::Human, copies: Vec::new(), detail, max_bytes: 0 };
    show::plans(Verb::Apply, session, planned, &show::given(&args.source), &shown, terminal).map(drop)
}

/// Holds today's plans against the approved one.
fn check_approval(planned: &[TargetPlan], args: &ApplyArgs) -> Result<()> {
    let plans = planned.iter().map(|planned| &planned.plan);
    let stale = |message: String| {
        let hint = "look at today's plan and have it approved";
        Err(UserError::new(Exit::StalePlan, message).hint(hint).into())
    };
    if let Some(file) = &args.plan {
        let differences = saved::differences(&load(file)?, plans);
        if !differences.is_empty() {
            let list = differences.join("\n  ");
            return stale(format!("today's plan is not the approved one; nothing was written\n  {list}"));
        }
    } else if let Some(approved) = &args.digest {
        let today = plan::digest_all(plans.clone());
        if *approved != today && !plans.clone().all(plan::Plan::is_empty) {
            return stale(format!(
                "today's plan is {today}, not the approved {approved}; nothing was written"
            ));
        }
    }
    Ok(())
}

/// The content of a file, and not much more than a saved plan may have.
fn limited(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(saved::LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn load(file: &Path) -> Result<SavedPlan> {
    let shown = file.display();
    let bytes = limited(file)
        .map_err(|error| UserError::new(Exit::NoInput, format!("reading the plan `{shown}`: {error}")))?;
    let hint = "`trueup plan --out plan=FILE` writes one";
    if bytes.len() > saved::LARGEST {
        let message = format!("`{shown}` is larger than {} bytes, and no saved plan", saved::LARGEST);
        return Err(UserError::new(Exit::NoInput, message).hint(hint).into());
    }
    let plan: SavedPlan = serde_json::from_slice(&bytes).map_err(|error| {
        UserError::new(Exit::NoInput, format!("`{shown}` is no saved plan: {error}")).hint(hint)
    })?;
    if plan.schema != saved::SCHEMA {
        let message = format!("`{shown}` is a plan of another version: {}", plan.schema);
        return Err(UserError::new(Exit::NoInput, message).hint(hint).into());
    }
    if saved::write(&plan).as_bytes() != bytes {
        let message = format!("`{shown}` is not as `trueup plan` wrote it");
        return Err(UserError::new(Exit::StalePlan, message)
            .hint("plan again, and have that approved")
            .into());
    }
    Ok(plan)
}

/// Says everything that stands in the way, the worst as the error.
fn refuse(
    session: &Session,
    planned: &[TargetPlan],
    args: &ApplyArgs,
    consent: &Consent,
    terminal: &mut Terminal,
) -> Result<()> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for (chosen, planned) in session.targets.iter().zip(planned) {
        let limits = Limits {
            max_delete: args.max_delete.unwrap_or(chosen.limits.max_delete),
            max_delete_percent: args
                .max_delete_percent
                .map_or(chosen.limits.max_delete_percent, |percent| percent as usize),
            ..chosen.limits.clone()
        };
        refusals.extend(show::refusals(chosen, planned, &limits, consent));
    }
    // Elsewhere, or where not everything was looked at, there may be what they mean.
    if args.targets.is_empty() && planned.iter().all(|planned| planned.plan.complete) {
        let known = planned.iter().flat_map(TargetPlan::addresses).collect();
        refusals.extend(guard::strangers(consent, &known));
    }
    // A conflict is an answer about the target and goes before refusals of the command line.
    refusals.sort_by_key(|refusal| refusal.exit != Exit::Conflict);
    let mut refusals = refusals.into_iter();
    let Some(first) = refusals.next() else { return Ok(()) };
    for other in refusals {
        terminal.warning(&format!("{} ({})", other.message, other.hint));
    }
    Err(UserError::from(first).into())
}

fn confirm(planned: &[TargetPlan], args: &ApplyArgs, terminal: &mut Terminal) -> Result<()> {
    let approved = args.yes || args.plan.is_some() || args.digest.is_some();
    if approved || planned.iter().all(|planned| planned.plan.is_empty()) {
        return Ok(());
    }
    for planned in planned.iter().filter(|planned| !planned.plan.is_empty()) {
        let target = &planned.plan.target.name;
        let count = planned.plan.changes.iter().filter(|change| change.action == Action::Delete).count();
        let question =
            if count > 0 { Question::Delete { target, count } } else { Question::Apply { target } };
        let refusal = match terminal.confirm(question).context("asking")? {
            Answer::Given => continue,
            Answer::Declined => UserError::new(Exit::Refused, "declined; nothing was written"),
            Answer::NobodyThere => {
                UserError::new(Exit::Refused, "nobody is there to be asked; nothing was written")
                    .hint("`--yes`, or an approved plan with `--plan FILE` or `--digest SHA256`")
            }
        };
        return Err(refusal.into());
    }
    Ok(())
}

fn apply(
    session: &Session,
    planned: &TargetPlan,
    writer: &mut dyn Writer,
    extent: Extent,
    args: &ApplyArgs,
    signals: &Signals,
    observer: &dyn crate::model::event::Observer,
) -> Result<applier::Done> {
    let adopt = consent(args)?.adopt.respelled(&|pattern| session.spelled(pattern))?;
    let job = Job {
        plan: &planned.plan,
        comparison: &planned.comparison,
        memory: &planned.memory,
        extent,
        adopt: &adopt,
        contents: session.snapshot.contents(),
        observer,
        waiting: waiting(args)?,
        stop: &signals.stop,
        signal: &|| signals.exit(),
        circumstances: circumstances(session, planned, args),
        clock: &actor::now,
    };
    if applier::is_idle(&planned.plan, &planned.comparison, &planned.memory, extent, &adopt) {
        return Ok(applier::Done { report: applier::idle(&job, writer), unrecorded: None });
    }
    signals.begin_writing();
    applier::apply(&job, writer)
}

fn circumstances(session: &Session, planned: &TargetPlan, args: &ApplyArgs) -> Circumstances {
    let path = session.targets.iter().find(|chosen| chosen.target.name == planned.plan.target.name);
    let base = planned.plan.base.as_ref().and_then(|base| base.commit);
    let why = match (session.revision().commit, path) {
        (Some(tip), Some(chosen)) if base != Some(tip) && !args.only_drift => {
            history::commits(&session.checkout, base, tip, &chosen.target.path, WHY)
                .map(|log| log.commits)
                .unwrap_or_default()
        }
        _ => Vec::new(),
    };
    Circumstances { id: actor::apply_id(), who: actor::who(), why, flags: args.overrides() }
}

/// The answer of several applies together.
fn answer(applied: &[Applied]) -> Exit {
    let outcomes = applied.iter().flat_map(|applied| applied.report.outcomes.clone()).collect();
    let interrupted = applied.iter().find_map(|applied| applied.report.interrupted);
    Report { outcomes, interrupted }.exit()
}
