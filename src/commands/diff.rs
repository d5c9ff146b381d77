//! `trueup diff`

use anyhow::Result;

use super::{
    between, circumstances, ignoring,
    pipeline::{self, Against, Look, Session},
    plan, show,
};
use crate::{
    cli::{GlobalArgs, args::DiffArgs},
    exit::Exit,
    model::{fault::Fault, selector::Selector},
    output::{Detail, Format, Plans, Verb, terminal::Terminal},
};

pub(super) fn run(global: &GlobalArgs, args: &DiffArgs, terminal: &mut Terminal) -> Result<Exit> {
    let outputs = show::outputs::<Plans<'_>>(&args.output, Format::Diff, Detail::Diffs)?;
    let (range, targets) = operands(args)?;
    let only = Selector::new(&args.source.only)?;
    let env = args.source.env.as_deref();
    if let Some(range) = range {
        let (session, planned) = between::read(global, range, env, targets, &only)?;
        return show::plans(Verb::Diff, &session, &planned, &show::given(&args.source), &outputs, terminal);
    }
    let selection = plan::selection(&args.source, args.merge_into.as_deref());
    let session = Session::open(global, &selection, env, targets)?;
    let progress = terminal.progress();
    let look = Look {
        only: &only,
        explain: &Selector::default(),
        logs: &[],
        verify: args.source.verify,
        against: Against::Revision,
        adopting: false,
        observer: &progress,
    };
    let mut planned = pipeline::read(&session, &look)?;
    let idle = ignoring::remark(&mut planned, targets.is_empty(), &circumstances::today());
    let exit = show::plans(Verb::Diff, &session, &planned, &show::given(&args.source), &outputs, terminal)?;
    ignoring::strict(args.source.strict_ignores, idle)?;
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
        return Err(Fault::new(Exit::Usage, message).into());
    }
    Ok((range, targets))
}
