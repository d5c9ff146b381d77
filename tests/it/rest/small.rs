//! A server of our own with one room of things, for what no real server does on demand.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::{
    Checkout,
    proxy::{Answer, Asked, Proxy, reply},
};

/// Its definition; `PAGE` stands for how it pages.
const DEFINITION: &str = r#"apiVersion: rest.trueup/v1
provider: small
summary: things of a room
base_url: "{url}/api"
auth:
  - {scheme: bearer, env: SMALL_TOKEN}
limits: {max_pages: 20, max_body_mib: 8}
retry: {max: 2, base_ms: 10, max_wait_s: 5}
scopes:
  room: {params: [room], exists: "/rooms/{room}"}
kinds:
  thing:
    scope: room
    identity: {keys: [/name]}
    id: /id
    list: {path: "/rooms/{room}/things", items: /data, page: PAGE}
    create: {method: POST, path: "/rooms/{room}/things", body: declared, returns: ""}
    update: {method: PATCH, path: "/rooms/{room}/things/{id}", body: changed, returns: ""}
    delete: {path: "/rooms/{room}/things/{id}"}
    fields:
      /name: {required: true}
      /size: {default: 1}
      /secret: {access: write_only, sensitive: true}
      /id: {access: read_only}
"#;

/// One answer holds everything.
pub const UNPAGED: &str = "{style: none}";
/// Two things a page, with the number of all.
pub const COUNTED: &str =
    "{style: page, param: page, size_param: size, size: 2, first: 1, total_header: X-Total}";
/// Two things a page; each page names the next one.
pub const LINKED: &str = "{style: link}";

/// What is in the room.
#[derive(Clone, Default)]
pub struct Room(Arc<Mutex<Vec<Json>>>);

impl Room {
    /// A room with things of these names.
    pub fn of(names: &[&str]) -> Room {
        let things = names.iter().enumerate();
        let things = things.map(|(id, name)| json!({"id": id + 1, "name": name, "size": 1}));
        Room(Arc::new(Mutex::new(things.collect())))
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        let things = self.0.lock().unwrap();
        things.iter().map(|thing| thing["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Gives the thing called `name` a field, as somebody else would.
    pub fn give(&self, name: &str, field: &str, value: &str) {
        let mut things = self.0.lock().unwrap();
        things.iter_mut().filter(|thing| thing["name"] == name).for_each(|thing| thing[field] = value.into());
    }

    /// Takes the thing called `name` away, as somebody else would.
    pub fn lose(&self, name: &str) {
        self.0.lock().unwrap().retain(|thing| thing["name"] != name);
    }

    /// What an honest server answers.
    pub fn answer(&self, asked: &Asked) -> Answer {
        let mut things = self.0.lock().unwrap();
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let id = path.rsplit('/').next().and_then(|id| id.parse().ok());
        let at = things.iter().position(|thing| thing["id"].as_u64() == id);
        match (asked.method.as_str(), at) {
            ("GET", _) if path.ends_with("/things") => page(&things, query),
            ("GET", _) => reply("200 OK", "", "{}"),
            ("POST", _) => {
                let mut thing: Json = serde_json::from_str(&asked.body).unwrap();
                thing["id"] = json!(things.len() + 100);
                things.push(thing.clone());
                reply("201 Created", "", &thing.to_string())
            }
            ("PATCH", Some(at)) => {
                let change: Json = serde_json::from_str(&asked.body).unwrap();
                things[at].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
                reply("200 OK", "", &things[at].to_string())
            }
            ("DELETE", Some(at)) => {
                things.remove(at);
                reply("204 No Content", "", "")
            }
            _ => reply("404 Not Found", "", "{}"),
        }
    }
}

/// All things, or two of them where a page is asked for.
fn page(things: &[Json], query: &str) -> Answer {
    let number = query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse::<usize>().ok());
    let Some(number) = number else {
        return reply("200 OK", "", &json!({"data": things}).to_string());
    };
    let shown: Vec<&Json> = things.iter().skip((number - 1) * 2).take(2).collect();
    let next = match things.len() > number * 2 {
        true => format!("Link: </api/rooms/r/things?page={}>; rel=\"next\"\r\n", number + 1),
        false => String::new(),
    };
    let headers = format!("X-Total: {}\r\n{next}", things.len());
    reply("200 OK", &headers, &json!({"data": shown}).to_string())
}

/// A checkout for the server at `url`, which pages as `page` says and declares things of these `names`.
pub fn checkout(url: &str, page: &str, names: &[&str]) -> Checkout {
    let options = format!(
        "provider: rest, definition: small.yaml, url: '{url}', scope: {{room: r}}, credentials: {{file: ../home/secret}}, state: ../target/state.json"
    );
    let checkout = Checkout::new(&options, "t0ken-canary");
    let mut definition = DEFINITION.replace("PAGE", page);
    if page == LINKED {
        definition = definition.replace("/things\", items", "/things\", query: {page: \"1\"}, items");
    }
    checkout.sandbox.write("checkout/small.yaml", definition);
    declare(&checkout, names);
    checkout
}

/// Declares things of these `names`, and nothing else.
pub fn declare(checkout: &Checkout, names: &[&str]) {
    let lines = names.iter().map(|name| format!("  - {{name: {name}}}\n"));
    checkout.commit("things.yaml", &format!("thing:\n{}", lines.collect::<String>()));
}

/// The requests of `proxy` that write. A connection that was opened ahead and not used has no request.
pub fn writes(proxy: &Proxy) -> Vec<String> {
    let is_write = |request: &String| !request.trim().is_empty() && !request.starts_with("GET ");
    proxy.requests().into_iter().filter(is_write).collect()
}
