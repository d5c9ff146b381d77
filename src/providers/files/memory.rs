//! What a target remembers, and its form as text.
//!
//! Record and ledger are one text, and so one file that is replaced by one
//! rename: there is no moment at which one of them is newer than the other.

use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _, path::Path, time::SystemTime};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::{
    confined_dir::Dir,
    fingerprint::{Identity, nanos},
    inventory::{self, Ledger},
    options::real,
};
use crate::model::{
    address::{quote, unquote},
    record::{Record, SCHEMA, StoredRecord},
};

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
    /// Its device.
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

    /// Whether both are the same directory, as far as that can be told.
    pub(super) fn is(&self, other: &Home) -> bool {
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
    pub(super) fn to_memory(&self) -> StoredRecord {
        let owned = self.ledger.entries.iter().map(|(address, entry)| (address.clone(), entry.owned()));
        StoredRecord { record: self.record.clone(), owned: owned.collect() }
    }

    /// Whether the clock was set back since this was written. Then no time in it proves anything.
    pub(super) fn is_from_the_future(&self, now: SystemTime) -> bool {
        self.written > nanos(now)
    }
}

/// The whole text.
pub(super) fn print(stored: &Stored) -> Result<String> {
    let mut body = String::new();
    let Home { path, device, inode } = &stored.home;
    // Writing to a string cannot fail.
    let _ = writeln!(body, "id\t{}", stored.id);
    let _ = writeln!(body, "home\t{device}\t{inode}\t{}", quote(path));
    let _ = writeln!(body, "written\t{}", stored.written);
    if let Some(record) = &stored.record {
        let _ = writeln!(body, "record\t{}", serde_json::to_string(record)?);
    }
    inventory::print(&stored.ledger, &mut body);
    Ok(format!("{MAGIC}{VERSION}\t{}\t{}\n{body}", body.len(), checksum(body.as_bytes())))
}

fn checksum(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`print()`] wrote, or says what is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Stored, String> {
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
    let ledger =
        inventory::parse(rest).map_err(|line| format!("line {} of its ledger is wrong", line + 1))?;
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{model::address::Address, providers::files::inventory::Entry};

    pub(in super::super) fn stored() -> Stored {
        let home = Home { path: b"/srv/\xff\t".to_vec(), device: 7, inode: 8 };
        let mut stored =
            Stored { written: 9, record: Some(Record::new("files /srv")), ..Stored::new(home).unwrap() };
        stored.ledger.entries.push((Address::new("a"), Entry::default()));
        stored.ledger.made.insert(b"d".to_vec());
        stored
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
    fn a_clock_that_went_back_is_noticed() {
        let stored = Stored { written: nanos(SystemTime::now()) + 1_000_000_000, ..stored() };
        assert!(stored.is_from_the_future(SystemTime::now()));
    }
}
