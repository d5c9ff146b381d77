//! Servers that answer slowly, endlessly, wrongly or from elsewhere: a plan refuses or says unknown. It never is in sync
//! with what it did not read, never hangs, and never sends a credential to another host.

use std::{
    io::Write as _,
    net::TcpStream,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::rest::{
    proxy::{Answer, Asked, Proxy, json, reply},
    small::{self, COUNTED, LINKED, Room, UNPAGED},
    store::Stored,
};

const SECRET: &str = "t0ken-canary";

/// How long one run may take: two tries of a second each for a list, and what is around them.
const PATIENCE: Duration = Duration::from_secs(20);

type Hostile = fn(&Asked, &str) -> Answer;

fn html() -> Answer {
    reply("200 OK", "Content-Type: text/html\r\n", "<html><body>Sign in</body></html>")
}

/// Says `head`, and then a byte now and then.
fn drip(client: &mut TcpStream, head: &[u8], byte: &[u8]) -> std::io::Result<()> {
    client.write_all(head)?;
    loop {
        client.write_all(byte)?;
        thread::sleep(Duration::from_millis(100));
    }
}

/// Says `head`, and then the same for ever.
fn pour(client: &mut TcpStream, head: &[u8], more: &str) -> std::io::Result<()> {
    client.write_all(head)?;
    let more = more.repeat(64 * 1024);
    loop {
        client.write_all(more.as_bytes())?;
    }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";

fn list(items: &str) -> Answer {
    json("200 OK", &format!("{{\"data\": {items}}}"))
}

fn moved(status: &str, to: &str) -> Answer {
    reply(status, &format!("Location: {to}\r\n"), "")
}

fn raw(bytes: &[u8]) -> Answer {
    Answer::Say(bytes.to_vec())
}

/// What a server may do to each read; the text is another server.
const CASES: &[(&str, Hostile)] = &[
    ("silent", |_, _| {
        Answer::Act(|_| {
            thread::sleep(Duration::from_secs(60));
            Ok(())
        })
    }),
    ("drips its content", |_, _| Answer::Act(|client| drip(client, HEAD, b" "))),
    ("drips its headers", |_, _| Answer::Act(|client| drip(client, b"HTTP/1.1 200 OK\r\nX: ", b"x"))),
    ("drips its status", |_, _| Answer::Act(|client| drip(client, b"HTTP/1.1 2", b"0"))),
    ("pours its content", |_, _| Answer::Act(|client| pour(client, HEAD, "0,"))),
    ("pours blanks", |_, _| Answer::Act(|client| pour(client, HEAD, "  "))),
    ("pours its headers", |_, _| Answer::Act(|client| pour(client, b"HTTP/1.1 200 OK\r\n", "X: x\r\n"))),
    ("closes at once", |_, _| Answer::Drop),
    ("speaks no HTTP", |_, _| raw(b"220 mail.example.org ESMTP\r\n")),
    ("ends early", |_, _| raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"data\": []}")),
    ("says less than there is", |_, _| raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n{\"data\": []}")),
    ("has two lengths", |_, _| {
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 12\r\n\r\n{\"data\": []}")
    }),
    ("has a broken chunk", |_, _| {
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{\"data\": []}")
    }),
    ("lacks the last chunk", |_, _| {
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{\"data\": []}\r\n")
    }),
    ("is packed", |_, _| reply("200 OK", "Content-Encoding: gzip\r\n", "\u{1f}\u{8b}")),
    ("leads elsewhere for now", |_, other| moved("302 Found", &format!("{other}/api/rooms/r/things"))),
    ("leads elsewhere for good", |_, other| {
        moved("301 Moved Permanently", &format!("{other}/api/rooms/r/things"))
    }),
    ("leads elsewhere by 307", |_, other| moved("307 Temporary Redirect", &format!("{other}/x"))),
    ("leads elsewhere without a scheme", |_, other| moved("302 Found", other.trim_start_matches("http:"))),
    ("leads elsewhere with a user", |asked, _| {
        moved("302 Found", &format!("http://a:b@{}/api/x", host(asked)))
    }),
    ("leads out of its base", |_, _| moved("302 Found", "/admin")),
    ("leads up", |_, _| moved("302 Found", "/api/../admin")),
    ("leads to itself", |asked, _| moved("302 Found", &asked.path)),
    ("leads nowhere", |_, _| moved("302 Found", "")),
    ("is not modified", |_, _| reply("304 Not Modified", "", "")),
    ("knows nothing", |_, _| json("404 Not Found", "{}")),
    ("has gone", |_, _| reply("410 Gone", "", "")),
    ("denies", |_, _| json("401 Unauthorized", "{}")),
    ("forbids", |_, _| json("403 Forbidden", "{}")),
    ("fails", |_, _| json("500 Internal Server Error", "{}")),
    ("asks to wait for a year", |_, _| reply("503 Service Unavailable", "Retry-After: 31536000\r\n", "")),
    ("asks to wait for ever", |_, _| {
        reply("429 Too Many Requests", "Retry-After: 18446744073709551615\r\n", "")
    }),
    ("is a page", |_, _| html()),
    ("says nothing", |_, _| reply("200 OK", "", "")),
    ("says blanks", |_, _| reply("200 OK", "", " \n\t ")),
    ("has no content", |_, _| raw(b"HTTP/1.1 204 No Content\r\n\r\n")),
    ("is a part", |_, _| json("206 Partial Content", "{\"data\": []}")),
    ("nests", |_, _| list(&format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)))),
    ("has the list twice", |_, _| {
        json("200 OK", "{\"data\": [{\"id\": 1, \"name\": \"a\", \"size\": 1}], \"data\": []}")
    }),
    ("has a field twice", |_, _| {
        list(
            "[{\"id\": 1, \"name\": \"a\", \"size\": 2, \"size\": 1}, {\"id\": 2, \"name\": \"b\", \"size\": 1}]",
        )
    }),
    ("begins with a mark", |_, _| json("200 OK", "\u{feff}{\"data\": []}")),
    ("is no UTF-8", |_, _| raw(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"data\": [\"\xff\"]}")),
    ("has bare control characters", |_, _| list("[{\"id\": 1, \"name\": \"a\u{1b}[2J\"}]")),
    ("has a number beyond measure", |_, _| list("[{\"id\": 1, \"name\": \"a\", \"size\": 1e999}]")),
    ("has half of a pair", |_, _| list("[{\"id\": 1, \"name\": \"a\\ud800\"}]")),
    ("has more behind", |_, _| json("200 OK", "{\"data\": []} {}")),
    ("is a mapping", |_, _| list("{\"a\": {}}")),
    ("is a text", |_, _| list("\"[]\"")),
    ("is another shape", |_, _| json("200 OK", "[]")),
    ("is a number", |_, _| json("200 OK", "0")),
    ("has no names", |_, _| list("[{}]")),
    ("has no objects", |_, _| list("[null, 1, \"a\"]")),
    ("has names that are none", |_, _| {
        list("[{\"id\": 1, \"name\": [\"a\"]}, {\"id\": 2, \"name\": {\"b\": 1}}]")
    }),
    ("has one twice", |_, _| {
        list(
            "[{\"id\": 1, \"name\": \"a\", \"size\": 1}, {\"id\": 2, \"name\": \"a\", \"size\": 1}, {\"id\": 3, \"name\": \"b\", \"size\": 1}]",
        )
    }),
];

