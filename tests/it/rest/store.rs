//! A server of our own with rooms, queues in them and bindings of those: names without case, things that go along with
//! others, and rooms that are locked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value as Json, json};

use super::{
    Checkout,
    proxy::{Answer, Asked, Proxy, reply},
};

const DEFINITION: &str = r#"apiVersion: rest.trueup/v1
provider: store
summary: rooms with queues
base_url: "{url}/api"
auth:
  - {scheme: bearer, env: STORE_TOKEN}
retry: {max: 1, base_ms: 10, max_wait_s: 1}
errors:
  - {status: 423, class: protected}
scopes:
  room: {params: [room], kind: room, exists: "/rooms/{room}"}
kinds:
  room:
    identity: {keys: [/name], case: insensitive}
    list: {path: /rooms}
    read: {path: "/rooms/{name}"}
    create: {method: POST, path: /rooms, body: declared, returns: "", update_after_create: true}
    update: {method: PATCH, path: "/rooms/{name}", body: changed, returns: ""}
    delete: {path: "/rooms/{name}"}
    fields:
      /name: {required: true, type: string}
      /about: {type: string, default: ""}
      /motto: {type: string, default: ""}
      /format: {access: immutable, default: plain}
      /archived: {type: boolean, locks: true, default: false}
  queue:
    scope: room
    identity: {keys: [/name], case: insensitive}
    list: {path: "/rooms/{room}/queues"}
    create: {method: POST, path: "/rooms/{room}/queues", body: declared, returns: ""}
    update: {method: PATCH, path: "/rooms/{room}/queues/{name}", body: changed, returns: ""}
    delete: {path: "/rooms/{room}/queues/{name}"}
    fields:
      /name: {required: true, type: string}
      /size: {access: immutable, type: integer, minimum: 0, maximum: 1000, default: 0}
      /note: {type: string, pattern: "^[a-z ]*$", default: ""}
      /tags: {list: set, items: {type: string, pattern: "^[a-z]+$"}, default: []}
      /key: {type: string, sensitive: true}
  binding:
    scope: room
    depends_on: [queue]
    attached_to: [{kind: queue, by: /queue}]
    identity: {keys: [/queue, /key], case: insensitive}
    id: /id
    list: {path: "/rooms/{room}/bindings"}
    create: {method: POST, path: "/rooms/{room}/bindings", body: declared, returns: ""}
    delete: {path: "/rooms/{room}/bindings/{id}"}
    fields:
      "/{queue,key}": {required: true, type: string}
      /id: {access: read_only}
"#;

/// What the server holds: objects by path, in small letters.
#[derive(Clone, Default)]
pub struct Store(Arc<Mutex<BTreeMap<String, Json>>>);

/// A server with its checkout.
pub struct Stored {
    /// What it holds.
    pub store: Store,
    /// What it was asked.
    pub proxy: Proxy,
    /// The checkout.
    pub checkout: Checkout,
}

impl Stored {
    /// An empty server, and a checkout for it with the target keys `options`.
    pub fn new(options: &str) -> Stored {
        let store = Store::default();
        let served = store.clone();
        let proxy = Proxy::start("", move |asked| served.answer(asked));
        let more = if options.is_empty() { String::new() } else { format!(", {options}") };
        let keys = format!(
            "provider: rest, definition: store.yaml, url: '{}', credentials: {{file: ../home/secret}}, state: ../target/state.json, timeout_s: 5{more}",
            proxy.url
        );
        let checkout = Checkout::new(&keys, "t0ken-canary");
        checkout.sandbox.write("checkout/store.yaml", DEFINITION);
        Stored { store, proxy, checkout }
    }

    /// The requests that wrote since the last call.
    pub fn writes(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.proxy.asked.lock().unwrap());
        let writes = asked.into_iter().filter(|asked| asked.method != "GET");
        writes.map(|asked| format!("{} {}", asked.method, asked.path.trim_start_matches("/api"))).collect()
    }
}

impl Store {
    /// The object at `path`, if there is one.
    pub fn get(&self, path: &str) -> Option<Json> {
        self.0.lock().unwrap().get(&path.to_lowercase()).cloned()
    }

