//! What the API server keeps, read and changed behind its back.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::server::Server;

/// Asks the store.
fn ask(server: &Server, what: &str, body: &Value) -> Value {
    let mut store = TcpStream::connect(("127.0.0.1", server.store)).unwrap();
    let body = body.to_string();
    let length = body.len();
    write!(store, "POST /v3/kv/{what} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    store.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200"), "{answer}");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Replaces one text in an object by another of the same length.
pub fn replace(server: &Server, key: &str, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let key = STANDARD.encode(key);
    let found = ask(server, "range", &json!({"key": key}));
    let mut bytes = STANDARD.decode(found["kvs"][0]["value"].as_str().unwrap()).unwrap();
    let places: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    let [at] = places[..] else { panic!("{} places", places.len()) };
    bytes[at..at + to.len()].copy_from_slice(to);
    ask(server, "put", &json!({"key": key, "value": STANDARD.encode(bytes)}));
}

/// Forgets everything but what holds now.
pub fn compact(server: &Server) {
    let now = ask(server, "range", &json!({"key": STANDARD.encode("none")}));
    ask(server, "compaction", &json!({"revision": now["header"]["revision"]}));
}
