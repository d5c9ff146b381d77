//! What people do every day: plan, apply, look for drift, revert, adopt, prune.

use super::{SETTINGS, Shop, WEB};

const DATABASE: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: \"postgres:17\"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";

#[test]
fn what_was_applied_is_in_sync_at_one_list_for_each_kind() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB), ("settings.yaml", SETTINGS)]);
    shop.trueup(&["plan"]).expect(2);
    shop.apply();
    let (ran, requests) = shop.watched(&["plan"]);
    ran.expect(0);
    assert!(
        requests.iter().all(|line| line.starts_with("get ") || line.starts_with("list ")),
        "{requests:?}"
    );
    assert!(requests.len() <= 2 + 8, "{requests:?}");
    let (ran, requests) = shop.watched(&["plan", "--verify"]);
    ran.expect(0);
    let asked = requests.iter().filter(|line| line.starts_with("patch ")).count();
    assert_eq!(asked, 2, "a dry run of each object: {requests:?}");
}

#[test]
fn what_people_move_is_drift_with_its_manager_and_is_undone() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB), ("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.kubectl(&["scale", "deployment/web", "--replicas=5"]);
    shop.kubectl(&["set", "env", "deployment/web", "DEBUG=1"]);
    shop.kubectl(&["label", "deployment/web", "by=hand"]);
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    let ran = shop.trueup(&["drift"]).expect(3);
    for said in [
        "/spec/replicas (line 6) 2 → 5",
        "kubectl (scale)",
        "kubectl-set",
        "kubectl-label",
        "kubectl-patch",
        "k8s/web.yaml",
    ] {
        assert!(ran.stdout.contains(said), "{said} is not in\n{}", ran.stdout);
    }
    shop.trueup(&["plan"]).expect(3);
    shop.trueup(&["apply", "--only-drift", "--yes"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    let web = shop.kubectl(&["get", "deployment/web", "-o", "yaml"]);
    assert!(!web.contains("DEBUG") && !web.contains("by: hand") && web.contains("replicas: 2"), "{web}");
}

#[test]
fn both_sides_moving_one_field_is_a_conflict_that_a_person_settles() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    shop.declare(&[("settings.yaml", &SETTINGS.replace("blue", "green"))]);
    shop.trueup(&["plan"]).expect(5);
    shop.trueup(&["apply", "--yes"]).expect(5);
    let address = format!("v1/ConfigMap/{}/settings", shop.namespace);
    shop.trueup(&["apply", "--yes", "--overwrite", &address]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    assert!(shop.kubectl(&["get", "configmap/settings", "-o", "yaml"]).contains("green"));
}

#[test]
fn a_conflict_is_settled_field_by_field() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB)]);
    shop.apply();
    shop.kubectl(&["set", "image", "deployment/web", "web=web:theirs"]);
    shop.kubectl(&["set", "env", "deployment/web", "MODE=theirs"]);
    shop.declare(&[("web.yaml", &WEB.replace("web:1", "web:2").replace("fast", "slow"))]);
    let address = format!("apps/v1/Deployment/{}/web", shop.namespace);
    let container = "spec/template/spec/containers/[name=web]";
    let image = format!("{address}/{container}/image");
    let mode = format!("{address}/{container}/env/[name=MODE]/value");
    let ran = shop.trueup(&["apply", "--yes", "--overwrite", &image]).expect(5);
    assert!(
        ran.stderr.contains(&format!("/{container}/env/[name=MODE]/value is not settled")),
        "{}",
        ran.stderr
    );
    let has = |one: &str, other: &str| {
        let web = shop.kubectl(&["get", "deployment/web", "-o", "yaml"]);
        assert!(web.contains(one) && web.contains(other), "{web}");
    };
    // A field that does not differ is a slip of the pen, and nothing is written.
    let slip = mode.replace("MODE", "MODUS");
    let ran = shop.trueup(&["apply", "--yes", "--overwrite", &address, "--keep", &slip]).expect(64);
    assert!(ran.stderr.contains("names no field"), "{}", ran.stderr);
    shop.trueup(&["apply", "--yes", "--overwrite", &image, "--keep", &mode]).expect(0);
    has("image: web:2", "value: theirs");
    // It is as much in conflict as before.
    let ran = shop.trueup(&["plan"]).expect(5);
    assert!(
        ran.stdout.contains("env/[name=MODE]/value") && !ran.stdout.contains("web:theirs"),
        "{}",
        ran.stdout
    );
    shop.trueup(&["apply", "--yes", "--overwrite", &mode]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    has("image: web:2", "value: slow");
}

