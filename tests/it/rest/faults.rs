//! What servers and networks do wrong, and what must not come of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    Checkout,
    proxy::{Answer, Proxy, json, reply},
};
use crate::parts::Kinto;

const SECRET: &str = "p4ssw0rd-canary";

/// A checkout that declares one record of a bucket behind `proxy`.
fn checkout(proxy: &Proxy, bucket: &str) -> Checkout {
    let options = format!(
        "provider: kinto, url: '{}', credentials: {{user: admin, file: ../home/secret}}, state: ../target/state.json, timeout_s: 3",
        proxy.url
    );
    let checkout = Checkout::new(&options, SECRET);
    let declared = format!(
        "scope: {{bucket: {bucket}, collection: c}}\nmanaged: [record]\nbucket: [{{id: {bucket}}}]\ncollection: [{{id: c}}]\nrecord:\n  - {{id: a, n: 1}}\n  - {{id: b, n: 2}}\n"
    );
    checkout.commit("all.yaml", &declared);
    checkout
}

/// Plans against a server that answers lists of records with `answer`.
fn plan_with(name: &str, answer: fn() -> Answer) -> Option<(i32, String)> {
    let kinto = Kinto::get()?;
    let clean = Proxy::start(&kinto.url, |_| Answer::Forward);
    let first = checkout(&clean, name);
    first.run(&["apply", "--yes"], 0);
    let proxy = Proxy::start(&kinto.url, move |asked| {
        match asked.method == "GET" && asked.path.contains("/records") {
            true => answer(),
            false => Answer::Forward,
        }
    });
    let config = first.sandbox.read("checkout/trueup.yaml").replace(&clean.url, &proxy.url);
    first.sandbox.write("checkout/trueup.yaml", config);
    // The record names the server; the proxy stands for the same one.
    let state = first.sandbox.read("target/state.json").replace(&clean.url, &proxy.url);
    first.sandbox.write("target/state.json", state);
    first.commit_all();
    let ran = first.sandbox.trueup(&["apply", "--yes"]);
    let wrote = proxy.requests().into_iter().filter(|request| !request.starts_with("GET ")).count();
    assert_eq!(wrote, 0, "{:?}", proxy.requests());
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!all.contains(SECRET), "{all}");
    Some((ran.exit, all))
}

#[test]
fn what_could_not_be_read_is_unknown_and_nothing_is_written() {
    type Case = (&'static str, fn() -> Answer, i32, &'static str);
    let cases: [Case; 8] = [
        ("denied", || json("401 Unauthorized", "{}"), 77, "401"),
        ("broken", || json("500 Internal Server Error", "{}"), 69, "500"),
        ("html", || reply("200 OK", "Content-Type: text/html\r\n", "<html>maintenance</html>"), 1, "no JSON"),
        ("cut", || json("200 OK", r#"{"data": [{"id": "a""#), 1, "no JSON"),
        (
            "elsewhere",
            || reply("302 Found", "Location: http://127.0.0.2:9/records\r\n", ""),
            1,
            "credentials are not sent",
        ),
        ("outside", || reply("302 Found", "Location: /admin\r\n", ""), 1, "outside"),
        ("huge", || reply("200 OK", "X-Pad: x\r\n", &"x".repeat(20 << 20)), 1, "larger"),
        ("shape", || json("200 OK", r#"{"data": {"id": "a"}}"#), 1, "no list"),
    ];
    for (name, answer, exit, said) in cases {
        let Some((code, all)) = plan_with(name, answer) else { return };
        assert!(all.contains(said), "{name}: {all}");
        assert_eq!(code, exit, "{name}: {all}");
    }
}

#[test]
fn an_endless_list_and_a_foreign_page_end_the_reading() {
    let endless =
        || reply("200 OK", "Next-Page: /v1/buckets/endless/collections/c/records\r\n", r#"{"data": []}"#);
    let Some((code, all)) = plan_with("endless", endless) else { return };
    assert!(code == 1 && all.contains("lead back"), "{code} {all}");
    let foreign = || reply("200 OK", "Next-Page: http://127.0.0.2:9/v1/x\r\n", r#"{"data": []}"#);
    let Some((code, all)) = plan_with("foreign", foreign) else { return };
    assert!(code == 1 && all.contains("credentials are not sent"), "{code} {all}");
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for() {
    let Some(kinto) = Kinto::get() else { return };
    let count = AtomicUsize::new(0);
    let proxy = Proxy::start(&kinto.url, move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => reply("429 Too Many Requests", "Retry-After: 1\r\n", ""),
        1 => reply("503 Service Unavailable", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "<html>"),
        _ => Answer::Forward,
    });
    let checkout = checkout(&proxy, "patient");
    checkout.run(&["apply", "--yes"], 0);
    checkout.run(&["plan"], 0);
}

#[test]
fn a_write_without_an_answer_is_looked_up_and_not_sent_twice() {
    let Some(kinto) = Kinto::get() else { return };
    let checkout_of = |proxy: &Proxy, name: &str| checkout(proxy, name);
    let clean = Proxy::start(&kinto.url, |_| Answer::Forward);
    checkout_of(&clean, "silent").run(&["apply", "--yes"], 0);
    let proxy = Proxy::start(&kinto.url, |asked| match asked.method.as_str() {
        "PATCH" => Answer::Swallow,
        _ => Answer::Forward,
    });
    let second = checkout_of(&proxy, "silent");
    second.commit("all.yaml", &second.sandbox.read("checkout/objects/all.yaml").replace("n: 1", "n: 7"));
    second.run(&["apply", "--yes", "--adopt", "**"], 0);
    let patches = proxy.requests().into_iter().filter(|request| request.starts_with("PATCH")).count();
    assert_eq!(patches, 1, "{:?}", proxy.requests());
}

#[test]
fn what_changed_since_the_plan_is_left_alone() {
    let Some(kinto) = Kinto::get() else { return };
    let clean = Proxy::start(&kinto.url, |_| Answer::Forward);
    checkout(&clean, "race").run(&["apply", "--yes"], 0);
    // Somebody else writes between the check of trueup and its own write.
    let proxy = Proxy::start(&kinto.url, move |asked| {
        if asked.method == "PATCH" {
            Kinto::get()
                .unwrap()
                .curl("PATCH", "/buckets/race/collections/c/records/a", r#"{"data": {"n": 99}}"#)
                .unwrap();
        }
        Answer::Forward
    });
    let second = checkout(&proxy, "race");
    second.commit("all.yaml", &second.sandbox.read("checkout/objects/all.yaml").replace("n: 1", "n: 7"));
    let ran = second.run(&["apply", "--yes", "--adopt", "**"], 6);
    assert!(ran.stdout.contains("stale"), "{}", ran.stdout);
    assert!(kinto.curl("GET", "/buckets/race/collections/c/records/a", "").unwrap().contains("99"));
}

#[test]
fn a_plan_asks_for_no_more_than_it_needs_and_writes_nothing() {
    let Some(kinto) = Kinto::get() else { return };
    let proxy = Proxy::start(&kinto.url, |_| Answer::Forward);
    let checkout = checkout(&proxy, "frugal");
    checkout.run(&["apply", "--yes"], 0);
    proxy.asked.lock().unwrap().clear();
    checkout.run(&["plan"], 0);
    checkout.run(&["drift"], 0);
    let requests = proxy.requests();
    assert!(requests.iter().all(|request| request.starts_with("GET ")), "{requests:?}");
    assert_eq!(requests.len(), 6, "one list or object for each of three kinds, twice: {requests:?}");
}
