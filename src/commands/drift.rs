//! `trueup drift`

use anyhow::Result;

use super::{
    adopt,
    pipeline::{self, Against, Look, Session},
    show,
};
use crate::{
    cli::{GlobalArgs, args::DriftArgs},
    exit::Exit,
    model::selector::Selector,
    output::{Detail, Format, Plans, Verb, terminal::Terminal},
    source::checkout::Selection,
};

pub(super) fn run(global: &GlobalArgs, args: &DriftArgs, terminal: &mut Terminal) -> Result<Exit> {
    let detail = if args.summary { Detail::Objects } else { Detail::Diffs };
    let outputs = show::outputs::<Plans<'_>>(&args.output, Format::Human, detail)?;
    let session = Session::open(global, &Selection::WorkTree, args.env.as_deref(), &args.targets)?;
    let only = Selector::new(&args.only)?;
    let progress = terminal.progress();
    let against = if args.adopt { Against::Revision } else { Against::Record };
    let look = Look { only: &only, verify: args.verify, against, observer: &progress };
    let planned = pipeline::read(&session, &look)?;
    if args.adopt {
        return adopt::run(&session, &planned, args.patch, terminal);
    }
    Ok(show::plans(Verb::Drift, &session, &planned, &outputs, terminal)?.as_drift())
}
