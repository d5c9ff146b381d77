//! What a target remembers: in a place of its own where the definition names one, else in a file.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    definition::{self, ErrorClass as Class},
    failure::Failure,
    options::Setup,
    request,
    rotation::Prints,
    template::{self, Ingredients},
    transport::{Content, Getter, Request, Sender},
};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        digest::Digest,
        fault::Fault,
        record::{Memory, Owned, Record, Who},
    },
};

/// The version of what is kept.
const SCHEMA: &str = "trueup.rest-memory/v1";

/// The largest memory that is read.
const LARGEST: u64 = 256 * 1024 * 1024;

/// What is kept: names, commits and fingerprints, never values.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    schema: String,
    record: Record,
    /// By commit; the empty text stands for uncommitted files.
    owned: BTreeMap<String, Vec<Address>>,
    /// Of the secrets that were sent.
    #[serde(default, skip_serializing_if = "Prints::is_empty")]
    secrets: Prints,
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
    Target {
        /// What was read there, with its version.
        read: Option<(Json, Option<String>)>,
    },
}

impl Store {
    /// The place that the target's options name, or its definition.
    pub fn of(setup: &Setup) -> Store {
        match &setup.options.state {
            Some(state) => Store::File { path: setup.path(state), lock: None },
            None => Store::Target { read: None },
        }
    }

    /// Whether `setup` names a place at all.
    pub fn check(setup: &Setup) -> Result<(), String> {
        let way_out = "say `state: FILE`, a file that remembers what was applied";
        let Some(memory) = &setup.definition.memory else {
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
        *lock = Some(locked(path, who, patience)?);
        Ok(())
    }

    /// Reads what the target remembers.
    ///
    /// # Errors
    /// It is damaged, of another target, or cannot be read.
    pub fn load(&mut self, setup: &Setup, getter: &Getter, id: &str) -> Result<(Memory, Prints)> {
        let (text, place) = match self {
            Store::File { path, .. } => (read(path)?, format!("`{}`", path.display())),
            Store::Target { read } => {
                *read = fetch(setup, getter)?;
                (read.as_ref().map(|(json, _)| json.clone()), "the target's memory".to_owned())
            }
        };
        let Some(json) = text else { return Ok(Default::default()) };
        let kept: Kept = serde_json::from_value(json).map_err(|error| {
            Fault::new(Exit::Error, format!("{place} is damaged: {error}"))
                .hint("remove it to start anew: nothing is ours then, and nothing is deleted")
        })?;
        if kept.schema != SCHEMA || kept.record.target != id {
            let message =
                format!("{place} belongs to `{}` ({}), not to `{id}`", kept.record.target, kept.schema);
            return Err(Fault::new(Exit::BadConfig, message)
                .hint("give each target a place of its own")
                .into());
        }
        Ok((Memory { owned: owned(&kept.owned)?, record: Some(kept.record) }, kept.secrets))
    }

    /// Replaces what the target remembers.
    ///
    /// # Errors
    /// It could not be written, or another run wrote it meanwhile (9).
    pub fn save(
        &mut self,
        setup: &Setup,
        sender: &Sender,
        record: &Record,
        owned: &BTreeMap<Address, Option<Digest>>,
        prints: &Prints,
    ) -> Result<()> {
        let mut by_commit: BTreeMap<String, Vec<Address>> = BTreeMap::new();
        for (address, commit) in owned {
            let commit = commit.map(|commit| commit.to_string()).unwrap_or_default();
            by_commit.entry(commit).or_default().push(address.clone());
        }
        let secrets = prints.kept(|address| owned.contains_key(address));
        let kept = Kept { schema: SCHEMA.to_owned(), record: record.clone(), owned: by_commit, secrets };
        let json = serde_json::to_value(&kept).context("writing the memory of the target")?;
        match self {
            Store::File { path, .. } => write(path, &json),
            Store::Target { read } => {
                put(setup, sender, read.as_ref(), &json)?;
                *read = fetch(setup, sender.getter())?;
                // Where no version is checked, whoever wrote last goes on, and the other one stops.
                match read.as_ref().is_some_and(|(found, _)| *found == json) {
                    true => Ok(()),
                    false => Err(taken().into()),
                }
            }
        }
    }
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

fn locked(path: &Path, who: &Who, patience: Duration) -> Result<File> {
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
            return Err(Fault::new(Exit::Locked, message)
                .hint("wait for it, or `--lock-timeout SECONDS`")
                .into());
        }
        thread::sleep(Duration::from_millis(100));
    }
    file.set_len(0).with_context(shown)?;
    writeln!(file, "{} on {} since {}", who.actor, who.host, jiff::Timestamp::now()).with_context(shown)?;
    Ok(file)
}

