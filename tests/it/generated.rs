//! Files that are made from the command tree and committed.

use std::{collections::BTreeMap, env, fs, path::Path};

use clap_complete::Shell;
use trueup::{cli, commands};

const HOW: &str = "`TRUEUP_BLESS=1 cargo test generated` makes it anew";

/// Compares a folder with what it should hold, file by file.
fn compare(folder: &str, wanted: BTreeMap<String, Vec<u8>>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if env::var_os("TRUEUP_BLESS").is_some() {
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        wanted.iter().for_each(|(name, content)| fs::write(path.join(name), content).unwrap());
    }
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{folder}: {error}; {HOW}"));
    for entry in entries {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(wanted.contains_key(&name), "{folder}/{name} is not generated any more; {HOW}");
    }
    for (name, content) in wanted {
        let found = fs::read(path.join(&name)).unwrap_or_default();
        assert!(found == content, "{folder}/{name} is stale; {HOW}");
    }
}

#[test]
fn completions_are_those_of_the_command_tree() {
    let scripts = [("trueup.bash", Shell::Bash), ("_trueup", Shell::Zsh), ("trueup.fish", Shell::Fish)];
    let wanted = scripts.map(|(name, shell)| (name.to_owned(), commands::completions(shell)));
    compare("completions", wanted.into());
}

#[test]
fn man_pages_are_those_of_the_command_tree() {
    compare("man", commands::man_pages().unwrap().into_iter().collect());
}

#[test]
fn the_command_tree_is_well_formed() {
    cli::command().debug_assert();
}
