//! Users who may do less than everything.

use super::{SETTINGS, Shop};

#[test]
fn a_user_who_only_looks_gets_the_same_answers() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.configure("reader", "");
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(ran.stdout.contains("dry runs are forbidden"), "{}", ran.stdout);
    shop.configure("admin", "");
    shop.apply();
    shop.configure("reader", "");
    shop.trueup(&["plan"]).expect(0);
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    let ran = shop.trueup(&["drift"]).expect(3);
    assert!(ran.stdout.contains("foretold without the server"), "{}", ran.stdout);
    shop.sandbox.sh("commit 'Look'").expect(0);
    shop.trueup(&["apply", "--yes"]).expect(77);
}

#[test]
fn a_user_without_rights_learns_nothing_and_nothing_is_absent() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.configure("nobody", "");
    shop.trueup(&["plan"]).expect(77);
}

#[test]
fn a_user_of_one_namespace_works_there() {
    let Some(shop) = Shop::new() else { return };
    shop.kubectl(&["create", "role", "all", "--verb=*", "--resource=*.*"]);
    shop.kubectl(&["create", "rolebinding", "all", "--role=all", "--user=editor"]);
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.configure("editor", "");
    shop.sandbox.sh("commit 'Configure'").expect(0);
    shop.trueup(&["plan"]).expect(2);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    shop.sandbox.sh("rm k8s/settings.yaml; touch k8s/.gitkeep; commit 'Drop'").expect(0);
    shop.trueup(&["apply", "--yes", "--allow-empty"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
}
