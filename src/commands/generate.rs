//! `trueup completions` and `trueup man`: everything that is made from the command tree.

use anyhow::{Context, Result};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::{
    cli::{
        self,
        args::{CompletionsArgs, ManArgs},
    },
    exit::Exit,
    model::user_error::UserError,
    output::{save, terminal::Terminal},
};

pub(super) fn run_completions(args: &CompletionsArgs, terminal: &mut Terminal) -> Result<Exit> {
    terminal.out().write_all(&completions(args.shell))?;
    Ok(Exit::InSync)
}

pub(super) fn run_man(args: &ManArgs, terminal: &mut Terminal) -> Result<Exit> {
    let pages = man_pages()?;
    if let Some(dir) = &args.dir {
        std::fs::create_dir_all(dir).with_context(|| format!("creating `{}`", dir.display()))?;
        for (name, page) in &pages {
            save::replace(&dir.join(name), |out| Ok(out.write_all(page)?))?;
        }
        return Ok(Exit::InSync);
    }
    let wanted = match &args.page {
        None => "trueup.1".to_owned(),
        Some(page) => format!("trueup-{page}.1"),
    };
    let found = pages.iter().find(|(name, _)| *name == wanted);
    let (_, page) = found.ok_or_else(|| UserError::new(Exit::NoInput, format!("no page `{wanted}`")))?;
    terminal.out().write_all(page)?;
    Ok(Exit::InSync)
}

/// The completions for `shell`.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "trueup", &mut script);
    script
}

/// Every man page with its file name, the main one first.
///
/// # Errors
/// Never in practice: the pages are written to memory.
pub fn man_pages() -> Result<Vec<(String, Vec<u8>)>> {
    let mut commands = vec![cli::command()];
    let mut at = 0;
    while let Some(command) = commands.get(at).cloned() {
        for verb in command.get_subcommands() {
            let name: &'static str = String::leak(format!("{}-{}", command.get_name(), verb.get_name()));
            commands.push(verb.clone().name(name).bin_name(name.replace('-', " ")));
        }
        at += 1;
    }
    commands
        .into_iter()
        .map(|command| {
            let name = format!("{}.1", command.get_name());
            let mut page = Vec::new();
            Man::new(command)
                .date("")
                .source(concat!("trueup ", env!("CARGO_PKG_VERSION")))
                .render(&mut page)?;
            Ok((name, page))
        })
        .collect()
}
