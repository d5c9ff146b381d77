//! One line of memory for each owned object: what it was given, and how to tell that it still is.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use rayon::prelude::*;

use super::{
    fingerprint::Fingerprint,
    manifest::Mode,
    names,
    value::{Body, Form},
};
use crate::model::{address::Address, digest::Digest, record::Owned, value::Blob};

/// What is remembered of the objects that trueup wrote or adopted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// The objects, sorted.
    pub entries: Vec<(Address, Entry)>,
    /// Directories that trueup made. One that is not declared goes when it is empty.
    pub made: BTreeSet<Vec<u8>>,
}

/// What is remembered of one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// The commit that its value is from.
    pub commit: Option<Digest>,
    /// What it was given. Never there for content that no output may show,
    /// since an id or a length tells too much of a short secret.
    pub form: Option<Form>,
    /// The fingerprint of a file while it held the content of `form`.
    pub print: Option<Fingerprint>,
}

impl Ledger {
    /// What is remembered of `address`.
    pub fn get(&self, address: &Address) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|(known, _)| known.cmp(address)).ok()?;
        Some(&self.entries[at].1)
    }
}

impl Entry {
    /// The same for the model.
    pub fn owned(&self) -> Owned {
        Owned { commit: self.commit, base: self.form.as_ref().map(Form::to_value) }
    }

    /// The content that a file with this fingerprint still has.
    pub fn content(&self, print: &Fingerprint) -> Option<Digest> {
        let known = self.print.as_ref().is_some_and(|known| known == print);
        match &self.form.as_ref()?.body {
            Body::File(blob) if known => Some(blob.id),
            _ => None,
        }
    }
}

/// Appends the ledger to `text`, a line for each entry, with tabs in between.
/// No field can hold a tab or a line feed: names are quoted.
pub fn print(ledger: &Ledger, text: &mut String) {
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
    if let Some(form) = &entry.form {
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
            Dash(form.owner.as_ref()),
            Dash(form.group.as_ref()),
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
pub fn parse(text: &str) -> Result<Ledger, usize> {
    let lines: Vec<&str> = text.lines().collect();
    let is_made = |line: &&str| line.starts_with("made\t");
    let (made, owned) = lines.split_at(lines.iter().take_while(|line| is_made(line)).count());
    let made = made.iter().enumerate().map(|(number, line)| parse_made(line).ok_or(number));
    let made = made.collect::<Result<_, usize>>()?;
    let first = lines.len() - owned.len();
    // Collected as they come, since a parallel iterator that may end early copies everything once more.
    let entries: Vec<Option<(Address, Entry)>> =
        owned.par_iter().with_min_len(512).map(|line| parse_own(line)).collect();
    let wrong = entries.iter().position(Option::is_none);
    let entries: Vec<(Address, Entry)> =
        entries.into_iter().collect::<Option<_>>().ok_or(first + wrong.unwrap_or_default())?;
    // Sorted and without duplicates, as they were written.
    match entries.windows(2).position(|pair| pair[0].0 >= pair[1].0) {
        Some(number) => Err(first + number + 1),
        None => Ok(Ledger { entries, made }),
    }
}

fn parse_made(line: &str) -> Option<Vec<u8>> {
    let directory = Address::new(line.strip_prefix("made\t")?).to_bytes().into_owned();
    names::refusal(&directory).is_none().then_some(directory)
}

fn parse_own(line: &str) -> Option<(Address, Entry)> {
    let mut fields = line.strip_prefix("own\t")?.split('\t');
    let mut next = || fields.next();
    let address = Address::new(next()?);
    if address.as_str() != "." && names::refusal(&address.to_bytes()).is_some() {
        return None;
    }
    let commit = optional(next()?, digest)?;
    let Some(kind) = next() else {
        return Some((address, Entry { commit, form: None, print: None }));
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
    fields.next().is_none().then_some((address, Entry { commit, form: Some(form), print }))
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
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() > raw.len() {
        return None;
    }
    let mut wrong = 0;
    for (byte, [high, low]) in raw.iter_mut().zip(pairs) {
        let (high, low) = (NIBBLES[usize::from(*high)], NIBBLES[usize::from(*low)]);
        wrong |= high | low;
        *byte = high << 4 | low;
    }
    (wrong < 16).then(|| Digest::from_bytes(&raw[..pairs.len()]).ok()).flatten()
}

/// The value of each hexadecimal digit, and more than 15 for every other byte.
const NIBBLES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    fn blob() -> Blob {
        Blob { size: Some(6), ..Blob::unread(BLOB.parse().unwrap()) }
    }

    fn entry(form: Form) -> Entry {
        let print = "1:2:3:-4:1700000000000000005".parse().ok();
        Entry { commit: BLOB.parse().ok(), form: Some(form), print }
    }

    fn ledger() -> Ledger {
        let exact =
            Form { mode: Some(Mode(0o640)), owner: Some("root".into()), ..Form::bare(Body::File(blob())) };
        Ledger {
            entries: Vec::from([
                (Address::from_bytes(b"a\n\t\xff"), entry(exact)),
                (Address::new("."), entry(Form::bare(Body::Directory))),
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
            Ledger { entries: Vec::from([(Address::new("key"), entry(secret))]), ..Ledger::default() };
        let mut text = String::new();
        print(&ledger, &mut text);
        assert_eq!(text, format!("own\tkey\t{BLOB}\n"));
        assert_eq!(parse(&text).unwrap().entries[0].1.form, None);
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
        for made in ["made\t..\n", "made\n", "made\t/a\n", "other\n"] {
            assert_eq!(parse(&format!("{made}{good}")), Err(0), "{made}");
        }
        assert_eq!(parse(&format!("{good}made\ta\n")), Err(1));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_text_makes_it_panic(text in "[own\t\n\"\\\\:0-9a-f-]{0,80}") {
            let _ = parse(&text);
        }
    }
}
