//! Requests. [`Getter`] can only read; [`Sender`], which an apply alone gets, can write too.

use std::{
    io::Read as _,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use reqwest::{
    Method, StatusCode, Url,
    blocking::{Client, Response},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION},
    redirect::Policy,
};
use serde_json::Value as Json;

use super::{
    credentials::{self, Proof},
    definition::{ErrorClass as Class, Success},
    exchange::Exchange,
    failure::{self, Failure},
    options::Setup,
    template, wait,
};
use crate::{exit::Exit, model::fault::Fault, providers::meter::Meter};

/// How many redirects of a read are followed.
const REDIRECTS: usize = 5;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The content; null for none.
    pub body: Json,
    /// Where it is from, after redirects.
    pub url: Url,
}

/// What a request carries.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// Nothing.
    #[default]
    Nothing,
    /// JSON.
    Json(Json),
    /// A text as it is.
    Text(String),
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Json,
    Text,
}

/// Whether a request may be sent again although it may have been acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Safe,
    Unsafe,
}

/// A request that writes.
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// What it carries.
    pub content: &'a Content,
    /// The type of that, where it is not the usual one.
    pub content_type: Option<&'a str>,
    /// Further headers: preconditions.
    pub headers: Vec<(String, String)>,
    /// Which answers mean that it took place.
    pub success: &'a Success,
    /// What no error text may hold.
    pub hidden: &'a [String],
}

/// Reads, and cannot write: it has no function that does.
#[derive(Clone)]
pub struct Getter {
    wire: Arc<Wire>,
}

/// Writes.
pub struct Sender {
    getter: Getter,
    last: Mutex<Option<Instant>>,
}

impl From<super::definition::Method> for Method {
    fn from(method: super::definition::Method) -> Method {
        match method {
            super::definition::Method::Post => Method::POST,
            super::definition::Method::Put => Method::PUT,
            super::definition::Method::Patch => Method::PATCH,
            super::definition::Method::Delete => Method::DELETE,
        }
    }
}

/// What both share; nothing of it is reachable from outside of this file.
struct Wire {
    client: Client,
    proof: Proof,
    setup: Setup,
    meter: Meter,
}

impl Getter {
    /// Opens the way to a target.
    ///
    /// # Errors
    /// Credentials or certificates that cannot be read.
    pub fn open(setup: &Setup) -> Result<Getter> {
        let proof = credentials::find(setup)?;
        let seconds = setup.options.timeout_s.unwrap_or(setup.definition.limits.timeout_s);
        let timeout = Duration::from_secs(seconds.max(1));
        let client = client(setup, timeout)?;
        Ok(Getter { wire: Arc::new(Wire { client, proof, setup: setup.clone(), meter: Meter::default() }) })
    }

    /// Counts what is sent.
    pub fn meter(&self) -> &Meter {
        &self.wire.meter
    }

    /// Asks for what is at `url`, again where that makes sense.
    ///
    /// # Errors
    /// Any answer but success, and no answer.
    pub fn get(&self, url: &Url) -> Result<Answer, Failure> {
        self.ask(Method::GET, url, &Content::Nothing, Reading::Json)
    }

    /// Asks by a POST that the definition calls safe: one that reads and does nothing else.
    ///
    /// # Errors
    /// As [`Getter::get`].
    pub fn safe_post(&self, url: &Url, question: Json) -> Result<Answer, Failure> {
        self.ask(Method::POST, url, &Content::Json(question), Reading::Json)
    }

    /// Asks for what is at `url`, as it is.
    ///
    /// # Errors
    /// As [`Getter::get`].
    pub fn text(&self, url: &Url) -> Result<Answer, Failure> {
        self.ask(Method::GET, url, &Content::Nothing, Reading::Text)
    }

    fn ask(&self, method: Method, url: &Url, content: &Content, reading: Reading) -> Result<Answer, Failure> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let request = Request {
                method: method.clone(),
                url,
                content,
                content_type: None,
                headers: Vec::new(),
                success: Success::ANY,
                hidden: &[],
            };
            let answer = self.wire.patiently(&request, reading, Again::Safe)?;
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            url = redirected(&answer)?;
        }
        Err(Failure::new(Class::Other, "redirected too often"))
    }
}

