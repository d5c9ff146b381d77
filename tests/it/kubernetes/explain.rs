//! `plan --explain` and the cost line, held against what the server logged.

use serde_json::Value;

use super::{SETTINGS, Shop};

/// The reasons for one address, as `basis path text`.
fn reasons(plan: &str, address: &str) -> Vec<String> {
    let plan: Value = serde_json::from_str(plan).unwrap();
    let all = plan["explanations"].as_array().unwrap();
    let found = all.iter().find(|found| found["address"] == address).expect("it is explained");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |reason: &Value| {
        format!("{} {} {}", text(&reason["basis"]), text(&reason["path"]), text(&reason["text"]))
    };
    found["reasons"].as_array().unwrap().iter().map(line).collect()
}

#[track_caller]
fn has(reasons: &[String], wanted: &[&str]) {
    for wanted in wanted {
        assert!(reasons.iter().any(|reason| reason.contains(wanted)), "{wanted} is not in {reasons:#?}");
    }
}

#[test]
fn an_unchanged_object_is_proven_without_a_further_request() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    let (ran, requests) = shop.watched(&["plan", "-v", "-o", "json", "--explain", "v1/ConfigMap/*/settings"]);
    let ran = ran.expect(0);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(plan["targets"][0]["requests"], requests.len(), "{requests:?}");
    let line = format!("shop: 1 object of 1 kind, {} requests, ", requests.len());
    assert!(ran.stderr.contains(&line), "{}", ran.stderr);
    assert!(!requests.iter().any(|request| request.starts_with("patch")), "{requests:?}");
    let address = format!("v1/ConfigMap/{}/settings", shop.namespace);
    has(
        &reasons(&ran.stdout, &address),
        &[
            "declaration  declared at k8s/settings.yaml:1 in main@",
            "declaration  applied last from the same commit",
            "read  in the list of v1/ConfigMap of the whole cluster, which was read to its end",
            // The two of `data`, and the two marks.
            "ownership  one entry of `trueup` (Apply, v1, last changed ",
            "owns 4 fields",
            "no dry run was needed",
        ],
    );
}

#[test]
fn a_moved_object_names_the_first_reason_the_dry_run_and_the_writer() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    let address = format!("v1/ConfigMap/{}/settings", shop.namespace);
    let ran = shop.trueup(&["plan", "-o", "json", "--explain", &address]).expect(3);
    has(
        &reasons(&ran.stdout, &address),
        &[
            "comparison /data/colour not owned by us: the first reason why an apply may change something",
            "dry-run  the server would change it",
            "writer /data/colour kubectl-patch, at or before ",
            "comparison /data/colour drift: what was applied is still declared",
        ],
    );
    let human = shop.trueup(&["plan", "--explain", &address]).expect(3);
    assert!(human.stdout.contains(&format!("{address}: drift\n  declaration  ")), "{}", human.stdout);
}

#[test]
fn who_may_not_ask_for_a_dry_run_is_told_that_it_was_foretold() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    shop.configure("reader", "");
    let address = format!("v1/ConfigMap/{}/settings", shop.namespace);
    let ran = shop.trueup(&["plan", "-o", "json", "--explain", &address]).expect(3);
    has(
        &reasons(&ran.stdout, &address),
        &[
            "dry-run  the server refused the dry run (Forbidden, HTTP 403)",
            "prediction  foretold from who owns its fields",
        ],
    );
}

#[test]
fn an_unknown_address_ends_with_66_and_a_suggestion() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let ran = shop.trueup(&["plan", "--explain", "settings"]).expect(66);
    let wanted = format!("did you mean `v1/ConfigMap/{}/settings`?", shop.namespace);
    assert!(ran.stderr.contains(&wanted), "{}", ran.stderr);
}

#[test]
fn a_secret_is_explained_without_its_value() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[(
        "keys.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {password: canary}\n",
    )]);
    shop.apply();
    shop.kubectl(&["patch", "secret/keys", "-p", "{\"stringData\":{\"password\":\"canary-two\"}}"]);
    let ran = shop.trueup(&["plan", "--explain", "v1/Secret"]).expect(3);
    assert!(ran.stdout.contains("/data/password"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("canary") && !ran.stdout.contains("Y2FuYXJ5"), "{}", ran.stdout);
}

