//! Lists that end nowhere, lead elsewhere, or move while they are read.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    Checkout, opening,
    proxy::{Answer, Proxy, json, reply},
    small::{self, COUNTED, LINKED, Room, UNPAGED, writes},
};
use crate::parts::Gitea;

#[test]
fn a_chain_of_pages_without_an_end_is_left_and_nothing_is_written() {
    let count = AtomicUsize::new(0);
    let proxy = Proxy::start("127.0.0.1:9", move |_| {
        let page = count.fetch_add(1, Ordering::SeqCst);
        let link = format!("Link: </api/rooms/r/things?page={page}x>; rel=\"next\"\r\n");
        reply("200 OK", &link, &format!(r#"{{"data": [{{"id": {page}, "name": "n{page}"}}]}}"#))
    });
    let checkout = small::checkout(&proxy.url, LINKED, &["a"]);
    let ran = checkout.run(&["apply", "--yes"], 1);
    assert!(ran.stdout.contains("more than 20 pages"), "{}{}", ran.stdout, ran.stderr);
    assert!(proxy.requests().len() <= 41 && writes(&proxy).is_empty(), "{:?}", proxy.requests());
}

#[test]
fn another_host_is_never_asked_whoever_names_it() {
    let elsewhere = Proxy::start("127.0.0.1:9", |_| json("200 OK", r#"{"data": []}"#));
    let there = elsewhere.url.clone();
    let link = format!("Link: <{there}/api/rooms/r/things?page=2>; rel=\"next\"\r\n");
    let to = format!("Location: {there}/api/rooms/r/things/7\r\n");
    type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, i32);
    let cases: [Case<'_>; 5] = [
        ("the next page", "GET", "200 OK", &link, r#"{"data": []}"#, 1),
        ("a redirected read", "GET", "302 Found", &to, "", 1),
        ("a redirected write", "POST", "307 Temporary Redirect", &to, "", 1),
        ("a write answered by a page", "POST", "303 See Other", &to, "", 1),
        ("where the new thing is", "POST", "201 Created", &to, "", 0),
    ];
    for (name, method, status, header, body, exit) in cases {
        let room = Room::default();
        let (status, header, body) = (status.to_owned(), header.to_owned(), body.to_owned());
        let method = method.to_owned();
        let proxy = Proxy::start("127.0.0.1:9", move |asked| {
            if asked.method != method || !asked.path.contains("/things") {
                return room.answer(asked);
            }
            if status.starts_with("201") {
                room.answer(asked);
            }
            reply(&status, &header, &body)
        });
        let checkout = small::checkout(&proxy.url, LINKED, &["a"]);
        let ran = checkout.sandbox.trueup(&["apply", "--yes"]);
        assert_eq!(ran.exit, exit, "{name}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(elsewhere.requests(), [""; 0], "{name}");
    }
}

/// A server on which things get lost between the first page and the second, as often as `times`.
fn losing(page: &str, times: usize) -> (Room, Proxy, Checkout) {
    let room = Room::of(&["a", "b", "c", "d", "e", "f", "g"]);
    let (inside, lost) = (room.clone(), AtomicUsize::new(0));
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        let answer = inside.answer(asked);
        if asked.path.contains("page=1") && lost.load(Ordering::SeqCst) < times {
            inside.lose(["a", "b"][lost.fetch_add(1, Ordering::SeqCst)]);
        }
        answer
    });
    let checkout = small::checkout(&proxy.url, page, &["c", "d", "e", "f", "g"]);
    (room, proxy, checkout)
}

#[test]
fn a_list_that_shifted_is_read_again() {
    for page in [COUNTED, LINKED] {
        let (_, proxy, checkout) = losing(page, 1);
        // Without a second look, `c` would have slipped from the second page to the first.
        checkout.run(&["plan"], 0);
        assert!(writes(&proxy).is_empty());
    }
}

#[test]
fn a_list_that_keeps_shifting_leads_to_no_create_and_no_delete() {
    for page in [COUNTED, LINKED] {
        let (room, proxy, checkout) = losing(page, 2);
        let ran = checkout.run(&["apply", "--yes"], 1);
        assert!(ran.stdout.contains("while it was read") || ran.stdout.contains("shifts"), "{}", ran.stdout);
        assert!(writes(&proxy).is_empty(), "{:?}", proxy.requests());
        assert_eq!(room.names(), ["c", "d", "e", "f", "g"]);
    }
}

#[test]
fn a_list_shorter_than_announced_leads_to_no_create_and_no_delete() {
    let room = Room::default();
    let honest = room.clone();
    let short = std::sync::Arc::new(AtomicUsize::new(0));
    let lie = short.clone();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        match asked.path.contains("/things?") && lie.load(Ordering::SeqCst) > 0 {
            true => reply("200 OK", "X-Total: 9\r\n", r#"{"data": []}"#),
            false => honest.answer(asked),
        }
    });
    let checkout = small::checkout(&proxy.url, COUNTED, &["a", "b"]);
    checkout.apply(&[]);
    short.store(1, Ordering::SeqCst);
    let before = writes(&proxy).len();
    // `b` is gone from Git, `c` is new, and the server hides all of them.
    checkout.commit("things.yaml", "managed: [thing]\nthing: [{name: a}, {name: c}]\n");
    checkout.run(&["plan"], 1);
    checkout.run(&["apply", "--yes"], 1);
    checkout.run(&["apply", "--yes", "--skip-unknown"], 1);
    assert_eq!(writes(&proxy).len(), before, "{:?}", writes(&proxy));
    // Once it tells all again, nothing was forgotten.
    short.store(0, Ordering::SeqCst);
    checkout.run(&["apply", "--yes"], 0);
    assert_eq!(room.names(), ["a", "c"]);
}

#[test]
fn two_objects_of_one_name_are_nobodys_to_change() {
    let Some(gitea) = Gitea::get() else { return };
    gitea.curl("POST", "/orgs", r#"{"username": "twins"}"#).unwrap();
    gitea.curl("POST", "/orgs/twins/repos", r#"{"name": "web"}"#).unwrap();
    for color in ["#ff0000", "#00ff00"] {
        let label = format!(r#"{{"name": "bug", "color": "{color}"}}"#);
        gitea.curl("POST", "/repos/twins/web/labels", &label).unwrap();
    }
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: twins, repo: web}");
    checkout.commit("l.yaml", "label:\n  - {name: bug, color: '0000ff'}\n");
    let ran = checkout.run(&["apply", "--yes", "--adopt", "**"], 1);
    assert!(ran.stdout.contains("more than one `bug`"), "{}", ran.stdout);
    let labels = gitea.curl("GET", "/repos/twins/web/labels", "").unwrap();
    assert!(!labels.contains("0000ff") && labels.matches("\"bug\"").count() == 2, "{labels}");
}

#[test]
fn an_answer_without_an_end_is_cut_off_before_it_fills_the_memory() {
    let proxy = Proxy::start("127.0.0.1:9", |asked| match asked.path.contains("/things") {
        true => Answer::Flood(100),
        false => json("200 OK", "{}"),
    });
    let checkout = small::checkout(&proxy.url, UNPAGED, &["a"]);
    let output = checkout.sandbox.path("home/output");
    let out = std::fs::File::create(&output).unwrap();
    let mut child = checkout.sandbox.command_trueup(&["apply", "--yes"]).stdout(out).spawn().unwrap();
    let mut most = 0;
    let status = loop {
        most = most.max(peak_mib(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    let said = checkout.sandbox.read("home/output");
    assert!(status.code() == Some(1) && said.contains("larger than") && writes(&proxy).is_empty(), "{said}");
    assert!((1..100).contains(&most), "{most} MiB");
}

/// The most memory that a process held so far; `None` once it is gone.
fn peak_mib(pid: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<usize>().ok()? / 1024)
}
