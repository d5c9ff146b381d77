//! A place in the target that remembers what was applied to it.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::Result;
use serde_json::Value as Json;

use super::Kept;
use crate::{
    exit::Exit,
    model::fault::Fault,
    providers::rest::{
        definition::{self, ErrorClass as Class, Memory},
        failure::Failure,
        options::Setup,
        request,
        template::{self, Ingredients},
        transport::{Content, Getter, Request, Sender},
    },
};

/// How long after its first write a run looks whether the place still holds that, where the server checks no
/// versions: of two that found it free at the same time, only the one that wrote last goes on. This is Fischer's
/// mutual exclusion, which holds as long as nobody takes longer than this between looking and writing.
const SETTLING: Duration = Duration::from_millis(300);

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
    pub fn read(&mut self, setup: &Setup, getter: &Getter) -> Result<Option<Json>> {
        self.known = fetch(setup, getter)?;
        Ok(self.json().cloned())
    }

    /// Replaces what the place holds. If another run wrote it after this one did, what this one did since is added to
    /// that: nothing that was made is forgotten.
    ///
    /// # Errors
    /// It could not be written, or another run wrote it meanwhile (9).
    pub(super) fn replace(&mut self, setup: &Setup, sender: &Sender, kept: &Kept) -> Result<()> {
        let before = self.json().filter(|_| self.ours).cloned();
        if self.put(setup, sender, &kept.json()?)? {
            return Ok(());
        }
        if let Some(before) = before {
            self.add(setup, sender, kept, &serde_json::from_value(before)?)?;
        }
        Err(Fault::new(Exit::Locked, "another run wrote the memory of the target meanwhile")
            .hint("run it again")
            .into())
    }

    fn add(&mut self, setup: &Setup, sender: &Sender, kept: &Kept, before: &Kept) -> Result<()> {
        for _ in 0..TRIES {
            self.known = fetch(setup, sender.getter())?;
            let theirs = self.json().and_then(|json| serde_json::from_value::<Kept>(json.clone()).ok());
            let Some(theirs) = theirs.filter(|theirs| theirs.record.target == kept.record.target) else {
                return Ok(());
            };
            if self.put(setup, sender, &kept.beside(before, &theirs).json()?)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn json(&self) -> Option<&Json> {
        self.known.as_ref().map(|(json, _)| json)
    }

    /// Replaces what the place is known to hold. Answers whether it holds `json` now, or another run was quicker.
    fn put(&mut self, setup: &Setup, sender: &Sender, json: &Json) -> Result<bool> {
        let Some(memory) = &setup.definition.memory else { return Ok(true) };
        let now = fetch(setup, sender.getter())?;
        if now.as_ref().map(|(json, _)| json) != self.json() {
            return Ok(false);
        }
        match write(setup, sender, memory, self.known.as_ref(), json) {
            Ok(()) => {}
            Err(failure) if failure.class == Class::Conflict => return Ok(false),
            Err(failure) => return Err(fault(failure).into()),
        }
        if !memory.etag && !self.ours {
            thread::sleep(SETTLING);
        }
        self.known = fetch(setup, sender.getter())?;
        self.ours = self.json() == Some(json);
        Ok(self.ours)
    }
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

fn write(
    setup: &Setup,
    sender: &Sender,
    memory: &Memory,
    known: Option<&(Json, Option<String>)>,
    json: &Json,
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
    let value = if memory.encoded { Json::String(json.to_string()) } else { json.clone() };
    send(setup, sender, spec, &serde_json::json!({"memory": value}), headers)
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
