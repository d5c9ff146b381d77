//! An error with an exit code and a way out.

use std::{error::Error, iter};

use crate::exit::Exit;

/// An error whose exit code is known where it happens. Travels inside
/// [`anyhow::Error`]; every other error is [`Exit::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct UserError {
    /// The code that the process ends with.
    pub exit: Exit,
    /// What is wrong, lower case, names in backticks.
    pub message: String,
    /// What to type or change instead.
    pub hint: Option<String>,
}

impl UserError {
    /// A fault without a hint yet.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        UserError { exit, message: message.into(), hint: None }
    }

    /// The fault behind an error, however deep.
    pub fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a UserError> {
        iter::successors(Some(error), |&cause| cause.source()).find_map(|cause| cause.downcast_ref())
    }

    /// The causes of an error from the outside in, without one whose text the one before already holds.
    pub fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for cause in iter::successors(Some(error), |&cause| cause.source()).map(ToString::to_string) {
            match lines.last() {
                Some(above) if above.contains(&cause) => {}
                _ => lines.push(cause),
            }
        }
        lines
    }

    /// Names the way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