#[test]
fn why_tells_of_one_field_across_git_the_record_and_the_cluster() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    for (word, message) in [("green", "Go green (#3)"), ("grey", "Sober up")] {
        shop.sandbox.write("checkout/k8s/settings.yaml", SETTINGS.replace("blue", word));
        shop.sandbox.sh(&format!("commit '{message}'")).expect(0);
    }
    // A commit that touches the file and not the field.
    shop.sandbox.write("checkout/k8s/settings.yaml", SETTINGS.replace("blue", "grey").replace("10", "11"));
    shop.sandbox.sh("commit 'Grow'").expect(0);
    shop.apply();
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\",\"size\":\"12\"}}"]);
    let place = format!("v1/ConfigMap/{}/settings/data/colour", shop.namespace);
    let ran = shop.trueup(&["why", &place, "-o", "json"]).expect(0);
    let why: Value = serde_json::from_str(&ran.stdout).unwrap();
    let answer = &why["answers"][0];
    let subjects: Vec<&str> = answer["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|commit| commit["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, ["Sober up", "Go green (#3)", "Declare"]);
    assert_eq!(answer["applies"].as_array().unwrap().len(), 2);
    assert_eq!(answer["fields"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&answer["fields"][0]["base"], &answer["fields"][0]["actual"]),
        (&"grey".into(), &"red".into())
    );
    assert!(
        ran.stdout.contains("kubectl-patch, at or before") && !ran.stdout.contains("/data/size"),
        "{}",
        ran.stdout
    );
    shop.trueup(&["why", "v1/ConfigMap/nowhere/settings"]).expect(66);
}

/// What JSON says of a field: who declared it, and who wrote it.
fn credits(plan: &str, path: &str) -> (Value, Value) {
    let plan: Value = serde_json::from_str(plan).unwrap();
    let fields = plan["changes"][0]["fields"].as_array().unwrap();
    let field =
        fields.iter().find(|field| field["path"] == path).unwrap_or_else(|| panic!("{path} in {plan}"));
    (field["declared_by"].clone(), field["writer"].clone())
}

#[test]
fn each_field_names_its_commit_and_its_writer() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.sandbox.write("checkout/k8s/settings.yaml", SETTINGS.replace("blue", "green"));
    shop.sandbox.sh("commit 'Go green (#3)'").expect(0);
    shop.apply();
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\",\"size\":\"12\"}}"]);
    let drift = shop.trueup(&["drift", "-o", "json"]).expect(3);
    let (colour, writer) = credits(&drift.stdout, "/data/colour");
    assert_eq!(
        (&colour["certainty"], &colour["commit"]["subject"]),
        (&"exact".into(), &"Go green (#3)".into())
    );
    assert_eq!(
        (&colour["commit"]["pull_request"], &colour["commit"]["author"]),
        (&3.into(), &"Alice".into())
    );
    assert_eq!((&writer["manager"], &writer["operation"]), (&"kubectl-patch".into(), &"Update".into()));
    assert!(writer["at"].is_string() && writer["subresource"].is_null(), "{writer}");
    assert_eq!(credits(&drift.stdout, "/data/size").0["commit"]["subject"], "Declare");
    let human = shop.trueup(&["drift"]).expect(3).stdout;
    for (path, subject) in [("/data/colour", "Go green (#3)"), ("/data/size", "Declare")] {
        let line = human.lines().find(|line| line.trim_start().starts_with(&format!("{path}: declared by ")));
        assert!(line.is_some_and(|line| line.ends_with(&format!(" Alice: {subject}"))), "{human}");
    }
    // What lies on disk is nobody's yet.
    shop.sandbox.write("checkout/k8s/settings.yaml", SETTINGS.replace("blue", "grey"));
    let plan = shop.trueup(&["plan", "-o", "json"]).expect(5);
    assert_eq!(credits(&plan.stdout, "/data/colour").0, serde_json::json!({"certainty": "not-committed"}));
    assert_eq!(credits(&plan.stdout, "/data/size").0["commit"]["subject"], "Declare");
}
