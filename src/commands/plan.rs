//! `trueup plan`

use anyhow::Result;

use super::{actor, show};
use crate::{
    cli::{
        GlobalArgs,
        args::{PlanArgs, SourceArgs},
    },
    exit::Exit,
    model::{guard::Consent, selector::Selector},
    output::{Detail, Format, Plans, Verb, terminal::Terminal},
    planner::{
        ignore_rules,
        session::{self, Against, PlanOptions, Session},
    },
    source::checkout::Selection,
};

pub(super) fn run(global: &GlobalArgs, args: &PlanArgs, terminal: &mut Terminal) -> Result<Exit> {
    let detail = if args.summary { Detail::Objects } else { Detail::Diffs };
    let outputs = show::outputs::<Plans<'_>>(&args.output, Format::Human, detail)?;
    let selection = selection(&args.source, args.merge_into.as_deref());
    let session = Session::open(global, &selection, args.source.env.as_deref(), &args.targets)?;
    let only = Selector::new(&args.source.only)?;
    let progress = terminal.progress();
    let look = PlanOptions {
        only: &only,
        explain: &Selector::new(&args.explain)?,
        logs: &args.audit_log,
        verify: args.source.verify,
        against: Against::Revision,
        adopting: false,
        observer: &progress,
    };
    let mut planned = session::read(&session, &look)?;
    let idle = ignore_rules::remark(&mut planned, args.targets.is_empty(), &actor::today());
    let exit = show::plans(Verb::Plan, &session, &planned, &show::given(&args.source), &outputs, terminal)?;
    for (chosen, planned) in session.targets.iter().zip(&planned) {
        for refusal in show::refusals(chosen, planned, &chosen.limits, &Consent::default()) {
            terminal.status(&format!("apply would refuse: {} ({})", refusal.message, refusal.hint));
        }
    }
    ignore_rules::strict(args.source.strict_ignores, idle)?;
    Ok(exit)
}

/// Which state of the checkout the options ask for.
pub(super) fn selection(source: &SourceArgs, merge_into: Option<&str>) -> Selection {
    match (&source.reference, merge_into) {
        (_, Some(revision)) => Selection::MergeInto(revision.to_owned()),
        (Some(revision), None) => Selection::Ref(revision.clone()),
        (None, None) => Selection::WorkTree,
    }
}