/// What it may do with pages, beside that.
const PAGED: &[(&str, &str, Hostile)] = &[
    ("pages from elsewhere", LINKED, |_, other| {
        reply("200 OK", &format!("Link: <{other}/api/x>; rel=\"next\"\r\n"), "{\"data\": []}")
    }),
    ("pages from outside", LINKED, |_, _| {
        reply("200 OK", "Link: </admin>; rel=\"next\"\r\n", "{\"data\": []}")
    }),
    ("pages in a circle", LINKED, |asked, _| {
        reply("200 OK", &format!("Link: <{}>; rel=\"next\"\r\n", asked.path), "{\"data\": []}")
    }),
    ("pages without an end", COUNTED, |asked, _| {
        let page =
            asked.path.split("page=").nth(1).unwrap_or("0").split('&').next().unwrap_or("0").to_owned();
        reply("200 OK", "", &format!("{{\"data\": [{{\"id\": {page}, \"name\": \"p{page}\"}}]}}"))
    }),
    ("announces more than there is", COUNTED, |_, _| {
        reply("200 OK", "X-Total: 1000000\r\n", "{\"data\": []}")
    }),
    ("announces less and less", COUNTED, |asked, _| {
        let page: usize = asked
            .path
            .split("page=")
            .nth(1)
            .and_then(|page| page.split('&').next()?.parse().ok())
            .unwrap_or(1);
        reply("200 OK", &format!("X-Total: {}\r\n", 10 / page), "{\"data\": [{\"id\": 1, \"name\": \"a\"}]}")
    }),
];

