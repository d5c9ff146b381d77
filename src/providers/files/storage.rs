//! The file that holds what a target remembers: read, checked and replaced.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, Result};

use super::{
    memory::{Home, Stored, parse, print},
    options::Places,
};
use crate::{
    exit::Exit,
    model::{address::quote, user_error::UserError},
};

/// The name of the file in the state directory.
const FILE: &str = "memory";

/// The name under which its successor is written.
const SUCCESSOR: &str = "memory.new";

/// Reads the memory of the target at `places`; `None` if it has none. `home`
/// is `None` while there is no root.
///
/// # Errors
/// A [`UserError`] that names the way out, if the memory is damaged or not that of this target.
pub(super) fn load(places: &Places, home: Option<&Home>) -> Result<Option<Stored>> {
    let path = places.state.join(FILE);
    let mut bytes = Vec::new();
    match open(&path) {
        Ok(mut file) => {
            file.read_to_end(&mut bytes).with_context(|| format!("reading `{}`", path.display()))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match &places.expect_id {
                Some(wanted) => Err(stranger(&path, wanted).into()),
                None => Ok(None),
            };
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(UserError::new(
                Exit::NoPermission,
                format!("reading `{}`: permission denied", path.display()),
            )
            .hint("run trueup as the user who applies to this target")
            .into());
        }
        Err(error) => return Err(error).with_context(|| format!("opening `{}`", path.display())),
    }
    let stored = parse(&bytes).map_err(|what| damaged(&path, &what))?;
    check_home(&stored, places, home, &path)?;
    Ok(Some(stored))
}

fn open(path: &Path) -> io::Result<fs::File> {
    use rustix::fs::OFlags;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits() as _).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

fn check_home(stored: &Stored, places: &Places, home: Option<&Home>, path: &Path) -> Result<()> {
    match (&places.expect_id, home) {
        (Some(wanted), _) if *wanted == stored.id => Ok(()),
        (Some(wanted), _) => Err(UserError::new(
            Exit::Error,
            format!(
                "the memory of the target, `{}`, has the id `{}` and not `{wanted}`",
                path.display(),
                stored.id
            ),
        )
        .hint("this is another target than the one that `expect-id` names; check `root` and `state`")
        .into()),
        (None, Some(home)) if !stored.home.is(home) => Err(foreign(stored, path).into()),
        (None, _) => Ok(()),
    }
}

fn foreign(stored: &Stored, path: &Path) -> UserError {
    let (path, from) = (path.display(), quote(&stored.home.path).into_owned());
    UserError::new(Exit::Error, format!("`{path}` is the memory of another directory, `{from}`")).hint(
        format!(
            "if this is that directory, moved or restored, vouch for it with `expect-id: {}` in the target; \
         otherwise move the file away, and the next apply asks before it takes over what is there",
            stored.id
        ),
    )
}

fn stranger(path: &Path, wanted: &str) -> UserError {
    let message =
        format!("`{}` is not there, so this cannot be the target with the id `{wanted}`", path.display());
    UserError::new(Exit::Unavailable, message).hint(
        "mount the file system that holds it; or, if nothing was applied there yet, leave out `expect-id` for the first apply",
    )
}

fn damaged(path: &Path, what: &str) -> UserError {
    let path = path.display();
    UserError::new(Exit::Error, format!("the memory of the target, `{path}`, is damaged: {what}")).hint(
        format!(
            "restore it from a backup; or move it away (`mv {path} {path}.damaged`), \
         and the next apply asks before it takes over what is there"
        ),
    )
}

/// Replaces the memory in the state directory, durably, all or nothing. The
/// caller holds the lock, so nobody else uses the successor's name.
pub(super) fn store(stored: &Stored, state: &Path) -> Result<()> {
    let text = print(stored)?;
    let (path, successor) = (state.join(FILE), state.join(SUCCESSOR));
    let write = || -> io::Result<()> {
        let mut file = open_successor(&successor)?;
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)?;
        file.sync_all()?;
        fs::rename(&successor, &path)?;
        fs::File::open(state)?.sync_all()
    };
    write().with_context(|| format!("writing `{}`", path.display()))
}

