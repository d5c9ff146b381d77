//! Shapes of APIs that none of the bundled definitions has: packed values with versions in the query, names of
//! two parts of which one stands in the query, and lists that are changed item by item.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json as tree};

use super::{
    Checkout,
    proxy::{Answer, Proxy, json, reply},
};

fn checkout(url: &str, kinds: &str) -> Checkout {
    let options =
        format!("provider: rest, definition: shape.yaml, url: '{url}', state: ../target/state.json");
    let checkout = Checkout::new(&options, "");
    let head = "apiVersion: rest.trueup/v1\nprovider: shape\nsummary: a shape\nbase_url: '{url}'\n";
    checkout.sandbox.write("checkout/shape.yaml", format!("{head}{kinds}"));
    checkout.commit_all();
    checkout
}

/// The query of a path, decoded.
fn query(path: &str) -> BTreeMap<String, String> {
    let url: reqwest::Url = format!("http://h{path}").parse().unwrap();
    url.query_pairs().map(|(name, value)| (name.into(), value.into())).collect()
}

const PACKED: &str = r#"probe: {get: /agent, version: /version}
kinds:
  entry:
    identity: {keys: [/key]}
    list:
      path: /kv/
      query: {recurse: "true"}
      absent_is_empty: true
      filtered_header: X-Filtered
      map: &form {key: {$: /Key}, value: {$: /Value}, index: {$: /ModifyIndex}}
    read: {path: "/kv/{+key}", body: /0, map: *form}
    create: {method: PUT, path: "/kv/{+key}", query: {cas: "0"}, body: raw, raw: /value, success: &moved {status: [200], conflict_when: ". == false"}}
    update: {method: PUT, path: "/kv/{+key}", body: raw, raw: /value, success: *moved}
    delete: {path: "/kv/{+key}", success: *moved}
    version: {from: /index, query: cas}
    fields: {/key: {required: true}, /value: {encoding: base64_answers}, /index: {access: read_only}}
"#;

/// Values by key, with the number of the write that they are from.
type Values = Arc<Mutex<BTreeMap<String, (String, u64)>>>;

