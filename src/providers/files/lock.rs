//! One apply at a time.

use std::{
    fs,
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::{
    fs::{FlockOperation, OFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};

use super::{options::Places, users};
use crate::{
    exit::Exit,
    model::{address::quote, record::Who, user_error::UserError},
};

/// The name of the lock in the state directory.
const FILE: &str = "lock";

/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// The lock of a target. The system gives it up when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: fs::File,
    path: PathBuf,
    /// Directories that were made for it, outermost first.
    made: Vec<PathBuf>,
    /// Whether anything was written that has to stay.
    used: bool,
}

/// Who holds a lock, as the file says.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    who: String,
    host: String,
    pid: u32,
    started: String,
}

impl Lock {
    /// Takes the lock, and makes root and state directory if there are none.
    ///
    /// # Errors
    /// A [`UserError`] that names the holder if it is still held after `patience`.
    pub(super) fn take(places: &Places, who: &Who, patience: Duration) -> Result<Lock> {
        let mut made = Vec::new();
        let path = places.state.join(FILE);
        match wait(places, &path, patience, &mut made) {
            Ok(Some(file)) => {
                let mut lock = Lock { file, path, made, used: false };
                lock.sign(who).context("signing the lock")?;
                Ok(lock)
            }
            Ok(None) => Err(held(&path, places).into()),
            Err(error) => {
                unmake(&made);
                Err(refused(error, places))
            }
        }
    }

    /// Keeps what was made for the lock when it is given up.
    pub(super) fn keep(&mut self) {
        self.used = true;
    }

    /// What takes away what was made for it, without this value; the system gives up the lock itself.
    pub(super) fn release(&self) -> Box<dyn Fn() + Send> {
        let (path, made, used) = (self.path.clone(), self.made.clone(), self.used);
        Box::new(move || abandon(&path, &made, used))
    }

    fn sign(&mut self, who: &Who) -> io::Result<()> {
        let holder = Holder {
            who: who.actor.clone(),
            host: who.host.clone(),
            pid: std::process::id(),
            started: users::now(),
        };
        self.file.set_len(0)?;
        self.file.rewind()?;
        serde_json::to_writer(&mut self.file, &holder)?;
        self.file.write_all(b"\n")
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        abandon(&self.path, &self.made, self.used);
        // A program that is being started holds a copy of every descriptor for a moment.
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

/// An apply that was declined leaves a new target as it was: not there.
fn abandon(path: &Path, made: &[PathBuf], used: bool) {
    if !used && !made.is_empty() {
        let _ = fs::remove_file(path);
        unmake(made);
    }
}

fn wait(
    places: &Places,
    path: &Path,
    patience: Duration,
    made: &mut Vec<PathBuf>,
) -> io::Result<Option<fs::File>> {
    let deadline = Instant::now() + patience;
    loop {
        // Every time, since the holder takes away what it made for nothing.
        make(&places.root, 0o755, made)?;
        make(&places.state, 0o700, made)?;
        let left = deadline.saturating_duration_since(Instant::now());
        match attempt(path) {
            Ok(None) if left.is_zero() => return Ok(None),
            Ok(None) => std::thread::sleep(left.min(PAUSE)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !left.is_zero() => {}
            done => return done,
        }
    }
}

/// Makes a directory, and those above it that are below what exists.
fn make(path: &Path, mode: u32, made: &mut Vec<PathBuf>) -> io::Result<()> {
    match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {
            made.push(path.to_owned());
            // The new name has to survive a power cut as well as what will be in it.
            path.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && mode == 0o700 => {
            let parent = path.parent().ok_or(error)?;
            make(parent, mode, made)?;
            make(path, mode, made)
        }
        Err(error) => Err(error),
    }
}

fn unmake(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let _ = fs::remove_dir(path);
    }
}

/// Tries once; `None` if somebody else holds it.
fn attempt(path: &Path) -> io::Result<Option<fs::File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits() as _)
        .open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    }
    // The holder before may have removed the file after it was opened here.
    let same = fs::symlink_metadata(path).is_ok_and(|there| {
        file.metadata().is_ok_and(|here| (here.dev(), here.ino()) == (there.dev(), there.ino()))
    });
    if same { Ok(Some(file)) } else { attempt(path) }
}

