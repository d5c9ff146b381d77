//! Objects that other tools made: what an adoption changes, and what becomes of their fields later.

use serde_json::{Value, json};

use super::Shop;

const MANAGERS: [(&str, &str); 6] = [
    ("helm", "Update"),
    ("helm", "Apply"),
    ("kustomize-controller", "Apply"),
    ("helm-controller", "Update"),
    ("argocd-controller", "Apply"),
    ("before-first-apply", "Update"),
];

fn settings(data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n{data}")
}

const BOTH: &str = "  colour: blue\n  size: \"10\"\n";
const ONE: &str = "  colour: blue\n";

/// Everything in the object belongs to one manager, as if that had made it.
fn given_to(shop: &Shop, object: &str, manager: &str, operation: &str) {
    let live: Value =
        serde_json::from_str(&shop.kubectl(&["get", object, "-o", "json", "--show-managed-fields"])).unwrap();
    let mut entry = live["metadata"]["managedFields"][0].clone();
    entry["manager"] = json!(manager);
    entry["operation"] = json!(operation);
    let patch = json!([{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}]).to_string();
    shop.kubectl(&["patch", object, "--type=json", "-p", &patch]);
}

fn make(shop: &Shop, how: &[&str], text: &str) {
    let args = [&["-n", &shop.namespace], how, &["-f", "-"]].concat();
    shop.server.kubectl_as("admin", &args, text);
}

fn data(shop: &Shop) -> Value {
    serde_json::from_str(&shop.kubectl(&["get", "configmap/settings", "-o", "jsonpath={.data}"])).unwrap()
}

