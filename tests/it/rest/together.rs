//! Two runs at once on one target.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    Checkout,
    crash::{FILE, gitea, kinto, powerdns, rabbitmq, start},
    powerdns,
    proxy::{Answer, Proxy},
};
use crate::parts::{Gitea, Kinto, PowerDns, RabbitMq};

/// Two applies of the same begin at once, again and again: one waits outside, or both agree.
fn twice_at_once(name: &str, checkout: &Checkout) {
    for _ in 0..3 {
        let exits = both(checkout);
        assert!(exits.iter().all(|exit| [0, 9].contains(exit)) && exits.contains(&0), "{name}: {exits:?}");
        checkout.run(&["plan"], 0);
    }
}

/// The same where the memory of the target has no version to check: a run that comes late may find what the other one
/// wrote, and leaves it alone then. Running it again completes it.
fn twice_without_versions(checkout: &Checkout) {
    for _ in 0..3 {
        let exits = both(checkout);
        assert!(exits.iter().all(|exit| [0, 6, 7, 9].contains(exit)), "{exits:?}");
        checkout.apply(&[]);
    }
}

fn both(checkout: &Checkout) -> [i32; 2] {
    [start(checkout), start(checkout)].map(|mut child| child.wait().unwrap().code().unwrap())
}

#[test]
fn of_two_runs_at_once_on_kinto_one_waits_outside_or_both_agree() {
    let Some(server) = Kinto::get() else { return };
    for (name, memory) in [("twice", FILE), ("twins", "with: {memory_bucket: twins-memory}")] {
        twice_at_once(name, &kinto(name, &server.url, memory));
    }
}

#[test]
fn of_two_runs_at_once_on_gitea_one_waits_outside() {
    let Some(server) = Gitea::get() else { return };
    twice_at_once("gitea", &gitea("twice", &server.url, server));
    let labels = server.curl("GET", "/repos/twice/web/labels", "").unwrap();
    assert_eq!(labels.matches("\"name\"").count(), 2, "{labels}");
}

#[test]
fn two_runs_at_once_on_rabbitmq_do_no_harm() {
    let Some(server) = RabbitMq::get() else { return };
    twice_without_versions(&rabbitmq("twice", &server.url));
}

#[test]
fn two_runs_at_once_on_powerdns_do_no_harm() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    twice_without_versions(&powerdns("twice", &server.url, server));
}

/// A proxy that lets no write through whose path ends so, until it is let go.
struct Gate {
    proxy: Proxy,
    /// 0 before anything came, 1 while it is held, 2 once it is let go.
    state: Arc<AtomicUsize>,
}

impl Gate {
    fn new(upstream: &str, end: &'static str) -> Gate {
        let state = Arc::new(AtomicUsize::new(0));
        let shared = state.clone();
        let proxy = Proxy::start(upstream, move |asked| {
            let held = asked.method != "GET" && asked.path.ends_with(end);
            if held && shared.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                reaches(&shared, 2);
            }
            Answer::Forward
        });
        Gate { proxy, state }
    }

    fn holds(&self) {
        reaches(&self.state, 1);
    }

    fn open(&self) {
        self.state.store(2, Ordering::SeqCst);
    }
}

fn reaches(state: &AtomicUsize, wanted: usize) {
    while state.load(Ordering::SeqCst) < wanted {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_second_run_is_told_who_holds_the_target() {
    let Some(server) = Kinto::get() else { return };
    let gate = Gate::new(&server.url, "");
    let checkout = kinto("held", &gate.proxy.url, FILE);
    let mut first = start(&checkout);
    gate.holds();
    let second = checkout.run(&["apply", "--yes"], 9);
    assert!(second.stderr.contains("alice"), "{}", second.stderr);
    gate.open();
    assert_eq!(first.wait().unwrap().code(), Some(0));
}

/// Without versions, a run that comes while another one is at work is not kept out. What either of them made is
/// remembered all the same.
#[test]
fn what_two_runs_made_that_overlapped_is_remembered() {
    let Some(server) = RabbitMq::get() else { return };
    let gate = Gate::new(&server.url, "/users/overlap");
    let checkout = rabbitmq("overlap", &gate.proxy.url);
    let mut first = start(&checkout);
    gate.holds();
    let other = "user: [{name: overlap-other, password: {$file: ../home/field}}]\n";
    let mine = checkout.sandbox.read("checkout/objects/all.yaml");
    checkout.commit("all.yaml", other);
    checkout.run(&["apply", "--yes"], 0);
    gate.open();
    assert_eq!(first.wait().unwrap().code(), Some(9));
    checkout.commit("all.yaml", &mine);
    checkout.commit("more.yaml", other);
    checkout.apply(&[]);
}
