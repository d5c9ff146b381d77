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
    for kind in providers::KINDS.iter() {
        assert!(readme.contains(&format!("| `{}` |", kind.name)), "the README lacks `{}`", kind.name);
    }
}

#[test]
fn every_option_that_is_mentioned_exists() {
    let command = cli::command();
    let verbs = command.get_subcommands().flat_map(|verb| verb.get_arguments());
    let known: Vec<&str> =
        command.get_arguments().chain(verbs).filter_map(|argument| argument.get_long()).collect();
    let readme = read("README.md");
    let own = readme.split("\n## Development").next().unwrap_or_default();
    let is_part = |char: char| char.is_ascii_lowercase() || char == '-';
    for (at, _) in own.match_indices(" --").chain(own.match_indices("`--")) {
        let name = &own[at + 3..];
        let name = &name[..name.find(|char| !is_part(char)).unwrap_or(name.len())];
        assert!(
            name.is_empty() || known.contains(&name),
            "the README mentions `--{name}`, which no verb has"
        );
    }
}

#[test]
fn the_session_is_that_of_the_fixture() {
    let expected = read("fixtures/first-day/expected");
    // A terminal shows both streams, and no listing of the target.
    let mut session = String::new();
    let mut listing = false;
    for line in expected.lines() {
        listing = line.ends_with("live/") || listing && line.starts_with("  ");
        if !listing && !line.starts_with("and `trueup plan` says") {
            session += line.strip_prefix("2> ").unwrap_or(line);
            session.push('\n');
        }
    }
    let readme = read("README.md");
    assert!(
        blocks(&readme)
            .iter()
            .any(|block| session.trim_end().ends_with(block.trim_end()) && block.lines().count() > 20),
        "the README does not show\n{session}"
    );
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
