//! Makes what runs equal to what Git declares.
//!
//! The library exists for the binary, its tests and its generated files; it is
//! not a public interface and promises nothing to other crates.

use std::{ffi::OsString, panic};

use clap::Parser;

pub mod applier;
pub mod cli;
pub mod commands;
pub mod error;
pub mod exit;
pub mod manifest;
pub mod model;
pub mod output;
mod planner;
pub mod providers;
pub mod source;
pub mod yaml;

use cli::{Cli, ColorWhen, GlobalArgs};
use exit::Exit;
use output::terminal::{ColorChoice, Level, Terminal};

/// Runs one command line and answers with its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return error::usage(&error),
    };
    let mut terminal = terminal(&cli.global);
    panic::set_hook(Box::new(error::note_panic));
    let run = panic::catch_unwind(panic::AssertUnwindSafe(|| commands::run(&cli, &mut terminal)));
    let answer = run.unwrap_or_else(|bug| Err(error::bug(&*bug)));
    let exit = answer.unwrap_or_else(|error| error::report(&error, &mut terminal));
    let exit = match terminal.finish() {
        Ok(()) => exit,
        Err(error) => error::report(&anyhow::Error::new(error).context("writing the result"), &mut terminal),
    };
    if cli.global.exit_zero { exit.zeroed() } else { exit }
}

fn terminal(global: &GlobalArgs) -> Terminal {
    let color = match global.color {
        ColorWhen::Auto => ColorChoice::Auto,
        ColorWhen::Always => ColorChoice::Always,
        ColorWhen::Never => ColorChoice::Never,
    };
    let level = match (global.quiet, global.verbose) {
        (true, _) => Level::Quiet,
        (_, 0) => Level::Normal,
        _ => Level::Verbose,
    };
    Terminal::new(color, level)
}
