//! Requests to the API server. What only looks cannot be turned into what writes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Request, StatusCode};
use kube::{Client, client::Body};

use super::{failure::Failure, json};
use crate::{model::value::Value, providers::meter::Meter};

/// The field manager that owns what trueup applies.
pub const MANAGER: &str = "trueup";

/// The longest single request.
const PATIENCE: Duration = Duration::from_secs(60);

/// A way to a server.
#[derive(Clone)]
pub struct Connection {
    /// What sends requests.
    pub client: Client,
    /// Where it leads, for people.
    pub server: Arc<str>,
    /// What the context of the kubeconfig says and nobody heeds.
    pub unheeded: Option<String>,
    /// Counts what is sent.
    pub meter: Meter,
}

/// A connection that can say GET, LIST and `dryRun=All`, and nothing else.
#[derive(Clone)]
pub struct ReadClient {
    line: Connection,
}

/// A connection that can write.
#[derive(Clone)]
pub struct WriteClient {
    line: Connection,
    looking: ReadClient,
}

/// What the server answered.
pub struct Answer<T = Value> {
    /// 200 or 201.
    pub status: StatusCode,
    /// The object, or what was read of it.
    pub value: T,
    /// The texts of its `Warning` headers.
    pub warnings: Vec<String>,
}

/// How a server-side apply treats fields of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Take them over.
    Yes,
    /// Answer 409.
    No,
}

impl ReadClient {
    /// Uses `line` for reading only.
    pub fn new(line: Connection) -> ReadClient {
        ReadClient { line }
    }

    /// What the context of the kubeconfig says and nobody heeds.
    pub fn unheeded(&self) -> Option<&str> {
        self.line.unheeded.as_deref()
    }

    /// Counts what is sent.
    pub fn meter(&self) -> &Meter {
        &self.line.meter
    }

