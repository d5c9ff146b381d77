//! `trueup drift`

use anyhow::Result;

use super::{
    adopt, circumstances, ignoring,
    pipeline::{self, Against, Look, Session},
    show,
};
use crate::{
    cli::{GlobalArgs, args::DriftArgs},
    exit::Exit,
    model::selector::Selector,
    output::{Detail, Format, Given, Plans, Verb, terminal::Terminal},
    source::checkout::Selection,
};

pub(super) fn run(global: &GlobalArgs, args: &DriftArgs, terminal: &mut Terminal) -> Result<Exit> {
    let detail = if args.summary { Detail::Objects } else { Detail::Diffs };
    let outputs = show::outputs::<Plans<'_>>(&args.output, Format::Human, detail)?;
    let session = Session::open(global, &Selection::WorkTree, args.env.as_deref(), &args.targets)?;
    let today = circumstances::today();
    ignoring::refuse_expired(&session, &today)?;
    let only = Selector::new(&args.only)?;
    let progress = terminal.progress();
    let against = if args.adopt { Against::Revision } else { Against::Record };
    let explain = Selector::default();
    let look = Look {
        only: &only,
        explain: &explain,
        logs: &args.audit_log,
        verify: args.verify,
        against,
        adopting: args.adopt,
        observer: &progress,
    };
    let mut planned = pipeline::read(&session, &look)?;
    let idle = ignoring::remark(&mut planned, args.targets.is_empty(), &today);
    if args.adopt {
        return adopt::run(&session, &planned, args.patch, terminal);
    }
    let given = Given { reference: None, only: args.only.clone() };
    let exit = show::plans(Verb::Drift, &session, &planned, &given, &outputs, terminal)?;
    ignoring::strict(args.strict_ignores, idle)?;
    Ok(exit.as_drift())
}
