//! Writes whose effect comes later than their answer.

use std::time::{Duration, Instant};

use super::{
    job::{Job, Made},
    write_error::Trouble,
};
use crate::{
    model::report::Verdict,
    providers::rest::{
        definition::{ErrorClass as Class, kind::Wait},
        read::collection_reader::Found,
    },
};

impl Job<'_> {
    /// What the object is once it is ready, if the definition says when that is.
    ///
    /// # Errors
    /// It is not ready in time, or nobody can tell.
    pub fn ready(&self) -> Made {
        let Some((wait, until)) = self.kind.wait.as_ref().and_then(|wait| Some((wait, wait.until.as_ref()?)))
        else {
            return Ok(None);
        };
        match self.wait(wait, &|found| matches!(found, Found::Here(raw) if until.holds(raw))) {
            Ok(Found::Here(raw)) => Ok(Some(raw)),
            Ok(found) | Err(found) => {
                let late = format!("it is not ready after {} s (`{until}`)", wait.timeout_s);
                Err(unready("it was written, and", &found, late))
            }
        }
    }

    /// Makes sure that what was deleted is gone, if the definition says that this takes its time.
    ///
    /// # Errors
    /// It is still there, or nobody can tell.
    pub fn gone(&self) -> Result<(), Trouble> {
        let Some(wait) = &self.kind.wait else { return Ok(()) };
        let late = format!("it is still there after {} s", wait.timeout_s);
        self.wait(wait, &|found| matches!(found, Found::Absent | Found::NoParent))
            .map_or_else(|found| Err(unready("its deletion was asked for, and", &found, late)), |_| Ok(()))
    }

    /// Reads until what is found is `done`, the time is over, or reading cannot succeed any more. Answers
    /// what was found last.
    fn wait(&self, wait: &Wait, done: &dyn Fn(&Found) -> bool) -> Result<Found, Found> {
        let end = Instant::now() + Duration::from_secs(wait.timeout_s);
        let mut pause = Duration::from_millis(100);
        loop {
            let found = self.session.read(self.place);
            let passes = |class: Class| matches!(class, Class::Unavailable | Class::RateLimited);
            let hopeless = matches!(&found, Found::Unknown(failure) if !passes(failure.class));
            match (done(&found), hopeless || Instant::now() >= end) {
                (true, _) => return Ok(found),
                (_, true) => return Err(found),
                _ if self.session.getter.sleep(pause) => return Err(found),
                _ => {}
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
}

/// A write that took place and is not known to have come to its end.
fn unready(what: &str, found: &Found, late: String) -> Trouble {
    match found {
        Found::Unknown(failure) => {
            let trouble = Trouble::of(failure.clone());
            let message = format!("{what} reading how it is failed: {}", trouble.message);
            Trouble { verdict: Verdict::Unready, message, ..trouble }
        }
        _ => Trouble::new(Verdict::Unready, format!("{what} {late}")),
    }
}