fn host(asked: &Asked) -> &str {
    let line = asked.head.lines().find(|line| line.to_lowercase().starts_with("host:"));
    line.map_or("", |line| line[5..].trim())
}

/// A server that is honest until it is told otherwise, and another one that nobody may ask.
fn against(page: &str, cases: &[(&str, Hostile)]) {
    let elsewhere = Proxy::start("", |_| json("200 OK", "{\"data\": []}"));
    let room = Room::of(&[]);
    let hostile: Arc<Mutex<Option<Hostile>>> = Arc::default();
    let (served, chosen, other) = (room.clone(), hostile.clone(), elsewhere.url.clone());
    let proxy = Proxy::start("", move |asked| {
        let hostile = *chosen.lock().unwrap();
        hostile.map_or_else(|| served.answer(asked), |hostile| hostile(asked, &other))
    });
    let checkout = small::checkout(&proxy.url, page, &["a", "b"]);
    let config = checkout.sandbox.read("checkout/trueup.yaml").replace("scope:", "timeout_s: 1, scope:");
    checkout.sandbox.write("checkout/trueup.yaml", config);
    checkout.commit("managed.yaml", "managed: [thing]\n");
    checkout.apply(&[]);
    for (name, case) in cases {
        *hostile.lock().unwrap() = Some(*case);
        proxy.asked.lock().unwrap().clear();
        for args in [&["apply", "--yes"][..], &["drift"]] {
            let begun = Instant::now();
            let ran = checkout.sandbox.trueup(args);
            let all = format!("{}{}", ran.stdout, ran.stderr);
            assert!(begun.elapsed() < PATIENCE, "a server that {name}: {args:?} took {:?}", begun.elapsed());
            // What was listed before it went wrong may be drift all the same.
            let drift = ran.exit == 3 && args == ["drift"] && all.contains("unknown: listing it");
            assert!(
                drift || matches!(ran.exit, 1 | 69 | 77),
                "a server that {name}: {args:?} answered {}: {all}",
                ran.exit
            );
            assert!(!all.contains(SECRET) && !all.contains('\u{1b}'), "a server that {name}: {all}");
        }
        assert_eq!(small::writes(&proxy), Vec::<String>::new(), "a server that {name}");
        assert_eq!(elsewhere.requests(), Vec::<String>::new(), "a server that {name}");
    }
    *hostile.lock().unwrap() = None;
    assert_eq!(room.names(), ["a", "b"]);
    checkout.run(&["plan"], 0);
}

#[test]
fn what_a_server_does_wrong_is_never_in_sync_and_never_written() {
    for cases in CASES.chunks(CASES.len().div_ceil(4)) {
        against(UNPAGED, cases);
    }
}

#[test]
fn what_a_server_does_with_pages_is_no_better() {
    for (name, page, case) in PAGED {
        against(page, &[(name, *case)]);
    }
}

