//! JSON against its schemas.

use serde_json::{Value, json};

use super::samples::*;
use crate::{
    exit::Exit,
    model::{
        change::{Action, Class},
        plan::Summary,
        record::{HistoryEntry, HistoryObject, Who},
        redact::{Shown, ShownChange, ShownSides},
        report::{FailureKind, Outcome, Report, Verdict},
    },
    output::{
        Applied, Explain, Format, Log, Logs, Look, Missing, ProviderInfo, Providers, Reports, View,
        json as formats,
    },
};

fn written<V: View>(view: &V, format: Format) -> String {
    let mut out = Vec::new();
    view.write(format, &Look::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The document, checked against its schema.
fn valid<V: View>(view: &V, schema: &Value) -> Value {
    let document: Value = serde_json::from_str(&written(view, Format::Json)).unwrap();
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
    document
}

fn drifted() -> ShownChange {
    let change = change("etc/motd", Some(file(b"a\n")), Some(file(b"b\n")));
    let secret = Class::Drift;
    let hidden = |number| Some(Shown::Hidden(number));
    let sides = ShownSides { base: hidden(1), desired: hidden(1), actual: hidden(2) };
    ShownChange {
        fields: vec![
            field("/executable", Class::Drift, [Some(json!(false)), Some(json!(false)), None]),
            crate::model::redact::ShownField {
                path: "/key".to_owned(),
                class: secret,
                line: Some(7),
                declared_by: None,
                writer: None,
                sides,
            },
        ],
        writer: Some(writer("owner alice")),
        commits: vec![commit("Raise the limit")],
        ..classed(change, Class::Drift)
    }
}

#[test]
fn the_plan_of_one_target_is_described_by_its_schema() {
    let sheets = [sheet("site", vec![drifted(), change("new", None, Some(file(b"")))])];
    let document = valid(&plans(&sheets), &formats::schema_plan());
    let commit = "9d0e77c3f2c1ab9d0e77c3f2c1ab9d0e77c3f2c1";
    assert_eq!(document["schema"], "trueup.plan/v1");
    assert_eq!((&document["result"], &document["exit"]), (&json!("drift-and-pending"), &json!(4)));
    assert_eq!(document["target"], "site");
    assert_eq!(document["revision"]["commit"], commit);
    assert_eq!(document["applyable"], true);
    assert_eq!(document["targets"][0]["summary"], document["summary"]);
    let change = &document["changes"][0];
    assert_eq!(change["origin"], json!({"file": "site/etc/motd", "line": 1, "commit": commit}));
    assert_eq!(
        change["fields"],
        json!([
            {"path": "/executable", "class": "drift", "base": false, "desired": false},
            {"path": "/key", "class": "drift", "line": 7, "base": "(sensitive) #1", "desired": "(sensitive) #1",
             "actual": "(sensitive) #2"},
        ])
    );
}

#[test]
fn what_belongs_to_one_target_is_null_for_several() {
    let sheets = [sheet("a", vec![drifted()]), sheet("b", vec![change("new", None, Some(file(b"")))])];
    let document = valid(&plans(&sheets), &formats::schema_plan());
    for key in ["target", "base"] {
        assert_eq!(document[key], Value::Null, "{key}");
    }
    assert_eq!((&document["summary"]["drift"], &document["summary"]["unchanged"]), (&json!(1), &json!(82)));
    assert_eq!(document["result"], "drift-and-pending");
    assert_eq!(document["targets"][1]["name"], "b");
    assert_eq!(document["changes"][1]["target"], "b");
}

#[test]
fn every_key_of_a_plan_is_required_by_its_schema() {
    let schema = formats::schema_plan();
    let required: Vec<_> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for key in [
        "schema",
        "result",
        "exit",
        "revision",
        "base",
        "target",
        "summary",
        "digest",
        "applyable",
        "complete",
    ] {
        assert!(required.contains(&key), "{key} in {required:?}");
    }
    assert!(!schema.to_string().contains("\"additionalProperties\":false"));
}

#[test]
fn gitlab_counts_a_replace_twice() {
    let replaced =
        ShownChange { action: Action::Replace, ..change("x", Some(file(b"1")), Some(directory("root"))) };
    let sheets = [sheet("site", vec![replaced, change("y", Some(file(b"1")), None)])];
    let text = written(&plans(&sheets), Format::GitlabTerraform);
    assert_eq!(text, "{\"create\":1,\"update\":0,\"delete\":2}\n");
}

pub fn applied() -> Applied {
    let outcome = |name: &str, action, verdict, error: Option<&str>| Outcome {
        address: crate::model::address::Address::new(name),
        action,
        class: Class::Pending,
        verdict,
        error: error.map(|error| (FailureKind::Other, error.to_owned())),
    };
    let outcomes = vec![
        outcome("etc/motd", Action::Update, Verdict::Done, None),
        outcome("new", Action::Create, Verdict::Failed, Some("no space left on device")),
        outcome("old", Action::Delete, Verdict::NotAttempted, None),
    ];
    Applied { plan: plan("site", vec![drifted()]), report: Report { outcomes, interrupted: None } }
}

#[test]
fn what_an_apply_did_is_described_by_its_schema() {
    let targets = [applied()];
    let document = valid(&Reports { targets: &targets, exit: Exit::Partial }, &formats::schema_apply());
    assert_eq!(document["result"], "partial");
    assert_eq!(document["partial"], true);
    assert_eq!(document["targets"][0]["exit"], 7);
    assert_eq!(
        document["outcomes"][1],
        json!({"target": "site", "address": "new", "action": "create", "class": "pending", "verdict": "failed",
               "error": "no space left on device"})
    );
}

pub fn past() -> HistoryEntry {
    HistoryEntry {
        id: "1".to_owned(),
        started: "2026-11-22T14:10:05Z".to_owned(),
        finished: Some("2026-11-22T14:10:09Z".to_owned()),
        result: Exit::InSync,
        environment: Some("prod".to_owned()),
        revision: revision("main"),
        base: None,
        who: Who {
            actor: "alice".to_owned(),
            source: "gitlab-ci".to_owned(),
            host: "runner-1".to_owned(),
            job: Some("https://ci.example.org/991".to_owned()),
        },
        why: vec![commit("Right-size web"), commit("Before")],
        flags: vec!["--yes".to_owned()],
        digest: "sha256:00".to_owned(),
        summary: Summary { create: 1, update: 2, ..Summary::default() },
        objects: vec![HistoryObject {
            address: crate::model::address::Address::new("etc/motd"),
            action: Action::Update,
            class: Class::Pending,
            verdict: Verdict::Failed,
            error: Some("denied".to_owned()),
        }],
        objects_omitted: 3,
    }
}

pub fn logs() -> [Log; 2] {
    let missing = Missing { revision: revision("main"), base: None, commits: vec![commit("Never applied")] };
    [
        Log { target: target("site"), applies: vec![past()], missing: None },
        Log { target: target("other"), applies: Vec::new(), missing: Some(missing) },
    ]
}

#[test]
fn the_log_is_described_by_its_schema() {
    let document = valid(&Logs { targets: &logs(), exit: Exit::InSync }, &formats::schema_log());
    assert_eq!(document["targets"][0]["applies"][0]["who"]["actor"], "alice");
    assert_eq!(document["targets"][1]["missing"]["commits"][0]["subject"], "Never applied");
}

#[test]
fn the_providers_are_described_by_their_schema() {
    let info = ProviderInfo {
        name: "files".to_owned(),
        about: "files below a directory".to_owned(),
        rules: Vec::new(),
        schema: json!({"type": "object"}),
        tested_with: vec!["1.2".to_owned()],
        kinds: vec![kind("label")],
    };
    let providers = Providers { providers: &[info], explain: Explain::Names };
    let document = valid(&providers, &formats::schema_providers());
    assert_eq!(document["providers"][0]["name"], "files");
}

#[test]
fn two_runs_write_the_same_bytes() {
    let sheets = [sheet("site", vec![drifted()])];
    assert_eq!(written(&plans(&sheets), Format::Json), written(&plans(&sheets), Format::Json));
}
