//! The cluster's values on their way into a manifest: the text around them stays as it is.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value as Json;

use super::{
    declared::{Declared, Way},
    names::Kind,
};
use crate::{
    manifest::{self, Node},
    model::{
        address,
        change::{Change, Field},
        path::{self, Place},
        tree::EntryKind,
        value::{Map, Value},
    },
    providers::{
        Edit, FieldLines, Taken, Target,
        kubernetes::{client::json, ownership::fields::ORDER},
    },
    yaml::edit,
};

/// Says how the declaring file has to change for the objects to hold what the cluster holds.
///
/// # Errors
/// What cannot be taken in without guessing.
pub fn adopt(target: &Target, all: &[Taken<'_>], current: Option<&[u8]>) -> Result<Edit> {
    let origin =
        all.first().and_then(|taken| taken.change.origin.as_ref()).context("it is declared nowhere")?;
    let current = current.with_context(|| format!("`{}` is not in the work tree", origin.file))?;
    let file = Declared::read(target, current)?;
    let way = |change: &Change| {
        file.way(change).with_context(|| format!("`{}` does not declare it any more", origin.file))
    };
    let edited = match all.iter().any(|taken| taken.merged.is_none()) {
        true => remove(current, &file, way(Taken::alone(all)?.change)?)?,
        false => {
            let changes = all.iter().map(|taken| Ok((way(taken.change)?, taken.change)));
            Some(update(current, &file, &changes.collect::<Result<Vec<_>>>()?)?)
        }
    };
    Ok(Edit {
        path: address::unquote(&origin.file).into_owned().into(),
        content: edited.map(|edited| (EntryKind::File, edited)),
        hidden: has_secret(current),
    })
}

/// The file without one object; none if nothing is left.
fn remove(current: &[u8], file: &Declared, way: &Way) -> Result<Option<Vec<u8>>> {
    let old = values(file);
    let mut new = old.clone();
    if !way.steps.is_empty() {
        path::copy_at(&mut new[way.document], &way.steps, None);
        return turn(current, &old, &new).map(Some);
    }
    if old.len() == 1 {
        return Ok(None);
    }
    let edited = edit::without(current, way.document).map_err(by_hand)?;
    new.remove(way.document);
    ensure!(read(&edited).is_some_and(|read| read == to_json(&new)), "it is to be removed by hand");
    Ok(Some(edited))
}

/// The file with what moved in some objects: first their fields, then the order of their lists.
fn update(current: &[u8], file: &Declared, changes: &[(&Way, &Change)]) -> Result<Vec<u8>> {
    let old = values(file);
    let mut taken = old.clone();
    for (way, change) in changes {
        take(&mut taken[way.document], &way.steps, change)?;
    }
    let mut sorted = taken.clone();
    for (way, change) in changes {
        sort(&mut sorted[way.document], &way.steps, change)?;
    }
    let edited = turn(current, &old, &taken)?;
    if sorted == taken { Ok(edited) } else { turn(&edited, &taken, &sorted) }
}

fn values(file: &Declared) -> Vec<Value> {
    file.documents.iter().map(Node::value).collect()
}

fn turn(content: &[u8], old: &[Value], new: &[Value]) -> Result<Vec<u8>> {
    edit::turn(content, (&to_json(old), &to_json(new)), read).map_err(by_hand)
}

/// The lines in which the fields of each change of one file are declared.
pub fn lines(target: &Target, changes: &[&Change], content: &[u8]) -> Vec<FieldLines> {
    let file = Declared::read(target, content).ok();
    let found = |change: &&Change| lines_of(file.as_ref()?, change);
    changes.iter().map(|change| found(change).unwrap_or_default()).collect()
}

fn lines_of(file: &Declared, change: &Change) -> Option<FieldLines> {
    let node = file.node(file.way(change)?)?;
    let line = |field: &Field| {
        let place = path::place(&field.path);
        let steps = || place.iter().map(|step| &**step);
        node.find(steps()).map(|_| ((&*field.path).into(), node.locate(steps()).line))
    };
    Some(change.fields.iter().filter_map(line).collect())
}

/// Whether a file declares a Secret, whose values stand in clear there.
fn has_secret(content: &[u8]) -> bool {
    manifest::manifests(content).is_ok_and(|(manifests, _)| {
        manifests.iter().any(|found| Kind::new(&found.api_version, &found.kind).is_core("Secret"))
    })
}

fn by_hand(why: String) -> anyhow::Error {
    anyhow!("it is to be edited by hand: {why}")
}

fn read(content: &[u8]) -> Option<Vec<Json>> {
    let (nodes, _) = manifest::nodes(content).ok()?;
    Some(to_json(&nodes.iter().map(Node::value).collect::<Vec<_>>()))
}

fn to_json(documents: &[Value]) -> Vec<Json> {
    let json = |value| serde_json::from_slice(&json::write(value)).unwrap_or_default();
    documents.iter().map(json).collect()
}

/// What moved out of band, changed places aside or not.
fn moved(change: &Change, order: bool) -> impl Iterator<Item = (Place, &Field)> {
    let moved = change.fields.iter().filter(|field| field.class.drifted());
    let places = moved.map(|field| (path::place(&field.path), field));
    places.filter(move |(place, _)| place.last().is_some_and(|step| &**step == ORDER) == order)
}

/// Takes what moved into the document that declares it.
fn take(document: &mut Value, within: &[Arc<str>], change: &Change) -> Result<()> {
    ensure!(
        change.fields.iter().any(|field| field.class.drifted()),
        "it is not told field by field what moved"
    );
    let object = path::get_mut(document, within).context("its place is not there")?;
    let seen = change.sides.actual.as_ref().map(plain);
    for (place, field) in moved(change, false) {
        take_field(object, &place, field, seen.as_ref())
            .with_context(|| format!("`{}` is to be edited by hand", field.path))?;
    }
    Ok(())
}

/// Makes one field what the cluster has.
fn take_field(object: &mut Value, place: &[Arc<str>], field: &Field, seen: Option<&Value>) -> Result<()> {
    let actual = field.sides.actual.as_ref();
    ensure!(!actual.is_some_and(is_secret), "it is a secret, and is not copied into Git");
    ensure!(actual.is_some() || path::get(object, place).is_some(), "it is not declared");
    path::copy_at(object, place, seen);
    let wanted = seen.and_then(|seen| path::get(seen, place));
    ensure!(path::get(object, place) == wanted, "the item that it is in is not declared");
    Ok(())
}

/// Puts the items of lists in the order that the cluster has them in.
fn sort(document: &mut Value, within: &[Arc<str>], change: &Change) -> Result<()> {
    let object = path::get_mut(document, within).context("its place is not there")?;
    for (mut place, field) in moved(change, true) {
        place.pop();
        let items = match path::get_mut(object, &place) {
            Some(Value::List(items)) => items,
            _ => bail!("items changed places in a list that is not declared"),
        };
        let labels = match &field.sides.actual {
            Some(Value::List(labels)) => labels.as_slice(),
            _ => &[],
        };
        let there: Vec<usize> =
            labels.iter().filter_map(|label| path::position(items, label.as_str()?)).collect();
        ensure!(
            there.len() == items.len(),
            "`{}`: items changed places, and not all that are declared are there",
            path::pointer(&place)
        );
        *items = there.into_iter().map(|at| items[at].clone()).collect();
    }
    Ok(())
}

/// Whether a value is sensitive, or a part of it.
fn is_secret(value: &Value) -> bool {
    match value {
        Value::Sensitive(_) | Value::Blob(_) => true,
        Value::List(items) => items.iter().any(is_secret),
        Value::Map(map) => map.values().any(is_secret),
        _ => false,
    }
}

/// A value with its keyed lists as lists again.
fn plain(value: &Value) -> Value {
    match (value, value.items()) {
        (_, Some(items)) => Value::List(items.into_iter().map(plain).collect()),
        (Value::List(items), _) => Value::List(items.iter().map(plain).collect()),
        (Value::Map(map), _) => {
            Value::from(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect::<Map>())
        }
        (other, _) => other.clone(),
    }
}
