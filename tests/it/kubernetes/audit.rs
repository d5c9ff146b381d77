//! `--audit-log`: the people behind drift, by the log that the server itself writes.

use std::{fs, thread, time::Duration};

use serde_json::Value;

use super::{SETTINGS, Shop};

const OTHER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n";

/// A copy of what the server has logged by now.
fn log(shop: &Shop) -> String {
    // The log is written as each request ends.
    thread::sleep(Duration::from_millis(300));
    fs::copy(shop.server.folder.join("audit.log"), shop.sandbox.path("audit.log")).unwrap();
    "../audit.log".to_owned()
}

fn persons(drift: &str, name: &str) -> Vec<Value> {
    let drift: Value = serde_json::from_str(drift).unwrap();
    let changes = drift["changes"].as_array().unwrap();
    let change = changes.iter().find(|change| change["address"].as_str().unwrap().ends_with(name));
    change.expect("it drifted")["persons"].as_array().cloned().unwrap_or_default()
}

#[test]
fn the_log_names_who_used_the_program_and_who_deleted() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS), ("other.yaml", OTHER)]);
    shop.apply();
    // Times of the cluster are in whole seconds.
    thread::sleep(Duration::from_millis(1100));
    let jane = ["--as", "jane", "--as-group", "system:masters"];
    let patch = ["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"];
    shop.kubectl(&[&jane[..], &patch].concat());
    shop.kubectl(&["annotate", "configmap/settings", "note=by-hand"]);
    shop.kubectl(&["delete", "configmap/other"]);
    let log = log(&shop);
    let ran = shop.trueup(&["drift", "-o", "json", "--audit-log", &log]).expect(3);
    let found = persons(&ran.stdout, "settings");
    let said = |person: &Value| {
        let text = |key: &str| person[key].as_str().unwrap_or_default().to_owned();
        (
            text("user"),
            text("acted_as"),
            text("verb"),
            person["paths"][0].as_str().map(str::to_owned),
            person["others"].as_u64(),
        )
    };
    let mut found: Vec<_> = found.iter().map(said).collect();
    found.sort();
    let (admin, patch) = ("admin".to_owned(), "patch".to_owned());
    assert_eq!(
        found,
        [
            (admin.clone(), String::new(), patch.clone(), Some("/metadata/annotations".to_owned()), Some(0)),
            (admin.clone(), "jane".to_owned(), patch, Some("/data/colour".to_owned()), Some(0)),
        ]
    );
    let deleted: Vec<_> = persons(&ran.stdout, "other").iter().map(said).collect();
    assert_eq!(deleted, [(admin, String::new(), "delete".to_owned(), None, Some(0))]);
    let human = shop.trueup(&["plan", "--audit-log", &log]).expect(3);
    assert!(human.stdout.contains("       person admin as jane (patch by kubectl/"), "{}", human.stdout);
    shop.trueup(&["apply", "--only-drift", "--yes"]).expect(0);
}

#[test]
fn a_log_that_lacks_the_write_names_nobody() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    thread::sleep(Duration::from_millis(1100));
    let before = log(&shop);
    fs::rename(shop.sandbox.path("audit.log"), shop.sandbox.path("before.log")).unwrap();
    assert_eq!(before, "../audit.log");
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    let ran = shop.trueup(&["drift", "-o", "json", "--audit-log", "../before.log"]).expect(3);
    assert!(persons(&ran.stdout, "settings").is_empty(), "{}", ran.stdout);
    // What was rotated away in between, with both ends within a line.
    let whole = fs::read_to_string(shop.sandbox.path("before.log")).unwrap();
    let next = log(&shop);
    let rest = fs::read_to_string(shop.sandbox.path("audit.log")).unwrap();
    let tail = &rest[whole.len() - 50..];
    shop.sandbox.write("audit.log", tail);
    let ran = shop.trueup(&["drift", "-o", "json", "--audit-log", &next]).expect(3);
    assert_eq!(persons(&ran.stdout, "settings")[0]["user"], "admin");
    assert!(ran.stdout.contains("the audit log begins at"), "{}", ran.stdout);
    let both =
        shop.trueup(&["drift", "-o", "json", "--audit-log", "../before.log", "--audit-log", &next]).expect(3);
    assert!(!both.stdout.contains("the audit log begins at"), "{}", both.stdout);
}

#[test]
fn another_file_is_no_audit_log() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    for (file, said) in [("trueup.yaml", "is no audit log"), ("nowhere", "No such file")] {
        let ran = shop.trueup(&["drift", "--audit-log", file]).expect(66);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}