/// Sets room aside for the next memory, so that an apply that fills the disk
/// can still record what it did.
pub(super) fn reserve(stored: &Stored, state: &Path) {
    use rustix::fs::FallocateFlags;
    /// What an object adds to ledger and record, and then some.
    const OBJECT: u64 = 512;
    let attempt = stored.record.as_ref().and_then(|record| record.attempting.as_ref());
    let coming = attempt.map_or(0, |attempt| attempt.changes.len() as u64);
    let known = fs::metadata(state.join(FILE)).map_or(0, |memory| memory.len());
    // Without it the last write may fail, which is then told as what it is.
    if let Ok(file) = open_successor(&state.join(SUCCESSOR)) {
        let room = (known + coming * OBJECT).max(1 << 16);
        let _ = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, room);
    }
}

fn open_successor(path: &Path) -> io::Result<fs::File> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits() as _;
    fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path)
}

#[cfg(test)]
mod tests {
    use super::{super::memory::tests::stored, *};

    fn places(state: &Path, expect_id: Option<&str>) -> Places {
        let expect_id = expect_id.map(str::to_owned);
        Places { root: state.into(), state: state.into(), expect_id, backup: false }
    }

    fn fault(loaded: Result<Option<Stored>>) -> UserError {
        loaded.unwrap_err().downcast().unwrap()
    }

    #[test]
    fn memories_round_trip_and_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let state = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            store(&stored(), state.path()).unwrap();
            reserve(&stored(), state.path());
            assert!(fs::metadata(state.path().join(SUCCESSOR)).unwrap().len() >= 1 << 16);
        }
        store(&stored(), state.path()).unwrap();
        let wanted = Stored { id: String::new(), ..stored() };
        let found = load(&places(state.path(), None), Some(&stored().home)).unwrap().unwrap();
        assert_eq!(Stored { id: String::new(), ..found }, wanted);
        let names: Vec<_> =
            fs::read_dir(state.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [FILE]);
        let mode = fs::metadata(state.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn no_memory_is_no_error() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(load(&places(state.path(), None), None).unwrap(), None);
        assert_eq!(load(&places(&state.path().join("none"), None), None).unwrap(), None);
        let fault = fault(load(&places(state.path(), Some("x")), None));
        assert_eq!(fault.exit, Exit::Unavailable);
    }

    #[test]
    fn damage_names_the_way_out() {
        let state = tempfile::tempdir().unwrap();
        for content in ["", "x", "trueup memory 2\t0\t-\n", "trueup memory 1\t0\t-\n"] {
            fs::write(state.path().join(FILE), content).unwrap();
            let fault = fault(load(&places(state.path(), None), None));
            assert_eq!(fault.exit, Exit::Error);
            assert!(
                fault.message.contains("is damaged") && fault.hint.unwrap().contains("mv "),
                "{content:?}"
            );
        }
    }

    #[test]
    fn a_memory_is_at_home_where_path_or_inode_agree() {
        let state = tempfile::tempdir().unwrap();
        let stored = stored();
        store(&stored, state.path()).unwrap();
        let moved = Home { path: b"/elsewhere".to_vec(), ..stored.home.clone() };
        let restored = Home { inode: 99, ..stored.home.clone() };
        let other = Home { inode: 99, ..moved.clone() };
        for home in [&moved, &restored] {
            assert!(load(&places(state.path(), None), Some(home)).is_ok());
        }
        let fault = fault(load(&places(state.path(), None), Some(&other)));
        assert!(fault.message.contains("memory of another directory"), "{}", fault.message);
        assert!(fault.hint.unwrap().contains(&format!("expect-id: {}", stored.id)));
        assert!(load(&places(state.path(), Some(&stored.id)), Some(&other)).is_ok());
        assert!(load(&places(state.path(), Some("other")), Some(&stored.home)).is_err());
    }
}
