//! One line of memory for each owned object: what it was given, and how to tell that it still is.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use rayon::prelude::*;

use super::{
    fingerprint::Fingerprint,
    manifest::Mode,
    names,
    value::{Body, Form},
};
use crate::model::{
    address::Address,
    digest::Digest,
    record::Owned,
    value::{Blob, Value},
};

/// What is remembered of the objects that trueup wrote or adopted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ledger {
    /// The objects.
    pub entries: BTreeMap<Address, Entry>,
    /// Directories that trueup made on demand; they go when they are empty.
    pub made: std::collections::BTreeSet<Vec<u8>>,
}

/// What is remembered of one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    /// The commit that its value is from.
    pub commit: Option<Digest>,
    /// What it was given. Never there for content that no output may show,
    /// since an id or a length tells too much of a short secret.
    pub value: Option<Value>,
    /// The fingerprint of a file while it held the content of `value`.
    pub print: Option<Fingerprint>,
}

impl Entry {
    /// The same for the model.
    pub(super) fn owned(&self) -> Owned {
        Owned { commit: self.commit, base: self.value.clone() }
    }

    /// The content that a file with this fingerprint still has.
    pub(super) fn content(&self, print: &Fingerprint) -> Option<Digest> {
        let known = self.print.as_ref().is_some_and(|known| known == print);
        match self.value.as_ref()?.get("content")? {
            Value::Blob(blob) if known => Some(blob.id),
            _ => None,
        }
    }
}

/// Appends the ledger to `text`, a line for each entry, with tabs in between.
/// No field can hold a tab or a line feed: names are quoted.
pub(super) fn print(ledger: &Ledger, text: &mut String) {
    for directory in &ledger.made {
        let _ = writeln!(text, "made\t{}", crate::model::address::quote(directory));
    }
    for (address, entry) in &ledger.entries {
        print_entry(text, address, entry);
    }
}

fn print_entry(text: &mut String, address: &Address, entry: &Entry) {
    // Writing to a string cannot fail.
    let _ = write!(text, "own\t{address}\t{}", Dash(entry.commit.as_ref()));
    if let Some(form) = entry.value.as_ref().and_then(Form::of) {
        let (kind, content, size) = match &form.body {
            Body::File(blob) => ("file", blob.id.to_string(), blob.size),
            Body::Link(target) => ("link", target.to_string(), None),
            Body::Directory => ("directory", "-".to_owned(), None),
            // Kept out, see `Entry::value`.
            Body::Secret(_) => {
                text.push('\n');
                return;
            }
        };
        let _ = write!(
            text,
            "\t{kind}\t{content}\t{}\t{}\t{}\t{}\t{}\t{}",
            Dash(size),
            Dash(form.executable.map(u8::from)),
            Dash(form.mode),
            Dash(form.owner),
            Dash(form.group),
            Dash(entry.print)
        );
    }
    text.push('\n');
}

/// A field that may be missing.
struct Dash<T>(Option<T>);

impl<T: std::fmt::Display> std::fmt::Display for Dash<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(field) => field.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// Reads what [`print()`] wrote; answers the number of the first line that is wrong.
pub(super) fn parse(text: &str) -> Result<Ledger, usize> {
    let lines: Vec<&str> = text.lines().collect();
    let parsed: Vec<Line> = lines
        .par_iter()
        .with_min_len(1024)
        .enumerate()
        .map(|(number, line)| parse_line(line).ok_or(number))
        .collect::<Result<_, usize>>()?;
    let mut ledger = Ledger::default();
    let mut entries = Vec::with_capacity(parsed.len());
    for (number, line) in parsed.into_iter().enumerate() {
        match line {
            Line::Made(directory) => {
                ledger.made.insert(directory);
            }
            // Sorted and without duplicates, as they were written.
            Line::Own(address, _) if entries.last().is_some_and(|(last, _)| *last >= address) => {
                return Err(number);
            }
            Line::Own(address, entry) => entries.push((address, entry)),
        }
    }
    ledger.entries = BTreeMap::from_iter(entries);
    Ok(ledger)
}

enum Line {
    Made(Vec<u8>),
    Own(Address, Entry),
}

