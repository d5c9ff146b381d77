//! Who may know whom: a crude scan of the sources, held against a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A part of `src`, by the longest prefix of a path that fits.
struct Part {
    place: &'static str,
    /// The modules of the crate root that it may name.
    knows: &'static [&'static str],
    /// The crates that it may name.
    crates: &'static [&'static str],
}

/// An arrow only ever points down this list.
const PARTS: &[Part] = &[
    Part { place: "main.rs", knows: &[], crates: &["trueup"] },
    Part {
        place: "lib.rs",
        knows: &["cli", "commands", "error", "exit", "output"],
        crates: &["anyhow", "clap"],
    },
    Part { place: "error.rs", knows: &["exit", "model", "output"], crates: &["anyhow", "clap"] },
    Part {
        place: "commands/",
        knows: &["cli", "engine", "exit", "model", "output", "providers", "source"],
        crates: &["anyhow", "bstr", "jiff", "rayon", "rustix", "schemars", "serde_json"],
    },
    Part {
        place: "commands/generate.rs",
        knows: &["cli", "exit", "model", "output"],
        crates: &["anyhow", "clap_complete", "clap_mangen"],
    },
    Part { place: "commands/signals.rs", knows: &["exit"], crates: &["signal_hook"] },
    Part { place: "cli/", knows: &[], crates: &["clap", "clap_complete"] },
    Part {
        place: "output/",
        knows: &["exit", "model"],
        crates: &["anyhow", "schemars", "serde", "serde_json"],
    },
    Part { place: "output/style.rs", knows: &[], crates: &["colored"] },
    Part { place: "output/progress.rs", knows: &["model"], crates: &["indicatif"] },
    Part { place: "output/unified.rs", knows: &["model"], crates: &["similar"] },
    Part { place: "engine.rs", knows: &["exit", "model", "providers"], crates: &["anyhow"] },
    Part {
        place: "providers/mod.rs",
        knows: &["model"],
        crates: &["anyhow", "bstr", "schemars", "serde_yaml", "thiserror"],
    },
    Part {
        place: "providers/files/",
        knows: &["exit", "model", "providers"],
        crates: &[
            "anyhow",
            "globset",
            "jiff",
            "rayon",
            "rustix",
            "schemars",
            "serde",
            "serde_json",
            "serde_path_to_error",
            "serde_yaml",
            "sha1dc",
            "sha2",
        ],
    },
    Part { place: "source/", knows: &["exit", "model"], crates: &["anyhow", "bstr", "rayon", "rustix"] },
    Part {
        place: "source/config/",
        knows: &["exit", "model", "source"],
        crates: &["anyhow", "schemars", "serde", "serde_yaml", "strsim"],
    },
    Part {
        place: "source/checkout/",
        knows: &["exit", "model"],
        crates: &["anyhow", "bstr", "gix", "rayon", "rustix"],
    },
    Part {
        place: "source/history/",
        knows: &["exit", "model", "source"],
        crates: &["anyhow", "bstr", "gix"],
    },
    Part {
        place: "model/",
        knows: &["exit", "model"],
        crates: &["bstr", "globset", "litemap", "schemars", "serde", "serde_json", "sha2", "thiserror"],
    },
    Part { place: "model/text.rs", knows: &[], crates: &["similar"] },
    Part { place: "model/tree.rs", knows: &[], crates: &["anyhow", "bstr"] },
    Part { place: "exit.rs", knows: &[], crates: &["schemars", "serde"] },
];

/// What one file names.
#[derive(Default, PartialEq, Eq, Debug)]
struct Names {
    modules: BTreeSet<String>,
    crates: BTreeSet<String>,
}

fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// The crates of `[dependencies]`, as code names them, and the library itself.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let (_, after) = manifest.split_once("\n[dependencies]\n").unwrap();
    let lines = after.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_")));
    names.chain(["trueup".to_owned()]).collect()
}

fn part(file: &str) -> &'static Part {
    let fitting = PARTS.iter().filter(|part| file.starts_with(part.place));
    fitting
        .max_by_key(|part| part.place.len())
        .unwrap_or_else(|| panic!("src/{file} is in no part of the table"))
}

/// What a source file names: `crate::name`, `use crate::{name, …}` and `name::` for each dependency.
fn names(text: &str, dependencies: &BTreeSet<String>) -> Names {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .fold(String::new(), |code, line| code + line + "\n");
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut names = Names::default();
    for (at, _) in code.match_indices("::") {
        let start = code[..at].rfind(|char| !is_name(char)).map_or(0, |before| before + 1);
        let word = &code[start..at];
        let after_path = code[..start].ends_with([':', '.', '$']);
        if word == "crate" && !after_path {
            names.modules.extend(first_names(&code[at + 2..]));
        } else if dependencies.contains(word) && !after_path {
            names.crates.insert(word.to_owned());
        }
    }
    names
}

/// The name that a path goes on with, or each of them where it goes on with a group.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        text[..text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(text.len())]
            .to_owned()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                found.push(name(&group[start..at]));
                start = at + 1;
            }
            '}' => {
                found.push(name(&group[start..at]));
                break;
            }
            _ => {}
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn no_file_knows_more_than_its_part_may() {
    let dependencies = dependencies();
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let part = part(&file);
        let found = names(&text, &dependencies);
        let strange = found
            .modules
            .difference(&set(part.knows))
            .map(|name| format!("crate::{name}"))
            .collect::<Vec<_>>();
        let foreign = found.crates.difference(&set(part.crates)).cloned().collect::<Vec<_>>();
        wrong.extend(strange.iter().chain(&foreign).map(|name| format!("src/{file} names `{name}`")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_allows_nothing_that_nobody_needs() {
    let dependencies = dependencies();
    let mut needed: BTreeMap<&str, Names> = BTreeMap::new();
    for (file, text) in sources() {
        let found = names(&text, &dependencies);
        let entry = needed.entry(part(&file).place).or_default();
        entry.modules.extend(found.modules);
        entry.crates.extend(found.crates);
    }
    let mut idle = Vec::new();
    for part in PARTS {
        let Some(needed) = needed.get(part.place) else {
            idle.push(format!("there is no src/{}", part.place));
            continue;
        };
        let known = part.knows.iter().filter(|name| !needed.modules.contains(**name));
        let crates = part.crates.iter().filter(|name| !needed.crates.contains(**name));
        idle.extend(known.chain(crates).map(|name| format!("src/{} does not need `{name}`", part.place)));
    }
    assert!(idle.is_empty(), "{}", idle.join("\n"));
}

#[test]
fn providers_do_not_know_each_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let providers: BTreeSet<String> = entries
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "mod")
        .collect();
    for (file, text) in sources() {
        let Some(own) = file.strip_prefix("providers/").and_then(|rest| rest.split(['/', '.']).next()) else {
            continue;
        };
        for other in providers.iter().filter(|other| *other != own && own != "mod") {
            assert!(
                !text.contains(&format!("providers::{other}")),
                "src/{file} knows the provider `{other}`"
            );
        }
    }
}

#[test]
fn the_scan_sees_groups_paths_and_attributes() {
    let text = "use crate::{\n    exit::Exit, // crate::no\n    model::{a, b},\n};\nuse gix::bstr;\n\
                #[error(thiserror::Error)] fn f() -> crate::source::T { self.gix::<u8>(); x::gix::y() }";
    let found = names(text, &set(&["gix", "thiserror", "bstr"]));
    assert_eq!(found.modules, set(&["exit", "model", "source"]));
    assert_eq!(found.crates, set(&["gix", "thiserror"]));
}
