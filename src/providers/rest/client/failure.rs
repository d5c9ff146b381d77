//! What went wrong with a request.

use std::error::Error as _;

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value as Json;

use super::{json, strict_json, transport::Answer};
use crate::{
    model::{object::Cause, report::FailureKind},
    providers::rest::definition::{Definition, ErrorClass as Class, FieldErrors, Success},
};

/// The most characters of an error that quotes a server.
const QUOTED: usize = 400;

/// A request that did not succeed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What it means.
    pub class: Class,
    /// The same for a person.
    pub message: String,
    /// The fields that the server says are wrong, with what it says of each.
    pub fields: Vec<(String, String)>,
    /// Whether the server may have acted on it all the same.
    pub sent: bool,
    /// Whether it may work if it is sent again.
    pub again: bool,
    /// Whether it took longer than a request may.
    pub late: bool,
}

impl Failure {
    /// A failure before anything was sent, or with an answer that says so.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Failure { class, message: message.into(), fields: Vec::new(), sent: false, again: false, late: false }
    }

    /// Names the status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.message = format!("{} ({status})", self.message);
        self
    }

    /// Why an object is unknown.
    pub fn cause(&self) -> Cause {
        match self.class {
            Class::Forbidden | Class::Hidden => Cause::NoPermission,
            Class::Unavailable | Class::RateLimited => Cause::Unavailable,
            _ => Cause::Other,
        }
    }

    /// The exit code's side of it.
    pub fn report(&self) -> FailureKind {
        match self.class {
            Class::Forbidden | Class::Hidden => FailureKind::NoPermission,
            Class::Unavailable | Class::RateLimited => FailureKind::Unavailable,
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
    let class = match (rule.map(|rule| rule.class), status) {
        (Some(class), _) => class,
        (None, 404 | 410) => Class::Absent,
        (None, 401 | 403) => Class::Forbidden,
        (None, 409) => Class::Exists,
        (None, 412) => Class::Conflict,
        (None, 400 | 422) => Class::Invalid,
        (None, 429) => Class::RateLimited,
        (None, 500..) => Class::Unavailable,
        (None, _) => Class::Other,
    };
    let mut failure =
        Failure::new(class, format!("the server answered {}{}", answer.status, words(&answer.body)));
    failure.fields =
        definition.field_errors.iter().flat_map(|rule| wrong_fields(rule, &answer.body)).collect();
    failure.sent = status >= 500;
    failure
}

/// Why a write did not take place, or may not have, although the server did not say that it failed.
pub fn of_write(success: &Success, answer: &Answer) -> Option<Failure> {
    let (status, said) = (answer.status, words(&answer.body));
    let listed = success.status.contains(&status.as_u16());
    // A way to the result (303) is success; "ask there instead" (307, 308) is a refusal.
    let usual = status.is_success() || status == StatusCode::SEE_OTHER;
    if matches!(status.as_u16(), 307 | 308) && !listed {
        let message = format!("the server redirects a write ({status}), which is not followed");
        return Some(Failure::new(Class::Other, message));
    }
    if !(listed || success.status.is_empty() && usual) {
        let message = format!("the server answered {status}, which is not expected{said}");
        return Some(Failure { sent: true, ..Failure::new(Class::Other, message) });
    }
    if success.conflict_when.as_ref().is_some_and(|conflict| conflict.holds(&answer.body)) {
        let message = format!("the object is not what the write expects{said}");
        return Some(Failure::new(Class::Conflict, message));
    }
    let refused = success.when.as_ref().is_some_and(|success| !success.holds(&answer.body));
    refused.then(|| Failure::new(Class::Other, format!("the server did not take the write{said}")))
}

/// The fields that an answer names, without repeating what it says as a whole.
fn wrong_fields(rule: &FieldErrors, body: &Json) -> Vec<(String, String)> {
    let name = |text: &str| text.strip_prefix(rule.prefix.as_str()).unwrap_or(text).to_owned();
    match body.pointer(&rule.items) {
        Some(Json::Array(items)) => {
            let text = |item: &Json, pointer: &Option<String>| json::text(item.pointer(pointer.as_ref()?)?);
            let one =
                |item| Some((name(&text(item, &rule.name)?), text(item, &rule.message).unwrap_or_default()));
            items.iter().filter_map(one).collect()
        }
        Some(Json::String(said)) if rule.name.is_none() => {
            let named = said.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
            named.map(|(field, _)| (name(field), String::new())).collect()
        }
        _ => Vec::new(),
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
    let mut failure = Failure::new(Class::Unavailable, message);
    failure.sent = !error.is_connect() && !error.is_builder();
    failure.late = error.is_timeout();
    // A certificate does not get better by trying again.
    failure.again = !error.is_builder() && !failure.message.to_lowercase().contains("certificate");
    failure
}

/// Takes the content of an answer as it is.
pub fn text(status: StatusCode, bytes: Vec<u8>) -> Result<Json, Failure> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Json::String(text)),
        Err(_) if !status.is_success() => Ok(Json::Null),
        Err(_) => Err(Failure::new(Class::Other, "the answer is no text")),
    }
}