fn held(path: &Path, places: &Places) -> UserError {
    let mut text = String::new();
    let holder: Option<Holder> = fs::File::open(path)
        .and_then(|mut file| file.read_to_string(&mut text))
        .ok()
        .and_then(|_| serde_json::from_str(&text).ok());
    let by = match &holder {
        Some(Holder { who, host, pid, started }) => {
            // What is in the file is foreign text.
            let (who, host, started) =
                (quote(who.as_bytes()), quote(host.as_bytes()), quote(started.as_bytes()));
            format!("`{who}` on `{host}` (pid {pid}) since {started}{}", age(&started))
        }
        None => "another run".to_owned(),
    };
    UserError::new(Exit::Locked, format!("`{}` is locked by {by}", places.shown_root()))
        .hint("wait until it is done; the lock goes when that process ends, however it ends")
}

fn age(started: &str) -> String {
    let Ok(started) = started.parse::<jiff::Timestamp>() else { return String::new() };
    let seconds = jiff::Timestamp::now().as_second().saturating_sub(started.as_second()).max(0);
    match seconds {
        0..120 => format!(", {seconds} s ago"),
        120..7200 => format!(", {} min ago", seconds / 60),
        _ => format!(", {} h ago", seconds / 3600),
    }
}

fn refused(error: io::Error, places: &Places) -> anyhow::Error {
    let root = places.shown_root();
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            let why = match error.kind() {
                io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
                _ => "permission denied",
            };
            UserError::new(Exit::NoPermission, format!("taking the lock of `{root}`: {why}"))
                .hint("run apply as a user who may write there; `state` moves lock and memory elsewhere")
                .into()
        }
        _ => anyhow::Error::new(error).context(format!("taking the lock of `{root}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(base: &Path) -> Places {
        let root = base.join("www");
        Places { state: root.join(".trueup"), root, expect_id: None, backup: false }
    }

    fn who() -> Who {
        Who { actor: "alice".into(), source: "test".into(), host: "here".into(), job: None }
    }

    #[test]
    fn two_cannot_hold_it_and_the_holder_is_named() {
        let base = tempfile::tempdir().unwrap();
        let places = places(base.path());
        let first = Lock::take(&places, &who(), Duration::ZERO).unwrap();
        let fault: UserError =
            Lock::take(&places, &who(), Duration::from_millis(150)).unwrap_err().downcast().unwrap();
        assert_eq!(fault.exit, Exit::Locked);
        let holder = format!("is locked by `alice` on `here` (pid {}) since ", std::process::id());
        assert!(fault.message.contains(&holder) && fault.message.ends_with(" s ago"), "{}", fault.message);
        drop(first);
        Lock::take(&places, &who(), Duration::ZERO).unwrap();
    }

    #[test]
    fn patience_is_rewarded() {
        let base = tempfile::tempdir().unwrap();
        let places = places(base.path());
        let first = Lock::take(&places, &who(), Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(150));
                drop(first);
            });
            Lock::take(&places, &who(), Duration::from_secs(20)).unwrap();
        });
    }

    #[test]
    fn a_lock_that_led_to_nothing_leaves_nothing() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().unwrap();
        let places = places(base.path());
        let lock = Lock::take(&places, &who(), Duration::ZERO).unwrap();
        assert_eq!(fs::metadata(&places.state).unwrap().permissions().mode() & 0o777, 0o700);
        drop(lock);
        assert!(!places.root.exists());
        let mut lock = Lock::take(&places, &who(), Duration::ZERO).unwrap();
        lock.keep();
        drop(lock);
        assert!(places.state.join(FILE).exists());
        drop(Lock::take(&places, &who(), Duration::ZERO).unwrap());
        assert!(places.state.join(FILE).exists());
    }

    #[test]
    fn a_lock_that_is_something_else_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let places = places(base.path());
        fs::create_dir_all(&places.state).unwrap();
        std::os::unix::fs::symlink("/dev/null", places.state.join(FILE)).unwrap();
        assert!(Lock::take(&places, &who(), Duration::ZERO).is_err());
    }
}
