//! The streams of a process.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    os::fd::AsFd,
    sync::{Mutex, MutexGuard, PoisonError},
};

use indicatif::ProgressBar;

/// What a stream is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person's screen or keyboard.
    Terminal,
    /// A file, a pipe, the log of a CI job.
    Other,
}

impl Kind {
    fn of(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() { Kind::Terminal } else { Kind::Other }
    }
}

/// The streams that a [`Terminal`](super::terminal::Terminal) works on.
pub struct Streams {
    /// Takes the result.
    pub out: Box<dyn Write + Send>,
    /// What that is.
    pub out_kind: Kind,
    /// Takes what is said about the run.
    pub err: Box<dyn Write + Send>,
    /// What that is.
    pub err_kind: Kind,
    /// Answers questions.
    pub input: Box<dyn BufRead + Send>,
    /// What that is.
    pub input_kind: Kind,
}

impl Streams {
    /// The streams of this process.
    pub fn standard() -> Self {
        Streams {
            out: whole(&io::stdout()).unwrap_or_else(|_| Box::new(io::stdout())),
            out_kind: Kind::of(&io::stdout()),
            err: Box::new(io::stderr()),
            err_kind: Kind::of(&io::stderr()),
            input: Box::new(io::BufReader::new(io::stdin())),
            input_kind: Kind::of(&io::stdin()),
        }
    }
}

/// The stream without the line buffer that the standard library puts before it.
fn whole(stream: &impl AsFd) -> io::Result<Box<dyn Write + Send>> {
    Ok(Box::new(std::fs::File::from(stream.as_fd().try_clone_to_owned()?)))
}

/// stderr: several threads write whole lines to it, and a bar may be drawn below them.
pub(super) struct Screen {
    stream: Mutex<Box<dyn Write + Send>>,
    bar: Mutex<Option<ProgressBar>>,
}

impl Screen {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Screen { stream: Mutex::new(stream), bar: Mutex::new(None) }
    }

    /// Writes whole lines; a failure has nowhere to be told and changes nothing.
    pub(super) fn tell(&self, lines: &str) {
        let write = || {
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = stream.write_all(lines.as_bytes()).and_then(|()| stream.flush());
        };
        match &*self.bar() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// The bar that is drawn now.
    pub(super) fn bar(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that falls silent when its reader goes away, since `plan | head`
/// must neither change the answer nor stop an apply.
pub(super) enum Outlet {
    Open(Box<dyn Write + Send>),
    Closed,
}

impl Outlet {
    fn attempt<T>(
        &mut self,
        silent: T,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<T> {
        let Outlet::Open(stream) = self else { return Ok(silent) };
        match write(stream) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                *self = Outlet::Closed;
                Ok(silent)
            }
            other => other,
        }
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(bytes.len(), |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt((), |stream| stream.flush())
    }
}
