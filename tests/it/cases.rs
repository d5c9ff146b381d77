//! Runs every folder of `fixtures/` and compares the transcript with its `expected`.
//!
//! `checkout/` is committed first, `target/` is what is there before, and
//! `steps` is the session (see `session.rs`). `TRUEUP_BLESS=1` rewrites
//! `expected`; `TRUEUP_CASE=name` runs the cases whose names hold it.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use similar::TextDiff;
use trueup::exit::Exit;

use crate::{
    sandbox::{self, Sandbox},
    session::{self, Played},
};

fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found: Vec<PathBuf> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.join("steps").is_file());
    found.sort();
    found
}

fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

fn play(case: &Path) -> Result<Played, String> {
    let sandbox = Sandbox::new();
    for folder in ["checkout", "target"] {
        if case.join(folder).is_dir() {
            sandbox::copy(&case.join(folder), &sandbox.path(folder));
        }
    }
    if case.join("checkout").is_dir() {
        sandbox.sh("commit 'Declare'").expect(0);
    }
    let steps = fs::read_to_string(case.join("steps")).map_err(|error| error.to_string())?;
    Ok(session::run(&sandbox, &session::parse(&steps)?))
}

fn check(case: &Path) -> Result<(), String> {
    compare(case, &play(case).map_err(|error| format!("{}: {error}", name(case)))?)
}

/// Compares a session with the `expected` of its fixture.
pub fn compare(case: &Path, Played { transcript, untrue }: &Played) -> Result<(), String> {
    let file = case.join("expected");
    if env::var_os("TRUEUP_BLESS").is_some() {
        fs::write(&file, transcript).map_err(|error| error.to_string())?;
    }
    if !untrue.is_empty() {
        return Err(format!("fixtures/{}: {}", name(case), untrue.join("; ")));
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    if *transcript == expected {
        return Ok(());
    }
    let diff =
        TextDiff::from_lines(&expected, transcript).unified_diff().header("expected", "found").to_string();
    Err(format!("fixtures/{}:\n{diff}", name(case)))
}

#[test]
fn every_fixture_plays_as_expected() {
    let only = env::var("TRUEUP_CASE").unwrap_or_default();
    let cases: Vec<PathBuf> = folders().into_iter().filter(|case| name(case).contains(&only)).collect();
    assert!(!cases.is_empty(), "no fixture is named like `{only}`");
    let wrong: Vec<String> = cases.par_iter().filter_map(|case| check(case).err()).collect();
    assert!(wrong.is_empty(), "{}\n`TRUEUP_BLESS=1 cargo test` takes it as it is", wrong.join("\n"));
}

/// Signals are sent in `faults`.
#[test]
fn every_exit_code_but_those_of_signals_is_in_a_fixture() {
    let mut seen = BTreeSet::new();
    for case in folders() {
        let expected = fs::read_to_string(case.join("expected")).unwrap_or_default();
        let mut of_trueup = false;
        for line in expected.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                of_trueup = command.contains("trueup ");
            } else if let Some(code) = line.strip_prefix("exit ").filter(|_| of_trueup) {
                seen.extend(code.parse::<u8>());
            }
        }
    }
    let all = Exit::ALL.map(|(exit, ..)| exit).into_iter();
    let wanted = all.filter(|exit| !matches!(exit, Exit::Interrupted | Exit::Terminated)).map(Exit::code);
    assert_eq!(seen, wanted.collect::<BTreeSet<_>>());
}
