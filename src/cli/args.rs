//! The options of each verb, and the groups they share.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Which desired state, for which targets.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// The environment in trueup.yaml; may be left out if there is only one
    #[arg(short, long, value_name = "ENV")]
    pub env: Option<String>,

    /// Take the desired state from this revision; the work tree is not looked at
    #[arg(long = "ref", value_name = "REV")]
    pub reference: Option<String>,

    /// Only objects whose address matches; `*` within a path component, `**` across
    #[arg(long, value_name = "SELECTOR")]
    pub only: Vec<String>,

    /// Trust nothing remembered: read every byte of the target, ask a cluster about every object
    #[arg(long)]
    pub verify: bool,

    /// Exit 78 if an ignore rule matches nothing
    #[arg(long)]
    pub strict_ignores: bool,
}

/// Where the result goes.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Format on standard output: human, diff, json, markdown, plan, gitlab-terraform
    #[arg(short = 'o', long = "output", value_name = "FORMAT")]
    pub format: Option<String>,

    /// Also write the result in FORMAT to FILE, `-` for standard output; may be given several times
    #[arg(long = "out", value_name = "FORMAT=FILE")]
    pub out: Vec<String>,

    /// Budget for markdown in bytes, or github, gitlab, bitbucket, azure
    #[arg(long, value_name = "N")]
    pub max_bytes: Option<String>,
}

/// Show what apply would change, and why
///
/// Compares what the checkout declares, as it lies on disk, with what the target holds and with what was
/// applied last. Prints one line for each object that would change, the unified diff, the counts and the
/// digest that `apply --digest` takes. Writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup plan                                the checkout as it lies on disk
  trueup plan -e production --ref origin/main
  trueup plan --merge-into origin/main       what merging this branch would change
  trueup plan --only A --explain A           why the object at the address A is as declared or not
  trueup plan --out plan=p.json --out markdown=p.md")]
pub struct PlanArgs {
    /// Targets in trueup.yaml; all of the environment if none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Which desired state
    #[command(flatten)]
    pub source: SourceArgs,

    /// Plan the result of merging HEAD into this revision, merged in memory
    #[arg(long, value_name = "REV", conflicts_with = "reference")]
    pub merge_into: Option<String>,

    /// Say why the object at this address is as declared or not; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub explain: Vec<String>,

    /// Name the people behind what moved, by the audit log of the API server; may be given several times
    #[arg(long, value_name = "FILE")]
    pub audit_log: Vec<PathBuf>,

    /// Print the list and the counts, not the diff
    #[arg(long)]
    pub summary: bool,

    /// Where the result goes
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Print the unified diff, against the target or between two revisions
///
/// Without a range: what `plan` would change, as a unified diff that `git apply` and `patch` accept. With
/// `A..B`: what B declares that A does not; no target is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup diff                                the checkout against the target
  trueup diff main..HEAD site                two revisions, one target, nothing asked
  trueup diff | (cd /srv/www && git apply)")]
pub struct DiffArgs {
    /// A range `A..B`, then targets; all of the environment if none is named
    #[arg(value_name = "A..B|TARGET")]
    pub operands: Vec<String>,

    /// Which desired state
    #[command(flatten)]
    pub source: SourceArgs,

    /// Diff the result of merging HEAD into this revision, merged in memory
    #[arg(long, value_name = "REV", conflicts_with = "reference")]
    pub merge_into: Option<String>,

    /// Where the result goes
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Make the target equal to a commit
///
/// Plans, shows the plan, checks the guards, asks (or takes --yes, an approved plan or a digest), writes with
/// a check before each write, reads back, and records what was applied in the target.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup apply                               asks before it writes
  trueup apply -e production --yes           for CI, after the merge
  trueup apply --plan p.json                 what was approved, or less
  trueup apply --only-drift --yes            undo what moved, nothing else")]
pub struct ApplyArgs {
    /// Targets in trueup.yaml; all of the environment if none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Which desired state
    #[command(flatten)]
    pub source: SourceArgs,

    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,

    /// Show the list and the counts before asking, not the diff
    #[arg(long)]
    pub summary: bool,

    /// Do what this saved plan approves, or less; exit 6 if today's plan is another
    #[arg(long, value_name = "FILE", conflicts_with = "digest")]
    pub plan: Option<PathBuf>,

    /// Do what the plan with this digest approves; exit 6 if today's plan is another
    #[arg(long, value_name = "SHA256")]
    pub digest: Option<String>,

    /// Undo what moved in the target and nothing else
    #[arg(long)]
    pub only_drift: bool,

    /// Git wins a conflict at this address, or in this field of it only
    #[arg(long, value_name = "ADDRESS[/PATH]")]
    pub overwrite: Vec<String>,

    /// Leave the object at this address as it is, or this field of it only
    #[arg(long, value_name = "ADDRESS[/PATH]")]
    pub keep: Vec<String>,

    /// Overwrite an object that trueup did not write, or delete it where it is declared absent
    #[arg(long, value_name = "ADDRESS")]
    pub adopt: Vec<String>,