/// Reads the content of an answer. A page of HTML where JSON was asked for is a failure, never an empty list.
pub fn parse(status: StatusCode, headers: &HeaderMap, bytes: &[u8]) -> Result<Json, Failure> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Json::Null);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let parsed = strict_json::parse(bytes);
    match parsed {
        Ok(body) => Ok(body),
        // The status says it all; a proxy's error page has nothing to add.
        Err(_) if !status.is_success() => Ok(Json::Null),
        Err(error) => {
            let kind = if kind.is_empty() { "no type" } else { kind };
            let message = format!("the answer is no JSON ({kind}): {error}");
            let mut failure = Failure::new(Class::Other, message);
            failure.sent = true;
            Err(failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::rest::definition::embedded;

    fn class(status: u16, body: Json) -> Class {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body,
            size: 0,
            url: "http://localhost/".parse().unwrap(),
        };
        let special = |one: &&std::sync::Arc<Definition>| one.errors.iter().any(|rule| rule.status == 403);
        of_answer(embedded::all().find(special).unwrap(), &answer).class
    }

    #[test]
    fn the_definition_says_what_a_status_means() {
        assert_eq!(
            class(403, serde_json::json!({"message": "Branch protection already exist"})),
            Class::Exists
        );
        assert_eq!(class(403, Json::Null), Class::Forbidden);
        assert_eq!(class(404, Json::Null), Class::Absent);
        assert_eq!(class(503, Json::Null), Class::Unavailable);
    }

    #[test]
    fn a_redirected_write_took_place_or_not_as_the_status_says() {
        let told = |status: u16, success: Json| {
            let body = json!({"ok": false});
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body,
                size: 0,
                url: "http://localhost/".parse().unwrap(),
            };
            let failure = of_write(&serde_json::from_value(success).unwrap(), &answer);
            failure.map(|failure| (failure.class, failure.sent))
        };
        let any = || json!({});
        assert_eq!([told(201, any()), told(303, any())], [None, None]);
        assert_eq!(
            [302, 307].map(|status| told(status, any())),
            [true, false].map(|sent| Some((Class::Other, sent)))
        );
        assert_eq!(told(303, json!({"status": [201]})), Some((Class::Other, true)));
        assert_eq!(told(200, json!({"when": "/ok == true"})), Some((Class::Other, false)));
        assert_eq!(told(200, json!({"conflict_when": "/ok == false"})), Some((Class::Conflict, false)));
    }

    #[test]
    fn wrong_fields_are_found_where_the_definition_says() {
        let rule = |rule: Json| serde_json::from_value::<FieldErrors>(rule).unwrap();
        let listed =
            rule(json!({"items": "/details", "name": "/name", "message": "/why", "prefix": "data."}));
        let body = json!({"details": [{"name": "data.color", "why": "is no color"}, {"why": "nameless"}]});
        assert_eq!(wrong_fields(&listed, &body), [("color".to_owned(), "is no color".to_owned())]);
        let told = rule(json!({"items": "/message"}));
        assert_eq!(
            wrong_fields(&told, &json!({"message": "[Color]: Required"})),
            [("Color".to_owned(), String::new())]
        );
        assert_eq!(wrong_fields(&told, &json!({"message": 7})), []);
    }

    #[test]
    fn a_page_of_html_is_no_empty_list() {
        let parse = |status: u16| parse(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), b"<html>");
        assert!(parse(200).is_err());
        assert_eq!(parse(503).unwrap(), Json::Null);
    }
}
