//! The target's values on their way into the files that declare them.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;

use super::{
    address::Place,
    emit,
    yaml::{self, Kind as Shape, Node},
};
use crate::{
    model::{address, change::Class, tree::EntryKind, value::Value},
    providers::{
        Edit, Taken, Target,
        rest::{client::json, compare::projection::Projection, definition::Kind, options::TargetConfig},
    },
    yaml::{
        edit,
        emit::{Quotes, flow},
    },
};

/// Says how the declaring file has to change to hold what is `Taken`; nothing else in it changes.
///
/// # Errors
/// A value that does not belong into Git, or a place that cannot be found.
pub fn adopt(target: &Target, Taken { change, merged }: &Taken<'_>, current: Option<&[u8]>) -> Result<Edit> {
    let setup = TargetConfig::open(target)?;
    let place =
        Place::parse(&setup.definition, &change.address).context("the definition knows no such object")?;
    let kind = setup.definition.kind(&place.kind).context("the definition knows no such kind")?;
    let secret =
        change.fields.iter().any(|field| field.class != Class::Pending && is_secret(&field.sides.actual));
    ensure!(!secret, "a secret differs, and is not copied into Git");
    let merged = merged.as_ref().map(json::from_model);
    let Some(origin) = &change.origin else {
        let merged = merged.context("it is neither in Git nor in the target")?;
        return Ok(added(&setup, target, kind, &place, &merged));
    };
    let current = current.with_context(|| format!("`{}` is not in the work tree", origin.file))?;
    let documents = yaml::documents(current)
        .map_err(|error| anyhow::anyhow!("line {}: {}", error.mark.line, error.message))?;
    let (document, item) = find(&documents, kind, &place, origin.line)
        .context("its declaration was not found in the work tree")?;
    let old: Vec<Json> = documents.iter().map(Node::to_json).collect();
    let mut new = old.clone();
    let path = address::unquote(&origin.file).into_owned().into();
    let list = new[document].get_mut(&place.kind).and_then(Json::as_array_mut);
    let list = list.context("its declaration was not found in the work tree")?;
    match &merged {
        Some(merged) => list[item] = taken(&list[item], merged, &Projection::of(kind), &mut Vec::new()),
        None => _ = list.remove(item),
    }
    if list.is_empty()
        && let Some(kinds) = new[document].as_object_mut()
    {
        kinds.remove(&place.kind);
        if kinds.keys().all(|key| key == "scope") {
            let content = without(current, document, old.len())?;
            return Ok(Edit { path, content, hidden: false });
        }
    }
    let edited = edit::turn(current, (&old, &new), read).map_err(by_hand)?;
    Ok(Edit { path, content: Some((EntryKind::File, edited)), hidden: false })
}

/// The file without a document that declares nothing any more.
fn without(current: &[u8], document: usize, count: usize) -> Result<Option<(EntryKind, Vec<u8>)>> {
    match count {
        1 => Ok(None),
        _ => Ok(Some((EntryKind::File, edit::without(current, document).map_err(by_hand)?))),
    }
}

fn by_hand(why: String) -> anyhow::Error {
    anyhow::anyhow!("it is to be edited by hand: {why}")
}

fn read(content: &[u8]) -> Option<Vec<Json>> {
    Some(yaml::documents(content).ok()?.iter().map(Node::to_json).collect())
}

fn is_secret(value: &Option<Value>) -> bool {
    matches!(value, Some(Value::Sensitive(_)))
}

/// A file of its own for an object that no file declares.
fn added(setup: &TargetConfig, target: &Target, kind: &Kind, place: &Place, object: &Json) -> Edit {
    let name: String = place
        .address()
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let path = [target.path.as_str(), "adopted", &format!("{name}.yaml")];
    let path: Vec<&str> = path.into_iter().filter(|part| !part.is_empty()).collect();
    let content = document(setup, kind, place, std::slice::from_ref(object));
    Edit {
        path: path.join("/").into(),
        content: Some((EntryKind::File, content.into_bytes())),
        hidden: false,
    }
}

/// A document that declares `objects` of one collection.
pub fn document(setup: &TargetConfig, kind: &Kind, place: &Place, objects: &[Json]) -> String {
    let params = setup.definition.params(kind).iter().zip(&place.scope);
    let scope: Vec<(&String, &String)> =
        params.filter(|(param, value)| setup.options.scope.get(*param) != Some(*value)).collect();
    let mut text = String::new();
    if !scope.is_empty() {
        let scope = scope.into_iter().map(|(param, value)| (param.clone(), Json::String(value.clone())));
        text.push_str(&format!("scope: {}\n", flow(&Json::Object(scope.collect()), Quotes::AsNeeded)));
    }
    text.push_str(&format!("{}:\n", place.kind));
    objects.iter().for_each(|object| text.push_str(&emit::item(object, 2)));
    text
}

/// The document and the item that declare `place`, those in `line` if there are several of that name.
fn find(documents: &[Node], kind: &Kind, place: &Place, line: Option<u32>) -> Option<(usize, usize)> {
    let mut found = Vec::new();
    for (document, node) in documents.iter().enumerate() {
        let Some(Node { kind: Shape::List(items), .. }) = node.get(&place.kind) else { continue };
        for (item, node) in items.iter().enumerate() {
            let mut object = node.to_json();
            let form = Projection::of(kind);
            form.normalize(&mut object);
            if form.identity(&object).as_ref() == Some(&place.keys) {
                found.push((document, item, node.mark.line));
            }
        }
    }
    let one = found.len() == 1;
    found.into_iter().find(|(.., at)| one || Some(*at) == line).map(|(document, item, _)| (document, item))
}

/// What is declared, with what the target holds of it: as it is written where both mean the same.
fn taken(declared: &Json, merged: &Json, form: &Projection<'_>, path: &mut Vec<String>) -> Json {
    let (Json::Object(fields), Json::Object(now)) = (declared, merged) else { return merged.clone() };
    let mut taken = serde_json::Map::new();
    for (key, value) in fields {
        path.push(key.clone());
        let mut whole = Json::Null;
        json::set(&mut whole, &json::pointer(path), value.clone());
        form.normalize(&mut whole);
        let normal = whole.pointer(&json::pointer(path)).cloned().unwrap_or(Json::Null);
        match now.get(key) {
            Some(now) if *now == normal => _ = taken.insert(key.clone(), value.clone()),
            Some(now) if form.is_divided(path) => {
                taken.insert(key.clone(), self::taken(value, now, form, path));
            }
            Some(now) => _ = taken.insert(key.clone(), now.clone()),
            None => {}
        }
        path.pop();
    }
    Json::Object(taken)
}
