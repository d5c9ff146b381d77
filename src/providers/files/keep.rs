//! What an apply leaves in the memory of its target.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    confined_dir::writable::WritableDir,
    fingerprint::Fingerprint,
    inventory::Entry,
    memory::Stored,
    names, stage,
    target::Seen,
    value::{Body, Form},
};
use crate::model::{
    address::Address,
    change::{Action, Change},
    digest::Digest,
    record::{Attempt, Record},
    value::Value,
};

/// What was written to one object.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// What it was given.
    form: Form,
    /// What Git declares; not the same where a part was left alone.
    desired: Option<Form>,
    /// Its fingerprint, if that can be relied on.
    print: Option<Fingerprint>,
}

impl Written {
    /// What `change` wrote; `None` for a delete.
    pub(super) fn of(change: &Change, size: Option<u64>, print: Option<Fingerprint>) -> Option<Written> {
        let read = |value: &Value| Some(Form::of(value)?.without_content(size));
        let form = change.after.as_ref().and_then(read)?;
        Some(Written { form, desired: change.sides.desired.as_ref().and_then(read), print })
    }
}

/// The entries of what is owned from now on.
pub(super) fn entries(
    previous: Option<&Stored>,
    owned: &BTreeMap<Address, Option<Digest>>,
    written: &HashMap<Address, Written>,
    seen: &HashMap<Address, Seen>,
) -> Vec<(Address, Entry)> {
    let entry = |(address, commit): (&Address, &Option<Digest>)| {
        let previous = previous.and_then(|stored| stored.ledger.get(address));
        let entry = match (written.get(address), seen.get(address)) {
            (Some(written), _) => after_write(written, previous, *commit),
            (None, Some(seen)) if seen.in_sync => in_sync(seen, previous),
            // It differs and was left as it is: what it was given last is still what counts as its base.
            _ => previous.cloned().unwrap_or_default(),
        };
        (address.clone(), without_secrets(Entry { commit: *commit, ..entry }))
    };
    owned.iter().map(entry).collect()
}

/// If only a part was written, the base moves to what Git declares when the
/// commit did, so that the part that was left alone stays visible as drift. It
/// stays where it was when only drift was reverted.
fn after_write(written: &Written, previous: Option<&Entry>, commit: Option<Digest>) -> Entry {
    let all = written.desired.as_ref() == Some(&written.form);
    let before = previous.and_then(|entry| entry.form.as_ref());
    let moved_on = commit.is_some() && previous.map(|entry| entry.commit) != Some(commit);
    let form = match (&written.desired, before) {
        (Some(desired), _) if !all && moved_on => desired,
        (_, Some(before)) if !all => before,
        _ => &written.form,
    };
    let print = written.print.filter(|_| form.body.blob() == written.form.body.blob());
    Entry { commit, form: Some(form.clone()), print }
}

fn in_sync(seen: &Seen, previous: Option<&Entry>) -> Entry {
    let print = seen.found.identity.print;
    let form = Form::of(&seen.value).map(|form| form.without_content(Some(print.size)));
    let known = previous.and_then(|entry| entry.content(&print)).is_some();
    let is_file = seen.found.body.blob().is_some();
    Entry { commit: None, form, print: (is_file && (known || seen.settled)).then_some(print) }
}

fn without_secrets(entry: Entry) -> Entry {
    match &entry.form {
        Some(Form { body: Body::Secret(_), .. }) => Entry { form: None, print: None, ..entry },
        _ => entry,
    }
}

/// Directories that the running attempt is about to make. They are claimed
/// before they are there, so that a kill does not leave them to nobody.
pub(super) fn directories_to_make(root: &WritableDir, record: &Record) -> BTreeSet<Vec<u8>> {
    let mut missing = BTreeSet::new();
    let changes = record.attempting.iter().flat_map(|attempt| &attempt.changes);
    for (address, _) in changes.filter(|(_, action)| !matches!(action, Action::Keep | Action::Delete)) {
        for above in names::ancestors(&address.to_bytes()) {
            if missing.contains(above) || root.beneath(above).is_ok() {
                break;
            }
            missing.insert(above.to_vec());
        }
    }
    missing
}

/// Removes what an interrupted apply had prepared: the very names that it
/// used, for the objects that its record lists, and nothing else.
pub(super) fn clean(root: &WritableDir, attempt: &Attempt) {
    for (address, _) in &attempt.changes {
        let path = address.to_bytes();
        let (directory, name) = names::split(&path);
        if let Ok(dir) = root.writable(directory) {
            stage::discard(&dir, &names::temporary(name, &attempt.id));
        }
    }
}
