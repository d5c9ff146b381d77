//! Which server, and what is said where there is no way to it.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{SETTINGS, Shop, share};
use crate::sandbox::{Ran, Sandbox};

/// A plan against a server that nobody of the tests started.
fn plan_against(server: &str) -> (Ran, Duration) {
    let sandbox = Sandbox::new();
    let config =
        "version: 1\ntargets:\n  shop: {provider: kubernetes, path: k8s, kubeconfig: ../home/config}\n";
    sandbox.write("checkout/trueup.yaml", config);
    sandbox.write("checkout/k8s/settings.yaml", SETTINGS);
    let kubeconfig = format!(
        "clusters: [{{name: c, cluster: {{server: \"{server}\"}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n\
         contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
    );
    sandbox.write("home/config", kubeconfig);
    let begun = Instant::now();
    (sandbox.trueup(&["plan"]), begun.elapsed())
}

#[test]
fn a_closed_port_is_said_at_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (ran, took) = plan_against(&format!("https://127.0.0.1:{port}"));
    let ran = ran.expect(69);
    let wanted = format!("connecting to `https://127.0.0.1:{port}`: connection refused");
    assert!(ran.stderr.contains(&wanted) && ran.stderr.contains("hint: start the server"), "{}", ran.stderr);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_long() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (ran, took) = plan_against(&format!("https://{}", silent.local_addr().unwrap()));
    assert!(ran.expect(69).stderr.contains("nobody answers"));
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_name_that_does_not_exist_is_said() {
    let ran = plan_against("http://no..name:6443").0.expect(69);
    assert!(
        ran.stderr.contains("`http://no..name:6443`") && ran.stderr.contains("name service"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_server_that_speaks_no_tls_is_said() {
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = plain.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in plain.incoming().flatten() {
            let _ = client.read(&mut [0; 512]);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let ran = plan_against(&format!("https://{place}")).0.expect(69);
    assert!(ran.stderr.contains("the right scheme and port"), "{}", ran.stderr);
}

/// A shop whose kubeconfig is that of `admin` with a few words replaced.
pub(super) fn changed(replaced: &[(&str, &str)]) -> Option<Shop> {
    let shop = Shop::new()?;
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let text = shop.sandbox.read("home/admin.kubeconfig");
    let text = replaced.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replace(from, to)
    });
    shop.sandbox.write("home/admin.kubeconfig", text);
    Some(shop)
}

#[test]
fn the_certificate_has_to_be_for_the_right_name() {
    let name = |name: &str| format!("cluster: {{tls-server-name: {name}, server");
    let Some(shop) = changed(&[("cluster: {server", &name("example.org"))]) else { return };
    let ran = shop.trueup(&["plan"]).expect(69);
    for said in ["example.org", "https://127.0.0.1:", "hint: ", "`tls-server-name`"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let Some(shop) = changed(&[("cluster: {server", &name("kubernetes.default"))]) else { return };
    shop.trueup(&["plan"]).expect(2);
}

#[test]
fn the_certificate_has_to_be_valid_today() {
    let Some(shop) = changed(&[
        ("cluster: {server", "cluster: {tls-server-name: expired.example.org, server"),
        ("certs/apiserver.crt", "ca.crt"),
    ]) else {
        return;
    };
    for verb in [&["plan"][..], &["apply", "--yes"]] {
        let ran = shop.trueup(verb).expect(69);
        assert!(
            ran.stderr.contains("xpired") && ran.stderr.contains("renew the certificate"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn the_certificate_has_to_be_signed_by_somebody_known() {
    let Some(shop) = Shop::new() else { return };
    let other = shop.sandbox.path("home/other.crt");
    shop.sandbox
        .sh(&format!(
            "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout /dev/null -out {}",
            other.display()
        ))
        .expect(0);
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let known = shop.server.folder.join("certs/apiserver.crt").display().to_string();
    let text = shop.sandbox.read("home/admin.kubeconfig");
    let nobody = text.replace(&format!(", certificate-authority: {known}"), "");
    for text in [text.replace(&known, &other.display().to_string()), nobody] {
        shop.sandbox.write("home/admin.kubeconfig", text);
        let ran = shop.trueup(&["plan"]).expect(69);
        assert!(
            ran.stderr.contains("does not trust") && ran.stderr.contains("`certificate-authority`"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn the_files_of_kubeconfig_count_together() {
    let Some(shop) = changed(&[]) else { return };
    let text = shop.sandbox.read("home/admin.kubeconfig");
    let part = |key: &str| text.lines().filter(|line| line.starts_with(key)).collect::<String>();
    shop.sandbox.write("home/one", part("clusters:"));
    shop.sandbox.write("home/two", format!("{}\n{}", part("users:"), part("contexts:")));
    let config = shop.sandbox.read("checkout/trueup.yaml");
    shop.sandbox.write("checkout/trueup.yaml", config.replace("kubeconfig: ../home/admin.kubeconfig, ", ""));
    let plan = |list: &str| -> Ran {
        let _others_may_too = share();
        shop.sandbox.command_trueup(&["plan"]).env("KUBECONFIG", list).output().unwrap().into()
    };
    plan("../home/one:../home/none:../home/two").expect(2);
    assert!(plan("../home/one").expect(78).stderr.contains("no context"));
    assert!(plan("../home/none").expect(78).stderr.contains("KUBECONFIG"));
    let ran = shop.trueup(&["plan"]).expect(78);
    assert!(ran.stderr.contains("no kubeconfig"), "{}", ran.stderr);
    shop.sandbox.write("home/.kube/config", &text);
    shop.trueup(&["plan"]).expect(2);
}

#[test]
fn the_wrong_cluster_is_refused() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.configure("admin", ", expect-id: 00000000-0000-0000-0000-000000000000");
    let ran = shop.trueup(&["plan"]).expect(78);
    assert!(ran.stderr.contains("another cluster"), "{}", ran.stderr);
    let uid = shop.kubectl(&["get", "namespace/kube-system", "-o", "jsonpath={.metadata.uid}"]);
    shop.configure("admin", &format!(", expect-id: {uid}"));
    shop.trueup(&["plan"]).expect(2);
}

#[test]
fn nobody_guesses_which_of_several_contexts_is_meant() {
    let second = "contexts: [{name: other, context: {cluster: local, user: admin}}, ";
    let Some(shop) = changed(&[("contexts: [", second)]) else { return };
    let ran = shop.trueup(&["plan"]).expect(78);
    assert!(ran.stderr.contains("one of admin, other"), "{}", ran.stderr);
    let config = shop.sandbox.read("checkout/trueup.yaml");
    let with = |context: &str| config.replace("kubeconfig:", &format!("context: {context}, kubeconfig:"));
    shop.sandbox.write("checkout/trueup.yaml", with("third"));
    assert!(shop.trueup(&["plan"]).expect(78).stderr.contains("no context `third`"));
    shop.sandbox.write("checkout/trueup.yaml", with("other"));
    shop.trueup(&["plan"]).expect(2);
}

#[test]
fn the_namespace_of_a_context_is_not_heeded_silently() {
    let Some(shop) =
        changed(&[("context: {cluster: local", "context: {namespace: elsewhere, cluster: local")])
    else {
        return;
    };
    assert!(!shop.trueup(&["plan"]).expect(2).stdout.contains("elsewhere"));
    let config = shop.sandbox.read("checkout/trueup.yaml");
    let namespace = format!("namespace: {}", shop.namespace);
    shop.sandbox.write("checkout/trueup.yaml", config.replace(&namespace, "set: other"));
    let ran = shop.trueup(&["plan"]).expect(2);
    assert!(
        ran.stdout.contains("has the namespace `elsewhere`; here, what names none is in `default`"),
        "{}",
        ran.stdout
    );
}

/// A proxy that leads every CONNECT to `server`, and how often it did.
fn tunnel(server: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let head = super::proxy::read_message(&mut client).unwrap_or_default();
            if !head.starts_with(b"CONNECT ") {
                continue;
            }
            counted.fetch_add(1, Ordering::SeqCst);
            let behind = TcpStream::connect(&server).unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            pump(client.try_clone().unwrap(), behind.try_clone().unwrap());
            pump(behind, client);
        }
    });
    (port, count)
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}

#[test]
fn requests_go_through_the_proxy_of_the_kubeconfig_or_the_environment() {
    let Some(shop) = changed(&[]) else { return };
    let text = shop.sandbox.read("home/admin.kubeconfig");
    let place = text.split("https://").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (port, count) = tunnel(place.clone());
    let proxy = format!("http://127.0.0.1:{port}");
    shop.sandbox
        .write("home/admin.kubeconfig", text.replace("server:", &format!("proxy-url: \"{proxy}\", server:")));
    shop.trueup(&["plan"]).expect(2);
    assert!(count.swap(0, Ordering::SeqCst) > 0);
    let plan = |variables: &[(&str, &str)]| -> Ran {
        let _others_may_too = share();
        shop.sandbox.command_trueup(&["plan"]).envs(variables.iter().copied()).output().unwrap().into()
    };
    // This machine itself is not asked through a proxy of the environment.
    shop.sandbox.write("home/admin.kubeconfig", &text);
    plan(&[("HTTPS_PROXY", &proxy)]).expect(2);
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let elsewhere = text.replace(&place, "kubernetes.default:443");
    shop.sandbox.write("home/admin.kubeconfig", &elsewhere);
    plan(&[("HTTPS_PROXY", &proxy)]).expect(2);
    assert!(count.swap(0, Ordering::SeqCst) > 0);
    // Excepted and unknown to the name service: `.` alone ends a name that nothing can complete.
    shop.sandbox.write("home/admin.kubeconfig", elsewhere.replace("kubernetes.default:443", "no..name:443"));
    let ran = plan(&[("HTTPS_PROXY", &proxy), ("NO_PROXY", "no..name")]).expect(69);
    assert!(count.load(Ordering::SeqCst) == 0 && !ran.stderr.contains("proxy `"), "{}", ran.stderr);
}
