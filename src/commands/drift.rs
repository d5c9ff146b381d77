//! `trueup drift`

use anyhow::Result;

use super::{actor, adopt, show};
use crate::{
    cli::{GlobalArgs, args::DriftArgs},
    exit::Exit,
    model::selector::Selector,
    output::{Detail, Format, Plans, SelectionArgs, Verb, terminal::Terminal},
    planner::{
        ignore_rules,
        session::{self, Against, PlanOptions, Session},
    },
    source::checkout::Selection,
};

pub(super) fn run(global: &GlobalArgs, args: &DriftArgs, terminal: &mut Terminal) -> Result<Exit> {
    let detail = if args.summary { Detail::Objects } else { Detail::Diffs };
    let outputs = show::outputs::<Plans<'_>>(&args.output, Format::Human, detail)?;
    let session = Session::open(global, &Selection::WorkTree, args.env.as_deref(), &args.targets)?;
    let today = actor::today();
    ignore_rules::refuse_expired(&session, &today)?;
    let only = Selector::new(&args.only)?;
    let progress = terminal.progress();
    let against = if args.adopt { Against::Revision } else { Against::Record };
    let explain = Selector::default();
    let look = PlanOptions {
        only: &only,
        explain: &explain,
        logs: &args.audit_log,
        verify: args.verify,
        against,
        adopting: args.adopt,
        observer: &progress,
    };
    let mut planned = session::read(&session, &look)?;
    let idle = ignore_rules::remark(&mut planned, args.targets.is_empty(), &today);
    if args.adopt {
        return adopt::run(&session, &planned, args.patch, terminal);
    }
    let given = SelectionArgs { reference: None, only: args.only.clone() };
    let exit = show::plans(Verb::Drift, &session, &planned, &given, &outputs, terminal)?;
    ignore_rules::strict(args.strict_ignores, idle)?;
    Ok(exit.as_drift())
}
