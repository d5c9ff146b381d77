//! `trueup import`

use anyhow::Result;

use super::adopt;
use crate::{
    cli::{GlobalArgs, args::ImportArgs},
    exit::Exit,
    model::{address, user_error::UserError},
    output::terminal::Terminal,
    planner::session::Session,
    source::checkout::Selection,
};

pub(super) fn run(global: &GlobalArgs, args: &ImportArgs, terminal: &mut Terminal) -> Result<Exit> {
    let names = std::slice::from_ref(&args.target);
    let session = Session::open(global, &Selection::WorkTree, args.env.as_deref(), names)?;
    for chosen in &session.targets {
        let import = chosen.kind.import.ok_or_else(|| {
            UserError::new(
                Exit::Usage,
                format!("nothing can be imported from `{}` targets", chosen.kind.name),
            )
        })?;
        let edits = import(&chosen.target, &args.kinds, &session.declared_if_any(chosen)?)?;
        if args.print {
            for (_, bytes) in edits.iter().filter_map(|edit| edit.content.as_ref()) {
                terminal.out().write_all(bytes)?;
            }
            continue;
        }
        let root = session.checkout.root().ok_or_else(|| {
            UserError::new(Exit::NoInput, "a bare repository has no work tree to import into")
                .hint("use a clone")
        })?;
        adopt::refuse_existing(root, &edits)?;
        for edit in &edits {
            adopt::write(root, edit)?;
            terminal.status(&format!("imported {}", address::quote(&edit.path)));
        }
    }
    Ok(Exit::InSync)
}
