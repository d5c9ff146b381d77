//! Objects that leave a target without being deleted: they move to another target, or are let go.

use super::Shop;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: b}\n";
const OTHER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: o}\ndata: {a: b}\n";

/// A shop with two targets of one namespace, in environments if `environments`.
fn two(environments: bool) -> Option<Shop> {
    let shop = Shop::new()?;
    let target = |name: &str| {
        let namespace = &shop.namespace;
        format!(
            "{name}: {{provider: kubernetes, path: {name}, kubeconfig: ../home/admin.kubeconfig, namespace: {namespace}}}"
        )
    };
    let config = match environments {
        false => format!("version: 1\ntargets:\n  {}\n  {}\n", target("web"), target("db")),
        true => format!(
            "version: 1\nenvironments:\n  one: {{targets: {{{}}}}}\n  two: {{targets: {{{}}}}}\n",
            target("web"),
            target("db")
        ),
    };
    shop.sandbox.write("checkout/trueup.yaml", config);
    shop.sandbox.write("checkout/web/m.yaml", MAP);
    shop.sandbox.write("checkout/web/keep.yaml", MAP.replace("name: m", "name: web"));
    shop.sandbox.write("checkout/db/o.yaml", OTHER);
    shop.sandbox.sh("commit 'Two'").expect(0);
    Some(shop)
}

fn uid(shop: &Shop, object: &str) -> String {
    shop.kubectl(&["get", object, "-o", "jsonpath={.metadata.uid}"])
}

const MOVE: &str = "git mv web/m.yaml db/m.yaml; commit 'Move'";

#[test]
fn what_moves_to_another_target_is_never_deleted_in_whatever_order_they_are_applied() {
    let orders: [&[&[&str]]; 3] = [&[&["web"], &["db"]], &[&["db"], &["web"]], &[&[]]];
    for order in orders {
        let Some(shop) = two(false) else { return };
        shop.trueup(&["apply", "--yes"]).expect(0);
        let before = uid(&shop, "configmap/m");
        shop.sandbox.sh(MOVE).expect(0);
        let plan = shop.trueup(&["plan"]).expect(2);
        for said in ["moved to `db`", "moved here from `web`", "1 release"] {
            assert!(plan.stdout.contains(said), "{said}\n{}", plan.stdout);
        }
        for targets in order {
            shop.trueup(&[&["apply", "--yes"][..], targets].concat()).expect(0);
            assert_eq!(uid(&shop, "configmap/m"), before, "{order:?}");
        }
        shop.trueup(&["plan"]).expect(0);
        // It belongs to the other target now.
        shop.sandbox.sh("git rm -q db/m.yaml; commit 'Drop'").expect(0);
        shop.trueup(&["apply", "--yes", "--max-delete-percent", "100"]).expect(0);
        assert!(!shop.kubectl(&["get", "configmaps", "-o", "name"]).contains("configmap/m"));
    }
}