fn read(path: &Path) -> Result<Option<Json>> {
    let shown = || format!("reading `{}`", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(shown),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).with_context(shown)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Fault::new(Exit::Error, format!("`{}` is damaged: {error}", path.display()))
            .hint("remove it to start anew: nothing is ours then, and nothing is deleted")
            .into()
    })
}

/// Replaces `path` durably, all or nothing.
fn write(path: &Path, json: &Json) -> Result<()> {
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

/// What the place in the target holds, with its version.
fn fetch(setup: &Setup, getter: &Getter) -> Result<Option<(Json, Option<String>)>> {
    let Some(memory) = &setup.definition.memory else { return Ok(None) };
    let url = request::url(setup, &memory.read, &BTreeMap::new(), &setup.variables).map_err(fault)?;
    let answer = match getter.get(&url) {
        Ok(answer) => answer,
        // A place that is not there yet, or in something that is not there yet, holds nothing. Where
        // reading needs more rights than these credentials have, writing will say so.
        Err(failure) if failure.class == Class::Absent => return Ok(None),
        Err(failure) if failure.class == Class::Hidden && memory.etag => return Ok(None),
        Err(failure) => return Err(fault(failure).into()),
    };
    let version =
        answer.headers.get(reqwest::header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    let found = match answer.body.pointer(&memory.pointer) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) if memory.encoded => serde_json::from_str(text)
            .map_err(|error| Fault::new(Exit::Error, format!("the target's memory is damaged: {error}")))?,
        Some(found) => found.clone(),
    };
    Ok(Some((found, version.filter(|_| memory.etag))))
}

fn taken() -> Fault {
    Fault::new(Exit::Locked, "another run wrote the memory of the target meanwhile").hint("run it again")
}

fn put(setup: &Setup, sender: &Sender, read: Option<&(Json, Option<String>)>, json: &Json) -> Result<()> {
    let Some(memory) = &setup.definition.memory else { return Ok(()) };
    let now = fetch(setup, sender.getter())?;
    if now.as_ref().map(|(json, _)| json) != read.map(|(json, _)| json) {
        return Err(taken().into());
    }
    let (mut spec, mut headers) = (&memory.write, Vec::new());
    match read {
        Some((_, Some(version))) => headers.push(("If-Match".to_owned(), version.clone())),
        Some(_) => {}
        None => {
            for first in &memory.prepare {
                match send(
                    setup,
                    sender,
                    first,
                    &Json::Null,
                    vec![("If-None-Match".to_owned(), "*".to_owned())],
                ) {
                    Ok(()) => {}
                    Err(failure) if matches!(failure.class, Class::Conflict | Class::Exists) => {}
                    Err(failure) => return Err(fault(failure).into()),
                }
            }
            spec = memory.create.as_ref().unwrap_or(spec);
            if memory.etag {
                headers.push(("If-None-Match".to_owned(), "*".to_owned()));
            }
        }
    }
    let value = if memory.encoded { Json::String(json.to_string()) } else { json.clone() };
    let object = serde_json::json!({"memory": value});
    send(setup, sender, spec, &object, headers).map_err(|failure| match failure.class {
        Class::Conflict => taken(),
        _ => fault(failure),
    })?;
    Ok(())
}

fn send(
    setup: &Setup,
    sender: &Sender,
    spec: &definition::Request,
    object: &Json,
    headers: Vec<(String, String)>,
) -> Result<(), Failure> {
    let call = spec.call();
    let url = request::url(setup, call.path, call.query, &setup.variables)?;
    let with = Ingredients { object, actual: None, variables: &setup.variables };
    let body = spec.template.as_ref().and_then(|template| template::body(template, &with));
    let content = body.map_or(Content::Nothing, Content::Json);
    let request = Request {
        method: call.method.into(),
        url,
        content: &content,
        content_type: call.content_type,
        headers,
        success: call.success,
        hidden: &[],
    };
    sender.send(&request).map(drop)
}

fn fault(failure: Failure) -> Fault {
    let exit = match failure.class {
        Class::Forbidden => Exit::NoPermission,
        Class::Unavailable | Class::RateLimited => Exit::Unavailable,
        _ => Exit::Error,
    };
    Fault::new(exit, format!("the memory of the target: {}", failure.message))
}
