//! Files that are made from the command tree and committed.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

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
    let written = written_pages();
    compare("man", commands::man_pages().unwrap().into_iter().chain(written).collect());
}

/// The page that a person writes, with the manual page that is made of it.
fn written_pages() -> [(String, Vec<u8>); 2] {
    let source = security_page();
    let page = manual(&source).into_bytes();
    [("trueup-security.md".to_owned(), source.into_bytes()), ("trueup-security.7".to_owned(), page)]
}

fn security_page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/trueup-security.md");
    fs::read_to_string(path).unwrap()
}

/// A manual page of the part of Markdown that the page uses: headings, paragraphs, list items, code.
fn manual(source: &str) -> String {
    let mut page = String::new();
    for line in source.lines().filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("# ") {
            let (name, section) = title.trim_end_matches(')').split_once('(').unwrap();
            writeln!(page, ".TH {name} {section}").unwrap();
        } else if let Some(heading) = line.strip_prefix("## ") {
            writeln!(page, ".SH {heading}").unwrap();
        } else if let Some(item) = line.strip_prefix("- ") {
            writeln!(page, ".IP \\(bu 2\n{}", inline(item)).unwrap();
        } else {
            writeln!(page, ".PP\n{}", inline(line)).unwrap();
        }
    }
    page
}

/// Text of a paragraph, in which code stands in bold.
fn inline(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| if at % 2 == 1 { format!("\\fB{part}\\fR") } else { part.to_owned() });
    format!("\\&{}", parts.collect::<String>())
}

#[test]
fn every_statement_about_security_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    let mut folders = vec![root.join("src"), root.join("tests/it")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => sources += &fs::read_to_string(&path).unwrap_or_default(),
            }
        }
    }
    for statement in security_page().lines().filter(|line| line.starts_with("- ")) {
        let name = statement.rsplit_once("Test: `").and_then(|(_, rest)| rest.strip_suffix("`."));
        let name = name.unwrap_or_else(|| panic!("{statement} names no test"));
        assert!(sources.contains(&format!("fn {name}()")), "there is no test `{name}`");
    }
}

#[test]
fn the_command_tree_is_well_formed() {
    cli::command().debug_assert();
}