impl Sender {
    /// Opens the way to a target that is to be written.
    ///
    /// # Errors
    /// As [`Getter::open`].
    pub fn open(setup: &Setup) -> Result<Sender> {
        Ok(Sender { getter: Getter::open(setup)?, last: Mutex::new(None) })
    }

    /// The half that only reads.
    pub fn getter(&self) -> &Getter {
        &self.getter
    }

    /// Sends `request`; PUT and DELETE again where no answer came, POST and PATCH never.
    ///
    /// # Errors
    /// Any answer but success; [`Failure::sent`] says whether it may have taken effect all the same.
    pub fn send(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        self.pause();
        let again = match request.method {
            Method::POST | Method::PATCH => Again::Unsafe,
            _ => Again::Safe,
        };
        let wire = &self.getter.wire;
        let answer = wire.patiently(request, Reading::Json, again)?;
        match failure::of_write(request.success, &answer) {
            Some(failure) => Err(wire.clean(failure, request)),
            None => Ok(answer),
        }
    }

    /// Keeps the interval between writes that the definition asks for.
    fn pause(&self) {
        let interval = Duration::from_millis(self.getter.wire.setup.definition.limits.min_write_interval_ms);
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(last) = *last {
            std::thread::sleep(interval.saturating_sub(last.elapsed()));
        }
        *last = Some(Instant::now());
    }
}

impl Wire {
    /// Sends a request until it is answered for good, the patience of the definition is over, or it
    /// would be wrong to send it again.
    fn patiently(&self, request: &Request<'_>, reading: Reading, again: Again) -> Result<Answer, Failure> {
        let retry = &self.setup.definition.retry;
        let safe = again == Again::Safe;
        let (mut attempt, mut renewed) = (0, false);
        self.meter.request();
        loop {
            let (failure, asked) = match self.once(request, reading) {
                Ok(answer) if answer.status.is_success() || answer.status.is_redirection() => {
                    return Ok(answer);
                }
                // A token can end before its time; nothing was done with it then.
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED && !renewed && self.renew() => {
                    renewed = true;
                    self.meter.repeat();
                    continue;
                }
                Ok(answer) => {
                    let failure = failure::of_answer(&self.setup.definition, &answer);
                    let again =
                        retry.on.contains(&answer.status.as_u16()) || failure.class == Class::RateLimited;
                    // A server that says `429` did not act on the request, whatever its method.
                    let turned_away = failure.class == Class::RateLimited;
                    let asked = wait::asked(&answer.headers, retry.remaining.as_ref());
                    if !again || !(safe || turned_away) {
                        return Err(self.clean(failure, request));
                    }
                    (failure, asked)
                }
                Err(failure) if safe && failure.again => (failure, None),
                Err(failure) => return Err(self.clean(failure, request)),
            };
            let pause = asked.unwrap_or_else(|| wait::backoff(retry.base_ms, attempt));
            if attempt >= retry.max || pause > Duration::from_secs(retry.max_wait_s) {
                return Err(self.clean(failure, request));
            }
            std::thread::sleep(pause);
            self.meter.repeat();
            attempt += 1;
        }
    }

    /// Forgets the token that is sent, where another one can be had.
    fn renew(&self) -> bool {
        self.proof.exchange.as_ref().map(Exchange::forget).is_some()
    }

