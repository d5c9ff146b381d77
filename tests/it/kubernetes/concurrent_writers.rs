//! Others who change the cluster while trueup works, or keep it from working.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Proxy, SETTINGS, Shop, is_write, many, proxy::Fault, server::Server, store};

/// A shop with `settings` applied and another value declared, where somebody does
/// something right before the write of it.
fn meddled(meddle: impl Fn(&Server, &str) + Send + 'static) -> Option<(Shop, Proxy)> {
    let shop = Shop::new()?;
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.declare(&[("settings.yaml", &SETTINGS.replace("blue", "green"))]);
    let (server, namespace, done) = (shop.server, shop.namespace.clone(), AtomicBool::new(false));
    let proxy = Proxy::before(server, move |line| {
        let is_it = is_write(line) && line.contains("/configmaps/settings");
        if is_it && !done.swap(true, Ordering::SeqCst) {
            meddle(server, &namespace);
        }
        Fault::None
    });
    std::fs::copy(&proxy.kubeconfig, shop.sandbox.path("home/admin.kubeconfig")).unwrap();
    Some((shop, proxy))
}

fn patch(server: &Server, namespace: &str, patch: &str) {
    server.kubectl(&["-n", namespace, "patch", "configmap/settings", "--type=merge", "-p", patch]);
}

#[test]
fn what_is_edited_right_before_the_write_is_left_alone() {
    let edit = |server: &Server, namespace: &str| patch(server, namespace, "{\"data\":{\"colour\":\"red\"}}");
    let Some((shop, _proxy)) = meddled(edit) else { return };
    let ran = shop.trueup(&["apply", "--yes"]).expect(6);
    assert!(ran.stdout.contains("changed after the plan was made"), "{}", ran.stdout);
    assert!(shop.kubectl(&["get", "configmap/settings", "-o", "yaml"]).contains("red"));
    shop.trueup(&["plan"]).expect(5);
}

#[test]
fn what_moves_without_its_content_is_written_all_the_same() {
    let touch: fn(&Server, &str) = |server, namespace| {
        patch(
            server,
            namespace,
            "{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\"}}}",
        );
    };
    let note: fn(&Server, &str) = |server, namespace| {
        let note = ["annotate", "configmap/settings", "--field-manager=operator", "seen=today"];
        server.kubectl(&[&["-n", namespace], &note[..]].concat());
    };
    for meddle in [touch, note] {
        let Some((shop, _proxy)) = meddled(meddle) else { return };
        shop.apply();
        assert!(shop.kubectl(&["get", "configmap/settings", "-o", "yaml"]).contains("green"));
    }
}

#[test]
fn what_is_deleted_right_before_the_write_does_not_come_back() {
    let delete = |server: &Server, namespace: &str| {
        server.kubectl(&["-n", namespace, "delete", "configmap/settings"]);
    };
    let Some((shop, _proxy)) = meddled(delete) else { return };
    let ran = shop.trueup(&["apply", "--yes"]).expect(6);
    assert!(ran.stdout.contains("deleted after the plan was made"), "{}", ran.stdout);
    assert!(!shop.kubectl(&["get", "configmaps", "-o", "name"]).contains("settings"));
}

#[test]
fn what_was_made_anew_right_before_the_write_is_another_object() {
    let renew = |server: &Server, namespace: &str| {
        server.kubectl(&["-n", namespace, "delete", "configmap/settings"]);
        server.kubectl(&["-n", namespace, "create", "configmap", "settings", "--from-literal=colour=blue"]);
    };
    let Some((shop, _proxy)) = meddled(renew) else { return };
    shop.trueup(&["apply", "--yes"]).expect(6);
    assert!(shop.kubectl(&["get", "configmap/settings", "-o", "yaml"]).contains("blue"));
}

#[test]
fn what_somebody_else_makes_meanwhile_is_not_overwritten() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let (server, namespace, done) = (shop.server, shop.namespace.clone(), AtomicBool::new(false));
    let proxy = Proxy::before(server, move |line| {
        if is_write(line) && line.contains("/configmaps/settings") && !done.swap(true, Ordering::SeqCst) {
            server.kubectl(&[
                "-n",
                &namespace,
                "create",
                "configmap",
                "settings",
                "--from-literal=colour=red",
            ]);
        }
        Fault::None
    });
    std::fs::copy(&proxy.kubeconfig, shop.sandbox.path("home/admin.kubeconfig")).unwrap();
    shop.trueup(&["apply", "--yes"]).expect(6);
    assert!(shop.kubectl(&["get", "configmap/settings", "-o", "yaml"]).contains("red"));
}

