//! How long a server that does not answer is waited for in all, whatever each request would wait.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::providers::rest::{client::failure::Failure, definition::ErrorClass as Class};

/// After so many requests without any answer, one after the other, no more are sent.
const SILENT: u32 = 4;

/// What requests waited for since the last answer of success.
#[derive(Default)]
pub struct Patience {
    since: Mutex<Since>,
}

#[derive(Default)]
struct Since {
    late: u32,
    waited: Duration,
}

impl Patience {
    /// Refuses to ask a server that gave no answer to the last requests.
    ///
    /// # Errors
    /// It gave none to any of them.
    pub fn check(&self) -> Result<(), Failure> {
        match self.with(|since| since.late) < SILENT {
            true => Ok(()),
            false => {
                let message = format!("no answer in time, as with the {SILENT} requests before");
                Err(Failure { late: true, ..Failure::new(Class::Unavailable, message) })
            }
        }
    }

    /// Takes note of an answer of success.
    pub fn answered(&self) {
        self.with(|since| *since = Since::default());
    }

    /// Takes note of a request without an answer in time.
    pub fn late(&self) {
        self.with(|since| since.late += 1);
    }

    /// Whether a request may wait for so long, if all of them together wait no longer than `most`.
    pub fn may_wait(&self, pause: Duration, most: Duration) -> bool {
        self.with(|since| {
            let longer = since.waited.saturating_add(pause);
            let may = longer <= most;
            since.waited = if may { longer } else { since.waited };
            may
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Since) -> T) -> T {
        act(&mut self.since.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_and_begins_anew_with_an_answer() {
        let patience = Patience::default();
        (0..SILENT).for_each(|_| patience.late());
        assert!(patience.check().is_err());
        let (pause, most) = (Duration::from_secs(2), Duration::from_secs(5));
        assert_eq!([0; 3].map(|_| patience.may_wait(pause, most)), [true, true, false]);
        patience.answered();
        assert!(patience.check().is_ok() && patience.may_wait(pause, most));
    }
}
