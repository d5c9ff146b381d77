//! SIGINT and SIGTERM during an apply: the first lets what was begun end, the second ends at once.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use crate::exit::Exit;

/// Whether a signal came, and which.
pub struct Signals {
    /// Set by either.
    pub stop: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn listen() -> io::Result<Signals> {
        let signals =
            Signals { stop: Arc::new(AtomicBool::new(false)), terminated: Arc::new(AtomicBool::new(false)) };
        for (signal, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
            // The order matters: the shutdown must see the flag of an earlier signal, not of this one.
            flag::register_conditional_shutdown(signal, exit.code().into(), signals.stop.clone())?;
            flag::register(signal, signals.stop.clone())?;
        }
        flag::register(SIGTERM, signals.terminated.clone())?;
        Ok(signals)
    }

    /// The code of the signal that came.
    pub fn exit(&self) -> Exit {
        match self.terminated.load(Ordering::SeqCst) {
            true => Exit::Terminated,
            false => Exit::Interrupted,
        }
    }
}
