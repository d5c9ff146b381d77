//! The target's values on their way into the files that declare them.

use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value as Json;

use super::{
    address::Place,
    definition::Kind,
    emit,
    form::Form,
    json,
    options::Setup,
    yaml::{self, Kind as Shape, Node},
};
use crate::{
    model::{
        address,
        change::{Change, Class},
        tree::EntryKind,
        value::Value,
    },
    providers::{Edit, Target},
};

/// Says how the declaring file has to change to hold `merged`; nothing else in it changes.
///
/// # Errors
/// A value that does not belong into Git, or a place that cannot be found.
pub fn adopt(
    target: &Target,
    change: &Change,
    merged: Option<&Value>,
    current: Option<&[u8]>,
) -> Result<Edit> {
    let setup = Setup::open(target)?;
    let place =
        Place::parse(&setup.definition, &change.address).context("the definition knows no such object")?;
    let kind = setup.definition.kind(&place.kind).context("the definition knows no such kind")?;
    let secret =
        change.fields.iter().any(|field| field.class != Class::Pending && is_secret(&field.sides.actual));
    ensure!(!secret, "a secret differs, and is not copied into Git");
    let merged = merged.map(json::from_model);
    let Some(origin) = &change.origin else {
        let merged = merged.context("it is neither in Git nor in the target")?;
        return Ok(added(&setup, target, kind, &place, &merged));
    };
    let current = current.with_context(|| format!("`{}` is not in the work tree", origin.file))?;
    let text = std::str::from_utf8(current).context("the file is no text")?;
    let documents = yaml::documents(current)
        .map_err(|error| anyhow::anyhow!("line {}: {}", error.line, error.message))?;
    let node = find(&documents, kind, &place, origin.line)
        .context("its declaration was not found in the work tree")?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    match &merged {
        Some(merged) => changes(node, merged, &Form::of(kind), &mut Vec::new(), &mut edits)?,
        None => edits.push((item(text, &node.bytes)?, String::new())),
    }
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut content = text.to_owned();
    for (range, new) in edits {
        content.replace_range(range, &new);
    }
    yaml::documents(content.as_bytes())
        .map_err(|_| anyhow::anyhow!("the file would not be YAML any more; edit it by hand"))?;
    let path = address::unquote(&origin.file).into_owned();
    Ok(Edit { path: path.into(), content: Some((EntryKind::File, content.into_bytes())) })
}

fn is_secret(value: &Option<Value>) -> bool {
    matches!(value, Some(Value::Sensitive(_)))
}

/// A file of its own for an object that no file declares.
fn added(setup: &Setup, target: &Target, kind: &Kind, place: &Place, object: &Json) -> Edit {
    let name: String = place
        .address()
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let path = [target.path.as_str(), "adopted", &format!("{name}.yaml")];
    let path: Vec<&str> = path.into_iter().filter(|part| !part.is_empty()).collect();
    let content = document(setup, kind, place, std::slice::from_ref(object));
    Edit { path: path.join("/").into(), content: Some((EntryKind::File, content.into_bytes())) }
}

/// A document that declares `objects` of one collection.
pub fn document(setup: &Setup, kind: &Kind, place: &Place, objects: &[Json]) -> String {
    let params = setup.definition.params(kind).iter().zip(&place.scope);
    let scope: Vec<(&String, &String)> =
        params.filter(|(param, value)| setup.options.scope.get(*param) != Some(*value)).collect();
    let mut text = String::new();
    if !scope.is_empty() {
        let scope = scope.into_iter().map(|(param, value)| (param.clone(), Json::String(value.clone())));
        text.push_str(&format!("scope: {}\n", emit::flow(&Json::Object(scope.collect()))));
    }
    text.push_str(&format!("{}:\n", place.kind));
    objects.iter().for_each(|object| text.push_str(&emit::item(object, 2)));
    text
}

/// The declaration of `place`, the one in `line` if there are several of that name.
fn find<'a>(documents: &'a [Node], kind: &Kind, place: &Place, line: Option<u32>) -> Option<&'a Node> {
    let sections = documents.iter().filter_map(|document| document.get(&place.kind));
    let mut found: Vec<&Node> = sections
        .filter_map(|section| match &section.kind {
            Shape::List(items) => Some(items),
            _ => None,
        })
        .flatten()
        .filter(|node| {
            let mut object = node.to_json();
            let form = Form::of(kind);
            form.normalize(&mut object);
            form.identity(&object).as_ref() == Some(&place.keys)
        })
        .collect();
    match found.len() {
        0 | 1 => found.pop(),
        _ => found.into_iter().find(|node| Some(node.line) == line),
    }
}

/// Collects the values below `node` that differ from `merged`.
fn changes(
    node: &Node,
    merged: &Json,
    form: &Form<'_>,
    path: &mut Vec<String>,
    edits: &mut Vec<(Range<usize>, String)>,
) -> Result<()> {
    let (Shape::Map(fields), Json::Object(merged)) = (&node.kind, merged) else {
        edits.push((node.bytes.clone(), emit::flow(merged)));
        return Ok(());
    };
    for (key, _, value) in fields {
        path.push(key.clone());
        let mut declared = Json::Null;
        json::set(&mut declared, &pointer(path), value.to_json());
        form.normalize(&mut declared);
        let declared = declared.pointer(&pointer(path)).cloned().unwrap_or(Json::Null);
        match merged.get(key) {
            Some(now) if *now == declared => {}
            Some(now) if form.is_divided(path) => changes(value, now, form, path, edits)?,
            Some(now) if single_line(value) => edits.push((value.bytes.clone(), emit::flow(now))),
            Some(_) => bail!("`/{}` spans several lines; edit it by hand", path.join("/")),
            None => bail!("`/{}` is gone from the target; edit it by hand", path.join("/")),
        }
        path.pop();
    }
    Ok(())
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Whether a value can be replaced where it stands: a scalar, or a list or mapping between brackets.
fn single_line(node: &Node) -> bool {
    match &node.kind {
        Shape::Scalar(_) => true,
        Shape::List(items) => items.iter().all(|item| item.line == node.line),
        Shape::Map(fields) => fields.iter().all(|(_, line, _)| *line == node.line),
    }
}

/// The lines of an item of a block list, with its dash.
fn item(text: &str, node: &Range<usize>) -> Result<Range<usize>> {
    let start = text[..node.start].rfind('\n').map_or(0, |at| at + 1);
    ensure!(
        text[start..node.start].trim() == "-",
        "its declaration shares a line with others; edit it by hand"
    );
    let end = text[..node.end].trim_end().len();
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    Ok(start..end)
}