#[test]
fn what_is_not_declared_any_more_is_deleted_and_nothing_else() {
    let Some(shop) = Shop::new() else { return };
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n";
    shop.declare(&[("web.yaml", WEB), ("settings.yaml", SETTINGS), ("service.yaml", service)]);
    shop.apply();
    shop.kubectl(&["create", "configmap", "theirs"]);
    shop.sandbox.sh("rm k8s/settings.yaml; commit 'Drop'").expect(0);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("delete"), "{}", ran.stdout);
    shop.trueup(&["apply", "--yes", "--max-delete-percent", "50"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    let left = shop.kubectl(&["get", "configmaps,endpointslices", "-o", "name"]);
    assert!(
        left.contains("theirs") && left.contains("endpointslice") && !left.contains("settings"),
        "{left}"
    );
}

#[test]
fn what_others_made_is_adopted_only_if_told_so() {
    let Some(shop) = Shop::new() else { return };
    shop.kubectl(&["create", "configmap", "settings", "--from-literal=colour=red", "--from-literal=size=1"]);
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("adopt"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("is gone"), "{}", ran.stdout);
    shop.trueup(&["apply", "--yes"]).expect(8);
    let address = format!("v1/ConfigMap/{}/settings", shop.namespace);
    shop.trueup(&["apply", "--yes", "--adopt", &address]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    assert!(shop.kubectl(&["get", "configmap/settings", "-o", "yaml"]).contains("blue"));
}

#[test]
fn a_field_that_somebody_set_before_git_did_is_claimed() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.kubectl(&[
        "patch",
        "configmap/settings",
        "--field-manager=operator",
        "-p",
        "{\"data\":{\"depth\":\"1\"}}",
    ]);
    shop.trueup(&["plan"]).expect(0);
    shop.declare(&[("settings.yaml", &format!("{SETTINGS}  depth: \"1\"\n"))]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("claim"), "{}", ran.stdout);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    let owners = shop.kubectl(&["get", "configmap/settings", "-o", "yaml", "--show-managed-fields"]);
    assert_eq!(owners.matches("f:depth").count(), 2, "{owners}");
}

#[test]
fn another_order_is_drift_by_nobody_knows_whom() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB)]);
    shop.apply();
    let swapped = r#"[{"op":"replace","path":"/spec/template/spec/containers/0/env","value":[{"name":"LEVEL","value":"1"},{"name":"MODE","value":"fast"}]}]"#;
    shop.kubectl(&["patch", "deployment/web", "--type=json", "-p", swapped]);
    let ran = shop.trueup(&["drift"]).expect(3);
    assert!(ran.stdout.contains("another order"), "{}", ran.stdout);
    shop.trueup(&["apply", "--only-drift", "--yes"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn an_immutable_field_is_replaced_with_consent_only() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB)]);
    shop.apply();
    shop.declare(&[("web.yaml", &WEB.replace("app: web", "app: site"))]);
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("replace") && ran.stdout.contains("immutable"), "{}", ran.stdout);
    shop.trueup(&["apply", "--yes"]).expect(8);
    let address = format!("apps/v1/Deployment/{}/web", shop.namespace);
    shop.trueup(&["apply", "--yes", "--allow-replace", &address, "--max-delete-percent", "100"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
}

/// Nothing is declared about the number of replicas: what somebody set goes back to what the server sets, which is 1.
#[test]
fn what_the_server_sets_in_the_place_of_what_people_added_is_foretold() {
    let Some(shop) = Shop::new() else { return };
    let web = WEB.replace("  replicas: 2\n", "");
    assert_ne!(web, WEB);
    shop.declare(&[("web.yaml", &web)]);
    shop.apply();
    // Not with `kubectl scale`: of a size that nobody owned before, it leaves no owner.
    shop.kubectl(&["patch", "deployment/web", "-p", r#"{"spec":{"replicas":5}}"#]);
    let ran = shop.trueup(&["drift", "--summary"]).expect(3);
    assert!(ran.stdout.contains("drift /spec/replicas 1 → 5"), "{}", ran.stdout);
    shop.trueup(&["apply", "--only-drift", "--yes"]).expect(0);
    assert_eq!(shop.kubectl(&["get", "deployment/web", "-o", "jsonpath={.spec.replicas}"]), "1");
    shop.trueup(&["drift"]).expect(0);
    shop.kubectl(&["patch", "deployment/web", "-p", r#"{"spec":{"replicas":3}}"#]);
    shop.trueup(&["drift", "--adopt"]).expect(0);
    assert!(shop.sandbox.read("checkout/k8s/web.yaml").contains("replicas: 3"));
    shop.sandbox.sh("commit 'Take the size'").expect(0);
    shop.trueup(&["apply", "--yes"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
}

/// The list of a StatefulSet's claims is one value, to which the server adds defaults.
#[test]
fn what_the_server_adds_to_a_whole_value_is_no_conflict() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("db.yaml", DATABASE), ("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.declare(&[(
        "db.yaml",
        &DATABASE.replace("1Gi", "2Gi").replace("serviceName: db", "serviceName: db2"),
    )]);
    let ran = shop.trueup(&["plan", "--summary"]).expect(2);
    assert!(ran.stdout.contains("replace: pending /spec/serviceName"), "{}", ran.stdout);
    shop.declare(&[("db.yaml", &DATABASE.replace("serviceName: db", "serviceName: db2"))]);
    let ran = shop.trueup(&["plan", "--summary"]).expect(2);
    assert!(!ran.stdout.contains("volumeClaimTemplates (line"), "{}", ran.stdout);
    shop.sandbox.sh("git rm -q k8s/db.yaml && commit 'Drop the database'").expect(0);
    let ran = shop.trueup(&["plan", "--summary"]).expect(2);
    assert!(ran.stdout.contains(".-   apps/v1/StatefulSet"), "{}", ran.stdout);
}

#[test]
fn one_run_brings_a_definition_its_objects_a_namespace_and_its_contents() {
    let Some(shop) = Shop::new() else { return };
    let group = format!("{}.example.org", shop.namespace);
    let inner = format!("{}-inner", shop.namespace);
    let text = format!(
        "apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: one, namespace: {inner}}}\nspec: {{size: 1}}\n---\n\
         apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: two, namespace: {inner}}}\nspec: {{size: 2}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: inside, namespace: {inner}}}\n---\n\
         apiVersion: v1\nkind: Namespace\nmetadata: {{name: {inner}}}\n---\n\
         apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Widget, plural: widgets, singular: widget}}\n\
         \x20 versions:\n  - name: v1\n    served: true\n    storage: true\n\
         \x20   schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{size: {{type: integer}}, colour: {{type: string, default: blue}}}}}}}}}}}}\n"
    );
    shop.declare(&[("all.yaml", &text)]);
    let ran = shop.trueup(&["plan"]).expect(2);
    let notes: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("did not check")).collect();
    let said = "it is not there yet: the server did not check the";
    assert!(notes.len() == 2, "{}", ran.stdout);
    assert!(notes[0].ends_with(&format!("{said} 2 objects declared of its kind")), "{}", ran.stdout);
    assert!(notes[1].ends_with(&format!("{said} 1 object declared in it")), "{}", ran.stdout);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn what_somebody_deleted_is_missing_and_comes_back() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS), ("web.yaml", WEB)]);
    shop.apply();
    shop.kubectl(&["delete", "configmap/settings"]);
    let ran = shop.trueup(&["drift"]).expect(3);
    assert!(ran.stdout.contains("missing"), "{}", ran.stdout);
    shop.apply();
    shop.trueup(&["drift"]).expect(0);
}