/// A server of values that are packed in answers, sent as they are, and written where their number is
/// that of the query: it answers `true`, or `false` and leaves them alone.
fn values(values: Values) -> Proxy {
    Proxy::start("127.0.0.1:9", move |asked| {
        if asked.path == "/agent" {
            return json("200 OK", r#"{"version": "1.0"}"#);
        }
        let mut values = values.lock().unwrap();
        let path = asked.path.split('?').next().unwrap_or_default();
        let key = path.trim_start_matches("/kv/").to_owned();
        let shown: Vec<Json> = values
            .iter()
            .filter(|(name, _)| key.is_empty() || **name == key)
            .map(|(name, (value, index))| tree!({"Key": name, "Value": STANDARD.encode(value), "ModifyIndex": index}))
            .collect();
        if asked.method == "GET" {
            let status = if shown.is_empty() { "404 Not Found" } else { "200 OK" };
            return json(status, &Json::Array(shown).to_string());
        }
        let index = values.get(&key).map_or(0, |(_, index)| *index);
        let same = query(&asked.path).get("cas").is_some_and(|cas| *cas == index.to_string());
        match asked.method.as_str() {
            _ if !same => {}
            "PUT" => _ = values.insert(key, (asked.body.clone(), index + 7)),
            _ => _ = values.remove(&key),
        }
        json("200 OK", if same { "true" } else { "false" })
    })
}

#[test]
fn values_that_are_packed_on_one_way_only_are_written_where_their_number_holds() {
    let held: Values = Arc::default();
    let proxy = values(held.clone());
    let checkout = checkout(&proxy.url, PACKED);
    let declared = "managed: [entry]\nentry: [{key: a/b, value: 'one: 1'}, {key: c, value: x}]\n";
    checkout.commit("e.yaml", declared);
    checkout.apply(&[]);
    assert_eq!(held.lock().unwrap()["a/b"], ("one: 1".to_owned(), 7));
    checkout.commit("e.yaml", &declared.replace("one", "two"));
    checkout.apply(&[]);
    assert_eq!(held.lock().unwrap()["a/b"], ("two: 1".to_owned(), 14));
    checkout.commit("e.yaml", "managed: [entry]\nentry: [{key: a/b, value: 'two: 1'}]\n");
    checkout.apply(&[]);
    assert!(proxy.requests().contains(&"DELETE /kv/c?cas=7".to_owned()), "{:?}", proxy.requests());
    checkout.run(&["import", "t", "entry"], 0);
}

#[test]
fn a_list_that_says_what_it_leaves_out_leads_to_no_delete() {
    let held: Values = Arc::default();
    let (proxy, filtered) = (values(held.clone()), Arc::new(AtomicBool::new(false)));
    let (upstream, is_filtered) = (proxy.url.clone(), filtered.clone());
    let front = Proxy::start(&upstream, move |asked| match asked.path.starts_with("/kv/?") {
        // What is left out is all there is.
        true if is_filtered.load(Ordering::SeqCst) => reply("200 OK", "X-Filtered: true\r\n", "[]"),
        _ => Answer::Forward,
    });
    let checkout = checkout(&front.url, PACKED);
    checkout.commit("e.yaml", "managed: [entry]\nentry: [{key: a, value: x}, {key: b, value: x}]\n");
    checkout.apply(&[]);
    filtered.store(true, Ordering::SeqCst);
    // What is declared is asked for by itself; what is not stays.
    checkout.run(&["plan"], 1);
    checkout.commit("e.yaml", "managed: [entry]\nentry: [{key: a, value: y}]\n");
    let ran = checkout.run(&["apply", "--yes"], 1);
    assert!(ran.stdout.contains("only what these credentials may see"), "{}", ran.stdout);
    let held = held.lock().unwrap();
    assert_eq!((held.len(), held["a"].0.as_str()), (2, "x"));
}

#[test]
fn a_bare_false_of_the_server_is_a_conflict_and_nothing_is_written() {
    let held: Values = Arc::default();
    let honest = values(held.clone());
    let upstream = honest.url.clone();
    let checkout = checkout(&honest.url, PACKED);
    checkout.commit("e.yaml", "entry: [{key: a, value: one}]\n");
    checkout.apply(&[]);
    // Somebody writes between the look before the write and the write.
    let proxy = Proxy::start(&upstream, {
        let held = held.clone();
        move |asked| {
            if asked.method == "PUT" {
                held.lock().unwrap().insert("a".into(), ("theirs".into(), 99));
            }
            Answer::Forward
        }
    });
    let config = checkout.sandbox.read("checkout/trueup.yaml").replace(&upstream, &proxy.url);
    checkout.sandbox.write("checkout/trueup.yaml", config);
    checkout.sandbox.sh("rm -r ../target").expect(0);
    checkout.commit("e.yaml", "entry: [{key: a, value: two}]\n");
    let ran = checkout.run(&["apply", "--yes", "--adopt", "**"], 6);
    assert!(ran.stdout.contains("the object is not what the write expects"), "{}", ran.stdout);
    assert_eq!(held.lock().unwrap()["a"], ("theirs".to_owned(), 99));
}

const SELECTED: &str = r#"kinds:
  variable:
    identity: {keys: [/key, /environment_scope]}
    list: {path: /variables}
    read: {path: "/variables/{key}", query: &which {"filter[environment_scope]": "{environment_scope}"}}
    create: {method: POST, path: /variables, body: declared}
    update: {method: PUT, path: "/variables/{key}", query: *which, body: changed}
    delete: {path: "/variables/{key}", query: *which}
    fields: {"/{key,environment_scope,value}": {required: true}}
"#;

#[test]
fn of_two_objects_of_one_name_the_query_says_which() {
    let held: Arc<Mutex<Vec<Json>>> = Arc::default();
    let there = held.clone();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        let mut held = there.lock().unwrap();
        let (path, scope) = (asked.path.split('?').next().unwrap(), query(&asked.path));
        let scope = scope.get("filter[environment_scope]");
        let name = path.trim_start_matches("/variables").trim_start_matches('/');
        let named = |one: &Json| {
            one["key"] == name && scope.is_none_or(|scope| one["environment_scope"] == scope.as_str())
        };
        let at: Vec<usize> = (0..held.len()).filter(|at| named(&held[*at])).collect();
        let body: Json = serde_json::from_str(&asked.body).unwrap_or_default();
        match (asked.method.as_str(), at.as_slice()) {
            ("GET", _) if name.is_empty() => json("200 OK", &Json::Array(held.clone()).to_string()),
            ("POST", _) => {
                held.push(body);
                reply("201 Created", "", "")
            }
            (_, []) => json("404 Not Found", "{}"),
            ("GET", [at]) => json("200 OK", &held[*at].to_string()),
            ("PUT", [at]) => {
                held[*at]["value"] = body["value"].clone();
                reply("200 OK", "", "")
            }
            ("DELETE", [at]) => {
                held.remove(*at);
                reply("204 No Content", "", "")
            }
            _ => json("409 Conflict", r#"{"message": "there are several variables of that name"}"#),
        }
    });
    let checkout = checkout(&proxy.url, SELECTED);
    let declared = "variable:\n  - {key: K, environment_scope: prod/*, value: p}\n  - {key: K, environment_scope: '*', value: all}\n";
    checkout.commit("v.yaml", declared);
    checkout.apply(&[]);
    checkout.commit("v.yaml", &declared.replace("value: p", "value: q"));
    checkout.apply(&[]);
    let expected = tree!([
        {"key": "K", "environment_scope": "prod/*", "value": "q"}, {"key": "K", "environment_scope": "*", "value": "all"},
    ]);
    let mut now = held.lock().unwrap().clone();
    now.sort_by_key(|one| one["value"] != "q");
    assert_eq!(Json::Array(now), expected);
    checkout.commit("v.yaml", "variable:\n  - {key: K, environment_scope: prod/*, value: q}\n");
    checkout.apply(&[]);
    assert_eq!(held.lock().unwrap().len(), 1);
}

