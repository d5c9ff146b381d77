//! Replaces that stop between the delete and the create, and objects that something holds while they are deleted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Shop, proxy::Fault, share};

/// An object that only changes by being made anew.
fn fixed(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: fixed}}\nimmutable: true\ndata: {{a: {value}}}\n"
    )
}

const OTHER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n";

const REPLACE: [&str; 6] = ["apply", "--yes", "--allow-replace", "**", "--max-delete-percent", "100"];

/// What the cluster has of `a`.
fn value(shop: &Shop) -> String {
    shop.kubectl(&["get", "configmap/fixed", "-o", "jsonpath={.data.a}"])
}

/// The next plan is a plain create, and an apply without any consent makes it good.
#[track_caller]
fn is_made_good(shop: &Shop) {
    let plan = shop.trueup(&["plan"]).expect(2);
    assert!(plan.stdout.contains(".+ ") && plan.stdout.contains("1 create"), "{}", plan.stdout);
    shop.apply();
    assert_eq!(value(shop), "two");
    shop.trueup(&["plan"]).expect(0);
}

/// Forbids what no dry run is.
fn policy(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: {name}}}\n\
         spec: {{matchConstraints: {{resourceRules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}}]}}, \
         validations: [{{expression: \"has(request.dryRun) && request.dryRun || request.namespace != '{namespace}' || request.name != 'fixed'\"}}]}}\n\
         ---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: {name}}}\n\
         spec: {{policyName: {name}, validationActions: [Deny]}}\n"
    )
}

#[test]
fn a_replace_of_which_the_create_is_denied_is_a_create() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("fixed.yaml", &fixed("one")), ("other.yaml", OTHER)]);
    shop.apply();
    let name = format!("deny-{}", shop.namespace);
    shop.server.kubectl_as("admin", &["apply", "-f", "-"], &policy(&name, &shop.namespace));
    // It takes the server a moment to heed a policy.
    let probe = fixed("probe");
    let begun = Instant::now();
    while shop
        .server
        .try_kubectl("admin", &["-n", &shop.namespace, "create", "-f", "-"], &probe)
        .1
        .contains("AlreadyExists")
        && begun.elapsed() < Duration::from_secs(20)
    {
        thread::sleep(Duration::from_millis(200));
    }
    shop.declare(&[("fixed.yaml", &fixed("two"))]);
    let ran = shop.trueup(&REPLACE).expect(7);
    assert!(ran.stderr.contains("denied") || ran.stdout.contains("denied"), "{}{}", ran.stdout, ran.stderr);
    shop.kubectl(&["delete", "validatingadmissionpolicybinding", &name]);
    shop.kubectl(&["delete", "validatingadmissionpolicy", &name]);
    let begun = Instant::now();
    let dry = ["-n", &shop.namespace, "create", "-f", "-"];
    let other = probe.replace("name: fixed", "name: probe");
    while !shop.server.try_kubectl("admin", &dry, &other).0 && begun.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(200));
    }
    thread::sleep(Duration::from_secs(2));
    is_made_good(&shop);
}

#[test]
fn a_replace_that_is_killed_in_between_is_a_create() {
    let deleted = Arc::new(AtomicBool::new(false));
    let seen = deleted.clone();
    let decide = move |line: &str| {
        let is_about = line.contains("/configmaps/fixed") && !line.contains("dryRun");
        match is_about && line.starts_with("DELETE") {
            true => {
                seen.store(true, Ordering::SeqCst);
                Fault::Held
            }
            false => Fault::None,
        }
    };
    let Some((shop, proxy)) = Shop::proxied(decide) else { return };
    shop.declare(&[("fixed.yaml", &fixed("one")), ("other.yaml", OTHER)]);
    shop.apply();
    shop.declare(&[("fixed.yaml", &fixed("two"))]);
    let others_may_too = share();
    let mut child = shop.sandbox.command_trueup(&REPLACE).spawn().unwrap();
    proxy.held.recv_timeout(Duration::from_secs(60)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(others_may_too);
    assert!(deleted.load(Ordering::SeqCst));
    shop.directly();
    shop.unlock();
    is_made_good(&shop);
}

fn held(object: &str) -> String {
    object.replace("name: fixed", "name: fixed, finalizers: [example.org/held]")
}

const LET_GO: [&str; 4] = [
    "patch",
    "configmap/fixed",
    "--type=json",
    "-p=[{\"op\": \"remove\", \"path\": \"/metadata/finalizers\"}]",
];

#[test]
fn an_object_that_is_held_is_waited_for_and_its_finalizers_are_named() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("fixed.yaml", &held(&fixed("one"))), ("other.yaml", OTHER)]);
    shop.apply();
    shop.sandbox.sh("git rm -q k8s/fixed.yaml; commit 'Drop'").expect(0);
    let ran = shop.trueup(&["apply", "--yes", "--max-delete-percent", "100"]).expect(7);
    let said = "it is being deleted, and waits for its finalizers: example.org/held";
    assert!(ran.stdout.clone().contains(said) || ran.stderr.contains(said), "{}{}", ran.stdout, ran.stderr);
    let plan = shop.trueup(&["plan"]).expect(0);
    assert!(plan.stdout.contains(said) && !plan.stdout.contains("1 delete"), "{}", plan.stdout);
    shop.apply();
    // Declared again while it is going, it is made once it is gone.
    shop.declare(&[("fixed.yaml", &fixed("two"))]);
    let plan = shop.trueup(&["plan"]).expect(2);
    assert!(plan.stdout.contains(said) && plan.stdout.contains("1 create"), "{}", plan.stdout);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_secs(2));
            shop.kubectl(&LET_GO);
        });
        shop.apply();
    });
    assert_eq!(value(&shop), "two");
    shop.trueup(&["plan"]).expect(0);
}
