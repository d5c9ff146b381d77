//! What is left to others: autoscalers, injectors, rules, and what people and programs add.

use super::{SETTINGS, Shop, WEB};

const SCALER: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 9
";

/// Sizes the deployment as the autoscaler of the cluster does.
fn scale(shop: &Shop, replicas: u8) {
    let patch = format!("{{\"spec\":{{\"replicas\":{replicas}}}}}");
    let manager = "--field-manager=kube-controller-manager";
    shop.kubectl(&["patch", "deployment/web", "--subresource=scale", "--type=merge", manager, "-p", &patch]);
}

#[track_caller]
fn is_sized(shop: &Shop, replicas: &str) {
    let found = shop.kubectl(&["get", "deployment/web", "-o", "jsonpath={.spec.replicas}"]);
    assert_eq!(found, replicas);
}

#[test]
fn an_autoscaled_deployment_is_never_reset() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB), ("scaler.yaml", SCALER)]);
    shop.apply();
    is_sized(&shop, "2");
    for replicas in [5, 7] {
        scale(&shop, replicas);
        let ran = shop.trueup(&["plan"]).expect(0);
        assert!(ran.stdout.contains("1 field ignored by `autoscalers`"), "{}", ran.stdout);
        let ran = shop.trueup(&["drift", "-o", "json"]).expect(0);
        assert!(ran.stdout.contains("\"rule\": \"autoscalers\""), "{}", ran.stdout);
    }
    // Something else changes, then the size in Git, then Git gives it up: it stays what it is.
    for web in [
        WEB.replace("web:1", "web:2"),
        WEB.replace("web:1", "web:2").replace("replicas: 2", "replicas: 3"),
        WEB.replace("web:1", "web:3").replace("  replicas: 2\n", ""),
    ] {
        shop.declare(&[("web.yaml", &web)]);
        shop.apply();
        is_sized(&shop, "7");
        shop.trueup(&["plan"]).expect(0);
        shop.trueup(&["drift"]).expect(0);
    }
    let ours = "jsonpath={.metadata.managedFields[?(@.manager==\"trueup\")].fieldsV1}";
    let ours = shop.kubectl(&["get", "deployment/web", "--show-managed-fields", "-o", ours]);
    assert!(ours.contains("f:image") && !ours.contains("f:replicas"), "{ours}");
}

#[test]
fn a_size_that_git_gives_up_before_anybody_scaled_is_kept() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB), ("scaler.yaml", SCALER)]);
    shop.apply();
    shop.declare(&[("web.yaml", &WEB.replace("  replicas: 2\n", ""))]);
    shop.trueup(&["plan"]).expect(0);
    shop.apply();
    is_sized(&shop, "2");
    scale(&shop, 4);
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn an_autoscaler_that_only_the_cluster_knows_counts_too_unless_told_otherwise() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB)]);
    shop.apply();
    scale(&shop, 5);
    shop.trueup(&["plan"]).expect(3);
    shop.kubectl(&["autoscale", "deployment/web", "--min=1", "--max=9"]);
    let ran = shop.trueup(&["drift"]).expect(0);
    assert!(ran.stdout.contains("1 field ignored by `autoscalers`"), "{}", ran.stdout);
    shop.configure("admin", ", ignore-builtin: {autoscalers: false}");
    shop.trueup(&["drift"]).expect(3);
    shop.configure("admin", ", ignore-builtin: {autoscaler: false}");
    let ran = shop.trueup(&["plan"]).expect(78);
    assert!(ran.stderr.contains("did you mean `autoscalers`?"), "{}", ran.stderr);
}

