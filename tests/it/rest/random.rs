//! Declarations and people at random: what was applied is in sync, what moved is drift, and taking that into Git or
//! reverting it leaves nothing to do.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{Checkout, opening, powerdns};
use crate::{
    generators::{self, Dice},
    parts::{Gitea, Kinto, PowerDns, RabbitMq},
};

const APPLY: [&str; 6] = ["apply", "--yes", "--allow-protected", "**", "--allow-emptied", "**"];

/// What can be declared of one server and changed there by hand.
struct Game<'a> {
    checkout: Checkout,
    kind: &'a str,
    /// One object called by a word, in the declared form.
    object: &'a dyn Fn(&mut Dice, &str) -> Json,
    /// What the server takes a field for that nobody gives.
    defaults: Json,
    /// Makes an object by hand what it would be if this was declared.
    set: &'a dyn Fn(&str, &Json),
    /// Deletes one by hand.
    delete: &'a dyn Fn(&str, &Json),
}

impl Game<'_> {
    fn play(&self) {
        let (mut generators, trials) = generators::throw(5, 100);
        let generators = &mut generators;
        for trial in 0..trials {
            let mut declared: BTreeMap<String, Json> = BTreeMap::new();
            for name in ["a"].into_iter().chain(generators.some(&["b", "c", "d"])) {
                declared.insert(name.to_owned(), (self.object)(generators, name));
            }
            let lines: String = declared.values().map(|object| format!("  - {object}\n")).collect();
            let text = format!(
                "# Number {trial}\nmanaged: [{}]\nignore: ['**/NS']\n{}:\n{lines}",
                self.kind, self.kind
            );
            self.checkout.commit("all.yaml", &text);
            let said = format!("trial {trial}: {text}");
            self.expect(&APPLY, 0, &said);
            self.expect(&["plan"], 0, &said);
            let before = self.expect(&["drift"], 0, &said);
            let moved = self.meddle(generators, &declared);
            let said = format!("{said}then {moved:?} after {before}");
            self.expect(&["drift"], if moved.is_empty() { 0 } else { 3 }, &said);
            if generators.chance(50) {
                self.expect(&["drift", "--adopt"], 0, &said);
                self.checkout.sandbox.sh("git commit -qam adopt || true").expect(0);
            } else {
                self.expect(&APPLY, 0, &said);
            }
            let adopted = self.checkout.sandbox.read("checkout/objects/all.yaml");
            let said = format!("{said}\nwhich became {adopted}");
            self.expect(&["plan"], 0, &said);
            self.expect(&APPLY, 0, &said);
            self.expect(&["drift"], 0, &said);
        }
    }

    /// Changes or deletes one of what is declared, or nothing; answers what.
    fn meddle(&self, generators: &mut Dice, declared: &BTreeMap<String, Json>) -> Vec<String> {
        let names: Vec<&String> = declared.keys().collect();
        if names.is_empty() || generators.chance(20) {
            return Vec::new();
        }
        let name = *generators.one(&names);
        if generators.chance(30) {
            (self.delete)(name, &declared[name]);
            return vec![format!("{name} deleted")];
        }
        let mut other = (self.object)(generators, name);
        for (key, value) in self.defaults.as_object().unwrap() {
            other.as_object_mut().unwrap().entry(key).or_insert_with(|| value.clone());
        }
        (self.set)(name, &other);
        let differs = |(key, value): (&String, &Json)| other.get(key) != Some(value);
        let moved = declared[name].as_object().unwrap().iter().any(differs);
        moved.then(|| other.to_string()).into_iter().collect()
    }

    #[track_caller]
    fn expect(&self, args: &[&str], exit: i32, said: &str) -> String {
        let ran = self.checkout.sandbox.trueup(args);
        assert_eq!(ran.exit, exit, "{args:?}: {said}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }
}

fn value(generators: &mut Dice, depth: u64) -> Json {
    let inner = |generators: &mut Dice| value(generators, depth + 1);
    match generators.roll(if depth > 1 { 5 } else { 7 }) {
        0 => json!(generators.roll(2) == 0),
        1 => json!(generators.one(&[0.5, 1e3, -0.25, 1e-7])),
        2 => json!(generators.one(&[0_i64, -1, 42, 9_007_199_254_740_993])),
        3 | 4 => json!(generators.one(&generators::TEXTS)),
        5 => (0..generators.roll(3)).map(|_| inner(generators)).collect(),
        _ => (0..generators.roll(3))
            .map(|_| (generators.word(), inner(generators)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

#[test]
fn records_of_kinto() {
    let Some(server) = Kinto::get() else { return };
    server.curl("PUT", "/buckets/random", "{}").unwrap();
    server.curl("PUT", "/buckets/random/collections/c", "{}").unwrap();
    let path = |name: &str| format!("/buckets/random/collections/c/records/{name}");
    let game = Game {
        checkout: opening::kinto(
            &server.url,
            &format!(
                "{}, scope: {{bucket: random, collection: c}}, guards: {{max-delete-percent: 100}}",
                opening::FILE
            ),
        ),
        kind: "record",
        object: &|generators, name| {
            let mut object = json!({"id": name});
            for key in generators.some(&["x", "y", "a/b~c", "on"]) {
                object[key] = value(generators, 0);
            }
            object
        },
        defaults: json!({}),
        set: &|name, object| {
            server.curl("PUT", &path(name), &json!({"data": object}).to_string()).unwrap();
        },
        delete: &|name, _| _ = server.curl("DELETE", &path(name), "").unwrap(),
    };
    game.play();
}

#[test]
fn labels_of_gitea() {
    let Some(server) = Gitea::get() else { return };
    server.curl("POST", "/orgs", r#"{"username": "random"}"#).unwrap();
    server.curl("POST", "/orgs/random/repos", r#"{"name": "web"}"#).unwrap();
    let path = |name: &str| {
        let all: Json =
            serde_json::from_str(&server.curl("GET", "/repos/random/web/labels", "").unwrap()).unwrap();
        let label = all.as_array().unwrap().iter().find(|label| label["name"] == name).unwrap();
        format!("/repos/random/web/labels/{}", label["id"])
    };
    let game = Game {
        checkout: opening::gitea(
            server,
            &server.url,
            "scope: {owner: random, repo: web}, guards: {max-delete-percent: 100}",
        ),
        kind: "label",
        object: &|generators, name| {
            let mut object =
                json!({"name": name, "color": generators.one(&["ff0000", "00ff00", "012345", "000000"])});
            if generators.chance(70) {
                object["description"] = json!(generators.one(&generators::TEXTS).trim());
            }
            object
        },
        defaults: json!({"description": ""}),
        set: &|name, object| _ = server.curl("PATCH", &path(name), &object.to_string()).unwrap(),
        delete: &|name, _| _ = server.curl("DELETE", &path(name), "").unwrap(),
    };
    game.play();
}

#[test]
fn policies_of_rabbitmq() {
    let Some(server) = RabbitMq::get() else { return };
    server.curl("PUT", "/vhosts/random", "{}").unwrap();
    let path = |name: &str| format!("/policies/random/{name}");
    let game = Game {
        checkout: opening::rabbitmq(
            "random",
            &server.url,
            "scope: {vhost: random}, guards: {max-delete-percent: 100}",
        ),
        kind: "policy",
        object: &|generators, name| {
            let mut definition = serde_json::Map::new();
            definition.insert("max-length".to_owned(), json!(generators.roll(5)));
            if generators.chance(50) {
                definition.insert("expires".to_owned(), json!(1000 + generators.roll(5)));
            }
            let mut object = json!({"name": name, "pattern": generators.one(&generators::TEXTS[..5]), "definition": definition});
            if generators.chance(50) {
                object["priority"] = json!(generators.roll(3));
            }
            if generators.chance(50) {
                object["apply-to"] = json!(generators.one(&["queues", "all"]));
            }
            object
        },
        defaults: json!({"priority": 0, "apply-to": "all"}),
        set: &|name, object| {
            let mut whole = object.clone();
            whole.as_object_mut().unwrap().remove("name");
            server.curl("PUT", &path(name), &whole.to_string()).unwrap();
        },
        delete: &|name, _| _ = server.curl("DELETE", &path(name), "").unwrap(),
    };
    game.play();
}

#[test]
fn records_of_powerdns() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    powerdns::zone(server, "random.example.");
    let patch = |name: &str, kind: &Json, rest: Json| {
        let mut set = json!({"name": format!("{name}.random.example."), "type": kind});
        set.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        server.curl("PATCH", "/zones/random.example.", &json!({"rrsets": [set]}).to_string()).unwrap();
    };
    let game = Game {
        checkout: opening::powerdns(
            &server.url,
            "scope: {zone: random.example.}, guards: {max-delete-percent: 100}",
        ),
        kind: "rrset",
        object: &|generators, name| {
            let (kind, contents): (&str, &[&str]) = match name {
                "a" => (
                    "TXT",
                    &["\"red\"", "\"a; b\"", "\"one\" \"two\"", "\"say \\\"hi\\\" \\\\ \\195\\188\"", "\"\""],
                ),
                "b" => ("MX", &["10 mx.example.net.", "0 .", "20 mail.random.example."]),
                "c" => ("CAA", &["0 issue \"ca.example.net\"", "128 iodef \"mailto:a@example.net\""]),
                _ => ("AAAA", &["2001:db8::1", "::", "2001:db8:0:1::"]),
            };
            let mut records = generators.some(contents);
            if records.is_empty() {
                records.push(contents[0]);
            }
            records.sort_unstable();
            json!({"name": format!("{name}.random.example."), "type": kind, "ttl": generators.roll(3), "records": records})
        },
        defaults: json!({}),
        set: &|name, object| {
            let records: Vec<Json> = object["records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|content| json!({"content": content, "disabled": false}))
                .collect();
            let rest = json!({"changetype": "REPLACE", "ttl": object["ttl"], "records": records});
            patch(name, &object["type"], rest);
        },
        delete: &|name, object| patch(name, &object["type"], json!({"changetype": "DELETE"})),
    };
    game.play();
}
