//! How one change ends.

use rustix::io::Errno;

use super::{errno, fingerprint::Identity};
use crate::model::{
    change::Change,
    report::{FailureKind, Outcome, Verdict},
};

/// How one change ended, and what is there now if it was made.
#[derive(Clone, Debug)]
pub struct Ending {
    /// How it ended.
    pub verdict: Verdict,
    /// What went wrong.
    pub error: Option<(FailureKind, String)>,
    /// What was written, when it was looked at afterwards.
    pub written: Option<Identity>,
}

impl Ending {
    /// Made and read back. Nothing is there after a delete.
    pub fn done(written: Option<Identity>) -> Ending {
        Ending { verdict: Verdict::Done, error: None, written }
    }

    /// Not tried.
    pub fn not_attempted(why: &str) -> Ending {
        Ending::because(Verdict::NotAttempted, FailureKind::Other, why)
    }

    /// Not tried since the run was told to stop.
    pub fn stopped() -> Ending {
        Ending::not_attempted("the run was told to stop")
    }

    /// Left alone, since it is not what the plan saw.
    pub fn stale(why: &str) -> Ending {
        Ending::because(Verdict::Stale, FailureKind::Other, why)
    }

    /// Left alone, since somebody was faster.
    pub fn moved() -> Ending {
        Ending::stale("it changed after the plan was made, and was left as it is")
    }

    /// Refused by the system while `doing` something.
    pub fn failed(doing: &str, errno: Errno) -> Ending {
        let words = errno::errno(errno);
        Ending::because(Verdict::Failed, errno::failure(errno), &format!("{doing}: {words}"))
    }

    /// Failed for another reason.
    pub fn wrong(why: &str) -> Ending {
        Ending::because(Verdict::Failed, FailureKind::Other, why)
    }

    /// Nobody can tell.
    pub fn uncertain(why: &str) -> Ending {
        Ending::because(Verdict::Uncertain, FailureKind::Other, why)
    }

    fn because(verdict: Verdict, kind: FailureKind, why: &str) -> Ending {
        Ending { verdict, error: Some((kind, why.to_owned())), written: None }
    }

    /// Whether no delete may follow.
    pub fn is_failure(&self) -> bool {
        !matches!(self.verdict, Verdict::Done | Verdict::Skipped)
    }

    /// The same for the model.
    pub fn outcome(self, change: &Change) -> Outcome {
        Outcome {
            address: change.address.clone(),
            action: change.action,
            class: change.class,
            verdict: self.verdict,
            error: self.error,
        }
    }
}