#[test]
fn a_rule_leaves_places_to_others_and_lets_git_through() {
    let Some(shop) = Shop::new() else { return };
    let rule = "{id: mine, match: {kind: ConfigMap, name: 'set*'}, paths: [/data/colour], reason: tuned}";
    shop.configure("admin", &format!(", ignore: [{rule}]"));
    shop.declare(&[("settings.yaml", SETTINGS), ("web.yaml", WEB)]);
    shop.apply();
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    let ran = shop.trueup(&["plan", "--strict-ignores"]).expect(0);
    assert!(ran.stdout.contains("1 field ignored by `mine` (tuned)"), "{}", ran.stdout);
    shop.trueup(&["drift"]).expect(0);
    // Another field is applied around it.
    shop.declare(&[("settings.yaml", &format!("{SETTINGS}  depth: \"1\"\n"))]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    assert!(shop.kubectl(&["get", "configmap/settings", "-o", "yaml"]).contains("colour: red"));
    // What Git changes there is no conflict.
    shop.declare(&[("settings.yaml", &SETTINGS.replace("blue", "green"))]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("/data/colour (line 6) \"red\" → \"green\""), "{}", ran.stdout);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    assert!(shop.kubectl(&["get", "configmap/settings", "-o", "yaml"]).contains("colour: green"));
    let idle = rule.replace("set*", "none");
    shop.configure("admin", &format!(", ignore: [{idle}]"));
    let ran = shop.trueup(&["plan", "--strict-ignores"]).expect(78);
    assert!(ran.stderr.contains("`mine` matched 0 of 2 objects"), "{}", ran.stderr);
}

#[test]
fn an_item_of_a_list_and_what_a_manager_owns_are_left_to_others() {
    let Some(shop) = Shop::new() else { return };
    let rules = "{id: sidecar, paths: ['/spec/template/spec/containers/[name=proxy]'], reason: injected}, \
                 {id: operator, managers: [oper*], reason: it may}";
    shop.configure("admin", &format!(", ignore: [{rules}]"));
    shop.declare(&[("web.yaml", WEB), ("settings.yaml", SETTINGS)]);
    shop.apply();
    let sidecar = r#"{"spec":{"template":{"spec":{"containers":[{"name":"proxy","image":"proxy:1"}]}}}}"#;
    shop.kubectl(&["patch", "deployment/web", "-p", sidecar]);
    let operator = "--field-manager=operator";
    shop.kubectl(&["patch", "configmap/settings", operator, "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    let ran = shop.trueup(&["drift"]).expect(0);
    for rule in ["sidecar", "operator"] {
        assert!(ran.stdout.contains(&format!("ignored by `{rule}`")), "{}", ran.stdout);
    }
    shop.declare(&[("web.yaml", &WEB.replace("web:1", "web:2"))]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    let web = shop.kubectl(&["get", "deployment/web", "-o", "yaml"]);
    assert!(web.contains("proxy:1") && web.contains("web:2"), "{web}");
}

#[test]
fn only_an_annotation_that_git_put_there_leaves_anything_to_others() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB)]);
    shop.apply();
    shop.kubectl(&["annotate", "deployment/web", "trueup.dev/ignore=/spec/replicas"]);
    shop.kubectl(&["scale", "deployment/web", "--replicas=5"]);
    let ran = shop.trueup(&["drift"]).expect(3);
    assert!(ran.stdout.contains("/spec/replicas"), "{}", ran.stdout);
    let annotated =
        WEB.replace("  name: web\n", "  name: web\n  annotations: {trueup.dev/ignore: /spec/replicas}\n");
    shop.declare(&[("web.yaml", &annotated)]);
    shop.apply();
    is_sized(&shop, "5");
    shop.kubectl(&["scale", "deployment/web", "--replicas=6"]);
    let ran = shop.trueup(&["plan"]).expect(0);
    assert!(ran.stdout.contains("1 field ignored by `trueup.dev/ignore`"), "{}", ran.stdout);
    shop.declare(&[("web.yaml", &annotated.replace("/spec/replicas", "spec.replicas"))]);
    let ran = shop.trueup(&["plan"]).expect(65);
    assert!(ran.stderr.contains("k8s/web.yaml:5") && ran.stderr.contains("is no path"), "{}", ran.stderr);
}

