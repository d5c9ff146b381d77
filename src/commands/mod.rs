//! One file for each verb: glue between the parts, no decisions.

use anyhow::Result;

use crate::{
    cli::{Cli, Command},
    exit::Exit,
    output::terminal::Terminal,
};

mod actor;
mod adopt;
mod apply;
mod diff;
mod drift;
mod generate;
mod import;
mod init;
mod log;
mod plan;
mod providers;
mod schema;
mod show;
mod signals;
mod why;

pub use generate::{completions, man_pages};

/// Carries out one command line.
///
/// # Errors
/// Whatever stopped it; [`crate::error`] turns that into words and an exit code.
pub fn run(cli: &Cli, terminal: &mut Terminal) -> Result<Exit> {
    let global = &cli.global;
    match &cli.command {
        Command::Plan(args) => plan::run(global, args, terminal),
        Command::Diff(args) => diff::run(global, args, terminal),
        Command::Apply(args) => apply::run(global, args, terminal),
        Command::Drift(args) => drift::run(global, args, terminal),
        Command::Log(args) => log::run(global, args, terminal),
        Command::Why(args) => why::run(global, args, terminal),
        Command::Init(args) => init::run(global, args, terminal),
        Command::Import(args) => import::run(global, args, terminal),
        Command::Providers(args) => providers::run(global, args, terminal),
        Command::Schema(args) => schema::run(args, terminal),
        Command::Completions(args) => generate::run_completions(args, terminal),
        Command::Man(args) => generate::run_man(args, terminal),
    }
}
