//! Documents that name an object.

use super::{
    build,
    node::{Content, Entry, Node},
    warning::Warning,
};
use crate::{
    model::value::Value,
    yaml::{Place, Problem},
};

/// One declared object.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: Option<String>,
    /// Everything.
    pub node: Node,
}

/// The objects of one file, lists taken apart.
///
/// # Errors
/// The first thing in it that is no manifest.
pub fn manifests(bytes: &[u8]) -> Result<(Vec<Manifest>, Vec<Warning>), Problem> {
    let (nodes, warnings) = build::nodes(bytes)?;
    let mut found = Vec::with_capacity(nodes.len());
    for node in nodes {
        take(node, &mut found)?;
    }
    Ok((found, warnings))
}

fn take(node: Node, found: &mut Vec<Manifest>) -> Result<(), Problem> {
    let Content::Map(_) = &node.content else {
        return Err(Problem::new(node.place, "is no object: a manifest is a mapping"));
    };
    let kind = text(&node, "kind")?;
    if kind.ends_with("List") && node.get("items").is_some() {
        return take_list(node, &kind, found);
    }
    let api_version = text(&node, "apiVersion")?;
    // A name for what SOPS writes into each file that it encrypts (getsops.io, "Encryption protocol").
    if let Some(sops) = node.entry("sops").filter(|sops| sops.node.get("mac").is_some()) {
        let message = format!("this `{kind}` is encrypted by SOPS, and trueup does not decrypt it");
        return Err(Problem::new(sops.place, message));
    }
    let Some(Entry { place, node: metadata, .. }) = node.entry("metadata") else {
        return Err(Problem::new(node.place, format!("a `{kind}` has no `metadata.name`")));
    };
    if let Some(generated) = metadata.entry("generateName")
        && metadata.get("name").is_none()
    {
        let message = "`generateName` makes another object each time; give it a `name`";
        return Err(Problem::new(generated.place, message));
    }
    let name = match metadata.get("name").map(|name| (name.as_str(), name.place)) {
        Some((Some(name), place)) if !name.is_empty() && !name.contains('/') => checked(name, place)?,
        Some((Some(name), place)) => return Err(Problem::new(place, format!("{name:?} is no name"))),
        Some((None, place)) => return Err(Problem::new(place, "`metadata.name` is no text; quote it")),
        None => return Err(Problem::new(*place, format!("a `{kind}` has no `metadata.name`"))),
    };
    let namespace = match metadata.get("namespace") {
        Some(node) if !node.is_null() => match node.as_str() {
            Some("") => None,
            Some(text) => Some(checked(text, node.place)?),
            None => return Err(Problem::new(node.place, "`metadata.namespace` is no text; quote it")),
        },
        _ => None,
    };
    found.push(Manifest { api_version, kind, name, namespace, node });
    Ok(())
}

/// The items of a list; those of a typed list (`ConfigMapList`) may leave out what its own kind says.
fn take_list(node: Node, kind: &str, found: &mut Vec<Manifest>) -> Result<(), Problem> {
    let item_kind = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
    let inherited = [
        item_kind.map(|kind| ("kind", kind.to_owned())),
        item_kind.and_then(|_| Some(("apiVersion", node.get("apiVersion")?.as_str()?.to_owned()))),
    ];
    let Some(items) = node.get("items").filter(|items| !items.is_null()) else { return Ok(()) };
    let Some(items) = items.as_list() else {
        return Err(Problem::new(items.place, format!("`items` of a `{kind}` is no list")));
    };
    for item in items {
        let mut item = item.clone();
        let place = item.place;
        if let Content::Map(entries) = &mut item.content {
            for (key, value) in inherited.iter().flatten() {
                if !entries.iter().any(|entry| &*entry.key == *key) {
                    let node = Node { place, content: Content::Scalar(Value::string(value.as_str())) };
                    entries.push(Entry { key: (*key).into(), place, node });
                }
            }
        }
        take(item, found)?;
    }
    Ok(())
}

fn text(node: &Node, key: &str) -> Result<String, Problem> {
    match node.get(key) {
        Some(value) => match value.as_str() {
            Some("") | None => Err(Problem::new(value.place, format!("`{key}` is no text"))),
            Some(text) => checked(text, value.place),
        },
        None => Err(Problem::new(node.place, format!("there is no `{key}`; every manifest has one"))),
    }
}

/// Names end up in paths of requests and in addresses.
fn checked(text: &str, place: Place) -> Result<String, Problem> {
    let harmless = |character: char| {
        !character.is_control() && !character.is_whitespace() && !"?#%\\\"'`".contains(character)
    };
    if text.chars().all(harmless) && !text.split('/').any(|part| part == ".." || part == ".") {
        return Ok(text.to_owned());
    }
    Err(Problem::new(place, format!("{text:?} is no name")))
}