#[test]
fn what_the_cluster_injects_is_left_to_it() {
    let Some(shop) = Shop::new() else { return };
    let name = &shop.namespace;
    let hook = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: {name}}}\n\
         webhooks:\n- name: a.example.org\n  sideEffects: None\n  failurePolicy: Ignore\n  admissionReviewVersions: [v1]\n\
         \x20 namespaceSelector: {{matchLabels: {{nobody: here}}}}\n\
         \x20 clientConfig: {{caBundle: Cg==, service: {{name: hook, namespace: {name}}}}}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\n\
         aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{to: {name}}}}}]}}\nrules: []\n"
    );
    shop.declare(&[("hook.yaml", &hook)]);
    shop.apply();
    let bundle = r#"[{"op":"replace","path":"/webhooks/0/clientConfig/caBundle","value":"Y2EK"}]"#;
    let webhook = format!("validatingwebhookconfiguration/{name}");
    shop.kubectl(&["patch", &webhook, "--type=json", "--field-manager=cainjector", "-p", bundle]);
    let source = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}-source, labels: {{to: {name}}}}}\n\
         rules: [{{apiGroups: [\"\"], resources: [pods], verbs: [get]}}]\n"
    );
    shop.kubectl_apply(&source);
    let rules = r#"{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}"#;
    let (role, manager) =
        (format!("clusterrole/{name}"), "--field-manager=clusterrole-aggregation-controller");
    shop.kubectl(&["patch", &role, "--type=merge", manager, "-p", rules]);
    let ran = shop.trueup(&["drift"]).expect(0);
    for rule in ["ca-bundle", "aggregated-roles"] {
        assert!(ran.stdout.contains(&format!("1 field ignored by `{rule}`")), "{}", ran.stdout);
    }
    shop.trueup(&["plan"]).expect(0);
    shop.declare(&[("hook.yaml", &hook.replace("Ignore", "Fail"))]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    assert!(shop.kubectl(&["get", &webhook, "-o", "yaml"]).contains("Y2EK"));
    shop.kubectl(&["delete", &webhook, &role, &format!("{role}-source")]);
}

#[test]
fn what_people_add_is_drift_and_what_programs_add_is_counted_apart() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    let add = |manager: &str, key: &str| {
        let patch = format!("{{\"metadata\":{{\"labels\":{{\"{key}\":\"x\"}}}}}}");
        let manager = format!("--field-manager={manager}");
        shop.kubectl(&["patch", "configmap/settings", &manager, "-p", &patch]);
    };
    add("operator", "one");
    add("operator", "two");
    add("injector", "three");
    let ran = shop.trueup(&["drift"]).expect(0);
    let counted = "3 external fields of 2 managers (injector, operator), not compared";
    assert!(ran.stdout.contains(counted), "{}", ran.stdout);
    let ran = shop.trueup(&["plan", "-o", "markdown"]).expect(0);
    assert!(ran.stdout.contains(counted), "{}", ran.stdout);
    let ran = shop.trueup(&["plan", "-o", "json"]).expect(0);
    assert!(ran.stdout.contains("\"external\": 3") && ran.stdout.contains("\"injector\""), "{}", ran.stdout);
    shop.kubectl(&["label", "configmap/settings", "by=hand"]);
    let ran = shop.trueup(&["drift"]).expect(3);
    assert!(
        ran.stdout.contains("extra /metadata/labels/by") && ran.stdout.contains("kubectl-label"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("labels/one"), "{}", ran.stdout);
    shop.trueup(&["apply", "--only-drift", "--yes"]).expect(0);
    let labels = shop.kubectl(&["get", "configmap/settings", "-o", "jsonpath={.metadata.labels}"]);
    assert!(!labels.contains("hand") && labels.contains("three"), "{labels}");
    shop.trueup(&["drift"]).expect(0);
    shop.configure("admin", ", human-field-managers: [operator]");
    let ran = shop.trueup(&["drift"]).expect(3);
    assert!(ran.stdout.contains("/metadata/labels/one"), "{}", ran.stdout);
}

#[test]
fn what_was_there_before_is_taken_over_and_is_no_drift() {
    let Some(shop) = Shop::new() else { return };
    shop.kubectl(&["create", "configmap", "settings", "--from-literal=colour=red", "--from-literal=size=1"]);
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let address = format!("v1/ConfigMap/{}/settings", shop.namespace);
    shop.trueup(&["apply", "--yes", "--adopt", &address]).expect(0);
    shop.trueup(&["drift"]).expect(0);
    shop.declare(&[("settings.yaml", &SETTINGS.replace("blue", "green"))]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    let data = shop.kubectl(&["get", "configmap/settings", "-o", "jsonpath={.data}"]);
    assert!(data.contains("size") && data.contains("green"), "{data}");
}

#[test]
fn a_rollout_that_somebody_restarted_is_not_undone() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB)]);
    shop.apply();
    shop.kubectl(&["rollout", "restart", "deployment/web"]);
    let ran = shop.trueup(&["drift"]).expect(0);
    assert!(ran.stdout.contains("ignored by `rollout-restart`"), "{}", ran.stdout);
    shop.declare(&[("web.yaml", &WEB.replace("web:1", "web:2"))]);
    shop.apply();
    assert!(shop.kubectl(&["get", "deployment/web", "-o", "yaml"]).contains("restartedAt"));
}

/// As that of the project, in its oldest form: without a subresource for the status.
const VERTICAL: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: verticalpodautoscalers.autoscaling.k8s.io, annotations: {api-approved.kubernetes.io: unapproved}}
spec:
  group: autoscaling.k8s.io
  scope: Namespaced
  names: {kind: VerticalPodAutoscaler, plural: verticalpodautoscalers, singular: verticalpodautoscaler}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: web}
spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, updatePolicy: {updateMode: Auto}}
";

/// It sizes pods as they are admitted, and never what makes them: no rule is needed.
#[test]
fn a_vertical_autoscaler_moves_nothing_that_is_declared() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB), ("vertical.yaml", VERTICAL)]);
    shop.apply();
    let advice = r#"{"status":{"recommendation":{"containerRecommendations":[{"containerName":"web","target":{"cpu":"25m"}}]}}}"#;
    let patch =
        ["patch", "--type=merge", "verticalpodautoscaler/web", "--field-manager=recommender", "-p", advice];
    shop.kubectl(&patch);
    let resources =
        r#"{"spec":{"containers":[{"name":"web","image":"web:1","resources":{"requests":{"cpu":"25m"}}}]}}"#;
    shop.kubectl(&["run", "web-x", "--image=web:1", "--labels=app=web", "--overrides", resources]);
    shop.trueup(&["drift"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    // A person who sizes the Deployment itself is found, autoscaler or not.
    shop.kubectl(&["set", "resources", "deployment/web", "--requests=cpu=25m"]);
    let ran = shop.trueup(&["drift"]).expect(3);
    assert!(ran.stdout.contains("/resources/requests"), "{}", ran.stdout);
    shop.kubectl(&["delete", "customresourcedefinition/verticalpodautoscalers.autoscaling.k8s.io"]);
}