/// A definition of widgets, and one of them.
fn widgets(group: &str) -> (String, String) {
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Widget, plural: widgets}}\n  versions:\n\
         \x20 - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}\n"
    );
    (definition, format!("apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: one}}\n"))
}

#[test]
fn objects_whose_definition_was_removed_are_unknown_or_come_back_with_it() {
    let Some(shop) = Shop::new() else { return };
    let group = format!("{}.example.org", shop.namespace);
    let (definition, widget) = widgets(&group);
    let widget = widget.replace("name: one", &format!("name: one, namespace: {}", shop.namespace));
    shop.kubectl_apply(&definition);
    shop.kubectl(&["wait", "--for=condition=Established", &format!("crd/widgets.{group}")]);
    shop.declare(&[("settings.yaml", SETTINGS), ("widget.yaml", &widget)]);
    shop.apply();
    shop.kubectl(&["delete", "crd", &format!("widgets.{group}")]);
    let ran = shop.trueup(&["plan"]).expect(1);
    assert!(ran.stdout.contains(&format!("the server has no kind {group}/v1/Widget")), "{}", ran.stdout);
    shop.trueup(&["apply", "--yes"]).expect(1);
    // The rest is planned and may be applied.
    shop.declare(&[("settings.yaml", &SETTINGS.replace("blue", "green"))]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("v1/ConfigMap/") && ran.stdout.contains("unknown"), "{}", ran.stdout);
    shop.trueup(&["apply", "--yes", "--skip-unknown"]).expect(7);
    shop.declare(&[("definition.yaml", &definition)]);
    shop.trueup(&["plan"]).expect(4);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}

/// A webhook for the ConfigMaps of a namespace that nobody answers.
fn webhook(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: {name}}}\n\
         webhooks:\n- name: gate.example.org\n  sideEffects: None\n  admissionReviewVersions: [v1]\n\
         \x20 failurePolicy: Fail\n  timeoutSeconds: 1\n  clientConfig: {{url: \"https://127.0.0.1:1/\"}}\n\
         \x20 namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}\n\
         \x20 rules: [{{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}}]\n"
    )
}

#[test]
fn a_webhook_that_does_not_answer_is_said_and_stops_nothing_else() {
    let Some(shop) = Shop::new() else { return };
    // The record is a ConfigMap too.
    shop.configure("admin", ", record-namespace: default");
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.kubectl_apply(&webhook(&shop.namespace, &shop.namespace));
    await_webhook(&shop);
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner}\n";
    shop.declare(&[("settings.yaml", &SETTINGS.replace("blue", "green")), ("account.yaml", account)]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("gate.example.org") && ran.stdout.contains("runner"), "{}", ran.stdout);
    shop.trueup(&["apply", "--yes"]).expect(69);
    shop.trueup(&["apply", "--yes", "--skip-unknown"]).expect(7);
    shop.kubectl(&["get", "serviceaccount/runner"]);
    shop.kubectl(&["delete", "validatingwebhookconfiguration", &shop.namespace]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}

/// The server takes no new webhooks with side effects; those of older times are still in its store.
#[test]
fn what_a_webhook_keeps_from_being_asked_is_foretold() {
    let Some(shop) = Shop::new() else { return };
    let name = &shop.namespace;
    shop.kubectl_apply(&webhook(name, name).replace("failurePolicy: Fail", "failurePolicy: Ignore"));
    let key = format!("/registry/validatingwebhookconfigurations/{name}");
    store::replace(shop.server, &key, b"\x04None", b"\x04Some");
    await_webhook(&shop);
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("not checked by the server: admission webhook"), "{}", ran.stdout);
    shop.apply();
    shop.declare(&[("settings.yaml", &SETTINGS.replace("blue", "green"))]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("foretold without the server: admission webhook"), "{}", ran.stdout);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    shop.kubectl(&["delete", "validatingwebhookconfiguration", name]);
}