    /// Puts an object there, as somebody else would.
    pub fn put(&self, path: &str, object: Json) {
        self.0.lock().unwrap().insert(path.to_lowercase(), object);
    }

    /// Everything that is there, by path.
    pub fn paths(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// What it answers.
    pub fn answer(&self, asked: &Asked) -> Answer {
        let path = asked.path.to_lowercase();
        let path = path.trim_start_matches("/api");
        let mut body: Json = serde_json::from_str(&asked.body).unwrap_or(Json::Null);
        // It keeps the first letters of a motto only.
        if let Some(motto) = body.get_mut("motto") {
            *motto = motto.as_str().unwrap_or_default().chars().take(4).collect::<String>().into();
        }
        let mut held = self.0.lock().unwrap();
        let room = room_of(path).filter(|room| held.get(*room).is_some_and(|room| room["archived"] == true));
        let lifts = body["archived"] == false || asked.method == "DELETE" && room == Some(path);
        if asked.method != "GET" && room.is_some() && !lifts {
            return reply("423 Locked", "", r#"{"message": "the room is archived"}"#);
        }
        match asked.method.as_str() {
            "GET" if is_list(path) => list(&held, path),
            "GET" => held.get(path).map_or_else(absent, |object| reply("200 OK", "", &object.to_string())),
            "POST" => post(&mut held, path, body),
            "PATCH" => match held.get_mut(path).and_then(Json::as_object_mut) {
                Some(object) => {
                    object.extend(body.as_object().cloned().unwrap_or_default());
                    let object = Json::Object(object.clone());
                    reply("200 OK", "", &object.to_string())
                }
                None => absent(),
            },
            _ => delete(&mut held, path),
        }
    }
}

fn room_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/rooms/")?;
    Some(&path[..7 + rest.find('/').unwrap_or(rest.len())])
}

fn is_list(path: &str) -> bool {
    ["/rooms", "/queues", "/bindings"].iter().any(|end| path.ends_with(end))
}

fn absent() -> Answer {
    reply("404 Not Found", "", "{}")
}

fn list(held: &BTreeMap<String, Json>, path: &str) -> Answer {
    if room_of(path).is_some_and(|room| !held.contains_key(room)) {
        return absent();
    }
    let inside = |key: &&String| key.strip_prefix(path).is_some_and(|rest| rest.matches('/').count() == 1);
    let found: Vec<&Json> = held.keys().filter(inside).map(|key| &held[key]).collect();
    reply("200 OK", "", &json!(found).to_string())
}

/// Makes an object; a room is never made locked.
fn post(held: &mut BTreeMap<String, Json>, path: &str, mut body: Json) -> Answer {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let id =
        if path.ends_with("/bindings") { format!("{}~{}", text("queue"), text("key")) } else { text("name") };
    let at = format!("{path}/{}", id.to_lowercase());
    if held.contains_key(&at) {
        return reply("409 Conflict", "", "{}");
    }
    if path.ends_with("/bindings")
        && !held
            .contains_key(&at.replace("/bindings/", "/queues/").split('~').collect::<Vec<_>>()[0].to_owned())
    {
        return reply("422 Unprocessable", "", r#"{"message": "no such queue"}"#);
    }
    if body["size"] == 13 {
        return reply("422 Unprocessable", "", r#"{"message": "size brings bad luck"}"#);
    }
    body["id"] = json!(id);
    if path == "/rooms" {
        body["archived"] = json!(false);
    }
    held.insert(at, body.clone());
    reply("201 Created", "", &body.to_string())
}

/// Takes an object away with what is in it, and the bindings of a queue.
fn delete(held: &mut BTreeMap<String, Json>, path: &str) -> Answer {
    if held.remove(path).is_none() {
        return absent();
    }
    let bindings = format!("{}~", path.replace("/queues/", "/bindings/"));
    held.retain(|key, _| !key.starts_with(&format!("{path}/")) && !key.starts_with(&bindings));
    reply("204 No Content", "", "")
}