#[test]
fn no_secret_leaves() {
    let Some(shop) = Shop::new() else { return };
    let secret = |word: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: keys}}\nstringData: {{password: {word}}}\n")
    };
    shop.declare(&[("keys.yaml", &secret("canary-one"))]);
    let mut said = Vec::new();
    said.push(shop.trueup(&["plan"]).expect(2));
    said.push(shop.apply());
    said.push(shop.trueup(&["plan"]).expect(0));
    shop.kubectl(&["patch", "secret/keys", "-p", "{\"stringData\":{\"password\":\"canary-two\"}}"]);
    said.push(shop.trueup(&["drift", "-o", "json"]).expect(3));
    shop.declare(&[("keys.yaml", &secret("canary-three"))]);
    for format in ["human", "json", "markdown", "diff"] {
        said.push(shop.trueup(&["plan", "-o", format]).expect(5));
    }
    let address = format!("v1/Secret/{}/keys", shop.namespace);
    said.push(shop.trueup(&["apply", "--yes", "--overwrite", &address]).expect(0));
    said.push(shop.trueup(&["log", "-o", "json"]).expect(0));
    shop.trueup(&["plan"]).expect(0);
    for ran in &said {
        // `canary` and the middle of its base64 text.
        for hint in ["canary", "Y2FuYXJ5"] {
            assert!(!ran.stdout.contains(hint) && !ran.stderr.contains(hint), "{}{}", ran.stdout, ran.stderr);
        }
    }
}

