//! What is wrong, or doubtful, in a manifest.

use std::fmt;

use super::node::Place;

/// Why a file is no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Trouble {
    /// Where.
    pub place: Place,
    /// What.
    pub message: String,
    /// The other place that it is about, with its role: `first`.
    pub other: Option<(&'static str, Place)>,
}

/// Something that is read, but perhaps not as its writer meant it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What, with the way out.
    pub message: String,
}

impl Trouble {
    /// Trouble at one place.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Trouble { place, message: message.into(), other: None }
    }

    /// Names the second place.
    pub fn with(mut self, role: &'static str, place: Place) -> Self {
        self.other = Some((role, place));
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.other {
            Some((role, place)) => write!(f, " ({role} at {place})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}
