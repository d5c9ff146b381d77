//! Who may know whom: a crude scan of the sources, held against a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The parts of `src`, and the other parts that each may name. An arrow only ever points down.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["trueup"]),
    ("lib", &["cli", "commands", "error", "exit", "output"]),
    ("error", &["exit", "model", "output"]),
    ("commands", &["applier", "cli", "exit", "model", "output", "planner", "providers", "source"]),
    ("planner", &["cli", "exit", "model", "providers", "source"]),
    ("cli", &[]),
    ("output", &["exit", "model"]),
    ("applier", &["exit", "model", "providers"]),
    ("providers", &["exit", "manifest", "model", "yaml"]),
    ("source", &["exit", "model", "yaml"]),
    ("manifest", &["model", "yaml"]),
    ("yaml", &[]),
    ("model", &["exit"]),
    ("exit", &[]),
];

/// Where each crate may be named: a folder or a file.
const OWNERS: &[(&str, &[&str])] = &[
    // The command line.
    ("clap", &["cli/", "lib.rs", "error.rs"]),
    ("clap_complete", &["cli/", "commands/generate.rs"]),
    ("clap_mangen", &["commands/generate.rs"]),
    ("signal_hook", &["commands/signals.rs"]),
    // The checkout.
    ("gix", &["source/checkout/", "source/history/"]),
    ("granit_parser", &["yaml/"]),
    ("strsim", &["model/suggest.rs"]),
    // Any API.
    ("netrc", &["providers/rest/client/credentials.rs"]),
    ("pbkdf2", &["providers/rest/compare/fingerprint.rs"]),
    ("percent_encoding", &["providers/rest/", "providers/kubernetes/"]),
    ("reqwest", &["providers/rest/"]),
    // The cluster.
    ("base64", &["model/sensitive.rs", "providers/kubernetes/", "providers/packed.rs", "providers/rest/"]),
    ("flate2", &["providers/packed.rs"]),
    ("futures_util", &["providers/kubernetes/"]),
    ("http", &["providers/kubernetes/"]),
    ("hyper_util", &["providers/kubernetes/"]),
    // Named by nobody: it tells `kube` which version of the API to speak.
    ("k8s_openapi", &[]),
    ("kube", &["providers/kubernetes/"]),
    ("tokio", &["providers/kubernetes/"]),
    ("tower", &["providers/kubernetes/"]),
    // Both have one provider of cryptography.
    ("rustls", &["providers/kubernetes/", "providers/rest/client/transport/client.rs"]),
    // What a person sees.
    ("colored", &["output/style.rs"]),
    ("indicatif", &["output/progress.rs", "output/streams.rs"]),
    ("similar", &["model/text.rs", "output/hunks.rs"]),
    // The system below.
    ("mimalloc", &["main.rs"]),
    ("getrandom", &["providers/files/", "providers/rest/"]),
    (
        "rustix",
        &["main.rs", "commands/actor.rs", "providers/files/", "providers/rest/", "source/checkout/tests/"],
    ),
    ("sha1dc", &["providers/files/"]),
    ("uzers", &["providers/files/"]),
    // Words of several parts.
    (
        "anyhow",
        &[
            "lib.rs",
            "error.rs",
            "commands/",
            "planner/",
            "output/",
            "applier.rs",
            "providers/",
            "source/",
            "model/tree.rs",
        ],
    ),
    ("bstr", &["commands/adopt.rs", "planner/commits.rs", "providers/mod.rs", "source/", "model/tree.rs"]),
    ("globset", &["providers/", "model/selector.rs"]),
    ("itertools", &["model/diff.rs", "providers/rest/"]),
    ("jiff", &["commands/actor.rs", "providers/", "source/config/"]),
    ("litemap", &["model/value.rs"]),
    ("rayon", &["commands/", "planner/", "providers/", "source/checkout/"]),
    ("regex", &["providers/rest/"]),
    ("schemars", &["commands/", "output/json/", "providers/", "source/config/", "model/", "exit.rs"]),
    ("serde", &["output/json/", "providers/", "source/config/", "model/", "exit.rs"]),
    (
        "serde_json",
        &["commands/", "output/", "providers/", "manifest/", "source/config/", "model/", "exit.rs", "yaml/"],
    ),
    ("serde_path_to_error", &["providers/", "source/config/"]),
    ("serde_yaml", &["output/yaml.rs", "providers/", "source/config/"]),
    (
        "sha2",
        &[
            "output/tests/",
            "providers/files/",
            "model/plan.rs",
            "providers/kubernetes/",
            "providers/rest/compare/fingerprint.rs",
        ],
    ),
    ("thiserror", &["providers/", "model/"]),
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

/// The crates of `[dependencies]`, as code names them.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let (_, after) = manifest.split_once("\n[dependencies]\n").unwrap();
    let lines = after.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_"))).collect()
}

/// What each file names, with the parts beside its own.
fn files() -> BTreeMap<String, Names> {
    let dependencies = dependencies();
    let parts: Vec<&str> = ARROWS.iter().map(|(part, _)| *part).chain(["trueup"]).collect();
    let name = |(file, text): (String, String)| {
        let mut names = names(&text, &dependencies);
        if !file.contains('/') {
            // At the root of a crate, a part is named without `crate::`.
            names
                .modules
                .extend(parts.iter().filter(|part| names_module(&text, part)).map(|part| (*part).to_owned()));
        }
        names.modules.remove(part(&file));
        (file, names)
    };
    sources().into_iter().map(name).collect()
}

/// Whether a file says `module::` as the beginning of a path.
fn names_module(text: &str, module: &str) -> bool {
    text.match_indices(&format!("{module}::")).any(|(at, _)| text[..at].ends_with([' ', '(', '{', '\n']))
}

/// The part of the crate that a file belongs to.
fn part(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
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
fn parts_know_each_other_as_the_table_says() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, names) in files() {
        found.entry(part(&file).to_owned()).or_default().extend(names.modules);
    }
    let wanted = ARROWS.iter().map(|(part, knows)| ((*part).to_owned(), set(knows)));
    assert_eq!(found, wanted.collect());
}

#[test]
fn crates_are_named_where_the_table_says() {
    let mut wrong = Vec::new();
    for (file, names) in files() {
        for name in names.crates {
            let owners =
                OWNERS.iter().find(|(owned, _)| *owned == name).map_or(&[][..], |(_, owners)| owners);
            if !owners.iter().any(|owner| file.starts_with(owner)) {
                wrong.push(format!("src/{file} names `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_is_needed_where_the_table_says() {
    let files = files();
    let names = |place: &str, name: &str| {
        files.iter().any(|(file, names)| file.starts_with(place) && names.crates.contains(name))
    };
    let idle = OWNERS.iter().flat_map(|(name, owners)| owners.iter().map(move |owner| (*owner, *name)));
    let idle: Vec<_> = idle.filter(|(owner, name)| !names(owner, name)).collect();
    assert!(idle.is_empty(), "{idle:?}");
    assert_eq!(dependencies(), OWNERS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn providers_do_not_know_each_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers");
    // A provider is a folder; the files beside them are what they share.
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let providers: BTreeSet<String> = entries
        .filter(|path| path.is_dir())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
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