    fn once(&self, request: &Request<'_>, reading: Reading) -> Result<Answer, Failure> {
        self.check_origin(&request.url)?;
        let mut url = request.url.clone();
        self.proof.sign(&mut url);
        let mut builder = self.client.request(request.method.clone(), url);
        if let Some((name, value)) = &self.proof.header {
            builder = builder.header(name, value);
        }
        if let Some(exchange) = &self.proof.exchange {
            builder = builder.header(AUTHORIZATION, exchange.header(&self.client)?);
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let content = match request.content {
            Content::Nothing => None,
            Content::Json(body) => Some(("application/json", body.to_string())),
            Content::Text(text) => Some(("text/plain; charset=utf-8", text.clone())),
        };
        if let Some((usual, content)) = content {
            builder = builder.header(CONTENT_TYPE, request.content_type.unwrap_or(usual)).body(content);
        }
        let response = builder.send().map_err(|error| failure::of_error(&error))?;
        self.read(response, request, reading)
    }

    /// Nothing outside of the base is asked: neither another server nor another part of this one.
    fn check_origin(&self, url: &Url) -> Result<(), Failure> {
        let base = &self.setup.base;
        if url.origin() != base.origin() {
            let message = format!(
                "the answer leads to `{}`, which is not `{}`; credentials are not sent there",
                url.origin().ascii_serialization(),
                base.origin().ascii_serialization()
            );
            return Err(Failure::new(Class::Other, message));
        }
        let below = url.path().strip_prefix(base.path().trim_end_matches('/'));
        let inside = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match inside && url.username().is_empty() && url.password().is_none() {
            true => Ok(()),
            false => Err(Failure::new(Class::Other, format!("`{}` is outside of `{base}`", url.path()))),
        }
    }

    fn read(&self, response: Response, request: &Request<'_>, reading: Reading) -> Result<Answer, Failure> {
        let (status, headers, mut url) =
            (response.status(), response.headers().clone(), response.url().clone());
        if self.proof.query.is_some() {
            url = request.url.clone();
        }
        let most = self.setup.definition.limits.max_body_mib * 1024 * 1024;
        let too_large = || Failure::new(Class::Other, format!("the answer is larger than {most} bytes"));
        if response.content_length().is_some_and(|length| length > most) {
            return Err(too_large().with_status(status));
        }
        let mut bytes = Vec::new();
        response.take(most + 1).read_to_end(&mut bytes).map_err(|error| {
            let mut failure = Failure::new(Class::Unavailable, format!("the answer was cut off: {error}"));
            (failure.again, failure.sent) = (true, true);
            failure
        })?;
        if bytes.len() as u64 > most {
            return Err(too_large().with_status(status));
        }
        let body = match reading {
            Reading::Json => failure::parse(status, &headers, &bytes)?,
            Reading::Text => failure::text(status, bytes)?,
        };
        Ok(Answer { status, headers, body, url })
    }

    fn clean(&self, mut failure: Failure, request: &Request<'_>) -> Failure {
        let token = self.proof.exchange.as_ref().and_then(Exchange::hidden);
        let hidden = || self.proof.hidden.iter().chain(request.hidden).chain(&token);
        let clean = |text: &str| failure::shortened(&credentials::scrub(text, hidden()));
        failure.message = clean(&failure.message);
        for (_, said) in &mut failure.fields {
            *said = clean(said);
        }
        failure
    }
}

fn redirected(answer: &Answer) -> Result<Url, Failure> {
    let to = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let to = to.and_then(|to| answer.url.join(to).ok());
    to.ok_or_else(|| Failure::new(Class::Other, "redirected to nowhere").with_status(answer.status))
}

fn client(setup: &Setup, timeout: Duration) -> Result<Client> {
    // One provider of cryptography serves every client of the process; a second call finds it there.
    _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &setup.definition.headers {
        let value = template::text(value, &setup.variables).map_err(|message| bad(&message))?;
        let name =
            HeaderName::try_from(name).map_err(|_| bad(&format!("`{name}` is no name of a header")))?;
        let value = HeaderValue::try_from(value).map_err(|_| bad(&format!("`{name}` is no header")))?;
        headers.insert(name, value);
    }
    let mut builder = Client::builder()
        .user_agent(concat!("trueup/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(Policy::none())
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .tcp_nodelay(true);
    if let Some(file) = &setup.options.tls.ca_file {
        let file = setup.path(file);
        let pem = std::fs::read(&file).with_context(|| format!("reading `{}`", file.display()))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).ok().filter(|found| !found.is_empty());
        let none = || bad(&format!("`{}` holds no certificates", file.display()));
        builder = builder.tls_certs_merge(certificates.ok_or_else(none)?);
    }
    if let Some(file) = &setup.options.tls.client_file {
        let file = setup.path(file);
        let pem = std::fs::read(&file).with_context(|| format!("reading `{}`", file.display()))?;
        let identity = reqwest::Identity::from_pem(&pem)
            .map_err(|_| bad(&format!("`{}` holds no certificate with its key", file.display())))?;
        builder = builder.identity(identity);
    }
    builder.build().context("preparing the connection")
}

fn bad(message: &str) -> Fault {
    Fault::new(Exit::BadConfig, message)
}