#[test]
fn names_that_steer_terminals_and_builds_are_shown_as_what_they_are() {
    let items = r#"[{"id": 1, "name": "a\u001b[2J", "size": 1}, {"id": 2, "name": "\n::error::b", "size": 1}, {"id": 3, "name": "\u202ec", "size": 1}]"#;
    let body = format!("{{\"data\": {items}}}");
    let proxy = Proxy::start("", move |asked| match asked.path.ends_with("/things") {
        true => json("200 OK", &body),
        false => json("200 OK", "{}"),
    });
    let checkout = small::checkout(&proxy.url, UNPAGED, &[]);
    checkout.commit("things.yaml", "managed: [thing]\n");
    for args in [&["plan"][..], &["plan", "-v"], &["plan", "-o", "markdown"], &["plan", "-o", "json"]] {
        let ran = checkout.sandbox.trueup(args);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!all.contains(['\u{1b}', '\u{202e}']) && !all.contains("\n::error"), "{args:?}: {all}");
        assert!(all.contains("thing/r/a"), "{args:?}: {all}");
    }
}

#[test]
fn files_without_an_end_are_refused_by_name() {
    let proxy = Proxy::start("", |_| json("200 OK", "{\"data\": []}"));
    let checkout = small::checkout(&proxy.url, UNPAGED, &["a"]);
    let config = checkout.sandbox.read("checkout/trueup.yaml");
    for (from, to) in [("../home/secret", "/dev/zero"), ("../target/state.json", "/dev/zero")] {
        assert!(config.contains(from));
        checkout.sandbox.write("checkout/trueup.yaml", config.replace(from, to));
        checkout.commit_all();
        let ran = checkout.sandbox.trueup(&["plan"]);
        assert!(
            !matches!(ran.exit, 0 | 2) && ran.stderr.contains("/dev/zero"),
            "{from}: {} {}",
            ran.exit,
            ran.stderr
        );
    }
    assert_eq!(proxy.requests(), Vec::<String>::new());
}

#[test]
fn one_interrupt_ends_the_waiting_for_a_server() {
    let room = Room::of(&[]);
    let served = room.clone();
    let proxy = Proxy::start("", move |asked| match asked.method.as_str() {
        "DELETE" => reply("503 Service Unavailable", "Retry-After: 4\r\n", ""),
        _ => served.answer(asked),
    });
    let checkout = small::checkout(&proxy.url, UNPAGED, &["a", "b"]);
    checkout.apply(&[]);
    small::declare(&checkout, &["a"]);
    let args = ["apply", "--yes", "--max-delete-percent", "100"];
    let mut child = checkout.sandbox.command_trueup(&args).spawn().unwrap();
    while !proxy.requests().iter().any(|request| request.starts_with("DELETE")) {
        thread::sleep(Duration::from_millis(10));
    }
    let begun = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_silent_server_is_not_waited_for_with_every_request() {
    let stored = Stored::new("");
    let rooms = (0..24).map(|room| {
        format!("scope: {{room: r{room}}}\nroom: [{{name: r{room}}}]\nqueue: [{{name: a}}, {{name: b}}]\n")
    });
    stored.checkout.commit("all.yaml", &rooms.collect::<Vec<_>>().join("---\n"));
    stored.checkout.apply(&[]);
    let proxy = Proxy::start("", |_| {
        Answer::Act(|_| {
            thread::sleep(Duration::from_secs(60));
            Ok(())
        })
    });
    for file in ["checkout/trueup.yaml", "target/state.json"] {
        let moved = stored.checkout.sandbox.read(file).replace(&stored.proxy.url, &proxy.url);
        stored.checkout.sandbox.write(file, moved.replace("timeout_s: 5", "timeout_s: 1"));
    }
    stored.checkout.commit_all();
    let begun = Instant::now();
    let ran = stored.checkout.run(&["plan"], 69);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(ran.stderr.contains("no answer in time"), "{}", ran.stderr);
}
