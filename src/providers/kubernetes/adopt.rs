//! The cluster's values on their way into a manifest: the text around them stays as it is.

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value as Json;

use super::{
    declared::{Declared, Step},
    fields::ORDER,
    json,
    names::Kind,
};
use crate::{
    manifest::{self, Content, Node},
    model::{
        address,
        change::{Change, Field},
        tree::EntryKind,
        value::{Map, Value},
    },
    providers::{Edit, FieldLines, Target},
    yaml::edit,
};

/// One change of a document.
struct Spot {
    /// As far as it is there.
    there: Vec<Step>,
    /// What is still missing below.
    missing: Vec<String>,
}

/// Says how the declaring file has to change for the object to hold what the cluster holds.
///
/// # Errors
/// What cannot be taken in without guessing.
pub(super) fn adopt(
    target: &Target,
    change: &Change,
    merged: Option<&Value>,
    current: Option<&[u8]>,
) -> Result<Edit> {
    let origin = change.origin.as_ref().context("it is declared nowhere")?;
    let current = current.with_context(|| format!("`{}` is not in the work tree", origin.file))?;
    let path = address::unquote(&origin.file).into_owned().into();
    let file = Declared::read(target, current)?;
    let way = file.way(change).with_context(|| format!("`{}` does not declare it any more", origin.file))?;
    let (document, within) = (way.document, &way.steps);
    let hidden = has_secret(current);
    let old: Vec<Value> = file.documents.iter().map(Node::value).collect();
    let mut new = old.clone();
    match (merged, within.is_empty()) {
        (None, true) if file.documents.len() == 1 => return Ok(Edit { path, content: None, hidden }),
        (None, true) => {
            let edited = edit::without(current, document).map_err(by_hand)?;
            new.remove(document);
            ensure!(read(&edited).is_some_and(|read| read == to_json(&new)), "it is to be removed by hand");
            return Ok(Edit { path, content: Some((EntryKind::File, edited)), hidden });
        }
        (None, false) => {
            let spot = Spot { there: within.clone(), missing: Vec::new() };
            set(&mut new[document], &spot, None)?;
        }
        (Some(_), _) => {
            let node = file.node(way).context("its place is not there")?;
            let moved: Vec<&Field> = change.fields.iter().filter(|field| field.class.drifted()).collect();
            ensure!(!moved.is_empty(), "it is not told field by field what moved");
            for field in moved {
                take(&mut new[document], node, within, field)
                    .with_context(|| format!("`{}` is to be edited by hand", field.path))?;
            }
        }
    }
    let edited = edit::turn(current, (&to_json(&old), &to_json(&new)), read).map_err(by_hand)?;
    Ok(Edit { path, content: Some((EntryKind::File, edited)), hidden })
}

/// The lines in which the fields of each change of one file are declared.
pub(super) fn lines(target: &Target, changes: &[&Change], content: &[u8]) -> Vec<FieldLines> {
    let file = Declared::read(target, content).ok();
    let found = |change: &&Change| lines_of(file.as_ref()?, change);
    changes.iter().map(|change| found(change).unwrap_or_default()).collect()
}

fn lines_of(file: &Declared, change: &Change) -> Option<FieldLines> {
    let node = file.node(file.way(change)?)?;
    let line = |field: &Field| {
        let steps = steps(&field.path);
        let is_there = find(node, &steps).missing.is_empty();
        is_there.then(|| ((&*field.path).into(), node.locate(steps.iter().map(String::as_str)).line))
    };
    Some(change.fields.iter().filter_map(line).collect())
}

/// The steps of a pointer.
fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
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

/// Takes what moved in one field into the document that declares it.
fn take(document: &mut Value, node: &Node, within: &[Step], field: &Field) -> Result<()> {
    let steps = steps(&field.path);
    ensure!(steps.iter().all(|step| step != ORDER), "items changed places");
    let Spot { there, missing } = find(node, &steps);
    let value = match &field.sides.actual {
        Some(value) => Some(plain(value).context("it is a secret, and is not copied into Git")?),
        None => None,
    };
    let wrapped = value.map(|value| {
        missing.iter().skip(1).rev().try_fold(value, |value, key| match key.starts_with('[') {
            true => None,
            false => Some(Value::map([(key.as_str(), value)])),
        })
    });
    let value = match wrapped {
        Some(None) => bail!("the list that it is an item of is not declared"),
        Some(Some(value)) => Some(value),
        None => None,
    };
    let there = within.iter().cloned().chain(there).collect();
    set(document, &Spot { there, missing }, value.as_ref())
}

/// Where steps lead in what is declared.
fn find(node: &Node, steps: &[String]) -> Spot {
    let mut there = Vec::new();
    let mut at = node;
    for (position, step) in steps.iter().enumerate() {
        let next = match &at.content {
            Content::Map(_) => at.get(step).map(|node| (Step::Key(step.clone()), node)),
            Content::List(items) => at.item(step).map(|index| (Step::Item(index), &items[index])),
            Content::Scalar(_) => None,
        };
        let Some((step, next)) = next else {
            return Spot { there, missing: steps[position..].to_vec() };
        };
        there.push(step);
        at = next;
    }
    Spot { there, missing: Vec::new() }
}

/// Puts a value in its place; takes it away if there is none.
fn set(whole: &mut Value, place: &Spot, value: Option<&Value>) -> Result<()> {
    let mut steps = place.there.as_slice();
    let last = match place.missing.first() {
        Some(_) => None,
        None => {
            let (last, before) = steps.split_last().context("the object as a whole moved")?;
            steps = before;
            Some(last)
        }
    };
    let mut at = whole;
    for step in steps {
        at = match (step, at) {
            (Step::Key(key), Value::Map(map)) => std::sync::Arc::make_mut(map).get_mut(key.as_str()),
            (Step::Item(index), Value::List(items)) => items.get_mut(*index),
            _ => None,
        }
        .context("its place is not there")?;
    }
    match (at, last, place.missing.first(), value) {
        (Value::Map(map), Some(Step::Key(key)), _, Some(value)) => {
            std::sync::Arc::make_mut(map).insert(key.as_str().into(), value.clone());
        }
        (Value::Map(map), Some(Step::Key(key)), _, None) => {
            std::sync::Arc::make_mut(map).remove(key.as_str());
        }
        (Value::List(items), Some(Step::Item(index)), _, Some(value)) => items[*index] = value.clone(),
        (Value::List(items), Some(Step::Item(index)), _, None) => _ = items.remove(*index),
        (Value::Map(map), None, Some(key), Some(value)) => {
            std::sync::Arc::make_mut(map).insert(key.as_str().into(), value.clone());
        }
        (Value::List(items), None, Some(_), Some(value)) => items.push(value.clone()),
        (_, None, _, None) => bail!("it is not declared"),
        _ => bail!("its place is of another kind"),
    }
    Ok(())
}

/// A value with its keyed lists as lists again. `None` if it is sensitive.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Sensitive(_) | Value::Blob(_) => None,
        Value::List(items) => Some(Value::List(items.iter().map(plain).collect::<Option<_>>()?)),
        Value::Map(map) => {
            let keyed = !map.is_empty()
                && map.keys().all(|key| &**key == ORDER || key.starts_with('[') && key.ends_with(']'));
            if keyed {
                let items = map.iter().filter(|(key, _)| &***key != ORDER).map(|(_, value)| plain(value));
                return Some(Value::List(items.collect::<Option<_>>()?));
            }
            let fields = map.iter().map(|(key, value)| Some((key.clone(), plain(value)?)));
            Some(Value::from(fields.collect::<Option<Map>>()?))
        }
        other => Some(other.clone()),
    }
}
