//! What the engine and the providers tell while they work.

use super::{address::Address, change::Action};

/// Something that happened during a run.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A phase began, with the number of its steps where that is known.
    Phase {
        /// What is being done, in the present tense: `reading`, `applying`.
        what: &'static str,
        /// How many steps it has; 0 where nobody knows.
        total: usize,
    },
    /// So many more steps of the phase are done.
    Step(usize),
    /// A change begins.
    Applying(&'a Address, Action),
    /// A change is made and read back.
    Applied(&'a Address, Action),
    /// A change failed.
    Failed(&'a Address, Action, &'a str),
    /// An object is not ready yet, and why.
    Awaiting(&'a Address, &'a str),
    /// An object is ready.
    Ready(&'a Address),
    /// An object will not become ready, and why.
    Unready(&'a Address, &'a str),
    /// The phase is over.
    Done,
}

/// Receives events. Called from several threads.
pub trait Observer: Sync {
    /// Takes note of `event`.
    fn on(&self, event: Event<'_>);
}

/// Ignores every event.
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _: Event<'_>) {}
}
