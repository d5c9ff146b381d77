//! SIGINT, SIGTERM and SIGHUP during an apply. Before the first write, one of them gives the locks back and ends the
//! process, whatever it waits for; from then on, the first lets what was begun end, and the second ends at once.

use std::{
    fs, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals as Incoming,
};

use crate::exit::Exit;

/// Gives a lock back, from another thread than that which took it.
pub type Release = Box<dyn Fn() + Send>;

/// How long locks may take to be given back.
const PATIENCE: Duration = Duration::from_secs(3);

/// How far the apply is.
#[derive(Default)]
struct Phase {
    writing: bool,
    locks: Vec<Release>,
}

/// Whether a signal came, and which.
pub struct Signals {
    /// Set when no further write may begin.
    pub stop: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
    phase: Arc<Mutex<Phase>>,
}

impl Signals {
    /// Listens from now on. `tell` says what a person should know before the process ends.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn listen(tell: impl Fn(&str) + Send + 'static) -> io::Result<Signals> {
        let signals = Signals { stop: Arc::default(), terminated: Arc::default(), phase: Arc::default() };
        let wanted = [SIGINT, SIGTERM].into_iter().chain((!is_ignored(SIGHUP)).then_some(SIGHUP));
        let mut incoming = Incoming::new(wanted)?;
        let (stop, terminated, phase) =
            (signals.stop.clone(), signals.terminated.clone(), signals.phase.clone());
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in incoming.forever() {
                let exit = if signal == SIGINT { Exit::Interrupted } else { Exit::Terminated };
                let mut phase = locked(&phase);
                if !phase.writing {
                    give_back(std::mem::take(&mut phase.locks));
                    tell("interrupted; nothing was written");
                    end(exit);
                }
                if stop.load(Ordering::SeqCst) {
                    end(exit);
                }
                terminated.store(signal != SIGINT, Ordering::SeqCst);
                stop.store(true, Ordering::SeqCst);
            }
        })?;
        Ok(signals)
    }

    /// Takes note of a lock, which a signal gives back.
    pub fn holds(&self, release: Option<Release>) {
        locked(&self.phase).locks.extend(release);
    }

    /// From now on, a signal lets what was begun end.
    pub fn begin_writing(&self) {
        locked(&self.phase).writing = true;
    }

    /// The code of the signal that came.
    pub fn exit(&self) -> Exit {
        match self.terminated.load(Ordering::SeqCst) {
            true => Exit::Terminated,
            false => Exit::Interrupted,
        }
    }
}

fn locked(phase: &Mutex<Phase>) -> MutexGuard<'_, Phase> {
    phase.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives locks back, as far as that takes no longer than a person waits: their servers may be silent.
fn give_back(locks: Vec<Release>) {
    let (done, ended) = mpsc::channel();
    let job = move || {
        locks.iter().for_each(|release| release());
        // Nobody listens any more if it took too long.
        let _ = done.send(());
    };
    if std::thread::Builder::new().spawn(job).is_ok() {
        // A lock that is not given back in time runs out, or ends with the process.
        let _ = ended.recv_timeout(PATIENCE);
    }
}

fn end(exit: Exit) -> ! {
    signal_hook::low_level::exit(exit.code().into())
}

/// Whether the process was told to ignore a signal, as `nohup` does with SIGHUP.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status");
    let ignored =
        |text: &str| u64::from_str_radix(text.trim(), 16).is_ok_and(|set| set & (1 << (signal - 1)) != 0);
    status
        .is_ok_and(|status| status.lines().find_map(|line| line.strip_prefix("SigIgn:")).is_some_and(ignored))
}
