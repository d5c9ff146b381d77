//! Runs that are killed, or lose the server half way.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    Checkout, powerdns,
    proxy::{Answer, Proxy},
};
use crate::parts::{Gitea, Kinto, PowerDns, RabbitMq};

/// Kills trueup with the write number `fatal`, which the server does. Answers whether it came to that.
fn killed(upstream: &str, fatal: usize, make: &dyn Fn(&str) -> Checkout) -> bool {
    let (pid, writes) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicUsize::new(0)));
    let (victim, seen) = (pid.clone(), writes.clone());
    let proxy = Proxy::start(upstream, move |asked| {
        if asked.method == "GET" || seen.fetch_add(1, Ordering::SeqCst) + 1 != fatal {
            return Answer::Forward;
        }
        // `kill -9 0` would end the whole group.
        while victim.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        let pid = victim.load(Ordering::SeqCst).to_string();
        Command::new("kill").args(["-9", &pid]).status().unwrap();
        Answer::Swallow
    });
    let checkout = make(&proxy.url);
    let mut child = start(&checkout);
    pid.store(child.id(), Ordering::SeqCst);
    child.wait().unwrap();
    // The last request outlives who sent it; run again beside it, either may be refused.
    proxy.settle();
    let came = writes.load(Ordering::SeqCst) >= fatal;
    checkout.run(&["apply", "--yes"], 0);
    checkout.run(&["plan"], 0);
    checkout.run(&["drift"], 0);
    came
}

/// Kills trueup with each write in turn, until one run needs fewer.
fn killed_at_each(upstream: &str, least: usize, make: &dyn Fn(usize, &str) -> Checkout) {
    let writes = (1..40).take_while(|fatal| killed(upstream, *fatal, &|url| make(*fatal, url))).count();
    assert!((least..39).contains(&writes), "killed {writes} times");
}

