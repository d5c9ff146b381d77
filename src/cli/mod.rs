//! The command line: every verb, option and help text.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

pub mod args;

use args::{
    ApplyArgs, CompletionsArgs, DiffArgs, DriftArgs, ImportArgs, InitArgs, LogArgs, ManArgs, PlanArgs,
    ProvidersArgs, SchemaArgs, WhyArgs,
};

/// Make what runs equal to what Git declares
///
/// trueup loads the desired state from a local git checkout, asks the target for its actual state through a
/// provider, and prints or applies the difference. Git is the only state store: the target keeps a small
/// record of what was applied, and nothing else has to be stored, locked or shared.
#[derive(Debug, Parser)]
#[command(name = "trueup", version, disable_help_subcommand = true, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,

    /// Options of every command
    #[command(flatten)]
    pub global: GlobalArgs,
}

const EXIT_CODES: &str = "\
Exit codes:
  0 in sync, or applied        5 conflict                64 usage
  1 error                      6 the plan is stale       65 bad desired state
  2 pending                    7 applied in part         66 no such revision, path or target
  3 drift                      8 refused by a guard      69 target unavailable
  4 drift and pending          9 locked by another run   77 no permission
  130, 143 interrupted                                   78 bad configuration

Examples:
  trueup init                              start: write trueup.yaml
  trueup plan                              what would change, and why
  trueup apply --yes                       make it so
  trueup drift                             what moved without Git
  trueup diff main..HEAD                   what a branch changes, without any target";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what apply would change, and why
    Plan(PlanArgs),
    /// Print the unified diff, against the target or between two revisions
    Diff(DiffArgs),
    /// Make the target equal to a commit
    Apply(Box<ApplyArgs>),
    /// Show what moved in the target since the last apply, and who moved it
    Drift(DriftArgs),
    /// List past applies, or commits that were never applied
    Log(LogArgs),
    /// Say why an object or a field is as it is: Git, applies, who wrote it
    Why(WhyArgs),
    /// Start a repository: write trueup.yaml
    Init(InitArgs),
    /// Write declarations of what a target holds already
    Import(ImportArgs),
    /// List the providers, show one, or check a definition of your own
    Providers(ProvidersArgs),
    /// Print a JSON Schema
    Schema(SchemaArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print or write the man pages
    Man(ManArgs),
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true, default_value = ".", hide_default_value = true)]
    pub directory: PathBuf,

    /// When to use colour; auto heeds NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_default_value = true)]
    pub color: ColorWhen,

    /// Print the result only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more about the run; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Exit with 0 where the answer is 2, 3, 4 or 5; faults keep their codes
    #[arg(long, global = true)]
    pub exit_zero: bool,

    /// Run no program that the checkout or its configuration names
    #[arg(long, global = true)]
    pub no_exec: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// As the environment and the stream suggest.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The command tree, for completions, man pages and tests.
pub fn command() -> clap::Command {
    Cli::command()
}
