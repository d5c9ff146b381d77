//! As whom the server is asked.

use std::fs;

use super::{SETTINGS, Shop, connection::changed, share};
use crate::{sandbox::Ran, skip};

#[test]
fn a_token_that_is_not_valid_is_refused_with_a_way_out() {
    let Some(shop) = changed(&[("token: admin", "token: expired")]) else { return };
    for verb in [&["plan"][..], &["apply", "--yes"]] {
        let ran = shop.trueup(verb).expect(77);
        assert!(ran.stderr.contains("log in again"), "{}", ran.stderr);
    }
}

/// Lets a program give the credentials of `admin`.
fn with_program(shop: &Shop, script: &str, hint: &str) {
    shop.sandbox.write("home/login", format!("#!/bin/sh\n{script}\n"));
    shop.sandbox.sh("chmod +x ../home/login").expect(0);
    let text = shop.sandbox.read("home/admin.kubeconfig");
    let exec = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: ./login{hint}}}"
    );
    shop.sandbox.write("home/admin.kubeconfig", text.replace("token: admin", &exec));
}

const CREDENTIAL: &str = r#"echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"admin"}}'"#;

#[test]
fn a_program_gives_the_credentials() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    with_program(&shop, &format!("echo run >> \"$HOME/runs\"\n{CREDENTIAL}"), "");
    shop.trueup(&["plan"]).expect(2);
    assert_eq!(shop.sandbox.read("home/runs"), "run\n");
    let ran = shop.trueup(&["plan", "--no-exec"]).expect(78);
    assert!(ran.stderr.contains("`--no-exec` runs none"), "{}", ran.stderr);
    assert_eq!(shop.sandbox.read("home/runs"), "run\n");
}

#[test]
fn a_program_that_gives_no_credentials_is_named() {
    let cases = [
        ("echo canary; echo 'log in first' >&2; exit 3", 77, "exit status: 3: log in first"),
        ("echo canary", 78, "no ExecCredential"),
        (r#"echo '{"kind":"ExecCredential"}'"#, 78, "gives the credentials"),
    ];
    for (script, exit, said) in cases {
        let Some(shop) = Shop::new() else { return };
        shop.declare(&[("settings.yaml", SETTINGS)]);
        with_program(&shop, script, "");
        let ran = shop.trueup(&["plan"]).expect(exit);
        assert!(ran.stderr.contains(said) && !ran.stderr.contains("canary"), "{}", ran.stderr);
    }
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    with_program(&shop, "", ", installHint: get it from example.org");
    fs::remove_file(shop.sandbox.path("home/login")).unwrap();
    let ran = shop.trueup(&["plan"]).expect(78);
    assert!(
        ran.stderr.contains("/login` ") && ran.stderr.contains("hint: get it from example.org"),
        "{}",
        ran.stderr
    );
}

/// In a name space of mounts, so that the account of a pod can be laid out as in a pod.
#[test]
fn a_pod_is_who_its_account_says() {
    let Some(shop) = changed(&[]) else { return };
    let config = shop.sandbox.read("checkout/trueup.yaml");
    shop.sandbox.write("checkout/trueup.yaml", config.replace("kubeconfig: ../home/admin.kubeconfig, ", ""));
    let text = shop.sandbox.read("home/admin.kubeconfig");
    let port = text.split("127.0.0.1:").nth(1).unwrap().split('"').next().unwrap();
    let script = format!(
        "mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount && \
         cd /run/secrets/kubernetes.io/serviceaccount && echo -n admin > token && echo -n default > namespace && \
         cp {}/certs/apiserver.crt ca.crt && cd \"$SANDBOX/checkout\" && \
         KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT={port} trueup plan",
        shop.server.folder.display()
    );
    if skip::lacks_mounts() {
        return;
    }
    let _others_may_too = share();
    let ran: Ran = shop.sandbox.command("unshare").args(["-m", "sh", "-c", &script]).output().unwrap().into();
    ran.expect(2);
}

#[test]
fn a_client_certificate_says_who_asks() {
    let Some(shop) = changed(&[]) else { return };
    let folder = shop.server.folder.display();
    let text = shop.sandbox.read("home/admin.kubeconfig");
    let user = format!("client-certificate: {folder}/client.crt, client-key: {folder}/client.key");
    shop.sandbox.write("home/admin.kubeconfig", text.replace("token: admin", &user));
    shop.trueup(&["plan"]).expect(2);
}
