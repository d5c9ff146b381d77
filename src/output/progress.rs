//! Shows progress on stderr.

use super::terminal::{Kind, Level, Shared};
use crate::model::event::{Event, Observer};

/// Shows what a run is busy with.
pub struct Progress {
    _stream: Shared,
}

impl Progress {
    pub(super) fn new(stream: Shared, _: Kind, _: Level) -> Self {
        Progress { _stream: stream }
    }
}

impl Observer for Progress {
    fn on(&self, _: Event<'_>) {}
}
