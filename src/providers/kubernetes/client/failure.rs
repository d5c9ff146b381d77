//! Why the API server did not do what it was asked to.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode};

use super::{
    connect_error::{self, Obstacle},
    json,
};
use crate::{
    exit::Exit,
    model::{object::Cause, report::FailureKind, user_error::UserError, value::Value},
};

/// Why a request failed.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The server said no.
    Refused(Box<Refusal>),
    /// Nothing could be sent; where to, and why.
    Unconnected(Arc<str>, Obstacle),
    /// There was no answer.
    Unanswered(String),
    /// The answer makes no sense.
    Garbled(String),
}

/// The server's own words.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// `reason` of the Status object, for example `Invalid`.
    pub reason: String,
    /// Its message.
    pub message: String,
    /// Its `details.causes`.
    pub causes: Vec<Because>,
    /// How long to wait before another try.
    pub retry_after: Option<Duration>,
}

/// One cause of a refusal.
#[derive(Clone, Debug, Default)]
pub struct Because {
    /// For example `FieldManagerConflict`, `FieldValueInvalid`.
    pub reason: String,
    /// Where.
    pub field: String,
    /// What.
    pub message: String,
}

/// The most that is quoted of an answer that is no Status object.
const QUOTED: usize = 200;

/// How the messages begin with which a server says that it could not make an object of its kind from what was sent.
pub const TYPE_ERRORS: [&str; 2] = ["failed to create typed patch object", "failed to convert new object"];

/// The longest that is waited because a server asks for it.
const WAITED: Duration = Duration::from_secs(60);

impl Failure {
    /// A request to `server` that brought no answer.
    pub fn from_client(error: &kube::Error, server: &Arc<str>) -> Failure {
        if let Some(obstacle) = Obstacle::of(error) {
            return Failure::Unconnected(server.clone(), obstacle);
        }
        let mut words: Vec<String> = Vec::new();
        for cause in connect_error::causes(error) {
            let text = cause.to_string();
            let said = text.strip_prefix("ServiceError: ").or(text.strip_prefix("HyperError: "));
            let text = said.unwrap_or(&text);
            if !words.iter().any(|word| word.contains(text)) {
                words.push(text.to_owned());
            }
        }
        Failure::Unanswered(words.join(": "))
    }

    /// An answer that cannot be read.
    pub fn no_json(error: serde_json::Error) -> Failure {
        Failure::Garbled(format!("the answer is no JSON: {error}"))
    }

