//! Servers that are ended in the middle of an apply, and started again. Kinto keeps all in memory here, so it has
//! nothing to come back to; Caddy does not answer through a proxy.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    Checkout, crash, etcd,
    proxy::{Answer, Proxy},
    small,
    store::Stored,
};
use crate::parts::{Etcd, Gitea, RabbitMq};

/// When the server ends: the write never comes to it, or it is done and the answer is lost.
#[derive(Clone, Copy)]
enum Loses {
    Request,
    Answer,
}

/// A proxy before a server that ends with the write number `fatal`, and is started again a little later.
fn ending(
    upstream: &str,
    fatal: usize,
    loses: Loses,
    end: impl Fn() + Send + Sync + 'static,
    run: impl Fn() + Send + Sync + 'static,
) -> Proxy {
    let (writes, run) = (AtomicUsize::new(0), Arc::new(run));
    let server = upstream.to_owned();
    Proxy::start(upstream, move |asked| {
        if asked.method == "GET"
            || asked.path.ends_with("/range")
            || writes.fetch_add(1, Ordering::SeqCst) + 1 != fatal
        {
            return Answer::Forward;
        }
        if let Loses::Answer = loses {
            asked.forward(&server);
        }
        end();
        let again = run.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            again();
        });
        Answer::Drop
    })
}

/// Applies while the server ends and comes back, and again until everything is there: what could not be done is
/// said, and nothing is left.
fn completed(checkout: &Checkout, proxy: &Proxy, fatal: usize) {
    for _ in 0..3 {
        let ran = checkout.sandbox.trueup(&["apply", "--yes", "--lock-timeout", "10"]);
        match ran.exit {
            0 => break,
            code => assert!([1, 7, 69].contains(&code), "{code}: {}{}", ran.stdout, ran.stderr),
        }
        thread::sleep(Duration::from_secs(1));
    }
    let writes = small::writes(proxy).into_iter().filter(|request| !request.ends_with("/range")).count();
    assert!(writes >= fatal, "{writes} writes");
    checkout.run(&["plan"], 0);
    checkout.run(&["drift"], 0);
}

#[test]
fn gitea_that_is_started_anew_gets_the_rest_once() {
    let Some(gitea) = Gitea::own() else { return };
    let server = Arc::new(gitea);
    for (fatal, loses) in (1..=6).zip([Loses::Request, Loses::Answer].into_iter().cycle()) {
        let (ends, runs) = (server.clone(), server.clone());
        let proxy = ending(&server.url, fatal, loses, move || ends.service.end(), move || runs.service.run());
        let name = format!("anew{fatal}{}", loses as u8);
        completed(&crash::gitea(&name, &proxy.url, &server), &proxy, fatal);
        let labels = server.curl("GET", &format!("/repos/{name}/web/labels"), "").unwrap();
        assert_eq!(labels.matches("\"name\"").count(), 2, "{labels}");
    }
}

#[test]
fn etcd_that_is_started_anew_gets_the_rest() {
    let Some(etcd) = Etcd::own() else { return };
    let server = Arc::new(etcd);
    for (fatal, loses) in (1..=3).flat_map(|fatal| [(fatal, Loses::Request), (fatal, Loses::Answer)]) {
        let (ends, runs) = (server.clone(), server.clone());
        let proxy = ending(&server.url, fatal, loses, move || ends.service.end(), move || runs.service.run());
        let checkout = etcd::checkout(&proxy.url);
        let name = format!("anew{fatal}{}", loses as u8);
        checkout.commit("k.yaml", &format!("key:\n  - {{key: {name}/a, value: a}}\n  - {{key: {name}/b, value: b}}\n  - {{key: {name}/c, value: c}}\n"));
        completed(&checkout, &proxy, fatal);
    }
}

#[test]
fn rabbitmq_that_is_started_anew_gets_the_rest() {
    let Some(server) = RabbitMq::own() else { return };
    let server = Arc::new(server);
    for (fatal, loses) in [(2, Loses::Request), (5, Loses::Answer), (7, Loses::Request)] {
        let (ends, runs) = (server.clone(), server.clone());
        let end = move || _ = ends.ctl(&["stop_app"]);
        let proxy = ending(&server.url, fatal, loses, end, move || _ = runs.ctl(&["start_app"]));
        completed(&crash::rabbitmq(&format!("anew{fatal}"), &proxy.url), &proxy, fatal);
    }
}

#[test]
fn what_was_made_without_an_answer_is_ours_once_the_server_is_back() {
    // A room, which takes more than one write to make, and a queue, which takes one.
    for (fatal, made) in [(1, "/rooms/r"), (2, "/rooms/r/queues/jobs")] {
        let stored = Stored::new("");
        let (store, writes, down) =
            (stored.store.clone(), AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
        let is_down = down.clone();
        let proxy = Proxy::start("", move |asked| {
            if is_down.load(Ordering::SeqCst) {
                return Answer::Drop;
            }
            let answer = store.answer(asked);
            if asked.method == "GET" || writes.fetch_add(1, Ordering::SeqCst) + 1 != fatal {
                return answer;
            }
            is_down.store(true, Ordering::SeqCst);
            Answer::Drop
        });
        let config =
            stored.checkout.sandbox.read("checkout/trueup.yaml").replace(&stored.proxy.url, &proxy.url);
        stored.checkout.sandbox.write("checkout/trueup.yaml", config);
        stored.checkout.commit(
            "all.yaml",
            "scope: {room: r}\nroom: [{name: r, about: ours}]\nqueue: [{name: jobs, size: 3}]\n",
        );
        stored.checkout.run(&["apply", "--yes"], 7);
        assert!(stored.store.get(made).is_some(), "{made}");
        down.store(false, Ordering::SeqCst);
        let plan = stored.checkout.sandbox.trueup(&["plan"]).stdout;
        assert!(plan.contains("got no answer to some of its writes"), "{plan}");
        stored.checkout.apply(&[]);
        stored.checkout.run(&["drift"], 0);
        let log = stored.checkout.run(&["log"], 0).stdout;
        assert_eq!(log.matches("partial").count(), 1, "{log}");
        // It is ours, so it goes where Git drops it.
        stored.checkout.commit("all.yaml", "scope: {room: r}\nroom: []\nqueue: []\n");
        let delete = ["--allow-empty", "--allow-emptied", "**", "--max-delete-percent", "100"];
        stored.checkout.run(&[&["apply", "--yes"], &delete[..]].concat(), 0);
        assert_eq!(stored.store.paths(), Vec::<String>::new());
    }
}
