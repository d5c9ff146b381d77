//! Keeps what is replaced or deleted, if the target asks for that.

use std::{fs::File, io};

use rustix::{fs::FileType, io::Errno};

use super::{
    confined_dir::{Obstacle, kind, writable::WritableDir},
    names,
};

/// The name of the directory below the state directory.
const TRASH: &[u8] = b"trash";

/// Gives what is called `name` in `dir` a place at `trash/<run>/<path>` of the
/// state directory, where it stays. Directories are empty when they go, and are not kept.
pub(super) fn keep(
    state: &WritableDir,
    run: &str,
    path: &[u8],
    dir: &WritableDir,
    name: &[u8],
) -> Result<(), Errno> {
    let found = kind(&dir.stat(name)?);
    if found == FileType::Directory {
        return Ok(());
    }
    let place = names::join(&names::join(TRASH, run.replace('/', "_").as_bytes()), path);
    let (directory, kept) = names::split(&place);
    let trash = make(state, directory)?;
    match dir.link(name, &trash, kept) {
        // Kept by an earlier attempt of this apply.
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(Errno::XDEV | Errno::PERM | Errno::NOTSUP | Errno::MLINK) => match found {
            FileType::Symlink => trash.symlink(&dir.read_link(name)?, kept),
            _ => copy(dir, name, &trash, kept),
        },
        Err(errno) => Err(errno),
    }
}

fn copy(dir: &WritableDir, name: &[u8], trash: &WritableDir, kept: &[u8]) -> Result<(), Errno> {
    let copied = |mut from: File, mut to: File| -> io::Result<()> {
        io::copy(&mut from, &mut to)?;
        to.sync_all()
    };
    let (from, to) = (dir.open_file(name)?, trash.create(kept)?);
    copied(from, to).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    trash.sync()
}

/// Opens `path` below `state`, making what is missing for nobody else's eyes.
fn make(state: &WritableDir, path: &[u8]) -> Result<WritableDir, Errno> {
    let refused = |obstacle| match obstacle {
        Obstacle::Failed(errno, _) => errno,
        Obstacle::Missing => Errno::NOENT,
        Obstacle::Link(_) => Errno::LOOP,
        Obstacle::NotDirectory(_) => Errno::NOTDIR,
    };
    match state.writable(path) {
        Err(Obstacle::Missing) => {
            let (above, name) = names::split(path);
            match make(state, above)?.mkdir(name, 0o700) {
                Ok(()) | Err(Errno::EXIST) => state.writable(path).map_err(refused),
                Err(errno) => Err(errno),
            }
        }
        other => other.map_err(refused),
    }
}