    /// An answer that is no success.
    pub fn from_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let retry_after =
            headers.get(http::header::RETRY_AFTER).and_then(|value| after(value.to_str().ok()?));
        let mut refusal = Refusal { code: status.as_u16(), retry_after, ..Refusal::default() };
        match json::read(body) {
            Ok(value) if text(&value, "kind") == "Status" => {
                refusal.reason = text(&value, "reason");
                refusal.message = text(&value, "message");
                if let Some(Value::List(causes)) =
                    value.get("details").and_then(|details| details.get("causes"))
                {
                    refusal.causes = causes
                        .iter()
                        .map(|cause| Because {
                            reason: text(cause, "reason"),
                            field: text(cause, "field"),
                            message: text(cause, "message"),
                        })
                        .collect();
                }
            }
            _ => {
                let quoted: String = String::from_utf8_lossy(body).chars().take(QUOTED).collect();
                refusal.message = match quoted.trim() {
                    "" => status.canonical_reason().unwrap_or("no words").to_owned(),
                    words => words.to_owned(),
                };
            }
        }
        Failure::Refused(Box::new(refusal))
    }

    /// The HTTP status, if there was one.
    pub fn code(&self) -> u16 {
        match self {
            Failure::Refused(refusal) => refusal.code,
            _ => 0,
        }
    }

    /// The server's words, if it had any.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Failure::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// How long it may help to send the same request again.
    pub fn patience(&self) -> Duration {
        let seconds = match self {
            Failure::Unconnected(_, obstacle) if obstacle.may_pass() => 1,
            Failure::Unconnected(..) => 0,
            Failure::Refused(_) if self.is_of_type() => 0,
            Failure::Refused(refusal) => match refusal.code {
                429 => 60,
                500 | 502 | 503 | 504 => 5,
                _ => 0,
            },
            Failure::Unanswered(_) | Failure::Garbled(_) => 5,
        };
        match self.retry_after() {
            Some(asked) if asked > WAITED => Duration::ZERO,
            asked => Duration::from_secs(seconds) + asked.unwrap_or_default(),
        }
    }

    /// Whether a write was certainly not begun, and may be once more.
    pub fn was_not_carried_out(&self) -> bool {
        match self {
            Failure::Unconnected(..) => true,
            Failure::Refused(refusal) => refusal.code == 429 || refusal.code == 503,
            Failure::Unanswered(_) | Failure::Garbled(_) => false,
        }
    }

    /// Whether nobody can tell if a write took place.
    pub fn is_uncertain(&self) -> bool {
        match self {
            Failure::Unconnected(..) => false,
            Failure::Refused(refusal) => matches!(refusal.code, 500 | 502 | 504) && !self.is_of_type(),
            Failure::Unanswered(_) | Failure::Garbled(_) => true,
        }
    }

    /// Whether the server cannot be spoken to at all.
    pub fn is_unconnected(&self) -> bool {
        matches!(self, Failure::Unconnected(..))
    }

    /// How long the server asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal()?.retry_after
    }

    /// Why something is unknown.
    pub fn cause(&self) -> Cause {
        match self {
            Failure::Unconnected(_, Obstacle { kind: connect_error::Kind::Login, .. }) => Cause::NoPermission,
            _ => match self.code() {
                401 | 403 => Cause::NoPermission,
                400 | 413 | 422 => Cause::Invalid,
                _ if self.is_of_type() => Cause::Invalid,
                0 | 429 | 500..=599 => Cause::Unavailable,
                _ => Cause::Other,
            },
        }
    }

    /// Whether the object has a field or a value that its kind does not know, which the server calls its own
    /// error (500).
    pub fn is_of_type(&self) -> bool {
        let begins = |refusal: &Refusal| TYPE_ERRORS.iter().any(|error| refusal.message.starts_with(error));
        self.refusal().is_some_and(begins)
    }

    /// What kind of failure it is for the report.
    pub fn kind(&self) -> FailureKind {
        match self.cause() {
            Cause::NoPermission => FailureKind::NoPermission,
            Cause::Unavailable => FailureKind::Unavailable,
            Cause::Invalid | Cause::Other => FailureKind::Other,
        }
    }

    /// As the end of a run.
    pub fn fault(&self, doing: &str) -> UserError {
        let exit = match self.cause() {
            Cause::NoPermission => Exit::NoPermission,
            Cause::Unavailable => Exit::Unavailable,
            Cause::Invalid | Cause::Other => Exit::Error,
        };
        let fault = UserError::new(exit, format!("{doing}: {self}"));
        match self {
            Failure::Unconnected(_, obstacle) => fault.hint(obstacle.hint()),
            Failure::Refused(refusal) if refusal.code == 401 => fault
                .hint("the credentials of the kubeconfig are not accepted or no longer valid; log in again"),
            _ => fault,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(refusal) => {
                write!(f, "{} (HTTP {})", refusal.message, refusal.code)?;
                match refusal.retry_after {
                    Some(asked) if asked > WAITED => {
                        write!(f, "; it asks to come back in {} seconds", asked.as_secs())
                    }
                    _ => Ok(()),
                }
            }
            Failure::Unconnected(server, obstacle) => write!(f, "connecting to {server}: {obstacle}"),
            Failure::Unanswered(why) | Failure::Garbled(why) => f.write_str(why),
        }
    }
}

/// The time that `Retry-After` names, as seconds or as a date.
fn after(text: &str) -> Option<Duration> {
    match text.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Some(date.duration_since(jiff::Timestamp::now()).try_into().unwrap_or_default())
        }
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(retry_after: &str) -> Failure {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::RETRY_AFTER, retry_after.parse().unwrap());
        Failure::from_status(StatusCode::TOO_MANY_REQUESTS, &headers, b"busy")
    }

    #[test]
    fn a_server_is_waited_for_as_it_asks_and_not_for_ever() {
        assert_eq!(busy("7").retry_after(), Some(Duration::from_secs(7)));
        assert!(busy("60").patience() > Duration::from_secs(60));
        assert_eq!(busy("61").patience(), Duration::ZERO);
        assert_eq!(busy("7").to_string(), "busy (HTTP 429)");
        assert_eq!(busy("3600").to_string(), "busy (HTTP 429); it asks to come back in 3600 seconds");
    }

    #[test]
    fn a_date_to_come_back_at_is_understood() {
        assert_eq!(busy("Sun, 06 Nov 1994 08:49:37 GMT").retry_after(), Some(Duration::ZERO));
        assert!(busy("Fri, 06 Nov 2099 08:49:37 GMT").retry_after() > Some(WAITED));
        assert_eq!(busy("soon").retry_after(), None);
    }
}
