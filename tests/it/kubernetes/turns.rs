//! One apply at a time, and others who write meanwhile.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{SETTINGS, Shop, is_write, many, proxy::Fault};
use crate::sandbox::Ran;

#[test]
fn two_applies_at_once_are_one_after_the_other() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let lease = format!(
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: trueup-shop}}\n\
         spec: {{holderIdentity: bob, leaseDurationSeconds: 30, acquireTime: \"{now}\", renewTime: \"{now}\"}}\n"
    );
    shop.kubectl_apply(&lease);
    let ran = shop.trueup(&["apply", "--yes"]).expect(9);
    assert!(ran.stderr.contains("bob"), "{}", ran.stderr);
    shop.kubectl_apply(&lease.replace(&now, "2020-01-01T00:00:00.000000Z"));
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn an_object_that_moves_between_plan_and_apply_is_left_alone() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.declare(&[("settings.yaml", &SETTINGS.replace("blue", "green"))]);
    shop.trueup(&["plan", "--out", "plan=../plan.json"]).expect(2);
    shop.kubectl(&["patch", "configmap/settings", "-p", "{\"data\":{\"colour\":\"red\"}}"]);
    shop.trueup(&["apply", "--plan", "../plan.json"]).expect(6);
    shop.kubectl(&["delete", "configmap/settings"]);
    shop.trueup(&["apply", "--plan", "../plan.json"]).expect(6);
}

#[test]
fn of_two_applies_one_waits_for_the_other_or_is_refused() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("many.yaml", &many(40, "one"))]);
    let others_may_too = super::share();
    let start = |patience: &str| {
        let mut apply = shop.sandbox.command_trueup(&["apply", "-q", "--yes", "--lock-timeout", patience]);
        apply.stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let applies = [start("60"), start("60")];
    for apply in applies {
        Ran::from(apply.wait_with_output().unwrap()).expect(0);
    }
    shop.declare(&[("many.yaml", &many(40, "two"))]);
    let applies = [start("0"), start("0")].map(|apply| Ran::from(apply.wait_with_output().unwrap()));
    drop(others_may_too);
    let mut exits = applies.map(|ran| ran.exit);
    exits.sort_unstable();
    // They are one after the other if the first is quicker than the start of the second.
    assert!(matches!(exits, [0, 0 | 9]), "{exits:?}");
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn an_apply_that_loses_its_lock_stops_and_leaves_the_record_to_the_other() {
    let Some(shop) = Shop::new() else { return };
    let (server, namespace, writes) = (shop.server, shop.namespace.clone(), AtomicUsize::new(0));
    let proxy = super::Proxy::before(server, move |line| {
        if !is_write(line) || !line.contains("/configmaps/many") {
            return Fault::None;
        }
        if writes.fetch_add(1, Ordering::SeqCst) == 0 {
            let patch = "{\"spec\":{\"holderIdentity\":\"bob\"}}";
            server.kubectl(&["-n", &namespace, "patch", "lease/trueup-shop", "--type=merge", "-p", patch]);
        }
        Fault::Slow(4000)
    });
    fs::copy(&proxy.kubeconfig, shop.sandbox.path("home/admin.kubeconfig")).unwrap();
    shop.declare(&[("many.yaml", &many(64, "one"))]);
    let ran = shop.trueup(&["apply", "--yes"]).expect(7);
    assert!(
        ran.stdout.contains("the lock `") && ran.stdout.contains("was taken over by bob"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("the record is left to whoever has it now"), "{}", ran.stderr);
    let made = shop.kubectl(&["get", "configmaps", "-o", "name"]).matches("many-").count();
    assert!((16..=32).contains(&made), "{made}");
    // Nothing of it is lost: what was begun is recorded as such, and the next run goes on.
    shop.directly();
    shop.unlock();
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}
