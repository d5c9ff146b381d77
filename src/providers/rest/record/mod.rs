//! What a target remembers: in a place of its own where the definition names one, else in a file.

mod file;
mod place;

use std::{collections::BTreeMap, fs::File, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    client::transport::{Getter, Sender},
    compare::secret_fingerprints::SecretFingerprints,
    options::TargetConfig,
    template,
};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        digest::Digest,
        record::{Owned, RING, Record, StoredRecord, Who},
        user_error::UserError,
    },
    providers::packed,
};
use place::Remembered;

/// The version of what is kept.
const SCHEMA: &str = "trueup.rest-memory/v1";

/// What is kept: names, commits and fingerprints, never values.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    schema: String,
    record: Record,
    /// By commit; the empty text stands for uncommitted files.
    owned: BTreeMap<String, Vec<Address>>,
    /// Of the secrets that were sent.
    #[serde(default, skip_serializing_if = "SecretFingerprints::is_empty")]
    secrets: SecretFingerprints,
}

/// The place of a target's memory.
pub enum Store {
    /// A file of this machine, with the lock that is held on it.
    File {
        /// The file.
        path: PathBuf,
        /// Held by an apply.
        lock: Option<File>,
    },
    /// A place in the target.
    Target(Remembered),
}

impl Store {
    /// The place that the target's options name, or its definition.
    pub fn of(setup: &TargetConfig) -> Store {
        match &setup.options.state {
            Some(state) => Store::File { path: setup.path(state), lock: None },
            None => Store::Target(Remembered::default()),
        }
    }

    /// Whether `setup` names a place at all.
    pub fn check(setup: &TargetConfig) -> Result<(), String> {
        let way_out = "say `state: FILE`, a file that remembers what was applied";
        let Some(memory) = &setup.definition.record else {
            return match setup.options.state {
                Some(_) => Ok(()),
                None => Err(format!("this API has no place to remember what was applied; {way_out}")),
            };
        };
        if setup.options.state.is_some() {
            return Ok(());
        }
        template::uri(&memory.read, &setup.variables)
            .map(drop)
            .map_err(|message| format!("{message}; {way_out}"))
    }

    /// Takes the lock, where the place has one. In the target, every write says which version it replaces instead.
    ///
    /// # Errors
    /// Another run holds it.
    pub fn lock(&mut self, who: &Who, patience: Duration) -> Result<()> {
        let Store::File { path, lock } = self else { return Ok(()) };
        *lock = Some(file::locked(path, who, patience)?);
        Ok(())
    }

    /// Reads what the target remembers.
    ///
    /// # Errors
    /// It is damaged, of another target, or cannot be read.
    pub fn load(
        &mut self,
        setup: &TargetConfig,
        getter: &Getter,
        id: &str,
    ) -> Result<(StoredRecord, SecretFingerprints)> {
        let (kept, place) = match self {
            Store::File { path, .. } => {
                (file::read(path)?.as_ref().map(Kept::read), format!("`{}`", path.display()))
            }
            Store::Target(place) => {
                (place.read(setup, getter)?.map(Kept::read), "the target's memory".to_owned())
            }
        };
        let Some(kept) = kept else { return Ok(Default::default()) };
        let kept = kept.map_err(|error| {
            UserError::new(Exit::Error, format!("{place} is damaged: {error}"))
                .hint("remove it to start anew: nothing is ours then, and nothing is deleted")
        })?;
        if kept.schema != SCHEMA || kept.record.target != id {
            let message =
                format!("{place} belongs to `{}` ({}), not to `{id}`", kept.record.target, kept.schema);
            return Err(UserError::new(Exit::BadConfig, message)
                .hint("give each target a place of its own")
                .into());
        }
        Ok((StoredRecord { owned: owned(&kept.owned)?, record: Some(kept.record) }, kept.secrets))
    }

