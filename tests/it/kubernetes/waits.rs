//! `--wait`: until what was applied runs, and what is said where it does not.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use super::{SETTINGS, Shop};
use crate::sandbox::Ran;

/// A Deployment of two pods; without a node they never run, since nothing schedules them.
fn web(node: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: 2\n{more}\
         \x20 selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n\
         \x20   spec: {{{node}containers: [{{name: web, image: web}}]}}\n"
    )
}

#[test]
fn an_apply_that_waits_ends_once_everything_runs() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", &web("nodeName: n1, ", ""))]);
    shop.trueup(&["apply", "--yes", "--wait"]).expect(0);
    let available = shop.kubectl(&["get", "deployment/web", "-o", "jsonpath={.status.availableReplicas}"]);
    assert_eq!(available, "2");
}

#[test]
fn what_does_not_come_up_in_time_is_named_with_the_reason_every_time() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", &web("", "")), ("settings.yaml", SETTINGS)]);
    let ran = shop.trueup(&["apply", "--yes", "--wait", "--timeout", "2s"]).expect(7);
    let row = "not ready      create   apps/v1/Deployment/";
    assert!(
        ran.stdout.contains(row) && ran.stdout.contains("0 of 2 replicas are available"),
        "{}",
        ran.stdout
    );
    shop.trueup(&["plan"]).expect(0);
    // Nothing is left to be written, and still it does not run.
    let ran = shop.trueup(&["apply", "--yes", "--wait", "--timeout", "1"]).expect(7);
    assert!(ran.stdout.contains("not ready      keep"), "{}", ran.stdout);
    let pods = shop.kubectl(&["get", "pods", "-o", "name"]);
    let status = "{\"status\":{\"containerStatuses\":[{\"name\":\"web\",\"image\":\"web\",\"imageID\":\"\",\"ready\":false,\"restartCount\":0,\
                  \"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\",\"message\":\"no such image\"}}}]}}";
    shop.kubectl(&[
        "patch",
        pods.lines().next().unwrap(),
        "--subresource=status",
        "--type=merge",
        "-p",
        status,
    ]);
    let ran = shop.trueup(&["apply", "--yes", "--wait", "--timeout", "1"]).expect(7);
    assert!(ran.stdout.contains("container `web`: ImagePullBackOff no such image"), "{}", ran.stdout);
    let ran = shop.trueup(&["apply", "--yes", "--wait", "--timeout", "1", "-o", "json"]).expect(7);
    assert!(ran.stdout.contains("\"unready\""), "{}", ran.stdout);
    shop.apply();
}

#[test]
fn a_target_may_always_be_waited_for() {
    let Some(shop) = Shop::new() else { return };
    shop.configure("admin", ", wait: true, timeout: 1s");
    shop.declare(&[("web.yaml", &web("", ""))]);
    shop.trueup(&["apply", "--yes"]).expect(7);
    shop.trueup(&["apply", "--yes", "--no-wait"]).expect(0);
    shop.configure("admin", ", wait: true, timeout: 1");
    shop.sandbox.sh("commit 'Number'").expect(0);
    shop.trueup(&["apply", "--yes"]).expect(7);
    shop.configure("admin", ", timeout: soon");
    let ran = shop.trueup(&["plan"]).expect(78);
    assert!(
        ran.stderr.contains("`soon` is no duration") && ran.stderr.contains("trueup.yaml:3"),
        "{}",
        ran.stderr
    );
    shop.trueup(&["apply", "--wait", "--no-wait"]).expect(64);
    shop.trueup(&["apply", "--wait", "--timeout", "soon"]).expect(64);
}

#[test]
fn a_wait_can_be_interrupted() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", &web("", ""))]);
    let begun = Instant::now();
    let mut apply = shop.sandbox.command_trueup(&["apply", "--yes", "--wait", "--timeout", "60s"]);
    let child = apply.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !shop.kubectl(&["get", "deployments", "-o", "name"]).contains("web") {}
    shop.sandbox.sh(&format!("kill -INT {}", child.id())).expect(0);
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(130);
    assert!(begun.elapsed() < Duration::from_secs(30) && ran.stdout.contains("not ready"), "{}", ran.stdout);
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn what_has_failed_is_not_waited_for() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", &web("", "  progressDeadlineSeconds: 1\n"))]);
    let begun = Instant::now();
    let ran = shop.trueup(&["apply", "--yes", "--wait", "--timeout", "2m"]).expect(7);
    assert!(ran.stdout.contains("ProgressDeadlineExceeded"), "{}", ran.stdout);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn nothing_goes_before_what_comes_is_ready() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    shop.sandbox.sh("git rm -q k8s/settings.yaml").expect(0);
    shop.declare(&[("web.yaml", &web("", ""))]);
    let ran = shop.trueup(&["apply", "--yes", "--wait", "--timeout", "1s"]).expect(7);
    assert!(ran.stdout.contains("not attempted  delete   v1/ConfigMap"), "{}", ran.stdout);
    shop.kubectl(&["get", "configmap/settings"]);
    shop.declare(&[("web.yaml", &web("nodeName: n1, ", ""))]);
    shop.trueup(&["apply", "--yes", "--wait"]).expect(0);
    assert!(!shop.kubectl(&["get", "configmaps"]).contains("settings"));
}

#[test]
fn an_object_whose_controller_reports_is_waited_for() {
    let Some(shop) = Shop::new() else { return };
    let group = format!("{}.example.org", shop.namespace);
    let text = format!(
        "apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: one}}\nspec: {{size: 1}}\n---\n\
         apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Widget, plural: widgets}}\n  versions:\n\
         \x20 - {{name: v1, served: true, storage: true, subresources: {{status: {{}}}},\n\
         \x20    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}\n"
    );
    shop.declare(&[("all.yaml", &text)]);
    let wait = ["apply", "--yes", "--wait", "--timeout", "1s"];
    let ran = shop.trueup(&wait).expect(7);
    assert!(ran.stdout.contains("reported no status"), "{}", ran.stdout);
    let report = |ready: &str| {
        let status = format!(
            "{{\"status\":{{\"conditions\":[{{\"type\":\"Ready\",\"status\":\"{ready}\",\"reason\":\"Told\"}}]}}}}"
        );
        shop.kubectl(&[
            "patch",
            &format!("widgets.{group}/one"),
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ]);
    };
    report("False");
    assert!(shop.trueup(&wait).expect(7).stdout.contains("it is not Ready: Told"));
    report("True");
    shop.trueup(&wait).expect(0);
}

#[test]
fn a_job_is_waited_for_until_it_is_done() {
    let Some(shop) = Shop::new() else { return };
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\nspec:\n  template:\n    spec: \
               {nodeName: n1, restartPolicy: Never, containers: [{name: a, image: a}]}\n";
    shop.declare(&[("job.yaml", job)]);
    shop.trueup(&["apply", "--yes", "--wait", "--timeout", "60s"]).expect(0);
    let done = shop.kubectl(&["get", "job/once", "-o", "jsonpath={.status.succeeded}"]);
    assert_eq!(done, "1");
}
