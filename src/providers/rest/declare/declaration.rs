//! One declared object: what is wrong with it, and where its fields stand.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value as Json;

use super::{
    references, secrets,
    yaml::{Complaint, Kind as Shape, Mark, Node},
};
use crate::{
    model::suggest::nearest,
    providers::rest::{
        client::json,
        compare::projection::Projection,
        definition::{Access, Field, Items},
    },
};

/// The lines of the fields below `node` that do not stand in its own line, by pointer.
pub fn lines(node: &Node) -> BTreeMap<Box<str>, u32> {
    let mut found = BTreeMap::new();
    collect(node, &mut Vec::new(), node.mark.line, &mut found);
    found
}

fn collect<'a>(node: &'a Node, at: &mut Vec<Cow<'a, str>>, line: u32, found: &mut BTreeMap<Box<str>, u32>) {
    let mut add = |step: Cow<'a, str>, mark: Mark, node: &'a Node| {
        at.push(step);
        if mark.line != line {
            found.insert(json::pointer(at).into(), mark.line);
        }
        collect(node, at, mark.line, found);
        at.pop();
    };
    match &node.kind {
        Shape::Map(fields) => fields.iter().for_each(|(key, mark, value)| add(key.into(), *mark, value)),
        Shape::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| add(index.to_string().into(), item.mark, item));
        }
        Shape::Scalar(_) => {}
    }
}

/// Holds a declaration against its kind; answers remarks.
///
/// # Errors
/// A field that is not there, or cannot be so, at its line.
pub fn check(form: &Projection<'_>, node: &Node, object: &Json) -> Result<Vec<(Mark, String)>, Complaint> {
    let mut check = Check { form, notes: Vec::new() };
    check.fields(node, &mut Vec::new())?;
    if let Some(pointer) = form.meaningless(object).find(|pointer| object.pointer(pointer).is_some()) {
        let (steps, field) = (json::steps(pointer), &form.kind.fields[pointer]);
        let rule = field.applies_when.as_ref().map(|rule| format!(" where `{rule}`")).unwrap_or_default();
        let message = format!("`{}` means something only{rule}{}", &pointer[1..], field.remark());
        return Err(Complaint::new(node.mark_of(steps.iter().map(String::as_str)), message));
    }
    if let Some(reference) = references::all(object).iter().find(|address| address.as_str().is_empty()) {
        return Err(Complaint::new(node.mark, format!("`{reference}` refers to nothing")));
    }
    Ok(check.notes)
}

struct Check<'a> {
    form: &'a Projection<'a>,
    notes: Vec<(Mark, String)>,
}

impl Check<'_> {
    fn fields(&mut self, node: &Node, path: &mut Vec<String>) -> Result<(), Complaint> {
        let Shape::Map(entries) = &node.kind else { return Ok(()) };
        for (key, mark, value) in entries {
            path.push(key.clone());
            match self.form.field(path) {
                Some(field) => self.field(field, *mark, value, path)?,
                None if self.form.is_divided(path) || self.is_previous_name(path) => {
                    self.fields(value, path)?
                }
                None if self.form.kind.additional_fields && !self.is_beside(path) => {}
                None => return Err(self.unknown(*mark, path)),
            }
            path.pop();
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &Field,
        mark: Mark,
        value: &Node,
        path: &mut Vec<String>,
    ) -> Result<(), Complaint> {
        let json = value.to_json();
        if let Some(message) = refusal(field, &json) {
            return Err(Complaint::new(mark, format!("`{}` {message}", path.join("/"))));
        }
        if field.sensitive && json.is_string() {
            let note = "a secret stands in Git; `{$env: NAME}` or `{$file: PATH}` names it instead";
            self.notes.push((mark, note.to_owned()));
        }
        if self.form.is_divided(path) { self.fields(value, path) } else { Ok(()) }
    }

    fn is_previous_name(&self, path: &[String]) -> bool {
        let previously = self.form.kind.identity.previously.as_deref();
        previously.is_some_and(|pointer| pointer == json::pointer(path))
    }

    /// Whether `path` is in a field that is no part of the object, of which `additional_fields` does not speak.
    fn is_beside(&self, path: &[String]) -> bool {
        let beside = self.form.kind.envelope.as_ref();
        beside.is_some_and(|beside| json::matches(&beside.field, &path[..1]))
    }

    fn unknown(&self, mark: Mark, path: &[String]) -> Complaint {
        let known = self.form.kind.fields.iter().filter(|(_, field)| field.access != Access::ReadOnly);
        let known = known.map(|(pointer, _)| pointer.as_str());
        let hint = nearest(&json::pointer(path), known)
            .map_or_else(String::new, |near| format!("; did you mean `{}`?", &near[1..]));
        Complaint::new(mark, format!("no field `{}`{hint}", path.join("/")))
    }
}

/// Why `field` cannot be `value`, if so.
pub fn refusal(field: &Field, value: &Json) -> Option<String> {
    let is_list = field.list == Items::Ordered || value.is_array() || value.is_null() || value.is_object();
    let is_one = field.allowed.is_empty() || field.allowed.contains(value) || value.get("$ref").is_some();
    if field.access == Access::ReadOnly {
        Some(format!("is the server's own and cannot be declared{}", field.remark()))
    } else if secrets::is_name(value) && !field.is_hidden() {
        Some("is shown in plans, so it cannot be a secret".to_owned())
    } else if !is_list {
        Some("is a list".to_owned())
    } else if !is_one {
        let all: Vec<String> = field.allowed.iter().map(Json::to_string).collect();
        Some(format!("is {value}, and can be {}{}", all.join(", "), field.remark()))
    } else {
        field.forbidden.contains(value).then(|| format!("cannot be {value}{}", field.remark()))
    }
}
