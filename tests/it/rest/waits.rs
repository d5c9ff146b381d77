//! What takes its time: objects that are ready, or gone, later than the answer to the write.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    Checkout,
    language::checkout,
    proxy::{Proxy, json, reply},
    small::{self, UNPAGED, writes},
};

/// A server of one thing, which is what the last write made of it at the look of this number after that.
fn slow(ready_at: usize) -> Proxy {
    failing(ready_at, usize::MAX, "503 Service Unavailable")
}

/// The same, of which the look number `bad` after a write is answered with `status`.
fn failing(ready_at: usize, bad: usize, status: &'static str) -> Proxy {
    let (thing, looks) = (Mutex::new(None), AtomicUsize::new(usize::MAX / 2));
    Proxy::start("127.0.0.1:9", move |asked| {
        let mut thing = thing.lock().unwrap();
        if asked.method != "GET" {
            looks.store(0, Ordering::SeqCst);
            let size = if asked.body.contains("\"size\":2") { 2 } else { 1 };
            *thing = Some((asked.method == "DELETE", size));
            return reply("202 Accepted", "", "");
        }
        if !asked.path.ends_with("/things") {
            return json("200 OK", "{}");
        }
        let look = looks.fetch_add(1, Ordering::SeqCst) + 1;
        let ready = look >= ready_at;
        let state = if ready { "ready" } else { "busy" };
        match *thing {
            _ if look == bad => json(status, "{}"),
            None | Some((true, _)) if ready || thing.is_none() => json("200 OK", r#"{"data": []}"#),
            Some((_, size)) => json(
                "200 OK",
                &format!(r#"{{"data": [{{"id": 1, "name": "a", "size": {size}, "state": "{state}"}}]}}"#),
            ),
            None => unreachable!(),
        }
    })
}

const WAITS: [(&str, &str); 2] = [
    ("    fields:\n", "    wait: {until: '/state == \"ready\"', timeout_s: 1}\n    fields:\n"),
    ("      /id:", "      /state: {access: read_only}\n      /id:"),
];

/// How often the list was read after the last write.
fn looks(proxy: &Proxy) -> usize {
    let requests = proxy.requests();
    let last = requests.iter().rposition(|asked| !asked.starts_with("GET")).unwrap();
    requests[last + 1..].iter().filter(|asked| asked.ends_with("/things")).count()
}

fn declare(checkout: &Checkout, things: &str) {
    checkout.commit("things.yaml", &format!("managed: [thing]\nthing: [{things}]\n"));
}

#[test]
fn what_is_made_changed_or_gone_later_is_waited_for() {
    let proxy = slow(3);
    let checkout = checkout(&proxy.url, &WAITS, &[]);
    for (things, write) in [("{name: a}", "POST"), ("{name: a, size: 2}", "PATCH"), ("", "DELETE")] {
        declare(&checkout, things);
        checkout.run(&["apply", "--yes", "--allow-empty"], 0);
        assert!(writes(&proxy).last().unwrap().starts_with(write), "{:?}", writes(&proxy));
        // For what is gone, the read-back looks once more.
        assert_eq!(looks(&proxy), if write == "DELETE" { 4 } else { 3 }, "{write}");
        checkout.run(&["plan"], 0);
    }
    assert_eq!(writes(&proxy).len(), 3);
}

#[test]
fn what_is_never_ready_or_gone_is_said_and_not_done_again() {
    let proxy = slow(usize::MAX);
    let checkout = checkout(&proxy.url, &WAITS, &["a"]);
    let ran = checkout.run(&["apply", "--yes"], 7);
    assert!(ran.stdout.contains("not ready after 1 s"), "{}{}", ran.stdout, ran.stderr);
    checkout.run(&["apply", "--yes"], 0);
    assert_eq!(writes(&proxy), ["POST /api/rooms/r/things"]);
    declare(&checkout, "");
    let ran = checkout.run(&["apply", "--yes", "--allow-empty"], 7);
    assert!(ran.stdout.contains("it is still there after 1 s"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_look_that_fails_is_made_again_or_said() {
    let proxy = failing(3, 2, "500 Internal Server Error");
    let once = checkout(&proxy.url, &WAITS, &["a"]);
    once.run(&["apply", "--yes"], 0);
    let proxy = failing(3, 2, "403 Forbidden");
    let refused = checkout(&proxy.url, &WAITS, &["a"]);
    let ran = refused.run(&["apply", "--yes"], 7);
    let said = "it was written, and reading how it is failed: the server answered 403";
    assert!(ran.stdout.contains(said), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(looks(&proxy), 2, "no look after one that cannot succeed: {:?}", proxy.requests());
}

#[test]
fn a_way_to_the_result_is_success_and_a_way_to_another_server_is_none() {
    for (status, exit) in [("303 See Other", 0), ("307 Temporary Redirect", 1)] {
        let made = Arc::new(Mutex::new(false));
        let proxy = Proxy::start("127.0.0.1:9", move |asked| {
            let mut made = made.lock().unwrap();
            match (asked.method.as_str(), *made) {
                ("POST", _) => {
                    *made = status.starts_with("303");
                    reply(status, "Location: /api/rooms/r/things/1\r\n", "")
                }
                (_, true) if asked.path.ends_with("/things") => {
                    json("200 OK", r#"{"data": [{"id": 1, "name": "a", "size": 1}]}"#)
                }
                _ if asked.path.ends_with("/things") => json("200 OK", r#"{"data": []}"#),
                _ => json("200 OK", "{}"),
            }
        });
        let ran = small::checkout(&proxy.url, UNPAGED, &["a"]).run(&["apply", "--yes"], exit);
        assert_eq!(ran.stdout.contains("redirects a write (307"), exit == 1, "{}", ran.stdout);
        assert_eq!(writes(&proxy), ["POST /api/rooms/r/things"]);
    }
}