    /// Delete and make anew what cannot be changed in place
    #[arg(long, value_name = "ADDRESS")]
    pub allow_replace: Vec<String>,

    /// Delete or replace a protected object, or replace one that takes along what nothing makes again
    #[arg(long, value_name = "ADDRESS")]
    pub allow_protected: Vec<String>,

    /// Delete every object of ours in a collection
    #[arg(long, value_name = "COLLECTION")]
    pub allow_emptied: Vec<String>,

    /// Accept that nothing is declared any more
    #[arg(long)]
    pub allow_empty: bool,

    /// Delete or replace at most N objects, instead of what trueup.yaml says
    #[arg(long, value_name = "N")]
    pub max_delete: Option<usize>,

    /// Delete or replace at most P percent of our objects, instead of what trueup.yaml says
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u32))]
    pub max_delete_percent: Option<u32>,

    /// Apply the rest where something could not be read; deletes nothing then, and does not exit with 0
    #[arg(long)]
    pub skip_unknown: bool,

    /// Apply the rest where the target refuses what is declared; deletes nothing then, and does not exit with 0
    #[arg(long)]
    pub skip_invalid: bool,

    /// Go back to a commit older than the one applied last
    #[arg(long)]
    pub rollback: bool,

    /// Apply the work tree with its uncommitted edits; the record says so
    #[arg(long)]
    pub allow_dirty: bool,

    /// Apply a commit that is not on the environment's ref; the record says so
    #[arg(long)]
    pub allow_off_ref: bool,

    /// Wait until everything declared is ready, where the target has a notion of that
    #[arg(long, conflicts_with = "no_wait")]
    pub wait: bool,

    /// Do not wait, whatever trueup.yaml says
    #[arg(long)]
    pub no_wait: bool,

    /// Wait at most so long: seconds, or 90s, 5m, 1h30m
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,

    /// Wait so many seconds for another run's lock
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    pub lock_timeout: u64,

    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Where the result goes
    #[command(flatten)]
    pub output: OutputArgs,
}

impl ApplyArgs {
    /// The options that narrow or override something, as the record keeps them.
    pub fn overrides(&self) -> Vec<String> {
        let lists = [
            ("--only", &self.source.only),
            ("--overwrite", &self.overwrite),
            ("--keep", &self.keep),
            ("--adopt", &self.adopt),
            ("--allow-replace", &self.allow_replace),
            ("--allow-protected", &self.allow_protected),
            ("--allow-emptied", &self.allow_emptied),
        ];
        let switches = [
            ("--only-drift", self.only_drift),
            ("--allow-empty", self.allow_empty),
            ("--skip-unknown", self.skip_unknown),
            ("--skip-invalid", self.skip_invalid),
            ("--rollback", self.rollback),
            ("--allow-dirty", self.allow_dirty),
            ("--allow-off-ref", self.allow_off_ref),
        ];
        let values = [
            ("--max-delete", self.max_delete.map(|limit| limit.to_string())),
            ("--max-delete-percent", self.max_delete_percent.map(|limit| limit.to_string())),
            ("--digest", self.digest.clone()),
            ("--reason", self.reason.clone()),
        ];
        let lists = lists
            .into_iter()
            .flat_map(|(flag, values)| values.iter().map(move |value| format!("{flag} {value}")));
        let switches = switches.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.to_owned());
        let values = values.into_iter().filter_map(|(flag, value)| Some(format!("{flag} {}", value?)));
        lists.chain(switches).chain(values).collect()
    }
}

/// Show what moved in the target since the last apply, and who moved it
///
/// Compares the target with the commit that its record names, so that a merged and not yet applied commit is
/// not drift. With --adopt, writes the target's value into the work tree instead.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup drift                               exit 3 if anything moved
  trueup drift --adopt                       bring it into the work tree; review and commit
  trueup drift --adopt --patch               the same as a patch on standard output
  trueup apply --only-drift                  undo it instead")]
pub struct DriftArgs {
    /// Targets in trueup.yaml; all of the environment if none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// The environment in trueup.yaml; may be left out if there is only one
    #[arg(short, long, value_name = "ENV")]
    pub env: Option<String>,

    /// Only objects whose address matches; `*` within a path component, `**` across
    #[arg(long, value_name = "SELECTOR")]
    pub only: Vec<String>,

    /// Trust nothing remembered: read every byte of the target, ask a cluster about every object
    #[arg(long)]
    pub verify: bool,

    /// Exit 78 if an ignore rule matches nothing
    #[arg(long)]
    pub strict_ignores: bool,

    /// Print the list and the counts, not the diff
    #[arg(long)]
    pub summary: bool,

    /// Name the people behind what moved, by the audit log of the API server; may be given several times
    #[arg(long, value_name = "FILE")]
    pub audit_log: Vec<PathBuf>,

    /// Write the target's values into the files of the work tree
    #[arg(long)]
    pub adopt: bool,

    /// With --adopt: print a patch that `git apply` takes, write nothing
    #[arg(long, requires = "adopt")]
    pub patch: bool,

    /// Where the result goes
    #[command(flatten)]
    pub output: OutputArgs,
}

