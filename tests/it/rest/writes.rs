//! Writes that are refused, not answered, answered late, or not taken as they were meant.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant, SystemTime},
};

use super::{
    Checkout, opening,
    proxy::{Answer, Proxy, json, reply},
    small::{self, Room, UNPAGED, writes},
};
use crate::{
    parts::{Gitea, Kinto},
    sandbox::Ran,
};

/// Applies one thing to a server whose first `times` answers to a POST are `answer`.
fn post(answer: impl Fn() -> Answer + Send + Sync + 'static, times: usize) -> (Ran, Proxy, Room) {
    let (room, count) = (Room::default(), AtomicUsize::new(0));
    let honest = room.clone();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        match asked.method == "POST" && count.fetch_add(1, Ordering::SeqCst) < times {
            true => answer(),
            false => honest.answer(asked),
        }
    });
    let checkout = small::checkout(&proxy.url, UNPAGED, &["a"]);
    (checkout.sandbox.trueup(&["apply", "--yes"]), proxy, room)
}

#[test]
fn a_refusal_says_what_the_server_said_and_where_it_was_declared() {
    let fields = r#"{"message": "Validation Failed", "errors": [{"field": "name", "code": "invalid"}]}"#;
    let html = "<html><body>we are down for maintenance</body></html>";
    let cases = [
        ("401 Unauthorized", "{}", 77, 1),
        ("403 Forbidden", r#"{"message": "read-only token"}"#, 77, 1),
        ("404 Not Found", "{}", 1, 1),
        ("409 Conflict", r#"{"message": "there is one"}"#, 6, 1),
        ("412 Precondition Failed", "{}", 6, 1),
        ("422 Unprocessable Entity", fields, 1, 1),
        ("500 Internal Server Error", "{}", 7, 2),
        ("503 Service Unavailable", html, 7, 2),
    ];
    for (status, body, exit, posts) in cases {
        let (ran, proxy, room) = post(move || reply(status, "Content-Type: text/html\r\n", body), usize::MAX);
        assert_eq!(ran.exit, exit, "{status}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(status), "{}", ran.stdout);
        assert!(ran.stdout.contains("`objects/things.yaml:2`"), "{status}: {}", ran.stdout);
        assert!(!ran.stdout.contains("maintenance") && room.names().is_empty());
        // An answer that leaves it open whether it was acted on is tried once more, after a look.
        assert_eq!(writes(&proxy).len(), posts, "{status}");
    }
    let (ran, ..) = post(move || json("422 Unprocessable Entity", fields), usize::MAX);
    assert!(
        ran.stdout.contains("Validation Failed") && ran.stdout.contains(r#""field":"name""#),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for_in_either_form() {
    let in_two_seconds = || {
        let date = http_date(SystemTime::now() + Duration::from_secs(3));
        reply("429 Too Many Requests", &format!("Retry-After: {date}\r\n"), "")
    };
    let forms: [fn() -> Answer; 2] =
        [|| reply("429 Too Many Requests", "Retry-After: 2\r\n", ""), in_two_seconds];
    for form in forms {
        let start = Instant::now();
        let (ran, proxy, room) = post(form, 1);
        assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(start.elapsed() >= Duration::from_millis(1900), "{:?}", start.elapsed());
        assert_eq!((room.names(), writes(&proxy).len()), (vec!["a".to_owned()], 2));
    }
}

/// A date as HTTP writes it.
fn http_date(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let script = format!("date -u -d @{seconds} '+%a, %d %b %Y %H:%M:%S GMT'");
    let output = std::process::Command::new("sh").args(["-c", &script]).env("LC_ALL", "C").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn nobody_waits_for_an_hour() {
    let start = Instant::now();
    let (ran, proxy, _) = post(|| reply("429 Too Many Requests", "Retry-After: 3600\r\n", ""), usize::MAX);
    assert_eq!((ran.exit, writes(&proxy).len()), (69, 1), "{}{}", ran.stdout, ran.stderr);
    assert!(start.elapsed() < Duration::from_secs(30));
}

/// A repository of Gitea, which makes a second label of the same name when it is asked twice.
fn labels(gitea: &Gitea, owner: &str, url: &str) -> Checkout {
    gitea.curl("POST", "/orgs", &format!(r#"{{"username": "{owner}"}}"#)).unwrap();
    gitea.curl("POST", &format!("/orgs/{owner}/repos"), r#"{"name": "web"}"#).unwrap();
    let checkout = opening::gitea(gitea, url, &format!("scope: {{owner: {owner}, repo: web}}"));
    checkout.commit("l.yaml", "label:\n  - {name: bug, color: '0000ff'}\n");
    checkout
}

#[test]
fn a_create_without_an_answer_is_looked_for_before_it_is_sent_again() {
    let Some(gitea) = Gitea::get() else { return };
    // Whether the request arrived: how often it has to be sent for one label.
    for (arrived, posts) in [(true, 1), (false, 2)] {
        let count = AtomicUsize::new(0);
        let proxy = Proxy::start(&gitea.url, move |asked| {
            match (asked.method == "POST" && count.fetch_add(1, Ordering::SeqCst) == 0, arrived) {
                (true, true) => Answer::Swallow,
                (true, false) => Answer::Drop,
                _ => Answer::Forward,
            }
        });
        let owner = format!("silent{posts}");
        labels(gitea, &owner, &proxy.url).apply(&[]);
        let there = gitea.curl("GET", &format!("/repos/{owner}/web/labels"), "").unwrap();
        assert_eq!((writes(&proxy).len(), there.matches("\"bug\"").count()), (posts, 1), "{there}");
    }
}

#[test]
fn a_field_that_the_server_drops_in_silence_is_named() {
    let Some(gitea) = Gitea::get() else { return };
    // Teams belong to organisations: for a repository of a person, Gitea takes and forgets them.
    gitea.curl("POST", "/user/repos", r#"{"name": "dropping", "auto_init": true}"#).unwrap();
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: admin1, repo: dropping}");
    checkout.commit(
        "b.yaml",
        "branch_protection:\n  - rule_name: main\n    enable_push: true\n    enable_push_whitelist: true\n    push_whitelist_teams: [writers]\n",
    );
    let ran = checkout.run(&["apply", "--yes"], 7);
    assert!(ran.stdout.contains("`objects/b.yaml:2`"), "{}", ran.stdout);
    let fields = "accepted it, but has something different: `/push_whitelist_teams`";
    assert!(ran.stdout.contains(fields), "{}", ran.stdout);
    // It is ours nevertheless: what the server made of it can be taken into Git.
    let ran = checkout.run(&["plan"], 2);
    assert!(ran.stdout.contains("pending /push_whitelist_teams"), "{}", ran.stdout);
    checkout.run(&["drift", "--adopt"], 0);
    checkout.sandbox.sh("commit 'Take what Gitea makes of it'").expect(0);
    checkout.run(&["plan"], 0);
}

#[test]
fn a_value_that_gets_lost_on_the_way_is_found_when_read_back() {
    let Some(kinto) = Kinto::get() else { return };
    let proxy = Proxy::start(&kinto.url, |asked| match asked.path.ends_with("/records/a") {
        true if asked.method == "PUT" => Answer::ForwardAs(asked.body.replace("\"n\":1", "\"n\":2")),
        _ => Answer::Forward,
    });
    let checkout = opening::kinto(&proxy.url, opening::FILE);
    checkout.commit(
        "all.yaml",
        "scope: {bucket: altered, collection: c}\nbucket: [{id: altered}]\ncollection: [{id: c}]\nrecord:\n  - {id: a, n: 1}\n  - {id: b, n: 1}\n",
    );
    let ran = checkout.run(&["apply", "--yes"], 7);
    let row = ran.stdout.lines().find(|line| line.starts_with("different")).unwrap_or_default();
    assert!(row.contains("record/altered/c/a") && row.contains("`/n` is 2, not 1"), "{}", ran.stdout);
}

#[test]
fn a_definition_cannot_ask_for_what_is_outside_of_its_base() {
    let room = Room::default();
    let honest = room.clone();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| honest.answer(asked));
    for path in ["/../admin", "/%2e%2e/admin", "/x/../../admin", "/{+up}", "x/admin"] {
        let checkout = small::checkout(&proxy.url, UNPAGED, &["a"]);
        let definition = checkout.sandbox.read("checkout/small.yaml");
        let list =
            definition.replace("list: {path: \"/rooms/{room}/things\"", &format!("list: {{path: \"{path}\""));
        let list = list.replace(
            "base_url: \"{url}/api\"",
            "base_url: \"{url}/api\"\noptions: {up: {about: x, default: ../admin}}",
        );
        assert_ne!(list, definition);
        checkout.sandbox.write("checkout/small.yaml", list);
        checkout.commit_all();
        let ran = checkout.sandbox.trueup(&["apply", "--yes"]);
        assert_eq!(ran.exit, 1, "{path}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(proxy.requests(), [""; 0], "{path}");
    }
}
