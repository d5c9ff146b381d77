//! The file that holds what a target remembers, in one piece.
//!
//! Record and ledger are one file, replaced by one rename: there is no moment
//! at which one of them is newer than the other.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    path::Path,
    time::SystemTime,
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::{
    beneath::Dir,
    fingerprint::{Identity, nanos},
    ledger::{self, Ledger},
    options::{Places, real},
};
use crate::{
    exit::Exit,
    model::{
        address::{quote, unquote},
        fault::Fault,
        record::{Memory, Record, SCHEMA},
    },
};

/// The name of the file in the state directory.
const FILE: &str = "memory";

/// The name under which its successor is written.
const SUCCESSOR: &str = "memory.new";

/// The first line up to the version.
const MAGIC: &str = "trueup memory ";

/// The version that this build reads and writes.
const VERSION: u32 = 1;

/// Everything that a target remembers, as its file holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    /// The random id that the target got with its first apply.
    pub id: String,
    /// Which directory it belongs to.
    pub home: Home,
    /// When it was written, in nanoseconds since 1970.
    pub written: i64,
    /// The record.
    pub record: Option<Record>,
    /// What is owned.
    pub ledger: Ledger,
}

/// Which directory a memory belongs to. It is at home where either agrees, so
/// that a directory may be moved, mounted elsewhere, or restored in place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Home {
    /// Its path.
    pub path: Vec<u8>,
    /// Its device and inode.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
}

impl Home {
    /// The home of memories of `root`.
    pub(super) fn of(root: &Dir, path: &Path) -> Result<Home> {
        let identity =
            Identity::of(&root.own_stat().with_context(|| format!("reading `{}`", path.display()))?);
        let path = real(path).as_os_str().as_bytes().to_vec();
        Ok(Home { path, device: identity.print.device, inode: identity.print.inode })
    }

    fn is(&self, other: &Home) -> bool {
        self.path == other.path || (self.device, self.inode) == (other.device, other.inode)
    }
}

impl Stored {
    /// The memory of a target that nothing was applied to yet.
    pub(super) fn new(home: Home) -> Result<Stored> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).context("drawing a random id")?;
        let id = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Stored { id, home, written: 0, record: None, ledger: Ledger::default() })
    }

    /// The same for the model.
    pub(super) fn to_memory(&self) -> Memory {
        let owned = self.ledger.entries.iter().map(|(address, entry)| (address.clone(), entry.owned()));
        Memory { record: self.record.clone(), owned: owned.collect() }
    }

    /// Whether the clock was set back since this was written. Then no time in it proves anything.
    pub(super) fn is_from_the_future(&self, now: SystemTime) -> bool {
        self.written > nanos(now)
    }
}

