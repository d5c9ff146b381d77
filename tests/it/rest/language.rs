//! Keys of the language that no bundled definition uses, against a server that does just that.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    Checkout,
    proxy::{Proxy, json, reply},
    small::{self, Room, UNPAGED, writes},
};

/// A checkout for the small server, with every `old` of its definition replaced by `new`.
pub fn checkout(url: &str, edits: &[(&str, &str)], names: &[&str]) -> Checkout {
    let checkout = small::checkout(url, UNPAGED, names);
    edit(&checkout, "checkout/small.yaml", edits);
    checkout
}

/// Replaces every `old` of a file by `new`, and commits.
fn edit(checkout: &Checkout, file: &str, edits: &[(&str, &str)]) {
    let mut text = checkout.sandbox.read(file);
    for (old, new) in edits {
        assert!(text.contains(old), "{file} has no {old}");
        text = text.replace(old, new);
    }
    checkout.sandbox.write(file, text);
    checkout.commit_all();
}

const BEARER: &str = "{scheme: bearer, env: SMALL_TOKEN}";
const EXCHANGE: &str = "{scheme: oauth2_client, token_url: '{url}/token', scope: things}";

#[test]
fn a_client_secret_is_exchanged_once_and_shown_nowhere() {
    let room = Room::default();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        let carries = |proof: &str| asked.head.to_ascii_lowercase().contains(&proof.to_ascii_lowercase());
        match asked.path.as_str() {
            // `me:t0ken%2Dcanary`
            "/token" if carries("authorization: Basic bWU6dDBrZW4lMkRjYW5hcnk=") => {
                json("200 OK", r#"{"access_token": "fr3sh-canary", "expires_in": 3600}"#)
            }
            _ if carries("authorization: Bearer fr3sh-canary") => room.answer(asked),
            _ => json("401 Unauthorized", "{}"),
        }
    });
    let checkout = checkout(&proxy.url, &[(BEARER, EXCHANGE)], &["a", "b"]);
    edit(&checkout, "checkout/trueup.yaml", &[("{file:", "{user: me, file:")]);
    let ran = checkout.run(&["apply", "--yes", "-v"], 0);
    let asked = proxy.asked.lock().unwrap().clone();
    let exchanges: Vec<_> = asked.iter().filter(|asked| asked.path == "/token").collect();
    assert_eq!(exchanges.len(), 1, "{:?}", proxy.requests());
    assert_eq!(exchanges[0].body, "grant_type=client_credentials&scope=things");
    let all = format!("{}{}{}", ran.stdout, ran.stderr, checkout.sandbox.read("target/state.json"));
    assert!(!all.contains("t0ken-canary") && !all.contains("fr3sh-canary"), "{all}");
}

