//! `trueup log`

use anyhow::Result;

use super::show;
use crate::{
    cli::{GlobalArgs, args::LogArgs},
    exit::Exit,
    model::{digest::Digest, record::Record, revision::Revision, user_error::UserError},
    output::{Format, Log, Logs, Missing, Outputs, terminal::Terminal},
    planner::session::{self, ResolvedTarget, Session},
    source::{
        checkout::{Selection, short},
        history::{self, Cut},
    },
};

pub(super) fn run(global: &GlobalArgs, args: &LogArgs, terminal: &mut Terminal) -> Result<Exit> {
    let format = show::format(args.format.as_deref(), Format::Human)?;
    let outputs = Outputs { format, ..Outputs::default() };
    crate::output::check::<Logs<'_>>(&outputs).map_err(|message| UserError::new(Exit::Usage, message))?;
    let session = Session::open(global, &Selection::WorkTree, args.env.as_deref(), &args.targets)?;
    let asked = session.targets.iter().map(|chosen| session.blame(chosen, log(&session, chosen, args)));
    let (targets, failed) = show::answering(asked)?;
    let waiting =
        targets.iter().filter_map(|log| log.missing.as_ref()).any(|missing| !missing.commits.is_empty());
    let exit = if waiting { Exit::Pending } else { Exit::InSync };
    let exit = show::worst(&failed).unwrap_or(exit);
    outputs.show(&Logs { targets: &targets, exit }, terminal)?;
    show::tell(&failed, terminal);
    Ok(exit)
}

fn log(session: &Session, chosen: &ResolvedTarget, args: &LogArgs) -> Result<Log> {
    let mut reader = (chosen.kind.open)(&chosen.target)?;
    let record = reader.memory()?.record;
    let missing = match args.missing {
        true => Some(missing(session, chosen, record.as_ref(), args.max_count)?),
        false => None,
    };
    let mut applies = record.map(|record| record.history).unwrap_or_default();
    applies.truncate(args.max_count);
    let target = session::name(session, chosen, reader.id());
    Ok(Log { target, applies, missing })
}

/// The commits of the environment's branch that no completed apply covered.
fn missing(
    session: &Session,
    chosen: &ResolvedTarget,
    record: Option<&Record>,
    limit: usize,
) -> Result<Missing> {
    let (name, tip) = match session.environment.branch() {
        Some(branch) => {
            let (full, tip) = session.checkout.tip(branch)?;
            (short(&full).to_owned(), tip)
        }
        None => ("HEAD".to_owned(), session.checkout.head_commit()?),
    };
    let base = record.and_then(|record| record.applied.as_ref()).map(|applied| applied.revision.clone());
    let past = record.into_iter().flat_map(|record| &record.history);
    let applied: Vec<Digest> = past
        .filter(|past| past.result == Exit::InSync && past.finished.is_some())
        .map(|past| &past.revision)
        .chain(&base)
        .filter_map(|revision| revision.commit)
        .collect();
    let found = history::unapplied(&session.checkout, tip, &applied, &chosen.target.path, limit)?;
    found.cut.map_or(Ok(()), |cut| Err(not_all_here(session, cut, base.as_ref())))?;
    let revision = Revision::of(Some(tip), name);
    Ok(Missing { revision, base, commits: found.commits })
}

/// History that is not all here cannot show that every commit was applied.
fn not_all_here(session: &Session, cut: Cut, base: Option<&Revision>) -> UserError {
    let depth = session.checkout.depth();
    let back_to = base
        .and_then(|base| base.commit)
        .map_or_else(String::new, |commit| format!(" back to {}", commit.short()));
    let message = format!("nobody can tell which commits were never applied: {}", cut.why());
    let hint = match cut {
        Cut::TooLong => "apply once, so that the record names a newer commit".to_owned(),
        _ => format!(
            "more than the {depth} commits that are here are needed{back_to}: `git fetch --unshallow` brings them; in CI, check out with `fetch-depth: 0`"
        ),
    };
    UserError::new(Exit::NoInput, message).hint(hint)
}
