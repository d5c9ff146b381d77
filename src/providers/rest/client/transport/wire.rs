//! What goes over the wire: one request, signed, kept within its origin, and sent again where that makes sense.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use reqwest::{
    StatusCode, Url,
    blocking::{Client, Response},
    header::{AUTHORIZATION, CONTENT_TYPE},
};

use super::{Answer, Content, Request, content, retry::Patience};
use crate::providers::{
    meter::Meter,
    rest::{
        client::{
            credentials::{self, Proof},
            failure::{self, Failure},
            oauth::Exchange,
        },
        definition::ErrorClass as Class,
        options::TargetConfig,
        write::wait,
    },
};

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As JSON.
    Json,
    /// As it is.
    Text,
}

/// Whether a request may be sent again although it may have been acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It may.
    Safe,
    /// It may not.
    Unsafe,
}

/// What both share; nothing of it is reachable from outside of this folder.
pub struct Wire {
    /// Sends.
    pub client: Client,
    /// Proves who we are.
    pub proof: Proof,
    /// The target.
    pub setup: TargetConfig,
    /// Counts.
    pub meter: Meter,
    /// How long one request may take, its answer included.
    pub timeout: Duration,
    /// Set when nothing is tried again any more.
    pub stop: AtomicBool,
    /// How long it was waited for answers.
    pub patience: Patience,
}

/// How long a wait goes on once it is to end.
const SLICE: Duration = Duration::from_millis(50);

impl Wire {
    /// Sends a request until it is answered for good, the patience of the definition is over, or it
    /// would be wrong to send it again.
    ///
    /// # Errors
    /// Any answer but success and a redirect, and no answer.
    pub fn send_with_retry(
        &self,
        request: &Request<'_>,
        reading: Reading,
        again: Again,
    ) -> Result<Answer, Failure> {
        let retry = &self.setup.definition.retry;
        let safe = again == Again::Safe;
        let (mut attempt, mut renewed) = (0, false);
        self.patience.check()?;
        self.meter.request();
        loop {
            let (failure, asked) = match self.once(request, reading) {
                Ok(answer) if answer.status.is_success() || answer.status.is_redirection() => {
                    self.patience.answered();
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
                // What was late once may be late for ever.
                Err(failure) if safe && failure.again && !(failure.late && attempt > 0) => (failure, None),
                Err(failure) => return Err(self.clean(failure, request)),
            };
            let pause = asked.unwrap_or_else(|| wait::backoff(retry.base_ms, attempt));
            let longest = Duration::from_secs(retry.max_wait_s);
            let all = longest.saturating_mul(retry.max.max(1));
            if attempt >= retry.max || pause > longest || !self.patience.may_wait(pause, all) {
                return Err(self.clean(failure, request));
            }
            if self.sleep(pause) {
                return Err(self.clean(failure, request));
            }
            self.meter.repeat();
            attempt += 1;
        }
    }

    /// Waits; whether nothing is to be tried any more.
    pub fn sleep(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        while !self.stop.load(Ordering::SeqCst) && Instant::now() < end {
            std::thread::sleep(SLICE.min(end.saturating_duration_since(Instant::now())));
        }
        self.stop.load(Ordering::SeqCst)
    }

    /// Forgets the token that is sent, where another one can be had.
    fn renew(&self) -> bool {
        self.proof.exchange.as_ref().map(Exchange::forget).is_some()
    }

    fn once(&self, request: &Request<'_>, reading: Reading) -> Result<Answer, Failure> {
        self.check_origin(&request.url)?;
        let mut url = request.url.clone();
        let end = Instant::now() + self.timeout;
        self.proof.sign(&mut url);
        let mut builder = self.client.request(request.method.clone(), url);
        if let Some((name, value)) = &self.proof.header {
            builder = builder.header(name, value);
        }
        if let Some(exchange) = &self.proof.exchange {
            builder = builder.header(AUTHORIZATION, exchange.header(&self.client, self.timeout)?);
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
        let response = builder.send().map_err(|error| failure::of_error(&error));
        let answer = response.and_then(|response| self.read(response, request, reading, end));
        if answer.as_ref().is_err_and(|failure| failure.late) {
            self.patience.late();
        }
        answer
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

    fn read(
        &self,
        response: Response,
        request: &Request<'_>,
        reading: Reading,
        end: Instant,
    ) -> Result<Answer, Failure> {
        let (status, headers, mut url) =
            (response.status(), response.headers().clone(), response.url().clone());
        if self.proof.query.is_some() {
            url = request.url.clone();
        }
        let most = self.setup.definition.limits.max_body_mib * 1024 * 1024;
        let bytes = content::read(response, most, end)?;
        let size = bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).count();
        let body = match reading {
            Reading::Json => failure::parse(status, &headers, &bytes)?,
            Reading::Text => failure::text(status, bytes)?,
        };
        Ok(Answer { status, headers, body, size, url })
    }

    /// `failure` without anything that no error text may hold.
    pub fn clean(&self, mut failure: Failure, request: &Request<'_>) -> Failure {
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