#[test]
fn a_token_that_ends_in_the_middle_is_exchanged_anew() {
    // Whether the server said when: a token that is over is not sent, one that is refused is not sent again.
    for seconds in [10, 3600] {
        let (room, given) = (Room::default(), AtomicUsize::new(0));
        let (honest, last) = (room.clone(), AtomicUsize::new(0));
        let proxy = Proxy::start("127.0.0.1:9", move |asked| {
            let now = given.load(Ordering::SeqCst);
            let good = asked.head.contains(&format!("Bearer t{now}"));
            match asked.path.as_str() {
                "/token" => {
                    let next = given.fetch_add(1, Ordering::SeqCst) + 1;
                    json("200 OK", &format!(r#"{{"access_token": "t{next}", "expires_in": {seconds}}}"#))
                }
                // The first write finds that somebody ended the token.
                _ if asked.method == "POST" && last.fetch_add(1, Ordering::SeqCst) == 0 && seconds > 10 => {
                    json("401 Unauthorized", "{}")
                }
                _ if good => honest.answer(asked),
                _ => json("401 Unauthorized", "{}"),
            }
        });
        let options = [(BEARER, EXCHANGE), ("limits: {", "limits: {concurrent_reads: 1, ")];
        let checkout = checkout(&proxy.url, &options, &["a"]);
        edit(&checkout, "checkout/trueup.yaml", &[("{file:", "{user: me, file:")]);
        checkout.run(&["apply", "--yes"], 0);
        let requests = proxy.requests();
        let count = |start: &str| requests.iter().filter(|asked| asked.starts_with(start)).count();
        assert_eq!(room.names(), ["a"]);
        match seconds {
            10 => assert_eq!(count("POST /token"), requests.len() / 2, "one for each: {requests:?}"),
            _ => assert_eq!((count("POST /token"), count("POST /api")), (2, 2), "{requests:?}"),
        }
    }
}

#[test]
fn an_exchange_that_is_refused_is_no_permission_and_names_where() {
    let proxy = Proxy::start("127.0.0.1:9", |_| {
        json("401 Unauthorized", r#"{"error": "invalid_client t0ken-canary"}"#)
    });
    let checkout = checkout(&proxy.url, &[(BEARER, EXCHANGE)], &["a"]);
    edit(&checkout, "checkout/trueup.yaml", &[("{file:", "{user: me, file:")]);
    let ran = checkout.run(&["apply", "--yes"], 77);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(all.contains("/token` gives no token") && !all.contains("t0ken-canary"), "{all}");
    assert!(writes(&proxy).iter().all(|write| write == "POST /token"), "{:?}", writes(&proxy));
}

const LEVELS: (&str, &str) = ("page: {style: none}", "recurse: {param: under, from: /id}");

/// A server on which `b` is inside of `a`, `c` inside of `b`, and `last` inside of `c`.
fn levels(last: &'static str) -> Proxy {
    Proxy::start("127.0.0.1:9", move |asked| {
        let (_, under) = asked.path.split_once("under=").unwrap_or_default();
        let item = |id, name| format!(r#"{{"id": {id}, "name": "{name}", "size": 1}}"#);
        let inside = match under {
            "" => item(1, "a"),
            "1" => item(2, "b"),
            "2" => item(3, "c"),
            _ => last.to_owned(),
        };
        json("200 OK", &format!(r#"{{"data": [{inside}]}}"#))
    })
}

#[test]
fn a_list_of_levels_is_read_to_the_innermost() {
    let proxy = levels("");
    let checkout = checkout(&proxy.url, &[LEVELS], &["a", "b", "c"]);
    checkout.run(&["plan"], 0);
    checkout.commit("things.yaml", "thing: [{name: a}, {name: c, size: 2}]\n");
    let ran = checkout.run(&["plan"], 2);
    assert!(ran.stdout.contains("/size 1 → 2") && writes(&proxy).is_empty(), "{}", ran.stdout);
}

#[test]
fn levels_that_lead_back_are_left_and_nothing_is_written() {
    let proxy = levels(r#"{"id": 1, "name": "a", "size": 1}"#);
    let checkout = checkout(&proxy.url, &[LEVELS], &["a", "d"]);
    let ran = checkout.run(&["apply", "--yes"], 1);
    assert!(ran.stdout.contains("lead back") && writes(&proxy).is_empty(), "{}", ran.stdout);
}

/// Values that are sent and answered without JSON around them; the list has their names only.
const RAW: &str = r#"kinds:
  thing:
    scope: room
    identity: {keys: [/name]}
    list: {path: "/rooms/{room}/things", items: /data, detail: true}
    read: {path: "/rooms/{room}/things/{name}", raw: /value}
    create: {method: PUT, path: "/rooms/{room}/things/{name}", body: raw, raw: /value}
    update: {method: PUT, path: "/rooms/{room}/things/{name}", body: raw, raw: /value}
    fields: {/name: {required: true}, /value: {}}
"#;

/// Values that are packed inside of JSON.
const PACKED: &str = r#"kinds:
  thing:
    scope: room
    identity: {keys: [/name]}
    list: {path: "/rooms/{room}/things", items: /data}
    create: {method: PUT, path: "/rooms/{room}/things/{name}"}
    update: {method: PUT, path: "/rooms/{room}/things/{name}"}
    fields: {/name: {required: true}, /value: {encoding: base64}}
"#;

/// A server of one value called `k`, which it lists with its value only if that is `packed`.
fn store(packed: bool, value: Arc<Mutex<Option<String>>>) -> Proxy {
    Proxy::start("127.0.0.1:9", move |asked| {
        let mut value = value.lock().unwrap();
        let is_list = asked.path.ends_with("/things");
        match (asked.method.as_str(), &*value) {
            ("PUT", _) if packed => {
                let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
                *value = Some(body["value"].as_str().unwrap().to_owned());
                reply("204 No Content", "", "")
            }
            ("PUT", _) => {
                *value = Some(asked.body.clone());
                reply("204 No Content", "", "")
            }
            (_, None) if is_list => json("200 OK", r#"{"data": []}"#),
            (_, Some(value)) if is_list && packed => {
                json("200 OK", &format!(r#"{{"data": [{{"name": "k", "value": "{value}"}}]}}"#))
            }
            (_, Some(_)) if is_list => json("200 OK", r#"{"data": [{"name": "k"}]}"#),
            (_, Some(value)) if asked.path.ends_with("/k") => {
                reply("200 OK", "Content-Type: text/plain\r\n", value)
            }
            (_, None) if asked.path.ends_with("/k") => json("404 Not Found", "{}"),
            _ => json("200 OK", "{}"),
        }
    })
}

#[test]
fn a_value_goes_out_and_comes_back_as_the_server_packs_it() {
    // `one: 1` and `two` in base64.
    for (kinds, packed, one, two) in [(RAW, false, "one: 1", "two"), (PACKED, true, "b25lOiAx", "dHdv")] {
        let value = Arc::new(Mutex::new(None));
        let proxy = store(packed, value.clone());
        let checkout = small::checkout(&proxy.url, UNPAGED, &[]);
        let definition = checkout.sandbox.read("checkout/small.yaml");
        let (head, _) = definition.split_once("kinds:\n").unwrap();
        checkout.sandbox.write("checkout/small.yaml", format!("{head}{kinds}"));
        checkout.commit("things.yaml", "thing:\n  - {name: k, value: 'one: 1'}\n");
        checkout.apply(&[]);
        assert_eq!(value.lock().unwrap().as_deref(), Some(one));
        *value.lock().unwrap() = Some(two.to_owned());
        let ran = checkout.run(&["drift"], 3);
        assert!(ran.stdout.contains("two"), "{}", ran.stdout);
        checkout.commit("things.yaml", "thing:\n  - {name: k, value: two}\n");
        checkout.run(&["plan"], 0);
        checkout.commit("things.yaml", "thing:\n  - {name: k, value: 'one: 1'}\n");
        checkout.apply(&[]);
        assert_eq!(value.lock().unwrap().as_deref(), Some(one));
        *value.lock().unwrap() = Some(two.to_owned());
        checkout.commit("things.yaml", "thing: []\n");
        checkout.run(&["import", "t", "thing"], 0);
        assert!(checkout.sandbox.sh("cat objects/*.yaml").stdout.contains("value: two"));
    }
}
