//! What is deleted only if it is told by name, and what is never deleted.

use super::{SETTINGS, Shop};

/// Drops a file from the checkout.
fn drop(shop: &Shop, file: &str) {
    shop.sandbox.sh(&format!("git rm -q k8s/{file}; commit 'Drop'")).expect(0);
}

#[test]
fn a_namespace_goes_only_by_name_and_says_what_goes_with_it() {
    let Some(shop) = Shop::new() else { return };
    let inner = format!("{}-inner", shop.namespace);
    let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {inner}}}\n");
    shop.declare(&[("settings.yaml", SETTINGS), ("inner.yaml", &text)]);
    shop.apply();
    for name in ["one", "two"] {
        shop.server.kubectl(&["-n", &inner, "create", "configmap", name]);
    }
    drop(&shop, "inner.yaml");
    let ran = shop.trueup(&["plan"]).expect(2);
    let said = format!(
        "2 objects that trueup did not apply would go with it: v1/ConfigMap/{inner}/one, v1/ConfigMap/{inner}/two"
    );
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    let ran = shop.trueup(&["apply", "--yes"]).expect(8);
    assert!(ran.stderr.contains("is protected"), "{}", ran.stderr);
    let address = format!("v1/Namespace/{inner}");
    let consent = ["apply", "--yes", "--allow-protected", &address];
    // What goes along counts towards the limit.
    let ran = shop.trueup(&[&consent[..], &["--max-delete", "2"]].concat()).expect(8);
    assert!(ran.stderr.contains("3 objects, 2 of them along with others"), "{}", ran.stderr);
    shop.server.kubectl(&["get", "namespace", &inner]);
    shop.trueup(&consent).expect(0);
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn a_definition_goes_only_by_name_and_says_what_goes_with_it() {
    let Some(shop) = Shop::new() else { return };
    let group = format!("{}.example.org", shop.namespace);
    let text = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Widget, plural: widgets}}\n  versions:\n\
         \x20 - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}\n"
    );
    shop.declare(&[("settings.yaml", SETTINGS), ("widgets.yaml", &text)]);
    shop.apply();
    shop.kubectl_apply(&format!("apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: theirs}}\n"));
    drop(&shop, "widgets.yaml");
    let ran = shop.trueup(&["plan"]).expect(2);
    let said = format!(
        "1 object that trueup did not apply would go with it: {group}/v1/Widget/{}/theirs",
        shop.namespace
    );
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    shop.trueup(&["apply", "--yes"]).expect(8);
    let address = format!("apiextensions.k8s.io/v1/CustomResourceDefinition/widgets.{group}");
    shop.trueup(&["apply", "--yes", "--allow-protected", &address]).expect(0);
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn what_holds_data_goes_only_by_name() {
    let Some(shop) = Shop::new() else { return };
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n\
                 spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}\n";
    let volume = format!(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {}}}\n\
         spec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], storageClassName: other, hostPath: {{path: /nowhere}}}}\n",
        shop.namespace
    );
    shop.declare(&[("settings.yaml", SETTINGS), ("claim.yaml", claim), ("volume.yaml", &volume)]);
    shop.apply();
    for (file, address) in [
        ("claim.yaml", format!("v1/PersistentVolumeClaim/{}/data", shop.namespace)),
        ("volume.yaml", format!("v1/PersistentVolume/{}", shop.namespace)),
    ] {
        drop(&shop, file);
        let ran = shop.trueup(&["apply", "--yes"]).expect(8);
        assert!(ran.stderr.contains(&format!("`--allow-protected {address}`")), "{}", ran.stderr);
        shop.trueup(&["apply", "--yes", "--allow-protected", &address]).expect(0);
    }
}

#[test]
fn copies_of_our_marks_are_nobodys_proof() {
    let Some(shop) = Shop::new() else { return };
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n";
    shop.declare(&[("settings.yaml", SETTINGS), ("service.yaml", service)]);
    shop.apply();
    let marks =
        |path: &str| shop.kubectl(&["get", "configmap/settings", "-o", &format!("jsonpath={{{path}}}")]);
    let label = marks(r".metadata.labels.applyset\.kubernetes\.io/part-of");
    let identity = marks(r".metadata.annotations.trueup\.dev/identity");
    let copy = |kind: &str, name: &str, identity: &str, more: &str| {
        format!(
            "{kind}\nmetadata:\n  name: {name}\n  labels: {{applyset.kubernetes.io/part-of: {label}}}\n\
             \x20 annotations: {{trueup.dev/identity: \"{identity}\"}}\n{more}"
        )
    };
    let map = "apiVersion: v1\nkind: ConfigMap";
    let uid = marks(".metadata.uid");
    let owned = format!(
        "  ownerReferences: [{{apiVersion: v1, kind: ConfigMap, name: settings, uid: {uid}, controller: true}}]\n"
    );
    let own = |name: &str| identity.replace("settings", name);
    let copies = [
        copy(map, "of-another", &identity, ""),
        copy(map, "by-another", &own("by-another"), ""),
        copy(map, "controlled", &own("controlled"), &owned),
        copy(
            "apiVersion: v1\nkind: Pod",
            "pod",
            &identity,
            "spec: {nodeName: n1, containers: [{name: a, image: a}]}\n",
        ),
    ];
    for text in &copies {
        let manager = if text.contains("controlled") { "trueup" } else { "kubectl" };
        let apply = ["-n", &shop.namespace, "apply", "--server-side", "--field-manager", manager, "-f", "-"];
        shop.server.kubectl_as("admin", &apply, text);
    }
    shop.trueup(&["plan"]).expect(0);
    drop(&shop, "service.yaml");
    shop.trueup(&["apply", "--yes"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    let left = shop.kubectl(&["get", "configmaps,pods", "-o", "name"]);
    for name in ["of-another", "by-another", "controlled", "pod/pod"] {
        assert!(left.contains(name), "{name} is not in {left}");
    }
}