/// What Git does not declare any more is shown, and goes.
#[track_caller]
fn drops(shop: &Shop) {
    shop.trueup(&["apply", "--yes", "--adopt", "**"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    shop.declare(&[("settings.yaml", &settings(ONE))]);
    let plan = shop.trueup(&["plan"]).expect(2);
    assert!(plan.stdout.contains("-  size: \"10\""), "{}", plan.stdout);
    shop.trueup(&["apply", "--yes"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
}

#[test]
fn what_another_tool_made_is_removed_once_git_does_not_declare_it() {
    for how in [&["apply"][..], &["create"], &["apply", "--server-side", "--field-manager=helm"]] {
        let Some(shop) = Shop::new() else { return };
        make(&shop, how, &settings(&format!("{BOTH}  more: x\n")));
        shop.declare(&[("settings.yaml", &settings(BOTH))]);
        let plan = shop.trueup(&["plan"]).expect(2);
        assert!(plan.stdout.contains("`/data/more`"), "{}", plan.stdout);
        drops(&shop);
        assert_eq!(data(&shop), json!({"colour": "blue", "more": "x"}), "{how:?}");
    }
}

#[test]
fn what_a_controller_of_another_tool_made_is_removed_too() {
    for (manager, operation) in MANAGERS {
        let Some(shop) = Shop::new() else { return };
        make(&shop, &["create"], &settings(BOTH));
        given_to(&shop, "configmap/settings", manager, operation);
        shop.declare(&[("settings.yaml", &settings(BOTH))]);
        drops(&shop);
        assert_eq!(data(&shop), json!({"colour": "blue"}), "{manager} {operation}");
    }
}

#[test]
fn what_was_restored_without_owners_is_removed_too() {
    let Some(shop) = Shop::new() else { return };
    make(&shop, &["create"], &settings(BOTH));
    let patch = r#"[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]"#;
    shop.kubectl(&["patch", "configmap/settings", "--type=json", "-p", patch]);
    shop.declare(&[("settings.yaml", &settings(BOTH))]);
    drops(&shop);
    assert_eq!(data(&shop), json!({"colour": "blue"}));
}

#[test]
fn what_a_manager_that_is_not_named_owns_is_its_own() {
    let Some(shop) = Shop::new() else { return };
    make(&shop, &["apply", "--server-side", "--field-manager=operator"], &settings(BOTH));
    shop.declare(&[("settings.yaml", &settings(BOTH))]);
    shop.trueup(&["apply", "--yes", "--adopt", "**"]).expect(0);
    shop.declare(&[("settings.yaml", &settings(ONE))]);
    let plan = shop.trueup(&["plan"]).expect(2);
    assert!(plan.stdout.contains("operator owns it too"), "{}", plan.stdout);
}

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeName: n1
      containers:
      - {name: web, image: 'web:1'}
";

const ENV: &str = "        env:\n        - {name: MODE, value: fast}\n";
const LEVEL: &str = "        - {name: LEVEL, value: high}\n";

fn replicas(shop: &Shop) -> String {
    shop.kubectl(&["get", "deployment/web", "-o", "jsonpath={.spec.replicas}"])
}

#[test]
fn a_workload_that_was_scaled_by_hand_stays_as_large_as_it_is() {
    let Some(shop) = Shop::new() else { return };
    make(&shop, &["apply"], WEB);
    shop.kubectl(&["scale", "deployment/web", "--replicas=3"]);
    shop.declare(&[("web.yaml", WEB)]);
    let plan = shop.trueup(&["plan"]).expect(2);
    assert!(plan.stdout.contains("`/spec/replicas`"), "{}", plan.stdout);
    shop.trueup(&["apply", "--yes", "--adopt", "**"]).expect(0);
    assert_eq!(replicas(&shop), "3");
    shop.trueup(&["plan"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
    // The server keeps times in seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    // Nor does a later apply, or what the same tool writes elsewhere, make it smaller.
    shop.kubectl(&["annotate", "deployment/web", "a=b", "--field-manager=kubectl-client-side-apply"]);
    shop.trueup(&["drift"]).expect(3);
    shop.declare(&[("web.yaml", &WEB.replace("web:1", "web:2"))]);
    shop.trueup(&["apply", "--yes"]).expect(0);
    assert_eq!(replicas(&shop), "3");
    // Another number in Git is shown before it counts.
    shop.declare(&[("web.yaml", &WEB.replace("spec:\n  selector", "spec:\n  replicas: 1\n  selector"))]);
    let plan = shop.trueup(&["plan"]);
    assert!(plan.stdout.contains("/spec/replicas"), "{}", plan.stdout);
    // What a person does afterwards is drift.
    shop.declare(&[("web.yaml", WEB)]);
    shop.trueup(&["apply", "--yes"]).expect(0);
    shop.kubectl(&["scale", "deployment/web", "--replicas=5"]);
    shop.trueup(&["drift"]).expect(3);
}

#[test]
fn an_item_of_a_list_that_another_tool_made_goes() {
    let Some(shop) = Shop::new() else { return };
    let web = WEB.replace("- {name: web, image: 'web:1'}", "- name: web\n        image: 'web:1'");
    make(&shop, &["apply"], &format!("{web}{ENV}{LEVEL}"));
    shop.declare(&[("web.yaml", &format!("{web}{ENV}{LEVEL}"))]);
    shop.trueup(&["apply", "--yes", "--adopt", "**"]).expect(0);
    shop.declare(&[("web.yaml", &format!("{web}{ENV}"))]);
    shop.trueup(&["plan"]).expect(2);
    shop.trueup(&["apply", "--yes"]).expect(0);
    let path = "jsonpath={.spec.template.spec.containers[0].env[*].name}";
    assert_eq!(shop.kubectl(&["get", "deployment/web", "-o", path]), "MODE");
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn a_namespace_that_is_being_deleted_is_said_as_the_cause() {
    let Some(shop) = Shop::new() else { return };
    let finalizer = r#"{"metadata":{"finalizers":["example.org/held"]}}"#;
    shop.kubectl_apply(&settings(ONE));
    shop.kubectl(&["patch", "configmap/settings", "--type=merge", "-p", finalizer]);
    shop.kubectl(&["delete", "namespace", &shop.namespace, "--wait=false"]);
    shop.declare(&[("other.yaml", &settings(ONE).replace("name: settings", "name: other"))]);
    let plan = shop.trueup(&["plan"]);
    shop.kubectl(&[
        "patch",
        "configmap/settings",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
    assert!(
        plan.stdout.contains("is being deleted: nothing can be made in it"),
        "{}{}",
        plan.stdout,
        plan.stderr
    );
    assert!(!plan.stdout.contains("dry runs are forbidden"), "{}", plan.stdout);
}

#[test]
fn what_an_exported_file_has_from_the_server_is_one_line() {
    let Some(shop) = Shop::new() else { return };
    let export = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, uid: x, resourceVersion: \"1\"}}\ndata: {{a: b}}\n---\n"
        )
    };
    shop.declare(&[("all.yaml", &format!("{}{}{}", export("one"), export("two"), export("three")))]);
    let plan = shop.trueup(&["plan"]).expect(2);
    let said = plan.stdout.matches("left out").count() + plan.stderr.matches("left out").count();
    assert_eq!(said, 1, "{}{}", plan.stdout, plan.stderr);
}