fn parse_line(line: &str) -> Option<Line> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    match next()? {
        "made" => {
            let directory = Address::new(next()?).to_bytes().into_owned();
            (names::refusal(&directory).is_none() && fields.next().is_none()).then_some(Line::Made(directory))
        }
        "own" => {
            let address = Address::new(next()?);
            if address.as_str() != "." && names::refusal(&address.to_bytes()).is_some() {
                return None;
            }
            let commit = optional(next()?, digest)?;
            let Some(kind) = next() else {
                return Some(Line::Own(address, Entry { commit, value: None, print: None }));
            };
            let (content, size) = (next()?, optional(next()?, |text| text.parse().ok())?);
            let body = match kind {
                "file" => Body::File(Blob { id: digest(content)?, size, bytes: None }),
                "link" => Body::Link(content.into()),
                "directory" => Body::Directory,
                _ => return None,
            };
            let form = Form {
                body,
                executable: optional(next()?, |text| match text {
                    "0" => Some(false),
                    "1" => Some(true),
                    _ => None,
                })?,
                mode: optional(next()?, Mode::parse)?,
                owner: optional(next()?, |text| Some(Arc::from(text)))?,
                group: optional(next()?, |text| Some(Arc::from(text)))?,
            };
            let print = optional(next()?, |text| text.parse().ok())?;
            let entry = Entry { commit, value: Some(form.to_value()), print };
            fields.next().is_none().then_some(Line::Own(address, entry))
        }
        _ => None,
    }
}

/// A field that may be missing: `None` if it is there and wrong.
fn optional<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        "-" => Some(None),
        text => parse(text).map(Some),
    }
}

/// An id in hexadecimal digits. There are twenty thousand of them in the
/// memory of ten thousand files, hence without the detours of a general parser.
fn digest(text: &str) -> Option<Digest> {
    let mut raw = [0; 32];
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() || text.len() > 64 {
        return None;
    }
    for (byte, pair) in raw.iter_mut().zip(pairs) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Digest::from_bytes(raw.get(..text.len() / 2)?).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    fn blob() -> Blob {
        Blob { size: Some(6), ..Blob::unread(BLOB.parse().unwrap()) }
    }

    fn entry(form: Form) -> Entry {
        let print = "1:2:3:-4:1700000000000000005".parse().ok();
        Entry { commit: BLOB.parse().ok(), value: Some(form.to_value()), print }
    }

    fn ledger() -> Ledger {
        let exact =
            Form { mode: Some(Mode(0o640)), owner: Some("root".into()), ..Form::bare(Body::File(blob())) };
        Ledger {
            entries: BTreeMap::from([
                (Address::new("."), entry(Form::bare(Body::Directory))),
                (Address::from_bytes(b"a\n\t\xff"), entry(exact)),
                (Address::new("b"), entry(Form { executable: Some(true), ..Form::bare(Body::File(blob())) })),
                (Address::new("c"), Entry { commit: BLOB.parse().ok(), ..Entry::default() }),
                (
                    Address::new("d"),
                    Entry { commit: None, print: None, ..entry(Form::bare(Body::Link("-".into()))) },
                ),
            ]),
            made: [b"x/\xfe".to_vec(), b"x".to_vec()].into(),
        }
    }

    #[test]
    fn ledgers_round_trip() {
        let mut text = String::new();
        print(&ledger(), &mut text);
        assert_eq!(parse(&text), Ok(ledger()), "{text}");
    }

    #[test]
    fn secrets_leave_no_trace() {
        let secret = Form { executable: Some(false), ..Form::bare(Body::Secret(blob())) };
        let ledger =
            Ledger { entries: BTreeMap::from([(Address::new("key"), entry(secret))]), ..Ledger::default() };
        let mut text = String::new();
        print(&ledger, &mut text);
        assert_eq!(text, format!("own\tkey\t{BLOB}\n"));
        assert_eq!(parse(&text).unwrap().entries[&Address::new("key")].value, None);
    }

    #[test]
    fn wrong_lines_are_counted() {
        let good = format!("own\ta\t-\tfile\t{BLOB}\t6\t0\t-\t-\t-\t-\n");
        assert!(parse(&good).is_ok());
        let wrong = [
            "other\ta\n",
            "own\n",
            "own\ta\n",
            "own\t../a\t-\n",
            "own\t/a\t-\n",
            "made\t..\n",
            "made\ta\tb\n",
            "own\ta\tzz\n",
            "own\ta\t-\tfile\n",
            "own\ta\t-\tfifo\t-\t-\t-\t-\t-\t-\t-\n",
            &good.replace("\t0\t", "\t2\t"),
            &good.replace(BLOB, "-"),
            &good.replace('\n', "\tmore\n"),
            &good,
        ];
        for line in wrong {
            assert_eq!(parse(&format!("{good}{line}")), Err(1), "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[own\t\n\"\\\\:0-9a-f-]{0,80}") {
            let _ = parse(&text);
        }
    }
}