/// Begins an apply.
pub fn start(checkout: &Checkout) -> std::process::Child {
    let mut command = checkout.sandbox.command_trueup(&["apply", "--yes"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A bucket with two records; what was applied is remembered by the server, or in a file.
pub fn kinto(name: &str, url: &str, memory: &str) -> Checkout {
    let options = format!(
        "provider: kinto, url: '{url}', credentials: {{user: admin, file: ../home/secret}}, timeout_s: 3, {memory}"
    );
    let checkout = Checkout::new(&options, "p4ssw0rd-canary");
    let declared = format!(
        "scope: {{bucket: {name}, collection: c}}\nmanaged: [record]\nbucket: [{{id: {name}}}]\ncollection: [{{id: c}}]\nrecord:\n  - {{id: a, n: 1}}\n  - {{id: b, n: 2}}\n"
    );
    checkout.commit("all.yaml", &declared);
    checkout
}

/// Remembered in a file.
pub const FILE: &str = "state: ../target/state.json";

#[test]
fn killed_after_any_write_to_kinto_it_is_completed_by_running_it_again() {
    let Some(server) = Kinto::get() else { return };
    killed_at_each(&server.url, 4, &|fatal, url| kinto(&format!("killed{fatal}"), url, FILE));
    killed_at_each(&server.url, 8, &|fatal, url| {
        let memory = format!("with: {{memory_bucket: remembers{fatal}}}");
        kinto(&format!("forgotten{fatal}"), url, &memory)
    });
}

/// An organisation with a repository, and what is in that.
pub fn gitea(name: &str, url: &str, server: &Gitea) -> Checkout {
    let options = format!("provider: gitea, url: '{url}', credentials: {{file: ../home/secret}}, {FILE}");
    let checkout = Checkout::new(&options, &server.token);
    let declared = format!(
        "scope: {{owner: {name}, repo: web}}\norganisation: [{{username: {name}}}]\nrepository: [{{name: web, topics: [a]}}]\nlabel:\n  - {{name: bug, color: 'ff0000'}}\n  - {{name: idea, color: '00ff00'}}\nactions_variable: [{{name: A, value: b}}]\n"
    );
    checkout.commit("all.yaml", &declared);
    checkout
}

#[test]
fn killed_after_any_write_to_gitea_nothing_is_made_twice() {
    let Some(server) = Gitea::get() else { return };
    killed_at_each(&server.url, 6, &|fatal, url| gitea(&format!("killed{fatal}"), url, server));
    for fatal in 1..=6 {
        let labels = server.curl("GET", &format!("/repos/killed{fatal}/web/labels"), "").unwrap();
        assert_eq!(labels.matches("\"name\"").count(), 2, "{labels}");
    }
}

/// A virtual host with all that is in one, and a user.
pub fn rabbitmq(name: &str, url: &str) -> Checkout {
    let options =
        format!("provider: rabbitmq, url: '{url}', credentials: {{user: guest, file: ../home/secret}}");
    let checkout = Checkout::named(name, &options, "guest");
    checkout.sandbox.write("home/field", "s3cret");
    let declared = format!(
        "scope: {{vhost: {name}}}\nvhost: [{{name: {name}}}]\nuser: [{{name: {name}, password: {{$file: ../home/field}}}}]\npermission: [{{user: {name}, configure: '', write: '', read: '.*'}}]\nqueue: [{{name: q}}]\nexchange: [{{name: e, type: fanout}}]\nbinding: [{{source: e, destination: q, routing_key: ''}}]\n"
    );
    checkout.commit("all.yaml", &declared);
    checkout
}

#[test]
fn killed_after_any_write_to_rabbitmq_it_is_completed_by_running_it_again() {
    let Some(server) = RabbitMq::get() else { return };
    killed_at_each(&server.url, 7, &|fatal, url| rabbitmq(&format!("killed{fatal}"), url));
}

/// A record of a zone that is there.
pub fn powerdns(name: &str, url: &str, server: &PowerDns) -> Checkout {
    let zone = format!("{name}.example.");
    powerdns::zone(server, &zone);
    let options = format!(
        "provider: powerdns, url: '{url}', scope: {{zone: {zone}}}, credentials: {{file: ../home/secret}}"
    );
    let checkout = Checkout::new(&options, PowerDns::KEY);
    let record = format!("rrset:\n  - {{name: a.{zone}, type: A, ttl: 60, records: [192.0.2.1]}}\n");
    checkout.commit("r.yaml", &record);
    checkout
}

#[test]
fn killed_after_any_write_to_powerdns_it_is_completed_by_running_it_again() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    killed_at_each(&server.url, 3, &|fatal, url| powerdns(&format!("killed{fatal}"), url, server));
}

#[test]
fn a_server_that_is_started_anew_half_way_gets_the_rest() {
    let Some(server) = PowerDns::own() else { return };
    let (victim, writes) = (Arc::new(server), AtomicUsize::new(0));
    let server = victim.clone();
    let proxy = Proxy::start(&server.url, move |asked| {
        if asked.method == "GET" || writes.fetch_add(1, Ordering::SeqCst) != 3 {
            return Answer::Forward;
        }
        victim.service.end();
        let again = victim.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(700));
            again.service.run();
        });
        Answer::Drop
    });
    let options =
        format!("provider: powerdns, url: '{}', credentials: {{file: ../home/secret}}, {FILE}", proxy.url);
    let checkout = Checkout::new(&options, PowerDns::KEY);
    let zones = (0..6).map(|number| format!("  - {{name: z{number}.example., kind: Native}}\n"));
    checkout.commit("zones.yaml", &format!("zone:\n{}", zones.collect::<String>()));
    checkout.apply(&[]);
    let there = server.curl("GET", "/zones", "").unwrap();
    assert_eq!(there.matches("\"name\": \"z").count(), 6, "{there}");
    let made = proxy.requests().into_iter().filter(|request| request.starts_with("POST")).count();
    assert_eq!(made, 7, "the one without an answer was sent once more");
}
