//! The documents for programs, held against the schemas that `trueup schema` prints.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox};

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Fails unless `document` fits the schema of `what`.
#[track_caller]
fn fits(sandbox: &Sandbox, what: &str, document: &Value) {
    let schema = json(&sandbox.trueup(&["schema", what]).expect(0).stdout);
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{what}:\n{}\n{document:#}", wrong.join("\n"));
}

/// Drift, pending changes, a conflict, an extra, a missing, an unknown, a
/// foreign and a sensitive object in one target.
fn everything() -> Sandbox {
    let manifest = "files: {key: {sensitive: true}}\ndirectories: {conf.d: {exclusive: true}}\n";
    let files = [
        ("drift", "1\n"),
        ("both", "1\n"),
        ("gone", "1\n"),
        ("missing", "1\n"),
        ("key", "1\n"),
        ("conf.d/a", "1\n"),
        (".trueup-files.yaml", manifest),
    ];
    let sandbox = Sandbox::with_files(&files);
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    let in_git =
        "echo 2 > site/both; rm site/gone; echo 2 > site/key; echo 1 > site/foreign; echo 1 > site/pipe";
    sandbox.sh(&format!("{in_git}; commit 'Change (#7)'")).expect(0);
    let by_hand =
        "echo 3 > drift; echo 3 > both; rm missing; echo 1 > conf.d/b; echo 2 > foreign; mkfifo pipe";
    sandbox.sh(&format!("cd ../target; {by_hand}")).expect(0);
    sandbox
}

#[test]
fn plans_fit_their_schema() {
    let sandbox = everything();
    let states: [&[&str]; 4] = [
        &["plan", "-o", "json"],
        &["drift", "-o", "json"],
        &["diff", "HEAD~1..HEAD", "-o", "json"],
        &["plan", "--merge-into", "HEAD~1", "-o", "json"],
    ];
    for state in states {
        let ran = sandbox.trueup(state);
        let document = json(&ran.stdout);
        fits(&sandbox, "plan", &document);
        assert_eq!(document["exit"], ran.exit, "{state:?}");
    }
}

#[test]
fn a_plan_holds_every_class_it_is_made_of() {
    let document = json(&everything().trueup(&["plan", "-o", "json"]).stdout);
    let mut classes: Vec<&str> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|change| change["class"].as_str())
        .collect();
    classes.sort_unstable();
    classes.dedup();
    assert_eq!(classes, ["conflict", "drift", "extra", "missing", "pending", "unknown"]);
}

#[test]
fn saved_plans_fit_their_schema() {
    let sandbox = everything();
    sandbox.trueup(&["plan", "-q", "--out", "plan=../saved.json"]);
    fits(&sandbox, "saved-plan", &json(&sandbox.read("saved.json")));
}

#[test]
fn reports_and_logs_fit_their_schemas() {
    let sandbox = everything();
    let args =
        ["apply", "--yes", "-o", "json", "--overwrite", "both", "--adopt", "foreign", "--skip-unknown"];
    // What could not be read is left, and so it is applied in part.
    let ran: Ran = sandbox.trueup(&[&args[..], &["--keep", "gone"]].concat()).expect(7);
    fits(&sandbox, "apply", &json(&ran.stdout));
    fits(&sandbox, "log", &json(&sandbox.trueup(&["log", "-o", "json"]).expect(0).stdout));
    fits(&sandbox, "why", &json(&sandbox.trueup(&["why", "both", "-o", "json"]).expect(0).stdout));
    sandbox.sh("echo 9 > site/both; commit 'More'").expect(0);
    fits(&sandbox, "log", &json(&sandbox.trueup(&["log", "--missing", "-o", "json"]).expect(2).stdout));
}

#[test]
fn the_configurations_of_the_fixtures_fit_their_schema() {
    let sandbox = Sandbox::new();
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = fs::read_dir(fixtures).unwrap().map(|case| case.unwrap().path().join("checkout/trueup.yaml"));
    let files: Vec<_> = files.filter(|file| file.is_file()).collect();
    assert!(files.len() > 20);
    for file in files {
        let document: Value = serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        fits(&sandbox, "config", &document);
    }
}