    /// Reads one thing, patiently.
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.get_as(path, "application/json").await
    }

    /// Reads one thing in the form that `accept` names.
    pub async fn get_as(&self, path: &str, accept: &'static str) -> Result<Answer, Failure> {
        self.line.send(|| get(path, accept), object, |_| true).await
    }

    /// Reads one thing, and of its text what `read` makes of it.
    pub async fn get_with<T>(
        &self,
        path: &str,
        read: impl Fn(&[u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let sent = self.line.send(|| get(path, "application/json"), read, |_| true).await;
        sent.map(|answer| answer.value)
    }

    /// Asks what a server-side apply of `body` would make of the object.
    pub async fn dry_apply(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let bytes = json::write(body);
        let path = format!("{path}?dryRun=All&fieldManager={MANAGER}&force=true&fieldValidation=Strict");
        self.line.send(|| patch(&path, APPLY, bytes.clone()), object, |_| true).await
    }

    /// Asks what changing single places (RFC 6902) would make of the object.
    pub async fn dry_patch(&self, path: &str, operations: &Value) -> Result<Answer, Failure> {
        let bytes = json::write(operations);
        let path = format!("{path}?dryRun=All&fieldManager={MANAGER}");
        self.line.send(|| patch(&path, PLACES, bytes.clone()), object, |_| true).await
    }
}

impl WriteClient {
    /// Uses `line` for everything.
    pub fn new(line: Connection) -> WriteClient {
        WriteClient { looking: ReadClient::new(line.clone()), line }
    }

    /// The same connection for what only reads.
    pub fn looking(&self) -> &ReadClient {
        &self.looking
    }

    /// Applies `body` on the server.
    pub async fn apply(&self, path: &str, body: &Value, force: Force) -> Result<Answer, Failure> {
        let force = force == Force::Yes;
        let path = format!("{path}?fieldManager={MANAGER}&force={force}&fieldValidation=Strict");
        let bytes = json::write(body);
        self.politely(|| patch(&path, APPLY, bytes.clone())).await
    }

    /// Changes single places (RFC 6902).
    pub async fn patch(&self, path: &str, operations: &Value) -> Result<Answer, Failure> {
        let path = format!("{path}?fieldManager={MANAGER}");
        let bytes = json::write(operations);
        self.politely(|| patch(&path, PLACES, bytes.clone())).await
    }

    /// Creates an object, which must not be there.
    pub async fn create(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let path = format!("{path}?fieldManager={MANAGER}");
        let bytes = json::write(body);
        self.politely(|| with_body(Request::post(&path), "application/json", bytes.clone())).await
    }

    /// Replaces an object, which must have the version that `body` names.
    pub async fn replace(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let path = format!("{path}?fieldManager={MANAGER}");
        let bytes = json::write(body);
        self.politely(|| with_body(Request::put(&path), "application/json", bytes.clone())).await
    }

    /// Deletes an object under the conditions in `options`.
    pub async fn delete(&self, path: &str, options: &Value) -> Result<Answer, Failure> {
        let bytes = json::write(options);
        self.politely(|| with_body(Request::delete(path), "application/json", bytes.clone())).await
    }

    /// Sends a write, again only where it was certainly not carried out.
    async fn politely(
        &self,
        request: impl Fn() -> Result<Request<Vec<u8>>, Failure>,
    ) -> Result<Answer, Failure> {
        self.line.send(request, object, Failure::was_not_carried_out).await
    }
}

impl Connection {
    /// Sends a request, again after a failure that `again` allows, with longer and longer pauses
    /// and no longer than that failure deserves.
    async fn send<T>(
        &self,
        request: impl Fn() -> Result<Request<Vec<u8>>, Failure>,
        read: impl Fn(&[u8]) -> Result<T, Failure>,
        again: impl Fn(&Failure) -> bool,
    ) -> Result<Answer<T>, Failure> {
        let begun = Instant::now();
        let mut delay = Duration::from_millis(100);
        self.meter.request();
        loop {
            let failure = match self.once(request()?, &read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let pause = failure.retry_after().unwrap_or_default().max(delay);
            if !again(&failure) || begun.elapsed() + pause > failure.patience() {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            self.meter.repeat();
            delay *= 3;
        }
    }

    async fn once<T>(
        &self,
        request: Request<Vec<u8>>,
        read: &impl Fn(&[u8]) -> Result<T, Failure>,
    ) -> Result<Answer<T>, Failure> {
        let late = |_| Failure::Unanswered(format!("no answer within {} seconds", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, self.exchange(request, read)).await.map_err(late)?
    }

    async fn exchange<T>(
        &self,
        request: Request<Vec<u8>>,
        read: &impl Fn(&[u8]) -> Result<T, Failure>,
    ) -> Result<Answer<T>, Failure> {
        let broken = |error: kube::Error| Failure::from_client(&error, &self.server);
        let response = self.client.send(request.map(Body::from)).await.map_err(broken)?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect_bytes().await.map_err(broken)?;
        if !parts.status.is_success() {
            return Err(Failure::from_status(parts.status, &parts.headers, &bytes));
        }
        let value = read(&bytes)?;
        let warnings = parts.headers.get_all(http::header::WARNING);
        let warnings = warnings.iter().filter_map(|value| value.to_str().ok()).map(warning).collect();
        Ok(Answer { status: parts.status, value, warnings })
    }
}

/// An answer that is one object.
fn object(bytes: &[u8]) -> Result<Value, Failure> {
    json::read(bytes).map_err(Failure::no_json)
}

const APPLY: &str = "application/apply-patch+yaml";
const PLACES: &str = "application/json-patch+json";

fn get(path: &str, accept: &'static str) -> Result<Request<Vec<u8>>, Failure> {
    let request = Request::get(path).header(http::header::ACCEPT, accept);
    request.body(Vec::new()).map_err(|error| Failure::Garbled(error.to_string()))
}

fn patch(path: &str, content_type: &'static str, body: Vec<u8>) -> Result<Request<Vec<u8>>, Failure> {
    with_body(Request::patch(path), content_type, body)
}

fn with_body(
    builder: http::request::Builder,
    content_type: &'static str,
    body: Vec<u8>,
) -> Result<Request<Vec<u8>>, Failure> {
    builder
        .header(http::header::CONTENT_TYPE, content_type)
        .header(http::header::ACCEPT, "application/json")
        .body(body)
        .map_err(|error| Failure::Garbled(error.to_string()))
}

/// The text of `299 - "text"`.
fn warning(header: &str) -> String {
    let text = header.split_once('"').map_or(header, |(_, rest)| rest);
    text.trim_end().trim_end_matches('"').replace("\\\"", "\"")
}