    /// Replaces what the target remembers.
    ///
    /// # Errors
    /// It could not be written, or another run wrote it meanwhile (9).
    pub fn save(
        &mut self,
        setup: &TargetConfig,
        sender: &Sender,
        record: &Record,
        owned: &BTreeMap<Address, Option<Digest>>,
        prints: &SecretFingerprints,
    ) -> Result<()> {
        let commit = |commit: &Option<Digest>| commit.map(|commit| commit.to_string()).unwrap_or_default();
        let by_commit = by_commit(owned.iter().map(|(address, at)| (address, commit(at))));
        let secrets = prints.kept(|address| owned.contains_key(address));
        let kept = Kept { schema: SCHEMA.to_owned(), record: record.clone(), owned: by_commit, secrets };
        match self {
            Store::File { path, .. } => file::write(path, &kept.json()?),
            Store::Target(place) => place.replace(setup, sender, &kept),
        }
    }
}

impl Kept {
    /// What a place holds, or the text of it.
    fn read(held: &Json) -> Result<Kept> {
        Ok(match held {
            Json::String(text) if !text.starts_with('{') => packed::unpack(text)?,
            Json::String(text) => serde_json::from_str(text)?,
            json => Kept::deserialize(json)?,
        })
    }

    fn json(&self) -> Result<Json> {
        serde_json::to_value(self).context("writing the memory of the target")
    }

    fn commits<'a>(&'a self) -> BTreeMap<&'a Address, &'a str> {
        let each = |(commit, addresses): (&'a String, &'a Vec<Address>)| {
            addresses.iter().map(move |address| (address, commit.as_str()))
        };
        self.owned.iter().flat_map(each).collect()
    }

    /// `theirs`, which another run wrote meanwhile, with what this run did since `before`.
    fn beside(&self, before: &Kept, theirs: &Kept) -> Kept {
        let (old, new) = (before.commits(), self.commits());
        let mut all = theirs.commits();
        all.retain(|address, _| new.contains_key(address) || !old.contains_key(address));
        all.extend(new.iter().filter(|(address, commit)| old.get(*address) != Some(*commit)));
        let mut record = theirs.record.clone();
        record.history.splice(0..0, self.record.history.first().cloned());
        record.history.truncate(RING);
        let mine = |address: &Address| old.get(address) != new.get(address);
        record.kept.retain(|address, _| !mine(address));
        let kept = self.record.kept.iter().filter(|(address, _)| mine(address));
        record.kept.extend(kept.map(|(address, fields)| (address.clone(), fields.clone())));
        let secrets = self.secrets.beside(&before.secrets, &theirs.secrets);
        let secrets = secrets.kept(|address| all.contains_key(address));
        let owned = by_commit(all.into_iter().map(|(address, commit)| (address, commit.to_owned())));
        Kept { schema: SCHEMA.to_owned(), record, owned, secrets }
    }
}

fn by_commit<'a>(owned: impl Iterator<Item = (&'a Address, String)>) -> BTreeMap<String, Vec<Address>> {
    let mut by_commit: BTreeMap<String, Vec<Address>> = BTreeMap::new();
    for (address, commit) in owned {
        by_commit.entry(commit).or_default().push(address.clone());
    }
    by_commit
}

fn owned(kept: &BTreeMap<String, Vec<Address>>) -> Result<BTreeMap<Address, Owned>> {
    let mut owned = BTreeMap::new();
    for (commit, addresses) in kept {
        let commit: Option<Digest> = if commit.is_empty() { None } else { Some(commit.parse()?) };
        for address in addresses {
            owned.insert(address.clone(), Owned { commit, base: None });
        }
    }
    Ok(owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(owned: &[(&str, &str)]) -> Kept {
        let owned = owned.iter().map(|(name, commit)| (Address::new(*name), (*commit).to_owned()));
        let owned: Vec<_> = owned.collect();
        Kept {
            schema: SCHEMA.to_owned(),
            record: Record::new("t"),
            owned: by_commit(owned.iter().map(|(address, commit)| (address, commit.clone()))),
            secrets: SecretFingerprints::default(),
        }
    }

    #[test]
    fn what_each_of_two_runs_did_is_kept() {
        let before = kept(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")]);
        let mine = kept(&[("a", "2"), ("b", "1"), ("d", "1"), ("mine", "2")]);
        let theirs = kept(&[("a", "1"), ("b", "3"), ("c", "1"), ("theirs", "3")]);
        let both = kept(&[("a", "2"), ("b", "3"), ("theirs", "3"), ("mine", "2")]);
        assert_eq!(mine.beside(&before, &theirs).commits(), both.commits());
    }
}
