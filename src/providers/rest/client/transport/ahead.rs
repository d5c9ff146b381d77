//! Reads that begin before anybody needs their answers.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use reqwest::Url;

use super::{Answer, Getter};
use crate::providers::rest::client::failure::Failure;

type Answering = JoinHandle<Result<Answer, Failure>>;

/// What was asked, by address.
#[derive(Default)]
pub struct Ahead {
    asked: Mutex<BTreeMap<Url, Answering>>,
}

impl Ahead {
    /// The answer to what was asked of `url`, once.
    pub fn take(&self, url: &Url) -> Option<Result<Answer, Failure>> {
        self.asked().remove(url)?.join().ok()
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, BTreeMap<Url, Answering>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Getter {
    /// Begins to ask for what is at `url`; the next [`Getter::get`] of it gets that answer.
    pub fn begin(&self, url: Url) {
        let (getter, to) = (self.clone(), url.clone());
        let answer = thread::Builder::new().spawn(move || getter.ask_for(&to));
        if let Ok(answer) = answer {
            self.ahead.asked().insert(url, answer);
        }
    }

    /// Waits for all that was begun: whoever asks next is not one more at the same time.
    pub fn settle(&self) {
        while self.ahead.asked().values().any(|answer| !answer.is_finished()) {
            thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    /// Forgets what was asked and not needed: it is not what the server holds later.
    pub fn forget(&self) {
        self.ahead.asked().clear();
    }
}
