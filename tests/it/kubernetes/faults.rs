//! What goes wrong between here and the server.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{SETTINGS, Shop, is_write, many, proxy::Fault, store};

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let mut count = 0;
    let Some((shop, _proxy)) = Shop::proxied(move |_| {
        count += 1;
        match count % 3 {
            0 => Fault::Status(429),
            1 if count % 2 == 0 => Fault::Status(503),
            _ => Fault::None,
        }
    }) else {
        return;
    };
    shop.declare(&[("many.yaml", &many(10, "one"))]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn a_server_that_wants_to_be_left_alone_for_long_is() {
    let Some((shop, _proxy)) = Shop::proxied(|line| match line {
        line if line.contains("labelSelector") => Fault::Busy(3600),
        line if is_write(line) && line.contains("/configmaps/settings") => Fault::Busy(1),
        _ => Fault::None,
    }) else {
        return;
    };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    let begun = Instant::now();
    let ran = shop.trueup(&["plan"]).expect(69);
    assert!(ran.stdout.contains("it asks to come back in 3600 seconds"), "{}", ran.stdout);
    assert!(begun.elapsed() < Duration::from_secs(30));
    shop.trueup(&["apply", "--yes"]).expect(69);
    shop.directly();
    shop.apply();
}

#[test]
fn a_list_that_fails_is_unknown_and_deletes_nothing() {
    for fault in [Fault::Status(500), Fault::Status(503), Fault::Half, Fault::Cut, Fault::Reset] {
        let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let seen = broken.clone();
        let Some((shop, _proxy)) = Shop::proxied(move |line| {
            let list = line.contains("labelSelector");
            let broken = seen.load(std::sync::atomic::Ordering::SeqCst);
            if list && broken { fault } else { Fault::None }
        }) else {
            return;
        };
        shop.declare(&[("many.yaml", &many(3, "one"))]);
        shop.apply();
        shop.declare(&[("many.yaml", &many(1, "two"))]);
        broken.store(true, std::sync::atomic::Ordering::SeqCst);
        let ran = shop.trueup(&["plan"]).expect(69);
        assert!(!ran.stdout.contains("delete many"), "{fault:?}: {}", ran.stdout);
        shop.trueup(&["apply", "--yes"]).expect(69);
        broken.store(false, std::sync::atomic::Ordering::SeqCst);
        shop.trueup(&["apply", "--yes", "--max-delete-percent", "100"]).expect(0);
        shop.trueup(&["plan"]).expect(0);
    }
}

/// Of what the server does not hold in memory, as PodTemplates here, it reads each page from its store.
#[test]
fn a_list_that_expires_on_the_way_is_begun_anew() {
    let server = super::server();
    let pages = Arc::new(AtomicUsize::new(0));
    let seen = pages.clone();
    let Some((shop, proxy)) = Shop::proxied(move |line| {
        if line.contains("continue=") && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            let server = server.expect("the proxy is before it");
            server.kubectl(&["annotate", "--overwrite", "node/n1", "moved=on"]);
            store::compact(server);
        }
        Fault::None
    }) else {
        return;
    };
    let template = |index| {
        format!(
            "apiVersion: v1\nkind: PodTemplate\nmetadata: {{name: many-{index}}}\ntemplate: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: web, image: \"web:1\"}}]}}}}\n---\n"
        )
    };
    shop.declare(&[("many.yaml", &(0..501).map(template).collect::<String>())]);
    shop.directly();
    shop.apply();
    fs::copy(&proxy.kubeconfig, shop.sandbox.path("home/admin.kubeconfig")).unwrap();
    shop.trueup(&["plan"]).expect(0);
    assert_eq!(pages.load(Ordering::SeqCst), 2, "one page that expired, and the one of the second try");
}

#[test]
fn a_slow_server_is_waited_for() {
    let Some((shop, _proxy)) =
        Shop::proxied(|line| if line.contains("labelSelector") { Fault::Slow(1500) } else { Fault::None })
    else {
        return;
    };
    shop.declare(&[("many.yaml", &many(3, "one"))]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn a_page_that_stands_in_the_way_is_no_answer() {
    let Some((shop, _proxy)) = Shop::proxied(|_| Fault::Status(503)) else { return };
    shop.declare(&[("many.yaml", &many(3, "one"))]);
    let ran = shop.trueup(&["plan"]).expect(69);
    assert!(
        ran.stderr.contains("something stands in the way") && ran.stderr.contains("HTTP 503"),
        "{}",
        ran.stderr
    );
    shop.trueup(&["apply", "--yes"]).expect(69);
}

#[test]
fn a_write_without_an_answer_is_looked_up() {
    let mut count = 0;
    let Some((shop, _proxy)) = Shop::proxied(move |line| {
        let write =
            line.starts_with("PATCH") && line.contains("/configmaps/many") && !line.contains("dryRun");
        count += usize::from(write);
        if write && count % 2 == 1 { Fault::Half } else { Fault::None }
    }) else {
        return;
    };
    shop.declare(&[("many.yaml", &many(6, "one"))]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}

#[test]
fn hostile_text_stays_text() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", SETTINGS)]);
    shop.apply();
    let patch = r#"{"metadata":{"annotations":{"note":"\u001b[31mred\n::error::boo"}},"data":{"colour":"\u001b[2J"}}"#;
    shop.kubectl(&["patch", "configmap/settings", "-p", patch]);
    for format in ["human", "markdown", "diff", "json"] {
        let ran = shop.trueup(&["drift", "-o", format]).expect(3);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stdout.contains("\n::error::"), "{}", ran.stdout);
    }
}

#[test]
fn a_megabyte_fits() {
    let Some(shop) = Shop::new() else { return };
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big}}\ndata: {{text: \"{}\"}}\n",
        "x".repeat(1_000_000)
    );
    shop.declare(&[("big.yaml", &text)]);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
}
