//! README.md says what is so.

use std::{fs, path::Path};

use trueup::{cli, exit::Exit, providers};

use crate::sandbox::{self, Sandbox};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The contents of the fenced blocks of the README.
fn blocks(readme: &str) -> Vec<&str> {
    readme
        .split("\n```")
        .skip(1)
        .step_by(2)
        .map(|block| block.split_once('\n').unwrap_or_default().1)
        .collect()
}

#[test]
fn every_exit_code_is_in_the_table() {
    let readme = read("README.md");
    for (exit, word, meaning) in Exit::ALL {
        let row = format!("| {} | `{word}` | {meaning} |", exit.code());
        assert!(readme.contains(&row), "the README lacks the row\n{row}");
    }
}

#[test]
fn every_provider_is_in_the_table() {
    let readme = read("README.md");
    for kind in providers::PROVIDERS.iter() {
        assert!(readme.contains(&format!("| `{}` |", kind.name)), "the README lacks `{}`", kind.name);
    }
}

#[test]
fn every_option_that_is_mentioned_exists() {
    let command = cli::command();
    let verbs = command.get_subcommands().flat_map(|verb| verb.get_arguments());
    let known: Vec<&str> = command
        .get_arguments()
        .chain(verbs)
        .filter_map(|argument| argument.get_long())
        .chain(["help"])
        .collect();
    let readme = read("README.md");
    let is_part = |char: char| char.is_ascii_lowercase() || char == '-';
    for line in readme
        .lines()
        .filter(|line| !["cargo ", "kubectl -n ", "diff --git "].iter().any(|other| line.contains(other)))
    {
        for (at, _) in line.match_indices(" --").chain(line.match_indices("`--")) {
            let name = &line[at + 3..];
            let name = &name[..name.find(|char| !is_part(char)).unwrap_or(name.len())];
            let is_known = name.is_empty() || known.contains(&name);
            assert!(is_known, "the README mentions `--{name}`, which no verb has");
        }
    }
}

/// What stands in the README for what changes from run to run.
const SAMPLES: [(&str, &str); 12] = [
    ("$UUID1", "1c3a…"),
    ("$SANDBOX/checkout", "/srv/web"),
    ("$TIME", "2026-05-06T07:08:09Z"),
    ("$DATE", "2026-05-06"),
    ("$CLOCK", "07:08Z"),
    ("$OWNER (uid $UID)", "bob (uid 1001)"),
    ("$DIGEST1", "sha256:5b1c…"),
    ("$DIGEST2", "sha256:9f02…"),
    ("$DIGEST3", "sha256:c37e…"),
    ("$DIGEST4", "sha256:0b6d…"),
    ("$DIGEST5", "sha256:e48a…"),
    ("$DIGEST6", "sha256:71f5…"),
];

/// A transcript as a terminal shows it: both streams, no listing of the target.
fn as_on_a_terminal(transcript: &str) -> String {
    let mut shown = String::new();
    let mut listing = false;
    for line in transcript.lines() {
        listing = line == "target/" || line.ends_with("live/") || listing && line.starts_with("  ");
        if !listing && !line.starts_with("and `trueup plan` says") {
            shown += line.strip_prefix("2> ").unwrap_or(line);
            shown.push('\n');
        }
    }
    SAMPLES.iter().fold(shown, |text, (name, sample)| text.replace(name, sample))
}

#[test]
fn the_sessions_are_those_of_the_fixtures() {
    let readme = read("README.md");
    for fixture in ["first-day", "first-cluster"] {
        let session = as_on_a_terminal(&read(&format!("fixtures/{fixture}/expected")));
        assert!(blocks(&readme).contains(&session.trim_end()), "the README does not show\n{session}");
    }
}

#[test]
fn ci_runs_the_command_that_the_readme_gives_for_the_tests() {
    let readme = read("README.md");
    let command = blocks(&readme)[1].lines().next().unwrap().to_owned();
    assert!(command.contains("cargo test --locked"), "the second command is `{command}`");
    assert!(read(".ci/run").lines().any(|line| line == command), ".ci/run lacks `{command}`");
}

/// The command that the README gives for a fresh clone, played in a copy of what it reads.
#[test]
fn the_first_command_works_on_a_fresh_clone() {
    let readme = read("README.md");
    let first = blocks(&readme)[0].lines().next().unwrap();
    let command = first.strip_prefix("cargo run -q -- ").expect("the first command is a run of trueup");
    let sandbox = Sandbox::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/quickstart");
    sandbox::copy(&folder, &sandbox.path("checkout/fixtures/quickstart"));
    sandbox.sh("commit 'Clone'").expect(0);
    let ran = sandbox.sh(&format!("trueup {command}")).expect(2);
    assert!(ran.stdout.contains("+++ "), "{}", ran.stdout);
}
