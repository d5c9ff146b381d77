//! The cluster's values on their way into a manifest: the text around them stays as it is.

use std::{fmt::Write as _, str::FromStr as _};

use anyhow::{Context as _, Result, bail, ensure};
use yaml_edit::{Document, YamlFile, YamlNode};

use super::{fields::ORDER, names::Name, normal};
use crate::{
    manifest::{self, Content, Manifest, Node, Reading},
    model::{
        address,
        change::{Change, Field},
        tree::EntryKind,
        value::{Map, Value},
    },
    providers::{Edit, Target},
};

/// One step into a document.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Item(usize),
}

/// One change of a document.
struct Place {
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
    let (manifests, _) = manifest::manifests(current)?;
    let index = manifests
        .iter()
        .position(|manifest| is_declared_by(target, manifest, change))
        .with_context(|| format!("`{}` does not declare it any more", origin.file))?;
    if merged.is_none() {
        ensure!(manifests.len() == 1, "it is gone, and its file declares more; remove its document by hand");
        return Ok(Edit { path, content: None });
    }
    let fields: Vec<&Field> = change.fields.iter().filter(|field| field.class.drifted()).collect();
    ensure!(!fields.is_empty(), "it is not told field by field what moved");
    let text = std::str::from_utf8(current).context("the file is no text")?;
    let (nodes, _) = manifest::nodes(current)?;
    ensure!(nodes.len() == manifests.len(), "it is part of a list; edit it by hand");
    let mut expected: Vec<Value> = nodes.iter().map(Node::value).collect();
    let file = YamlFile::from_str(text).map_err(|error| anyhow::anyhow!("{error}"))?;
    let document = documents(&file).nth(index).context("the document was not found")?;
    for field in fields {
        edit(&document, &nodes[index], &mut expected[index], field)
            .with_context(|| format!("`{}` is to be edited by hand", field.path))?;
    }
    let edited = file.to_string();
    let (read, _) = manifest::nodes(edited.as_bytes()).context("the edit would break the file")?;
    let read: Vec<Value> = read.iter().map(Node::value).collect();
    ensure!(read == expected, "the edit would change more than what moved; edit it by hand");
    Ok(Edit { path, content: Some((EntryKind::File, edited.into_bytes())) })
}

/// The documents that hold something, as the loader of manifests counts them.
fn documents(file: &YamlFile) -> impl Iterator<Item = Document> + '_ {
    file.documents().filter(|document| document.as_mapping().is_some())
}

fn is_declared_by(target: &Target, manifest: &Manifest, change: &Change) -> bool {
    let Some(wanted) = Name::parse(&change.address) else { return false };
    let Ok(options) = super::options::of(target) else { return false };
    let found = normal::normal(manifest, wanted.namespace.is_some(), options.default_namespace());
    found.is_ok_and(|found| found.name == wanted)
}

fn edit(document: &Document, node: &Node, expected: &mut Value, field: &Field) -> Result<()> {
    let steps: Vec<String> =
        field.path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    ensure!(steps.iter().all(|step| step != ORDER), "items changed places");
    let place = find(node, &steps);
    let value = match &field.sides.actual {
        Some(value) => Some(plain(value).context("it is a secret, and is not copied into Git")?),
        None => None,
    };
    let wrapped = value.map(|value| {
        let mut missing = place.missing.iter().skip(1).rev();
        missing.try_fold(value, |value, key| match key.starts_with('[') {
            true => None,
            false => Some(Value::map([(key.as_str(), value)])),
        })
    });
    let value = match wrapped {
        Some(None) => bail!("the list that it is an item of is not declared"),
        Some(Some(value)) => Some(value),
        None => None,
    };
    set(expected, &place, value.as_ref())?;
    write(document, &place, value.as_ref())
}

