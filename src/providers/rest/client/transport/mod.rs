//! Requests. [`Getter`] can only read; [`Sender`], which an apply alone gets, can write too.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use reqwest::{
    Method, StatusCode, Url,
    header::{HeaderMap, LOCATION},
};
use serde_json::Value as Json;

use super::{
    credentials,
    failure::{self, Failure},
};
use crate::providers::{
    meter::Meter,
    rest::{
        definition::{ErrorClass as Class, Success},
        options::TargetConfig,
    },
};

mod ahead;
mod client;
mod content;
mod retry;
mod wire;

pub use content::read as content;
use {
    ahead::Ahead,
    retry::Patience,
    wire::{Again, Reading, Wire},
};

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
    /// How many bytes that were.
    pub size: usize,
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
    ahead: Arc<Ahead>,
    /// What answered, of what was asked only for that.
    answered: Arc<Mutex<BTreeSet<Url>>>,
}

/// Writes.
pub struct Sender {
    getter: Getter,
    last: Mutex<Option<Instant>>,
}

impl Answer {
    /// Refuses an answer without any content where an object or a list was asked for: nothing is not an empty one.
    ///
    /// # Errors
    /// There is no content.
    pub fn filled(self) -> Result<Answer, Failure> {
        match self.body.is_null() && self.size == 0 {
            false => Ok(self),
            true => Err(Failure::new(Class::Other, "the answer is empty").with_status(self.status)),
        }
    }
}

impl From<crate::providers::rest::definition::Method> for Method {
    fn from(method: crate::providers::rest::definition::Method) -> Method {
        match method {
            crate::providers::rest::definition::Method::Post => Method::POST,
            crate::providers::rest::definition::Method::Put => Method::PUT,
            crate::providers::rest::definition::Method::Patch => Method::PATCH,
            crate::providers::rest::definition::Method::Delete => Method::DELETE,
        }
    }
}

impl Getter {
    /// Opens the way to a target.
    ///
    /// # Errors
    /// Credentials or certificates that cannot be read.
    pub fn open(setup: &TargetConfig) -> Result<Getter> {
        let proof = credentials::find(setup)?;
        let seconds = setup.options.timeout_s.unwrap_or(setup.definition.limits.timeout_s);
        let timeout = Duration::from_secs(seconds.max(1));
        let client = client::open(setup, timeout)?;
        let wire = Wire {
            client,
            proof,
            setup: setup.clone(),
            meter: Meter::default(),
            timeout,
            stop: AtomicBool::new(false),
            patience: Patience::default(),
        };
        Ok(Getter { wire: Arc::new(wire), ahead: Arc::default(), answered: Arc::default() })
    }

    /// Ends every wait of this target, from when `stop` is set until `done` is: what was begun ends, and nothing is
    /// tried again.
    pub fn heed(&self, stop: &AtomicBool, done: &AtomicBool) {
        while !done.load(Ordering::SeqCst) {
            self.wire.stop.fetch_or(stop.load(Ordering::SeqCst), Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits, unless nothing is to be waited for any more; whether that is so.
    pub fn sleep(&self, pause: Duration) -> bool {
        self.wire.sleep(pause)
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
        self.ahead.take(url).unwrap_or_else(|| self.ask_for(url))
    }

    /// Makes sure that there is something at `url`, once: whatever it is.
    ///
    /// # Errors
    /// As [`Getter::get`].
    pub fn reach(&self, url: &Url) -> Result<(), Failure> {
        let answered = || self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered().contains(url) {
            return Ok(());
        }
        match self.get(url) {
            Err(failure) if failure.class != Class::Forbidden => return Err(failure),
            _ => _ = answered().insert(url.clone()),
        }
        Ok(())
    }

    fn ask_for(&self, url: &Url) -> Result<Answer, Failure> {
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
            let answer = self.wire.send_with_retry(&request, reading, Again::Safe)?;
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            url = redirected(&answer)?;
            moved(&answer, &url).map_or(Ok(()), Err)?;
        }
        Err(Failure::new(Class::Other, "redirected too often"))
    }
}

impl Sender {
    /// Opens the way to a target that is to be written.
    ///
    /// # Errors
    /// As [`Getter::open`].
    pub fn open(setup: &TargetConfig) -> Result<Sender> {
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
        let answer = wire.send_with_retry(request, Reading::Json, again)?;
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

/// What was renamed is not what was asked for, though the server leads there: another object, if only by its name.
/// Ways of writing the same path, and places for the moment, are followed.
fn moved(answer: &Answer, to: &Url) -> Option<Failure> {
    let plain = |url: &Url| url.path().trim_end_matches('/').to_lowercase();
    let for_good = matches!(answer.status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
    let elsewhere = for_good && to.origin() == answer.url.origin() && plain(&answer.url) != plain(to);
    elsewhere.then(|| {
        let (from, to) = (answer.url.path(), to.path());
        let message =
            format!("`{from}` has moved to `{to}`; declare what is there by the name that it has there");
        Failure::new(Class::Other, message).with_status(answer.status)
    })
}

fn redirected(answer: &Answer) -> Result<Url, Failure> {
    let to = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let to = to.and_then(|to| answer.url.join(to).ok());
    to.ok_or_else(|| Failure::new(Class::Other, "redirected to nowhere").with_status(answer.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_path_for_good_is_another_object() {
        let is_moved = |status: u16, to: &str| {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: Json::Null,
                size: 0,
                url: "http://localhost/api/things".parse().unwrap(),
            };
            moved(&answer, &to.parse().unwrap()).is_some()
        };
        for status in [301, 308] {
            assert!(is_moved(status, "http://localhost/api/others"));
            assert!(
                !is_moved(status, "http://localhost/api/things/")
                    && !is_moved(status, "http://localhost/API/Things")
            );
            // That is refused where it would be asked.
            assert!(!is_moved(status, "http://elsewhere/api/others"));
        }
        assert!(
            !is_moved(302, "http://localhost/api/others") && !is_moved(307, "http://localhost/api/others")
        );
    }
}