#[test]
fn what_moves_and_changes_is_changed_by_its_new_target() {
    let Some(shop) = two(false) else { return };
    shop.trueup(&["apply", "--yes"]).expect(0);
    shop.sandbox.sh("git mv web/m.yaml db/m.yaml").expect(0);
    shop.sandbox.write("checkout/db/m.yaml", MAP.replace("a: b", "c: d"));
    shop.sandbox.sh("commit 'Move and change'").expect(0);
    shop.trueup(&["plan"]).expect(2);
    shop.trueup(&["apply", "--yes"]).expect(0);
    let data = shop.kubectl(&["get", "configmap/m", "-o", "jsonpath={.data}"]);
    assert_eq!(data, r#"{"c":"d"}"#);
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn what_another_environment_declares_is_not_deleted() {
    let Some(shop) = two(true) else { return };
    shop.trueup(&["apply", "--yes", "--env", "one"]).expect(0);
    shop.trueup(&["apply", "--yes", "--env", "two"]).expect(0);
    let before = uid(&shop, "configmap/m");
    shop.sandbox.sh(MOVE).expect(0);
    let plan = shop.trueup(&["plan", "--env", "one"]).expect(2);
    assert!(plan.stdout.contains("moved to `db`"), "{}", plan.stdout);
    shop.trueup(&["apply", "--yes", "--env", "one"]).expect(0);
    shop.trueup(&["apply", "--yes", "--env", "two"]).expect(0);
    assert_eq!(uid(&shop, "configmap/m"), before);
    shop.trueup(&["plan", "--env", "one"]).expect(0);
    shop.trueup(&["plan", "--env", "two"]).expect(0);
}

#[test]
fn the_same_target_of_another_environment_is_on_another_cluster() {
    let Some(shop) = Shop::new() else { return };
    // Which cluster it is may be said by `KUBECONFIG`.
    let target = |path: &str| {
        let namespace = &shop.namespace;
        format!(
            "{{provider: kubernetes, path: {path}, kubeconfig: ../home/admin.kubeconfig, namespace: {namespace}}}"
        )
    };
    let config = format!(
        "version: 1\nenvironments:\n  one: {{targets: {{web: {}}}}}\n  two: {{targets: {{web: {}}}}}\n",
        target("one"),
        target("two")
    );
    shop.sandbox.write("checkout/trueup.yaml", config);
    for environment in ["one", "two"] {
        shop.sandbox.write(&format!("checkout/{environment}/m.yaml"), MAP);
        shop.sandbox.write(&format!("checkout/{environment}/o.yaml"), OTHER);
    }
    shop.sandbox.sh("commit 'Two'").expect(0);
    shop.trueup(&["apply", "--yes", "--env", "one"]).expect(0);
    shop.sandbox.sh("git rm -q one/m.yaml; commit 'Drop'").expect(0);
    shop.trueup(&["apply", "--yes", "--env", "one", "--max-delete-percent", "100"]).expect(0);
    assert!(!shop.kubectl(&["get", "configmaps", "-o", "name"]).contains("configmap/m"));
}

#[test]
fn nothing_is_deleted_while_another_target_cannot_be_read() {
    let Some(shop) = two(false) else { return };
    shop.trueup(&["apply", "--yes"]).expect(0);
    shop.sandbox.sh("git rm -q web/m.yaml").expect(0);
    shop.sandbox.write("checkout/db/m.yaml", "apiVersion: v1\nkind: [");
    shop.sandbox.sh("commit 'Break'").expect(0);
    let ran = shop.trueup(&["apply", "--yes", "web"]).expect(65);
    assert!(ran.stderr.contains("db/m.yaml") && ran.stderr.contains("`db`"), "{}", ran.stderr);
    uid(&shop, "configmap/m");
}

/// The object is as it was, and nothing of trueup is left on it.
#[track_caller]
fn is_let_go(shop: &Shop, before: &str) {
    assert_eq!(uid(shop, "configmap/m"), before);
    let object = shop.kubectl(&["get", "configmap/m", "-o", "yaml", "--show-managed-fields"]);
    assert!(object.contains("a: b"), "{object}");
    for mark in ["applyset.kubernetes.io", "trueup.dev/identity", "manager: trueup"] {
        assert!(!object.contains(mark), "{mark}\n{object}");
    }
    shop.trueup(&["plan"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
}

#[test]
fn what_says_that_it_stays_is_let_go() {
    let Some(shop) = Shop::new() else { return };
    let stays = MAP.replace("name: m", "name: m, annotations: {trueup.dev/on-remove: keep}");
    shop.declare(&[("m.yaml", &stays), ("o.yaml", OTHER)]);
    shop.apply();
    let before = uid(&shop, "configmap/m");
    shop.sandbox.sh("git rm -q k8s/m.yaml; commit 'Drop'").expect(0);
    let plan = shop.trueup(&["plan"]).expect(2);
    assert!(plan.stdout.contains("release: it stays as it is"), "{}", plan.stdout);
    shop.apply();
    is_let_go(&shop, &before);
}

#[test]
fn what_a_guard_keeps_is_let_go_and_can_be_adopted_again() {
    let Some(shop) = Shop::new() else { return };
    shop.configure("admin", ", guards: {keep: ['v1/ConfigMap/*/m']}");
    shop.declare(&[("m.yaml", MAP), ("o.yaml", OTHER)]);
    shop.apply();
    let before = uid(&shop, "configmap/m");
    shop.kubectl(&["label", "configmap/m", "by=hand"]);
    shop.sandbox.sh("git rm -q k8s/m.yaml k8s/o.yaml; commit 'Drop'").expect(0);
    shop.declare(&[("p.yaml", &OTHER.replace("name: o", "name: p"))]);
    shop.trueup(&["apply", "--yes", "--max-delete-percent", "100"]).expect(0);
    is_let_go(&shop, &before);
    assert!(!shop.kubectl(&["get", "configmaps", "-o", "name"]).contains("configmap/o"));
    shop.declare(&[("m.yaml", MAP)]);
    let ran = shop.trueup(&["apply", "--yes"]).expect(8);
    assert!(ran.stderr.contains("--adopt"), "{}", ran.stderr);
    shop.trueup(&["apply", "--yes", "--adopt", "**"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
}
