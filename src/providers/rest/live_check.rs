//! A definition held against a live server: what it reads there, and what it says nothing of.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Result;
use serde_json::Value as Json;

use super::{
    client::{json, probe, session::Session},
    compare::projection::Projection,
    declare::{address::Collection, import},
    definition::{Completeness, Definition, Kind},
    options::TargetConfig,
    read::collection_reader::{Found, Gathered, Part},
};
use crate::{exit::Exit, providers::Target};

/// What came of it.
pub struct Trial {
    /// One line for the server and one for each kind.
    pub lines: Vec<String>,
    /// In sync with itself where every kind could be read.
    pub exit: Exit,
}

/// Reads what the server of `target` has of each kind of `definition`, and writes nothing. Of kinds that live
/// in others, the first of those is looked into.
///
/// # Errors
/// Options or credentials that make no sense.
pub fn read(target: &Target, definition: Definition) -> Result<Trial> {
    let setup = TargetConfig::with_definition(target, Arc::new(definition))?;
    let session = Session::open(setup)?;
    let mut trial = Trial { lines: vec![server(&session)], exit: Exit::InSync };
    for (name, kind) in &session.definition().kinds {
        match look(&session, name, kind) {
            Ok(words) => trial.lines.push(format!("{name}: {words}")),
            Err(why) => {
                trial.lines.push(format!("{name}: not read: {why}"));
                trial.exit = Exit::Error;
            }
        }
    }
    Ok(trial)
}

fn server(session: &Session) -> String {
    let base = &session.setup.base;
    let words = match session.probe() {
        None => "the definition has no probe".to_owned(),
        Some(answer) => match (probe::remark(session.definition(), &answer), answer) {
            (Some(remark), _) => remark,
            (None, Ok(server)) => format!("version {}, which it was tried with", server.release),
            (None, Err(failure)) => failure.message,
        },
    };
    format!("{base}: {words}")
}

/// What is there of one kind, in words.
fn look(session: &Session, name: &str, kind: &Kind) -> Result<String, String> {
    if kind.list.is_none() && !kind.is_single() {
        return Ok("cannot be listed".to_owned());
    }
    let collections = import::collections(session, name).map_err(|error| error.to_string())?;
    let Some(collection) = collections.into_iter().next() else {
        return Ok("nothing to look into".to_owned());
    };
    let wanted = BTreeMap::from([(collection.clone(), Part::whole())]);
    let gathered = session.gather(&wanted).remove(&collection).unwrap_or_default();
    let filtered = kind.list.as_ref().is_some_and(|list| list.completeness == Completeness::Filtered);
    if let Some(failure) = gathered.incomplete.as_ref().filter(|_| !filtered) {
        return Err(failure.message.clone());
    }
    let found = found(&gathered)?;
    let unlisted: BTreeSet<&String> = found.iter().flat_map(|object| unlisted(kind, object)).collect();
    let unlisted: Vec<&str> = unlisted.into_iter().map(String::as_str).collect();
    let mut words = format!("{} in {}", found.len(), within(&collection));
    if filtered {
        words.push_str(", as far as these credentials may see");
    }
    if !unlisted.is_empty() {
        words.push_str(&format!("; the definition does not list {}", unlisted.join(", ")));
    }
    Ok(words)
}

fn found(gathered: &Gathered) -> Result<Vec<&Json>, String> {
    let mut objects = Vec::new();
    for (keys, found) in &gathered.found {
        match found {
            Found::Here(raw) => objects.push(raw),
            Found::Unknown(failure) => return Err(format!("`{}`: {}", keys.join("/"), failure.message)),
            Found::Absent | Found::NoParent => {}
        }
    }
    Ok(objects)
}

/// The fields of `object` that the definition says nothing of.
fn unlisted<'a>(kind: &Kind, object: &'a Json) -> impl Iterator<Item = &'a String> {
    let form = Projection::of(kind);
    let is_key = |key: &String| {
        kind.identity.keys.iter().any(|pointer| json::matches(pointer, std::slice::from_ref(key)))
    };
    let known = |key: &String| {
        let path = std::slice::from_ref(key);
        kind.additional_fields || is_key(key) || form.field(path).is_some() || form.is_divided(path)
    };
    let keys: Vec<&String> =
        object.as_object().into_iter().flat_map(|map| map.keys()).filter(|key| !known(key)).collect();
    keys.into_iter()
}

fn within(collection: &Collection) -> String {
    if collection.scope.is_empty() { "all".to_owned() } else { format!("`{}`", collection.scope.join("/")) }
}