/// A new webhook is heeded a moment later.
fn await_webhook(shop: &Shop) {
    for _ in 0..100 {
        let create = ["-n", &shop.namespace, "create", "configmap", "probe", "--dry-run=server"];
        let (ok, said) = shop.server.try_kubectl("admin", &create, "");
        if !ok && said.contains("gate.example.org") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the webhook is not heeded");
}

#[test]
fn a_group_that_does_not_answer_is_unknown_and_stops_nothing_else() {
    let Some(shop) = Shop::new() else { return };
    let group = format!("{}.dead.example.org", shop.namespace);
    shop.kubectl_apply(&format!(
        "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {{name: v1.{group}}}\n\
         spec: {{group: {group}, version: v1, groupPriorityMinimum: 10, versionPriority: 10, \
         insecureSkipTLSVerify: true, service: {{name: nobody, namespace: default}}}}\n"
    ));
    shop.declare(&[
        ("settings.yaml", SETTINGS),
        ("thing.yaml", &format!("apiVersion: {group}/v1\nkind: Thing\nmetadata: {{name: one}}\n")),
    ]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("does not answer") && ran.stdout.contains("settings"), "{}", ran.stdout);
    shop.trueup(&["apply", "--yes"]).expect(69);
    shop.trueup(&["apply", "--yes", "--skip-unknown"]).expect(7);
    shop.trueup(&["plan"]).expect(69);
    shop.kubectl(&["delete", "apiservice", &format!("v1.{group}")]);
}

#[test]
fn one_run_brings_what_a_webhook_would_refuse_before_the_webhook() {
    let Some(shop) = Shop::new() else { return };
    let (group, inner) = (format!("{}.example.org", shop.namespace), format!("{}-inner", shop.namespace));
    let (definition, widget) = widgets(&group);
    let text = [
        webhook(&inner, &inner),
        widget.replace("name: one", &format!("name: one, namespace: {inner}")),
        many(20, "one").replace("{name: many", &format!("{{namespace: {inner}, name: many")),
        definition,
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {inner}}}\n"),
    ]
    .join("---\n");
    shop.declare(&[("all.yaml", &text)]);
    shop.trueup(&["plan"]).expect(2);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    shop.kubectl(&["delete", "validatingwebhookconfiguration", &inner]);
}

#[test]
fn an_object_keeps_its_name_when_its_definition_is_declared_as_well() {
    let Some(shop) = Shop::new() else { return };
    let group = format!("{}.example.org", shop.namespace);
    let (definition, widget) = widgets(&group);
    shop.kubectl_apply(&definition);
    shop.kubectl(&["wait", "--for=condition=Established", &format!("crd/widgets.{group}")]);
    shop.declare(&[("widget.yaml", &widget)]);
    shop.apply();
    let uid = || shop.kubectl(&["get", &format!("widgets.{group}/one"), "-o", "jsonpath={.metadata.uid}"]);
    let before = uid();
    shop.declare(&[("definition.yaml", &definition)]);
    let ran = shop.trueup(&["plan"]).expect(2);
    let claim = format!("{group}/v1/Widget/{}/one   claim", shop.namespace);
    assert!(ran.stdout.contains(&claim) && ran.stdout.contains("0 replace, 0 delete"), "{}", ran.stdout);
    let address = format!("apiextensions.k8s.io/v1/CustomResourceDefinition/widgets.{group}");
    shop.trueup(&["apply", "--yes", "--adopt", &address]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    assert_eq!(uid(), before);
}

#[test]
fn an_object_moves_to_another_version_of_its_kind() {
    let Some(shop) = Shop::new() else { return };
    let group = format!("{}.example.org", shop.namespace);
    let (definition, widget) = widgets(&group);
    let second = "  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}\n";
    shop.declare(&[("definition.yaml", &(definition + second)), ("widget.yaml", &widget)]);
    shop.apply();
    let uid = || shop.kubectl(&["get", &format!("widgets.{group}/one"), "-o", "jsonpath={.metadata.uid}"]);
    let before = uid();
    shop.declare(&[("widget.yaml", &widget.replace("/v1\n", "/v2\n"))]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(
        ran.stdout.contains("/v2/Widget/") && ran.stdout.contains("0 create, 1 update, 0 replace, 0 delete"),
        "{}",
        ran.stdout
    );
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    assert_eq!(uid(), before);
}
