//! Declared values held against what their fields may hold, before anything is sent.

use serde_json::Value as Json;

use super::{
    declaration, secrets,
    yaml::{Complaint, Kind as Shape, Mark, Node},
};
use crate::providers::rest::{client::json, compare::projection::Projection, definition::Field};

/// A value that its field cannot hold.
pub struct Refusal {
    /// Where it stands in the object.
    pub path: Vec<String>,
    /// The item, where it is one of a list, in normal form.
    pub item: Option<Json>,
    /// Why.
    pub message: String,
}

/// The values of `object`, which is in normal form, that their fields cannot hold.
pub fn refusals(form: &Projection<'_>, object: &Json) -> Vec<Refusal> {
    let mut found = Vec::new();
    for (steps, field) in &form.fields {
        for path in json::places(object, steps) {
            let Some(value) = object.pointer(&json::pointer(&path)) else { continue };
            found.extend(refused_by_bounds(field, &path, value));
        }
    }
    found
}

fn refused_by_bounds(field: &Field, path: &[String], value: &Json) -> Option<Refusal> {
    let refusal = |item: Option<&Json>, message: String| Refusal {
        path: path.to_vec(),
        item: item.cloned(),
        message: format!("`{}` {message}{}", path.join("/"), field.remark()),
    };
    let shown =
        |value: &Json| if field.is_hidden() { "something else".to_owned() } else { value.to_string() };
    if stands_for_another(value) {
        return None;
    }
    if let Some(message) = field.bounds().refuse(value, &shown(value)) {
        return Some(refusal(None, message));
    }
    let bounds = field.items.as_ref()?.bounds();
    let one = |item: &Json| {
        let message = bounds.refuse(item, &shown(item)).filter(|_| !stands_for_another(item))?;
        Some(refusal(Some(item), format!("holds an item that {message}")))
    };
    value.as_array()?.iter().find_map(one)
}

/// Whether `value` is known only when it is sent.
fn stands_for_another(value: &Json) -> bool {
    secrets::is_name(value) || value.get("$ref").is_some()
}

/// The same as complaints, at the lines of `node`, which declares `object`.
pub fn complaints(form: &Projection<'_>, node: &Node, object: &Json) -> Vec<Complaint> {
    let place = |refusal: Refusal| Complaint::new(mark(form, node, &refusal), refusal.message);
    refusals(form, object).into_iter().map(place).collect()
}

/// Where the value stands; an item of a list by itself, whatever its place in normal form.
fn mark(form: &Projection<'_>, node: &Node, refusal: &Refusal) -> Mark {
    let field = node.mark_of(refusal.path.iter().map(String::as_str));
    let list = refusal.path.iter().try_fold(node, |node, step| node.get(step));
    let (Some(item), Some(Node { kind: Shape::List(items), .. })) = (&refusal.item, list) else {
        return field;
    };
    let pointer = json::pointer(&refusal.path);
    let whole = node.to_json();
    let is_it = |declared: &&Node| {
        let mut alone = whole.clone();
        json::set(&mut alone, &pointer, Json::Array(vec![declared.to_json()]));
        form.normalize(&mut alone);
        alone.pointer(&pointer).and_then(Json::as_array).is_some_and(|items| items.contains(item))
    };
    items.iter().find(is_it).map_or(field, |node| node.mark)
}

/// Takes what no declaration may hold out of `object`, which is the server's, and says what that was.
pub fn leave_out(form: &Projection<'_>, object: &mut Json) -> Vec<String> {
    let mut left = Vec::new();
    for (steps, field) in &form.fields {
        for path in json::places(object, steps) {
            let pointer = json::pointer(&path);
            let Some(value) = object.pointer(&pointer) else { continue };
            let refused = declaration::refusal(field, value).map(|why| format!("`{}` {why}", path.join("/")));
            let refused = refused.or_else(|| Some(refused_by_bounds(field, &path, value)?.message));
            if let Some(why) = refused {
                json::remove(object, &pointer);
                left.push(why);
            }
        }
    }
    left
}
