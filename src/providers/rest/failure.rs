//! What went wrong with a request.

use std::error::Error as _;

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value as Json;

use super::{
    definition::{Definition, ErrorClass},
    transport::Answer,
};
use crate::model::{object::Cause, report::FailureKind};

/// The most characters of an error that quotes a server.
const QUOTED: usize = 400;

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no such object.
    Absent,
    /// The object is not what the request expects.
    Conflict,
    /// There is one already.
    Exists,
    /// The credentials do not allow it.
    Forbidden,
    /// There is no such object, or the credentials do not allow it: the server does not tell which.
    Hidden,
    /// The server does not take the request.
    Invalid,
    /// The object may not be changed.
    Protected,
    /// Too many requests.
    RateLimited,
    /// The server cannot be reached, or cannot answer now.
    Unavailable,
    /// Anything else.
    Other,
}

/// A request that did not succeed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What it means.
    pub kind: Kind,
    /// The same for a person.
    pub message: String,
    /// Whether the server may have acted on it all the same.
    pub sent: bool,
    /// Whether it may work if it is sent again.
    pub again: bool,
}

impl Failure {
    /// A failure before anything was sent, or with an answer that says so.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), sent: false, again: false }
    }

    /// Names the status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.message = format!("{} ({status})", self.message);
        self
    }

    /// Why an object is unknown.
    pub fn cause(&self) -> Cause {
        match self.kind {
            Kind::Forbidden | Kind::Hidden => Cause::NoPermission,
            Kind::Unavailable | Kind::RateLimited => Cause::Unavailable,
            _ => Cause::Other,
        }
    }

    /// The exit code's side of it.
    pub fn report(&self) -> FailureKind {
        match self.kind {
            Kind::Forbidden | Kind::Hidden => FailureKind::NoPermission,
            Kind::Unavailable | Kind::RateLimited => FailureKind::Unavailable,
            _ => FailureKind::Other,
        }
    }
}

/// What an answer other than success means.
pub fn of_answer(definition: &Definition, answer: &Answer) -> Failure {
    let status = answer.status.as_u16();
    let rule = definition.errors.iter().find(|rule| {
        rule.status == status
            && rule.contains.as_ref().is_none_or(|wanted| {
                let said = answer.body.pointer(rule.pointer.as_deref().unwrap_or_default());
                said.is_some_and(|said| {
                    said.as_str().map_or_else(|| said.to_string(), str::to_owned).contains(wanted)
                })
            })
    });
    let kind = match (rule.map(|rule| rule.class), status) {
        (Some(class), _) => of_class(class),
        (None, 404 | 410) => Kind::Absent,
        (None, 401 | 403) => Kind::Forbidden,
        (None, 409) => Kind::Exists,
        (None, 412) => Kind::Conflict,
        (None, 400 | 422) => Kind::Invalid,
        (None, 429) => Kind::RateLimited,
        (None, 500..) => Kind::Unavailable,
        (None, _) => Kind::Other,
    };
    let mut failure =
        Failure::new(kind, format!("the server answered {}{}", answer.status, words(&answer.body)));
    failure.sent = status >= 500;
    failure
}

fn of_class(class: ErrorClass) -> Kind {
    match class {
        ErrorClass::Absent => Kind::Absent,
        ErrorClass::Conflict => Kind::Conflict,
        ErrorClass::Exists => Kind::Exists,
        ErrorClass::Forbidden => Kind::Forbidden,
        ErrorClass::Hidden => Kind::Hidden,
        ErrorClass::Invalid => Kind::Invalid,
        ErrorClass::Protected => Kind::Protected,
        ErrorClass::RateLimited => Kind::RateLimited,
        ErrorClass::Transient => Kind::Unavailable,
        ErrorClass::Other => Kind::Other,
    }
}

/// What the server says of it, as far as it is text in the usual places.
fn words(body: &Json) -> String {
    let said = ["/title", "/error", "/message", "/reason", "/detail"].iter().filter_map(|pointer| {
        let text = body.pointer(pointer)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    });
    let errors = ["/errors", "/details"].iter().find_map(|pointer| {
        let found = body.pointer(pointer)?;
        found.as_array().is_some_and(|list| !list.is_empty()).then(|| found.to_string())
    });
    let text = said.chain(errors).collect::<Vec<_>>().join(": ");
    match text.is_empty() {
        true => String::new(),
        false => format!(": {text}"),
    }
}

/// As much of `message` as a person reads. Secrets have to be out of it: a half of one is none to be found.
pub fn shortened(message: &str) -> String {
    match message.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// What a request without an answer means.
pub fn of_error(error: &reqwest::Error) -> Failure {
    let mut message = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "no answer in time".to_owned(),
        (_, true) => "the server cannot be reached".to_owned(),
        _ => "the connection broke".to_owned(),
    };
    let mut cause = error.source();
    while let Some(inner) = cause {
        cause = inner.source();
        if cause.is_none() {
            message = format!("{message}: {inner}");
        }
    }
    let mut failure = Failure::new(Kind::Unavailable, message);
    failure.sent = !error.is_connect() && !error.is_builder();
    // A certificate does not get better by trying again.
    failure.again = !error.is_builder() && !failure.message.to_lowercase().contains("certificate");
    failure
}

/// Reads the content of an answer. A page of HTML where JSON was asked for is a failure, never an empty list.
pub fn parse(status: StatusCode, headers: &HeaderMap, bytes: &[u8]) -> Result<Json, Failure> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Json::Null);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let parsed = serde_json::from_slice(bytes);
    match parsed {
        Ok(body) => Ok(body),
        // The status says it all; a proxy's error page has nothing to add.
        Err(_) if !status.is_success() => Ok(Json::Null),
        Err(error) => {
            let kind = if kind.is_empty() { "no type" } else { kind };
            let message = format!("the answer is no JSON ({kind}): {error}");
            let mut failure = Failure::new(Kind::Other, message);
            failure.sent = true;
            Err(failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::rest::definition::embedded;

    fn kind(status: u16, body: Json) -> Kind {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body,
            url: "http://localhost/".parse().unwrap(),
        };
        let special = |one: &&std::sync::Arc<Definition>| one.errors.iter().any(|rule| rule.status == 403);
        of_answer(embedded::all().find(special).unwrap(), &answer).kind
    }

    #[test]
    fn the_definition_says_what_a_status_means() {
        assert_eq!(
            kind(403, serde_json::json!({"message": "Branch protection already exist"})),
            Kind::Exists
        );
        assert_eq!(kind(403, Json::Null), Kind::Forbidden);
        assert_eq!(kind(404, Json::Null), Kind::Absent);
        assert_eq!(kind(503, Json::Null), Kind::Unavailable);
    }

    #[test]
    fn a_page_of_html_is_no_empty_list() {
        let parse = |status: u16| parse(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), b"<html>");
        assert!(parse(200).is_err());
        assert_eq!(parse(503).unwrap(), Json::Null);
    }
}