/// Reads the memory of the target at `places`; `None` if it has none. `home`
/// is `None` while there is no root.
///
/// # Errors
/// A [`Fault`] that names the way out, if the memory is damaged or not that of this target.
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
            return Err(Fault::new(
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
        (Some(wanted), _) => Err(Fault::new(
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

fn foreign(stored: &Stored, path: &Path) -> Fault {
    let (path, from) = (path.display(), quote(&stored.home.path).into_owned());
    Fault::new(Exit::Error, format!("`{path}` is the memory of another directory, `{from}`")).hint(format!(
        "if this is that directory, moved or restored, vouch for it with `expect-id: {}` in the target; \
         otherwise move the file away, and the next apply asks before it takes over what is there",
        stored.id
    ))
}

fn stranger(path: &Path, wanted: &str) -> Fault {
    let message =
        format!("`{}` is not there, so this cannot be the target with the id `{wanted}`", path.display());
    Fault::new(Exit::Unavailable, message).hint(
        "mount the file system that holds it; or, if nothing was applied there yet, leave out `expect-id` for the first apply",
    )
}

fn damaged(path: &Path, what: &str) -> Fault {
    let path = path.display();
    Fault::new(Exit::Error, format!("the memory of the target, `{path}`, is damaged: {what}")).hint(format!(
        "restore it from a backup; or move it away (`mv {path} {path}.damaged`), \
         and the next apply asks before it takes over what is there"
    ))
}

/// The whole file.
fn print(stored: &Stored) -> Result<String> {
    let mut body = String::new();
    let Home { path, device, inode } = &stored.home;
    // Writing to a string cannot fail.
    let _ = writeln!(body, "id\t{}", stored.id);
    let _ = writeln!(body, "home\t{device}\t{inode}\t{}", quote(path));
    let _ = writeln!(body, "written\t{}", stored.written);
    if let Some(record) = &stored.record {
        let _ = writeln!(body, "record\t{}", serde_json::to_string(record)?);
    }
    ledger::print(&stored.ledger, &mut body);
    Ok(format!("{MAGIC}{VERSION}\t{}\t{}\n{body}", body.len(), checksum(body.as_bytes())))
}

fn checksum(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`print()`] wrote, or says what is wrong with it.
fn parse(bytes: &[u8]) -> Result<Stored, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let (head, body) = text.split_once('\n').ok_or("it has no complete first line")?;
    let mut head = head.strip_prefix(MAGIC).ok_or("it does not begin as a memory")?.split('\t');
    let version: u32 = head.next().and_then(|text| text.parse().ok()).ok_or("it names no version")?;
    if version != VERSION {
        return Err(format!("it is of version {version}, and this trueup knows version {VERSION} only"));
    }
    let length: usize = head.next().and_then(|text| text.parse().ok()).ok_or("it names no length")?;
    let sum = head.next().ok_or("it names no checksum")?;
    if length != body.len() {
        return Err(format!("it should hold {length} bytes after its first line and holds {}", body.len()));
    }
    let (found, parsed) = rayon::join(|| checksum(body.as_bytes()), || parse_body(body));
    match found == sum {
        true => parsed,
        false => Err("its checksum is wrong".to_owned()),
    }
}

fn parse_body(body: &str) -> Result<Stored, String> {
    let mut rest = body;
    let id = take(&mut rest, "id").ok_or("it names no id")?.to_owned();
    let home = take(&mut rest, "home").and_then(parse_home).ok_or("it names no home")?;
    let written = take(&mut rest, "written").and_then(|text| text.parse().ok()).ok_or("it has no time")?;
    let record = match take(&mut rest, "record") {
        None => None,
        Some(json) => {
            let record: Record =
                serde_json::from_str(json).map_err(|error| format!("its record: {error}"))?;
            if record.schema != SCHEMA {
                return Err(format!(
                    "its record is of the form `{}`, and this trueup knows `{SCHEMA}` only",
                    record.schema
                ));
            }
            Some(record)
        }
    };
    let ledger = ledger::parse(rest).map_err(|line| format!("line {} of its ledger is wrong", line + 1))?;
    Ok(Stored { id, home, written, record, ledger })
}

/// Takes the first line off `rest`, if it begins with `key`.
fn take<'a>(rest: &mut &'a str, key: &str) -> Option<&'a str> {
    let (line, after) = rest.split_once('\n')?;
    let value = line.strip_prefix(key)?.strip_prefix('\t')?;
    *rest = after;
    Some(value)
}

fn parse_home(text: &str) -> Option<Home> {
    let mut fields = text.splitn(3, '\t');
    let mut number = || fields.next()?.parse().ok();
    let (device, inode) = (number()?, number()?);
    Some(Home { path: unquote(fields.next()?).into_owned(), device, inode })
}

/// Replaces the memory in the state directory, durably, all or nothing. The
/// caller holds the lock, so the successor's name is free or left over.
pub(super) fn store(stored: &Stored, state: &Path) -> Result<()> {
    let text = print(stored)?;
    let (path, successor) = (state.join(FILE), state.join(SUCCESSOR));
    let write = || -> io::Result<()> {
        match fs::remove_file(&successor) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&successor)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&successor, &path)?;
        fs::File::open(state)?.sync_all()
    };
    write().with_context(|| format!("writing `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::address::Address, providers::files::ledger::Entry};

    fn stored() -> Stored {
        let home = Home { path: b"/srv/\xff\t".to_vec(), device: 7, inode: 8 };
        let mut stored =
            Stored { written: 9, record: Some(Record::new("files /srv")), ..Stored::new(home).unwrap() };
        stored.ledger.entries.push((Address::new("a"), Entry::default()));
        stored.ledger.made.insert(b"d".to_vec());
        stored
    }

    fn places(state: &Path, expect_id: Option<&str>) -> Places {
        let expect_id = expect_id.map(str::to_owned);
        Places { root: state.into(), state: state.into(), expect_id, backup: false }
    }

    fn fault(loaded: Result<Option<Stored>>) -> Fault {
        loaded.unwrap_err().downcast().unwrap()
    }

    #[test]
    fn memories_round_trip_and_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let state = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            store(&stored(), state.path()).unwrap();
        }
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
    fn every_truncation_and_every_flipped_bit_is_refused() {
        let text = print(&stored()).unwrap().into_bytes();
        assert!(parse(&text).is_ok());
        for end in 0..text.len() {
            assert!(parse(&text[..end]).is_err(), "{end}");
        }
        for at in 0..text.len() {
            let mut flipped = text.clone();
            flipped[at] ^= 1;
            assert!(parse(&flipped).is_err(), "{at}: {}", String::from_utf8_lossy(&flipped));
        }
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

    #[test]
    fn a_clock_that_went_back_is_noticed() {
        let stored = Stored { written: nanos(SystemTime::now()) + 1_000_000_000, ..stored() };
        assert!(stored.is_from_the_future(SystemTime::now()));
    }
}
