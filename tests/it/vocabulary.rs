//! Words that were replaced by the field's own and do not come back: in names of files, in public names, and in keys of
//! definitions.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// File names without ending, below `src` and `tests/it`.
const FILES: &[&str] = &[
    "ahead",
    "asked",
    "beside",
    "beneath",
    "between",
    "case",
    "circumstances",
    "credit",
    "dice",
    "disguise",
    "ending",
    "everyday",
    "examine",
    "exchange",
    "extras",
    "fault",
    "foresee",
    "forms",
    "gather",
    "home",
    "ignoring",
    "ledger",
    "listed",
    "marks",
    "meddling",
    "obstacle",
    "orders",
    "own",
    "packing",
    "past",
    "people",
    "persons",
    "pipeline",
    "places",
    "refused",
    "rotation",
    "same",
    "sent",
    "sieve",
    "single",
    "site",
    "strangers",
    "touch",
    "trees",
    "trial",
    "trouble",
    "words",
];

/// Files that may be called so: there the word means something else.
const EXCEPT: &[&str] = &[
    "src/providers/kubernetes/preview/exchange.rs",
    "src/providers/files/strangers.rs",
    "src/providers/rest/client/transport/ahead.rs",
    "src/output/tests/people.rs",
    "src/yaml/edit/places.rs",
    "tests/it/kubernetes/everyday.rs",
    "tests/it/kubernetes/forms.rs",
    "tests/it/rest/everyday.rs",
    "tests/it/rest/forms.rs",
];

/// Types, functions and constants.
const NAMES: &[&str] = &[
    "Chosen",
    "Company",
    "Course",
    "Discreet",
    "Ended",
    "Fault",
    "Finding",
    "Given",
    "Looking",
    "Prints",
    "Setup",
    "Sheet",
    "Shift",
    "Sides",
    "Site",
    "Writing",
    "anticipate",
    "but_for",
    "grants",
    "hush",
    "in_the_way",
    "lay",
    "patiently",
    "risky",
    "sift",
    "testify",
];

/// Keys of definitions.
const KEYS: &[&str] = &[
    "stands_for",
    "answers",
    "otherwise",
    "provided",
    "never",
    "one_of",
    "only_when",
    "ask_missing",
    "beside",
    "also",
    "fold",
    "wrap",
    "follow_up",
    "safe_post",
    "wrong_fields",
    "memory",
    "open",
];

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => files(&path, ending),
        false => Vec::from_iter(path.to_str().unwrap().ends_with(ending).then_some(path)),
    });
    found.collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The word that a line declares for everybody, if it does.
fn declared(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = rest.strip_prefix('(').map_or(Some(rest), |rest| Some(rest.split_once(')')?.1))?.trim_start();
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    let kinds = ["fn ", "struct ", "enum ", "trait ", "type ", "const ", "static "];
    let name = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

#[test]
fn files_and_public_names_are_called_by_the_words_of_the_field() {
    let mut wrong = Vec::new();
    for file in [files(&root().join("src"), ".rs"), files(&root().join("tests/it"), ".rs")].concat() {
        let shown = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let name = match file.file_stem().unwrap().to_str().unwrap() {
            "mod" => file.parent().unwrap().file_name().unwrap().to_str().unwrap(),
            name => name,
        };
        if FILES.contains(&name) && !EXCEPT.contains(&shown.as_str()) {
            wrong.push(format!("{shown}: a file called `{name}`"));
        }
        let text = fs::read_to_string(&file).unwrap();
        let names = text.lines().filter_map(declared).filter(|name| NAMES.contains(name));
        let names = names.filter(|_| shown.starts_with("src/"));
        wrong.extend(names.map(|name| format!("{shown}: `{name}`")));
    }
    assert!(wrong.is_empty(), "retired words:\n{}", wrong.join("\n"));
}

#[test]
fn definitions_have_no_key_that_was_renamed() {
    let folder = root().join("src/providers/rest/definitions");
    let mut wrong = Vec::new();
    for file in files(&folder, ".yaml") {
        let text = fs::read_to_string(&file).unwrap();
        let is_key = |line: &&str| KEYS.iter().any(|key| line.trim_start().starts_with(&format!("{key}:")));
        wrong.extend(text.lines().filter(is_key).map(|line| format!("{}: {line}", file.display())));
    }
    let keys = fs::read_to_string(folder.join("KEYS.md")).unwrap();
    wrong.extend(
        KEYS.iter().filter(|key| keys.contains(&format!("| `{key}` |"))).map(|key| format!("KEYS.md: {key}")),
    );
    assert!(wrong.is_empty(), "retired keys:\n{}", wrong.join("\n"));
}
