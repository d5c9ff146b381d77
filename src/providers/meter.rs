//! Counts requests, for every provider that sends some.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::model::explain::Cost;

/// A count that all users of a connection share.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicUsize,
    repeated: AtomicUsize,
}

impl Meter {
    /// A request is sent.
    pub fn request(&self) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// It is sent again.
    pub fn repeat(&self) {
        self.0.repeated.fetch_add(1, Ordering::Relaxed);
    }

    /// What was sent so far, for objects of so many kinds.
    pub fn cost(&self, kinds: usize) -> Cost {
        Cost {
            requests: self.0.requests.load(Ordering::Relaxed),
            repeated: self.0.repeated.load(Ordering::Relaxed),
            kinds,
        }
    }
}
