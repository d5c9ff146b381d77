//! A secret that is exchanged for a token, which lives for a while (RFC 6749, section 4.4).

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::Engine as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Url,
    blocking::Client,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde_json::Value as Json;

use super::{failure::Failure, strict_json, transport};
use crate::providers::rest::definition::ErrorClass as Class;

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(10);

/// How long a token lives that does not say.
const USUAL: u64 = 300;

/// The most seconds that a token is used, whatever it says.
const LONGEST: u64 = 86_400;

/// The most bytes of an answer with a token.
const LARGEST: u64 = 1024 * 1024;

/// Where a secret is exchanged, and the token that came of it. Deliberately neither shown nor serialized.
pub struct Exchange {
    url: Url,
    client: String,
    secret: String,
    scope: Option<String>,
    token: Mutex<Option<(String, Instant)>>,
}

impl Exchange {
    /// An exchange that has not taken place yet.
    pub fn new(url: Url, client: String, secret: String, scope: Option<String>) -> Self {
        Exchange { url, client, secret, scope, token: Mutex::default() }
    }

    /// The header of a request: the token there is, or a new one.
    ///
    /// # Errors
    /// The address gives none.
    pub fn header(&self, http: &Client, timeout: Duration) -> Result<HeaderValue, Failure> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match &*token {
            Some((text, end)) if *end > Instant::now() => text.clone(),
            _ => {
                let (text, seconds) = self.ask(http, timeout)?;
                let lives = Duration::from_secs(seconds).saturating_sub(MARGIN);
                *token = Some((text.clone(), Instant::now() + lives));
                text
            }
        };
        let wrong = |_| self.refused("what it gave cannot be sent");
        let mut header = HeaderValue::try_from(format!("Bearer {text}")).map_err(wrong)?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Lets the next request bring a new token.
    pub fn forget(&self) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The token, which no error text may hold.
    pub fn hidden(&self) -> Option<String> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(text, _)| text.clone())
    }

    fn ask(&self, http: &Client, timeout: Duration) -> Result<(String, u64), Failure> {
        let end = Instant::now() + timeout;
        let pair = format!("{}:{}", encode(&self.client), encode(&self.secret));
        let mut proof = HeaderValue::try_from(format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        ))
        .map_err(|_| self.refused("the secret cannot be sent"))?;
        proof.set_sensitive(true);
        let scope = self.scope.as_ref().map(|scope| format!("&scope={}", encode(scope)));
        let form = format!("grant_type=client_credentials{}", scope.unwrap_or_default());
        let request = http.post(self.url.clone()).header(AUTHORIZATION, proof);
        let answer = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form).send();
        let answer = answer.map_err(|error| {
            let failure = super::failure::of_error(&error);
            Failure { message: format!("`{}`: {}", self.url, failure.message), sent: false, ..failure }
        })?;
        let status = answer.status();
        let bytes =
            transport::content(answer, LARGEST, end).map_err(|failure| self.refused(&failure.message))?;
        let body: Json = strict_json::parse(&bytes).unwrap_or_default();
        let token = body.get("access_token").and_then(Json::as_str).filter(|_| status.is_success());
        let seconds = body.get("expires_in").and_then(Json::as_u64).unwrap_or(USUAL).min(LONGEST);
        token.map(|token| (token.to_owned(), seconds)).ok_or_else(|| {
            let why = body.get("error").and_then(Json::as_str).unwrap_or("no token");
            self.refused(&format!("{status}, {why}"))
        })
    }

    fn refused(&self, why: &str) -> Failure {
        Failure::new(Class::Forbidden, format!("`{}` gives no token: {why}", self.url))
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