const BY_ITEM: &str = r#"kinds:
  branch:
    identity: {keys: [/name]}
    list: {path: /branches}
    create: {method: POST, path: /branches, body: declared}
    update: {method: PATCH, path: "/branches/{name}", body: changed}
    fields:
      /name: {required: true}
      /allowed:
        list: keyed
        key: who
        patch:
          put: {$merge: [{$: ""}, {id: {$: "actual:/id"}}]}
          remove: {id: {$: /id}, _destroy: true}
"#;

#[test]
fn a_list_is_changed_item_by_item_where_the_server_wants_that() {
    let held =
        Arc::new(Mutex::new(tree!([{"id": 1, "who": "a", "level": 40}, {"id": 2, "who": "b", "level": 40}])));
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        let mut items = held.lock().unwrap();
        if asked.method == "PATCH" {
            let body: Json = serde_json::from_str(&asked.body).unwrap();
            for item in body["allowed"].as_array().unwrap() {
                let list = items.as_array_mut().unwrap();
                list.retain(|old| old["id"] != item["id"]);
                if item["_destroy"] != true {
                    let id = item["id"].as_u64().unwrap_or(9);
                    list.push(tree!({"id": id, "who": item["who"], "level": item["level"]}));
                }
            }
        }
        json("200 OK", &tree!([{"name": "main", "allowed": *items}]).to_string())
    });
    let checkout = checkout(&proxy.url, BY_ITEM);
    checkout
        .commit("b.yaml", "branch: [{name: main, allowed: [{who: a, level: 30}, {who: c, level: 20}]}]\n");
    checkout.apply(&["--adopt", "**"]);
    let asked = proxy.asked.lock().unwrap();
    let sent: Json =
        serde_json::from_str(&asked.iter().find(|one| one.method == "PATCH").unwrap().body).unwrap();
    let expected = tree!({"allowed": [
        {"who": "a", "level": 30, "id": 1}, {"who": "c", "level": 20}, {"id": 2, "_destroy": true},
    ]});
    assert_eq!(sent, expected);
}

const MASKED: &str = r#"kinds:
  client:
    identity: {keys: [/name]}
    list: {path: /clients}
    create: {method: POST, path: /clients, body: declared}
    update: {method: PUT, path: "/clients/{name}", body: full}
    fields:
      /name: {required: true}
      /url: {}
      /secret: {access: write_only, sensitive: true, presence: /secret}
      "/more/*": {access: write_only, sensitive: true, presence: "/set/*"}
      /set: {access: read_only}
"#;

#[test]
fn a_mask_is_sent_back_as_it_is_and_its_loss_is_seen() {
    const MASK: &str = "**********";
    let held: Arc<Mutex<Json>> = Arc::new(Mutex::new(Json::Null));
    let there = held.clone();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| {
        let mut held = there.lock().unwrap();
        if asked.method == "GET" {
            let mut shown = held.clone();
            if let Some(shown) = shown.as_object_mut() {
                shown.entry("secret").and_modify(|secret| *secret = MASK.into());
                let more = shown.remove("more").unwrap_or_default();
                let set = more.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), true.into()));
                shown.insert("set".to_owned(), Json::Object(set.collect()));
            }
            let all: Vec<&Json> = std::iter::once(&shown).filter(|shown| shown.is_object()).collect();
            return json("200 OK", &tree!(all).to_string());
        }
        let mut new: Json = serde_json::from_str(&asked.body).unwrap();
        if new["secret"] == MASK {
            new["secret"] = held["secret"].clone();
        }
        *held = new;
        json("200 OK", "{}")
    });
    let checkout = checkout(&proxy.url, MASKED);
    checkout.sandbox.write("home/field", "m4sk-canary");
    let declared =
        "client: [{name: a, url: u, secret: {$file: ../home/field}, more: {k: {$file: ../home/field}}}]\n";
    checkout.commit("c.yaml", declared);
    checkout.apply(&[]);
    // Somebody who does not know the secret changes the rest of it, and of that only.
    checkout.commit("c.yaml", "client: [{name: a, url: v}]\n");
    checkout.apply(&[]);
    {
        let held = held.lock().unwrap();
        assert_eq!((&held["url"], &held["secret"]), (&tree!("v"), &tree!("m4sk-canary")));
    }
    checkout.commit("c.yaml", declared);
    checkout.apply(&[]);
    for gone in ["secret", "more"] {
        held.lock().unwrap().as_object_mut().unwrap().remove(gone);
        let drift = checkout.run(&["drift"], 3);
        assert!(drift.stdout.contains(&format!("/{gone}")), "{}", drift.stdout);
        checkout.apply(&[]);
        assert!(held.lock().unwrap()[gone].to_string().contains("m4sk-canary"));
    }
}