/// List past applies, or commits that were never applied
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup log -e production
  trueup log --missing                       merged and never applied; exit 2 if there are any
  trueup log -o json")]
pub struct LogArgs {
    /// Targets in trueup.yaml; all of the environment if none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// The environment in trueup.yaml; may be left out if there is only one
    #[arg(short, long, value_name = "ENV")]
    pub env: Option<String>,

    /// List the commits of the environment's ref that were never applied
    #[arg(long)]
    pub missing: bool,

    /// Show at most N entries
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub max_count: usize,

    /// Format on standard output: human or json
    #[arg(short = 'o', long = "output", value_name = "FORMAT")]
    pub format: Option<String>,
}

/// Say why an object or a field is as it is: Git, applies, who wrote it
///
/// Tells where the object is declared, which commits changed what is declared there, which applies wrote it, what
/// differs now and who moved it. Writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup why etc/motd
  trueup why apps/v1/Deployment/shop/web/spec/replicas
  trueup why 'apps/v1/Deployment/shop/web/spec/template/spec/containers/[name=web]/image'")]
pub struct WhyArgs {
    /// The object, and the place in it as a path of keys
    #[arg(value_name = "ADDRESS[/PATH]")]
    pub address: String,

    /// Targets in trueup.yaml; all of the environment if none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// The environment in trueup.yaml; may be left out if there is only one
    #[arg(short, long, value_name = "ENV")]
    pub env: Option<String>,

    /// Name the people behind what moved, by the audit log of the API server; may be given several times
    #[arg(long, value_name = "FILE")]
    pub audit_log: Vec<PathBuf>,

    /// Look at no more than N commits and applies
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub max_count: usize,

    /// Format on standard output: human or json
    #[arg(short = 'o', long = "output", value_name = "FORMAT")]
    pub format: Option<String>,
}

/// Start a repository: write trueup.yaml
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup init                                files below ./site go to ./live
  trueup init --path conf --root /etc/app")]
pub struct InitArgs {
    /// Folder of the checkout with the declarations
    #[arg(long, value_name = "PATH", default_value = "site")]
    pub path: String,

    /// Directory that the files go to, relative to trueup.yaml
    #[arg(long, value_name = "DIR", default_value = "live")]
    pub root: String,
}

/// List the providers, show one, or check a definition of your own
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct ProvidersArgs {
    /// What to do; without it, the providers are listed
    #[command(subcommand)]
    pub action: Option<ProvidersAction>,

    /// Format on standard output: human or json
    #[arg(short = 'o', long = "output", value_name = "FORMAT")]
    pub format: Option<String>,
}

/// What `providers` does.
#[derive(Debug, Subcommand)]
pub enum ProvidersAction {
    /// Show what a provider manages, and its keys in a target
    Show(ProvidersShowArgs),
    /// Check a definition file, and what a server answers to it
    Check(ProvidersCheckArgs),
}

/// Show what a provider manages, and its keys in a target
#[derive(Debug, Args)]
pub struct ProvidersShowArgs {
    /// The provider
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Print the definition of its API, a start for one of your own
    #[arg(long, conflicts_with = "format")]
    pub definition: bool,

    /// Format on standard output: human or json
    #[arg(short = 'o', long = "output", value_name = "FORMAT")]
    pub format: Option<String>,
}

/// Check a definition file, and what a server answers to it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup providers check providers/mine.yaml         against the schema and against itself
  trueup providers check providers/mine.yaml proxy   and read what the server of a target has, nothing written")]
pub struct ProvidersCheckArgs {
    /// The definition
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// A target in trueup.yaml whose server is read by it
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,

    /// The environment in trueup.yaml; may be left out if there is only one
    #[arg(short, long, value_name = "ENV", requires = "target")]
    pub env: Option<String>,
}

/// Write declarations of what a target holds already
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup import forge label branch_protection   one file for each kind, below the target's path
  trueup import forge label --print             on standard output instead")]
pub struct ImportArgs {
    /// The target in trueup.yaml
    #[arg(value_name = "TARGET")]
    pub target: String,

    /// The kinds; `trueup providers show NAME` lists them
    #[arg(value_name = "KIND", required = true)]
    pub kinds: Vec<String>,

    /// The environment in trueup.yaml; may be left out if there is only one
    #[arg(short, long, value_name = "ENV")]
    pub env: Option<String>,

    /// Print instead of writing files
    #[arg(long)]
    pub print: bool,
}

/// Print a JSON Schema
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_name = "WHAT", default_value = "config")]
    pub what: SchemaOf,
}

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// trueup.yaml
    Config,
    /// The JSON of plan, diff and drift
    Plan,
    /// The JSON of apply
    Apply,
    /// The JSON of log
    Log,
    /// The JSON of why
    Why,
    /// A saved plan
    SavedPlan,
    /// `.trueup-files.yaml` of the files provider
    FilesManifest,
    /// The definition of an API
    Rest,
}

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup completions bash > /etc/bash_completion.d/trueup")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Print or write the man pages
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The command whose page is printed; trueup itself if none is named
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    pub page: Option<String>,

    /// Write every page into this directory instead
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
