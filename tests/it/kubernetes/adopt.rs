//! `drift --adopt`: the cluster's values on their way into manifests of every form.

use std::fs;

use super::Shop;

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the site
spec:
  replicas: 2 # enough for now
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeName: n1
      containers:
      - name: web
        image: 'web:1'
        # how it runs
        env:
        - {name: MODE, value: fast}
        - name: LEVEL
          value: \"1\"
";

const SETTINGS: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  # what the shop looks like
  colour: blue
  page.html: |
    <h1>
      Shop
    </h1>
";

/// What is in Git after a commit is what the cluster has.
#[track_caller]
fn settle(shop: &Shop) {
    shop.sandbox.sh("commit 'Adopt'").expect(0);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
}

/// Changes of people that touch both objects.
fn move_both(shop: &Shop) {
    shop.kubectl(&[
        "patch",
        "configmap/settings",
        "-p",
        r#"{"data":{"page.html":"<h1>\n  Sale\n</h1>\n","depth":"1"}}"#,
    ]);
    shop.kubectl(&["scale", "deployment/web", "--replicas=3"]);
    shop.kubectl(&["set", "image", "deployment/web", "web=web:2"]);
    shop.kubectl(&["set", "env", "deployment/web", "DEBUG=on", "LEVEL=2"]);
}

#[test]
fn a_patch_is_of_the_source_file_and_git_applies_it_in_a_clone() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("all.yaml", &format!("{SETTINGS}---\n{DEPLOYMENT}"))]);
    shop.apply();
    move_both(&shop);
    let ran = shop.trueup(&["drift", "--adopt", "--patch"]).expect(0);
    assert!(ran.stdout.starts_with("diff --git a/k8s/all.yaml b/k8s/all.yaml\nindex "), "{}", ran.stdout);
    assert!(shop.sandbox.sh("git status --short").stdout.is_empty());
    shop.sandbox.write("patch", &ran.stdout);
    shop.sandbox
        .sh("git clone -q . ../clone && cd ../clone && git apply --check ../patch && git apply ../patch && cat k8s/all.yaml > ../all.yaml")
        .expect(0);
    let text = shop.sandbox.read("all.yaml");
    for line in [
        "  # what the shop looks like\n  colour: blue\n  page.html: |\n    <h1>\n      Sale\n    </h1>\n  depth: \"1\"\n---\n",
        "  name: web # the site\n",
        "  replicas: 3 # enough for now\n",
        "        image: 'web:2'\n        # how it runs\n        env:\n        - {name: MODE, value: fast}\n",
        "        - name: LEVEL\n          value: \"2\"\n",
        "        - name: DEBUG\n          value: \"on\"\n",
    ] {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
    shop.sandbox.sh("git apply ../patch").expect(0);
    settle(&shop);
}

/// The same objects in another form, and the same changes.
fn in_form(file: &str, content: &str) -> Option<String> {
    let shop = Shop::new()?;
    shop.declare(&[(file, content)]);
    shop.apply();
    move_both(&shop);
    shop.trueup(&["drift", "--adopt"]).expect(0);
    let text = shop.sandbox.read(&format!("checkout/k8s/{file}"));
    settle(&shop);
    Some(text)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[test]
fn a_list_is_adopted_item_by_item() {
    let item = |text: &str| indented(text).replacen("  ", "- ", 1);
    let list =
        format!("apiVersion: v1\nkind: List\nitems:\n{}# the second\n{}", item(SETTINGS), item(DEPLOYMENT));
    let Some(text) = in_form("list.yaml", &list) else { return };
    assert!(text.contains("# the second\n") && text.contains("    replicas: 3 # enough for now\n"), "{text}");
}

#[test]
fn line_ends_of_another_system_stay() {
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let Some(text) = in_form("all.yaml", &crlf(&format!("{SETTINGS}---\n{DEPLOYMENT}"))) else { return };
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
}

#[test]
fn json_stays_json() {
    let text = r#"{
  "apiVersion": "v1",
  "kind": "List",
  "items": [
    {
      "apiVersion": "v1",
      "kind": "ConfigMap",
      "metadata": {"name": "settings"},
      "data": {
        "colour": "blue",
        "page.html": "<h1>\n  Shop\n</h1>\n"
      }
    },
    {
      "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
      "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {
          "metadata": {"labels": {"app": "web"}},
          "spec": {"nodeName": "n1", "containers": [
            {"name": "web", "image": "web:1", "env": [{"name": "MODE", "value": "fast"}, {"name": "LEVEL", "value": "1"}]}
          ]}
        }
      }
    }
  ]
}
"#;
    let Some(new) = in_form("all.json", text) else { return };
    let new: serde_json::Value = serde_json::from_str(&new).unwrap();
    assert_eq!(new["items"][1]["spec"]["replicas"], 3);
    assert_eq!(new["items"][0]["data"]["depth"], "1");
}