#[test]
fn what_people_moved_is_taken_into_the_manifest_with_its_comments() {
    let Some(shop) = Shop::new() else { return };
    let settings =
        "# Colours of the shop\n".to_owned() + &SETTINGS.replace("  size", "  # not too large\n  size");
    shop.declare(&[("all.yaml", &format!("{settings}---\n{WEB}"))]);
    shop.apply();
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"on\",\"depth\":\"1\"}}"]);
    shop.kubectl(&["scale", "deployment/web", "--replicas=3"]);
    shop.kubectl(&["set", "image", "deployment/web", "web=web:2"]);
    shop.kubectl(&["set", "env", "deployment/web", "DEBUG=1", "LEVEL-"]);
    shop.trueup(&["drift", "--adopt"]).expect(0);
    let text = shop.sandbox.read("checkout/k8s/all.yaml");
    let wanted = settings.replace("blue", "\"on\"").replace("\"10\"\n", "\"10\"\n  depth: \"1\"\n");
    assert!(text.starts_with(&wanted), "{text}");
    for line in [
        "  replicas: 3\n",
        "        image: web:2\n",
        "name: DEBUG\n",
        "        - {name: MODE, value: fast}\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    shop.sandbox.sh("commit 'Adopt'").expect(0);
    shop.trueup(&["plan"]).expect(2);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
}

#[test]
fn the_namespace_of_the_record_may_be_declared_by_the_set_itself() {
    let Some(shop) = Shop::new() else { return };
    let mine = format!("{}-own", shop.namespace);
    let shop = shop.moved_to(&mine);
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.trueup(&["apply", "--yes"]).expect(65);
    let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {mine}}}\n");
    shop.declare(&[("namespace.yaml", &namespace), ("settings.yaml", SETTINGS)]);
    shop.trueup(&["plan"]).expect(2);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
}

#[test]
fn what_the_server_can_never_hold_is_a_wrong_declaration_and_asked_once() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.declare(&[
        ("settings.yaml", &SETTINGS.replace("blue", "7")),
        ("web.yaml", &WEB.replace("replicas", "replica")),
    ]);
    let (ran, requests) = shop.watched(&["plan"]);
    let ran = ran.expect(65);
    for said in
        ["expected string", ".spec.replica: field not declared", "k8s/settings.yaml:1", "k8s/web.yaml:1"]
    {
        assert!(ran.stdout.contains(said), "{said} is not in\n{}", ran.stdout);
    }
    assert_eq!(requests.iter().filter(|line| line.starts_with("patch ")).count(), 2, "{requests:?}");
    shop.trueup(&["apply", "--yes"]).expect(65);
}
