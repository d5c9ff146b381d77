//! A file of this machine that remembers what was applied to a target.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::Value as Json;

use crate::{
    exit::Exit,
    model::{record::Who, user_error::UserError},
    providers::rest::client::size_limit,
};

/// The largest memory that is read.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Takes the lock beside `path`.
///
/// # Errors
/// Another run holds it.
pub fn locked(path: &Path, who: &Who, patience: Duration) -> Result<File> {
    let lock = path.with_added_extension("lock");
    let shown = || format!("locking `{}`", lock.display());
    if let Some(folder) = lock.parent() {
        fs::create_dir_all(folder).with_context(shown)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock)
        .with_context(shown)?;
    let end = Instant::now() + patience;
    while rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
        if Instant::now() >= end {
            let mut holder = String::new();
            _ = file.read_to_string(&mut holder);
            let message = format!("another run holds the lock of the target: {}", holder.trim());
            return Err(UserError::new(Exit::Locked, message)
                .hint("wait for it, or `--lock-timeout SECONDS`")
                .into());
        }
        thread::sleep(Duration::from_millis(100));
    }
    file.set_len(0).with_context(shown)?;
    writeln!(file, "{} on {} since {}", who.actor, who.host, jiff::Timestamp::now()).with_context(shown)?;
    Ok(file)
}

/// What `path` holds, if it is there.
///
/// # Errors
/// It is damaged or cannot be read.
pub fn read(path: &Path) -> Result<Option<Json>> {
    let shown = || format!("reading `{}`", path.display());
    let bytes = match size_limit::read(path, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(shown),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        UserError::new(Exit::Error, format!("`{}` is damaged: {error}", path.display()))
            .hint("remove it to start anew: nothing is ours then, and nothing is deleted")
            .into()
    })
}

/// Replaces `path` durably, all or nothing.
///
/// # Errors
/// It could not be written; the old one is there then.
pub fn write(path: &Path, json: &Json) -> Result<()> {
    let shown = || format!("writing `{}`", path.display());
    let folder = path.parent().context("the state file has no folder")?;
    fs::create_dir_all(folder).with_context(shown)?;
    let beside = path.with_added_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .with_context(shown)?;
    serde_json::to_writer(&mut file, json).with_context(shown)?;
    file.sync_all().with_context(shown)?;
    fs::rename(&beside, path).with_context(shown)?;
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(shown)
}