/// Where steps lead in what is declared.
fn find(node: &Node, steps: &[String]) -> Place {
    let mut there = Vec::new();
    let mut at = node;
    for (position, step) in steps.iter().enumerate() {
        let next = match &at.content {
            Content::Map(_) => at.get(step).map(|node| (Step::Key(step.clone()), node)),
            Content::List(items) => at.item(step).map(|index| (Step::Item(index), &items[index])),
            Content::Scalar(_) => None,
        };
        let Some((step, next)) = next else {
            return Place { there, missing: steps[position..].to_vec() };
        };
        there.push(step);
        at = next;
    }
    Place { there, missing: Vec::new() }
}

/// What is to be read back.
fn set(whole: &mut Value, place: &Place, value: Option<&Value>) -> Result<()> {
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

/// The same in the text.
fn write(document: &Document, place: &Place, value: Option<&Value>) -> Result<()> {
    let snippet = value.map(snippet).transpose()?;
    let last = match place.missing.is_empty() {
        true => place.there.last(),
        false => None,
    };
    let steps = if last.is_some() { &place.there[..place.there.len() - 1] } else { &place.there[..] };
    let mut at = YamlNode::Mapping(document.as_mapping().context("it is no mapping")?);
    for step in steps {
        at = match step {
            Step::Key(key) => at.get(key.as_str()),
            Step::Item(index) => at.get_item(*index),
        }
        .context("its place comes from elsewhere")?;
        ensure!(!at.is_alias(), "its place is an alias of an anchor");
    }
    let new = place.missing.first();
    match (&at, last, new, snippet) {
        (YamlNode::Mapping(map), Some(Step::Key(key)), _, Some(value)) => {
            ensure!(map.get(key.as_str()).is_some_and(|there| !there.is_alias()), "it comes from elsewhere");
            map.set(key.as_str(), &value);
        }
        (YamlNode::Mapping(map), Some(Step::Key(key)), _, None) => _ = map.remove(key.as_str()),
        (YamlNode::Sequence(list), Some(Step::Item(index)), _, Some(value)) => _ = list.set(*index, &value),
        (YamlNode::Sequence(list), Some(Step::Item(index)), _, None) => _ = list.remove(*index),
        (YamlNode::Mapping(map), None, Some(key), Some(value)) => map.set(key.as_str(), &value),
        (YamlNode::Sequence(list), None, Some(_), Some(value)) => list.push(&value),
        _ => bail!("its place is of another kind"),
    }
    Ok(())
}

/// A value as a node, written so that every YAML reader takes it for the same.
fn snippet(value: &Value) -> Result<YamlNode> {
    let mut text = "v:".to_owned();
    block(value, 1, &mut text);
    let document = Document::from_str(&text).map_err(|error| anyhow::anyhow!("{error}"))?;
    document.get("v").context("the value cannot be written")
}

fn block(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (key, value) in map.iter() {
                let _ = write!(text, "\n{indent}{}:", scalar(key));
                block(value, depth + 1, text);
            }
        }
        Value::List(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(text, "\n{indent}-");
                match item {
                    Value::Map(map) if !map.is_empty() => {
                        let mut below = String::new();
                        block(item, depth + 1, &mut below);
                        let _ = write!(text, " {}", below.trim_start());
                    }
                    _ => block(item, depth + 1, text),
                }
            }
        }
        Value::Map(_) => text.push_str(" {}"),
        Value::List(_) => text.push_str(" []"),
        Value::String(string) => {
            let _ = write!(text, " {}", scalar(string));
        }
        Value::Number(number) => {
            let _ = write!(text, " {number}");
        }
        Value::Bool(flag) => {
            let _ = write!(text, " {flag}");
        }
        Value::Null | Value::Blob(_) | Value::Sensitive(_) => text.push_str(" null"),
    }
}

/// A string, quoted unless every reader takes it for one as it is.
fn scalar(text: &str) -> String {
    let simple = |character: char| character.is_ascii_alphanumeric() || "-_./:".contains(character);
    let plain = text.chars().all(simple)
        && !text.ends_with(':')
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && manifest::resolve(text) == Reading::Plain(Value::string(text));
    match plain {
        true => text.to_owned(),
        false => serde_json::Value::from(text).to_string(),
    }
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
