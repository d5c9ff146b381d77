//! `trueup diff`

use anyhow::Result;

use super::{actor, plan, show};
use crate::{
    cli::{GlobalArgs, args::DiffArgs},
    exit::Exit,
    model::{selector::Selector, user_error::UserError},
    output::{Detail, Format, Plans, Verb, terminal::Terminal},
    planner::{
        diff_revisions, ignore_rules,
        session::{self, Against, PlanOptions, Session},
    },
};

pub(super) fn run(global: &GlobalArgs, args: &DiffArgs, terminal: &mut Terminal) -> Result<Exit> {
    let outputs = show::outputs::<Plans<'_>>(&args.output, Format::Diff, Detail::Diffs)?;
    let (range, targets) = operands(args)?;
    let only = Selector::new(&args.source.only)?;
    let env = args.source.env.as_deref();
    if let Some(range) = range {
        let (session, planned) = diff_revisions::read(global, range, env, targets, &only)?;
        return show::plans(Verb::Diff, &session, &planned, &show::given(&args.source), &outputs, terminal);
    }
    let selection = plan::selection(&args.source, args.merge_into.as_deref());
    let session = Session::open(global, &selection, env, targets)?;
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
    let mut planned = session::read(&session, &look)?;
    let idle = ignore_rules::remark(&mut planned, targets.is_empty(), &actor::today());
    let exit = show::plans(Verb::Diff, &session, &planned, &show::given(&args.source), &outputs, terminal)?;
    ignore_rules::strict(args.source.strict_ignores, idle)?;
    Ok(exit)
}

/// A first operand with `..` in it is a range, the rest are targets.
fn operands(args: &DiffArgs) -> Result<(Option<&str>, &[String])> {
    let (range, targets) = match args.operands.split_first() {
        Some((first, rest)) if first.contains("..") => (Some(first.as_str()), rest),
        _ => (None, &args.operands[..]),
    };
    let alone = args.source.reference.is_none() && args.merge_into.is_none() && !args.source.verify;
    if range.is_some() && !alone {
        let message = "a range stands for itself: `--ref`, `--merge-into` and `--verify` do not go with it";
        return Err(UserError::new(Exit::Usage, message).into());
    }
    Ok((range, targets))
}
