//! Lists are read page by page, and tell the same however they come.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use super::{Shop, many, proxy::Fault};

#[test]
fn objects_of_one_kind_may_be_declared_in_two_versions() {
    let Some(shop) = Shop::new() else { return };
    let scaler = |version: &str, name: &str| {
        format!(
            "apiVersion: autoscaling/{version}\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {name}}}\n\
             spec: {{minReplicas: 1, maxReplicas: 3, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}}}\n"
        )
    };
    shop.declare(&[("a.yaml", &scaler("v1", "a")), ("b.yaml", &scaler("v2", "b"))]);
    shop.apply();
    let ran = shop.trueup(&["plan"]).expect(0);
    assert!(ran.stdout.contains("2 objects"), "{}", ran.stdout);
}

#[test]
fn a_page_that_breaks_on_the_way_is_asked_for_again() {
    let next = Arc::new(Mutex::new(None));
    let fault = next.clone();
    let decide = move |line: &str| match line.contains("continue=") {
        true => fault.lock().unwrap().take().unwrap_or(Fault::None),
        false => Fault::None,
    };
    let Some((shop, proxy)) = Shop::proxied(decide) else { return };
    shop.declare(&[("many.yaml", &many(501, "one"))]);
    shop.directly();
    shop.apply();
    fs::copy(&proxy.kubeconfig, shop.sandbox.path("home/admin.kubeconfig")).unwrap();
    for fault in [Fault::Cut, Fault::Half, Fault::Reset, Fault::Status(500)] {
        *next.lock().unwrap() = Some(fault);
        let ran = shop.trueup(&["plan"]).expect(0);
        assert!(ran.stdout.contains("501 objects"), "{fault:?}: {}", ran.stdout);
        assert!(next.lock().unwrap().is_none(), "{fault:?} never happened");
    }
}
