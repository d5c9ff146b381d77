//! A place in the target that remembers what was applied to it.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::Result;
use serde_json::Value as Json;

use super::Kept;
use crate::{
    exit::Exit,
    model::user_error::UserError,
    providers::{
        packed,
        rest::{
            client::{
                failure::Failure,
                request,
                transport::{Answer, Content, Getter, Request, Sender},
            },
            definition::{self, ErrorClass as Class, RecordPlace},
            options::TargetConfig,
            template::Ingredients,
        },
    },
};

/// How long after its first write a run looks whether the place still holds that, where the server checks no
/// versions: of two that found it free at the same time, only the one that wrote last goes on. This is Fischer's
/// mutual exclusion, which holds as long as nobody takes longer than this between looking and writing.
const SETTLING: Duration = Duration::from_millis(300);

/// Up to this many bytes, a text stands as it is, for whoever looks at it.
const SHORT: usize = 16 * 1024;

/// How often what a run did is added to what others keep writing.
const TRIES: usize = 5;

/// The place, as this run knows it.
#[derive(Default)]
pub struct Remembered {
    /// What it held last, with the version of that.
    known: Option<(Json, Option<String>)>,
    /// Whether this run wrote it.
    ours: bool,
}

impl Remembered {
    /// Reads the place.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&mut self, setup: &TargetConfig, getter: &Getter) -> Result<Option<&Json>> {
        self.known = fetch(setup, getter)?;
        Ok(self.held())
    }

    /// Replaces what the place holds. If another run wrote it after this one did, what this one did since is added to
    /// that: nothing that was made is forgotten.
    ///
    /// # Errors
    /// It could not be written, or another run wrote it meanwhile (9).
    pub(super) fn replace(&mut self, setup: &TargetConfig, sender: &Sender, kept: &Kept) -> Result<()> {
        let before = self.held().filter(|_| self.ours).cloned();
        if self.put(setup, sender, &encoded(setup, kept)?)? {
            return Ok(());
        }
        if let Some(before) = before {
            self.add(setup, sender, kept, &Kept::read(&before)?)?;
        }
        Err(UserError::new(Exit::Locked, "another run wrote the memory of the target meanwhile")
            .hint("run it again")
            .into())
    }

    fn add(&mut self, setup: &TargetConfig, sender: &Sender, kept: &Kept, before: &Kept) -> Result<()> {
        for _ in 0..TRIES {
            self.known = fetch(setup, sender.getter())?;
            let theirs = self.held().and_then(|held| Kept::read(held).ok());
            let Some(theirs) = theirs.filter(|theirs| theirs.record.target == kept.record.target) else {
                return Ok(());
            };
            if self.put(setup, sender, &encoded(setup, &kept.beside(before, &theirs))?)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn held(&self) -> Option<&Json> {
        self.known.as_ref().map(|(held, _)| held)
    }

    /// Replaces what the place is known to hold. Answers whether it holds `value` now, or another run was quicker.
    fn put(&mut self, setup: &TargetConfig, sender: &Sender, value: &Json) -> Result<bool> {
        let Some(memory) = &setup.definition.record else { return Ok(true) };
        let now = fetch(setup, sender.getter())?;
        if now.as_ref().map(|(held, _)| held) != self.held() {
            return Ok(false);
        }
        match write(setup, sender, memory, self.known.as_ref(), value) {
            Ok(()) => {}
            Err(failure) if failure.class == Class::Conflict => return Ok(false),
            Err(failure) => return Err(fault(failure).into()),
        }
        if !memory.etag && !self.ours {
            thread::sleep(SETTLING);
        }
        self.known = fetch(setup, sender.getter())?;
        self.ours = self.held() == Some(value);
        Ok(self.ours)
    }
}

/// `kept` as the place is to hold it.
fn encoded(setup: &TargetConfig, kept: &Kept) -> Result<Json> {
    let json = kept.json()?;
    if !setup.definition.record.as_ref().is_some_and(|memory| memory.encoded) {
        return Ok(json);
    }
    let text = json.to_string();
    Ok(Json::String(if text.len() > SHORT { packed::pack(&json)? } else { text }))
}

/// What the place in the target holds, with its version.
fn fetch(setup: &TargetConfig, getter: &Getter) -> Result<Option<(Json, Option<String>)>> {
    let Some(memory) = &setup.definition.record else { return Ok(None) };
    let url = request::url(setup, &memory.read, &BTreeMap::new(), &setup.variables).map_err(fault)?;
    let mut answer = match getter.get(&url).and_then(Answer::filled) {
        Ok(answer) => answer,
        // A place that is not there yet, or in something that is not there yet, holds nothing. Where
        // reading needs more rights than these credentials have, writing will say so.
        Err(failure) if failure.class == Class::Absent => return Ok(None),
        Err(failure) if failure.class == Class::Hidden && memory.etag => return Ok(None),
        Err(failure) => return Err(fault(failure).into()),
    };
    let version =
        answer.headers.get(reqwest::header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    let held = answer.body.pointer_mut(&memory.pointer).map(Json::take).filter(|held| !held.is_null());
    Ok(held.map(|held| (held, version.filter(|_| memory.etag))))
}

fn write(
    setup: &TargetConfig,
    sender: &Sender,
    memory: &RecordPlace,
    known: Option<&(Json, Option<String>)>,
    value: &Json,
) -> Result<(), Failure> {
    let (mut spec, mut headers) = (&memory.write, Vec::new());
    let absent = || ("If-None-Match".to_owned(), "*".to_owned());
    match known {
        Some((_, Some(version))) => headers.push(("If-Match".to_owned(), version.clone())),
        Some(_) => {}
        None => {
            for first in &memory.prepare {
                match send(setup, sender, first, &Json::Null, vec![absent()]) {
                    Err(failure) if matches!(failure.class, Class::Conflict | Class::Exists) => {}
                    other => other?,
                }
            }
            spec = memory.create.as_ref().unwrap_or(spec);
            headers.extend(memory.etag.then(absent));
        }
    }
    send(setup, sender, spec, &serde_json::json!({"record": value}), headers)
}

fn send(
    setup: &TargetConfig,
    sender: &Sender,
    spec: &definition::Request,
    object: &Json,
    headers: Vec<(String, String)>,
) -> Result<(), Failure> {
    let call = spec.call();
    let url = request::url(setup, call.path, call.query, &setup.variables)?;
    let with = Ingredients::of(object, &setup.variables);
    let body = spec.template.as_ref().and_then(|template| template.fill(&with));
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

fn fault(failure: Failure) -> UserError {
    let exit = match failure.class {
        Class::Forbidden => Exit::NoPermission,
        Class::Unavailable | Class::RateLimited => Exit::Unavailable,
        _ => Exit::Error,
    };
    let fault = UserError::new(exit, format!("the memory of the target: {}", failure.message));
    match exit {
        Exit::Error => fault.hint("`state: FILE` of the target keeps it in a file of this machine"),
        _ => fault,
    }
}