#[test]
fn what_is_gone_leaves_its_document_or_its_list() {
    let Some(shop) = Shop::new() else { return };
    let other = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    let item = |name: &str| format!("- {}", indented(&other(name)).trim_start());
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}{}", item("third"), item("fourth"));
    shop.declare(&[
        ("all.yaml", &format!("# one\n{}---\n# two\n{}", other("first"), other("second"))),
        ("list.yaml", &list),
    ]);
    shop.apply();
    shop.kubectl(&["delete", "configmap", "first", "fourth"]);
    shop.trueup(&["drift", "--adopt"]).expect(0);
    assert_eq!(shop.sandbox.read("checkout/k8s/all.yaml"), format!("# two\n{}", other("second")));
    let left = format!("apiVersion: v1\nkind: List\nitems:\n{}", item("third"));
    assert_eq!(shop.sandbox.read("checkout/k8s/list.yaml"), left);
    settle(&shop);
}

#[test]
fn what_would_be_a_guess_is_refused_and_touches_no_file() {
    let Some(shop) = Shop::new() else { return };
    let shared = "apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: &labels {app: web}
  annotations:
    <<: *labels
    own: here
data: {colour: &colour blue, other: *colour}
";
    shop.declare(&[("settings.yaml", shared)]);
    shop.apply();
    for patch in [
        r#"{"metadata":{"labels":{"app":"site"}}}"#,
        r#"{"metadata":{"annotations":{"app":"site"}}}"#,
        r#"{"data":{"colour":"red"}}"#,
        r#"{"data":{"other":"red"}}"#,
    ] {
        shop.kubectl(&["patch", "configmap/settings", "-p", patch]);
        for more in [&[][..], &["--patch"]] {
            let ran = shop.trueup(&[&["drift", "--adopt"], more].concat()).expect(3);
            assert!(
                ran.stderr.contains("by hand") && ran.stdout.is_empty(),
                "{patch}: {}{}",
                ran.stdout,
                ran.stderr
            );
        }
        assert_eq!(shop.sandbox.read("checkout/k8s/settings.yaml"), shared, "{patch}");
        shop.trueup(&["apply", "--only-drift", "--yes"]).expect(0);
    }
    // What is not shared is taken in beside what is.
    shop.kubectl(&["annotate", "--overwrite", "configmap/settings", "own=there"]);
    shop.trueup(&["drift", "--adopt"]).expect(0);
    assert_eq!(shop.sandbox.read("checkout/k8s/settings.yaml"), shared.replace("here", "there"));
    settle(&shop);
}

#[test]
fn of_many_objects_in_a_file_only_what_cannot_be_is_not_taken_in() {
    let Some(shop) = Shop::new() else { return };
    let object = |name: usize, data: &str| {
        format!(
            "# number {name}\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{name}}}\ndata: {{{data}}}\n"
        )
    };
    let (shared, plain) = ("colour: &colour blue, other: *colour", "colour: blue");
    let file = |all: &[(usize, &str)]| all.iter().map(|(name, data)| object(*name, data)).collect::<Vec<_>>();
    let declared = file(&[(0, plain), (1, shared), (2, plain), (3, plain), (4, plain)]).join("---\n");
    shop.declare(&[("all.yaml", &declared)]);
    shop.apply();
    for name in [0, 1, 2, 4] {
        let object = format!("configmap/c{name}");
        shop.kubectl(&["patch", &object, "-p", r#"{"data":{"colour":"red"}}"#]);
    }
    shop.kubectl(&["delete", "configmap/c3"]);
    let ran = shop.trueup(&["drift", "--adopt"]).expect(3);
    let refused: Vec<&str> =
        ran.stderr.lines().filter(|line| line.contains("stays as it is in Git")).collect();
    assert!(refused.len() == 1 && refused[0].contains("/c1`"), "{}", ran.stderr);
    let red = "colour: red";
    let adopted = file(&[(0, red), (1, shared), (2, red), (4, red)]).join("---\n");
    assert_eq!(shop.sandbox.read("checkout/k8s/all.yaml"), adopted);
}

#[test]
fn no_patch_shows_a_secret() {
    let Some(shop) = Shop::new() else { return };
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {password: canary}\n";
    shop.declare(&[("all.yaml", &format!("{SETTINGS}---\n{secret}"))]);
    shop.apply();
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    let ran = shop.trueup(&["drift", "--adopt", "--patch"]).expect(3);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("holds secrets"), "{}{}", ran.stdout, ran.stderr);
    shop.trueup(&["drift", "--adopt"]).expect(0);
    assert!(fs::read_to_string(shop.sandbox.path("checkout/k8s/all.yaml")).unwrap().contains("colour: red"));
    settle(&shop);
}
