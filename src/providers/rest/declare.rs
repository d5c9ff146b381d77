//! What the YAML files of a revision declare.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde_json::Value as Json;

use super::{
    address::{Collection, normal_scope},
    definition::{Access, Items, Kind, load},
    form::Form,
    json,
    options::Setup,
    references, secrets,
    yaml::{self, Complaint, Kind as Shape, Mark, Node},
};
use crate::{
    exit::Exit,
    model::{
        fault::Fault,
        object::{Desired, Object, Origin, Scope},
        suggest::nearest,
        tree::{Contents, EntryKind, Tree},
        value::Value,
    },
    providers::Target,
};

/// The largest file of declarations.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The keys of a document that are no kinds.
const WORDS: [&str; 4] = ["scope", "managed", "ignore", "absent"];

/// Says what the YAML files of `tree` declare.
///
/// # Errors
/// A declaration that makes no sense, with file and line (65).
pub fn declare(target: &Target, tree: &Tree, contents: &dyn Contents) -> Result<Desired> {
    let setup = Setup::open(target)?;
    let mut desired = Desired::default();
    for entry in
        tree.entries.iter().filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable))
    {
        let path = entry.path.to_string();
        let name = path.rsplit('/').next().unwrap_or_default();
        let of_target = setup.options.definition.as_deref().is_some_and(|file| path.ends_with(file));
        if !(name.ends_with(".yaml") || name.ends_with(".yml")) || name == "trueup.yaml" || of_target {
            continue;
        }
        let file = tree.source_path(entry);
        if contents.size(&entry.id)? > LARGEST {
            return Err(
                Fault::new(Exit::BadDesired, format!("`{file}` is larger than {LARGEST} bytes")).into()
            );
        }
        let text = contents.read(&entry.id).with_context(|| format!("reading `{file}`"))?;
        let mut reader = Declarations {
            setup: &setup,
            folders: folders(&path),
            file: file.clone(),
            desired: &mut desired,
        };
        reader.file(&text).map_err(|complaint| complaint.in_file(Exit::BadDesired, &file))?;
    }
    Ok(desired)
}

/// Scopes in the names of folders: `owner=acme/repo=web/labels.yaml`.
fn folders(path: &str) -> BTreeMap<String, String> {
    let pairs = path.split('/').filter_map(|part| part.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The declarations of one file on their way into the desired state.
struct Declarations<'a> {
    setup: &'a Setup,
    folders: BTreeMap<String, String>,
    file: Arc<str>,
    desired: &'a mut Desired,
}

impl Declarations<'_> {
    fn file(&mut self, text: &[u8]) -> Result<(), Complaint> {
        yaml::documents(text)?.iter().try_for_each(|document| self.document(document))
    }

    fn document(&mut self, document: &Node) -> Result<(), Complaint> {
        let Shape::Map(sections) = &document.kind else {
            return Err(Complaint::new(
                document.mark,
                "expected kinds with lists of objects, such as `label: [...]`",
            ));
        };
        let mut scope = self.setup.options.scope.clone();
        scope.extend(self.folders.clone());
        if let Some(node) = document.get("scope") {
            scope.extend(load::typed::<BTreeMap<String, String>>(node)?);
        }
        for (name, mark, node) in sections {
            match name.as_str() {
                "scope" | "ignore" => {}
                "managed" => self.managed(document, node, &scope)?,
                "absent" => self.absent(node, &scope)?,
                name => self.kind(name, *mark, node, &scope)?,
            }
        }
        Ok(())
    }

    fn definition_of(&self, name: &str, mark: Mark) -> Result<&Kind, Complaint> {
        let definition = &self.setup.definition;
        definition.kind(name).ok_or_else(|| {
            let known = definition.kinds.keys().map(String::as_str).chain(WORDS);
            let hint = match nearest(name, known.clone()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("there is {}", known.collect::<Vec<_>>().join(", ")),
            };
            Complaint::new(mark, format!("no kind `{name}`; {hint}"))
        })
    }

    fn collection(
        &self,
        name: &str,
        mark: Mark,
        scope: &BTreeMap<String, String>,
    ) -> Result<Collection, Complaint> {
        let kind = self.definition_of(name, mark)?;
        let params = self.setup.definition.params(kind);
        let known = params.iter().map(|param| {
            scope.get(param).cloned().ok_or_else(|| {
                let message = format!(
                    "`{name}` lives in a `{param}`, which neither `scope:` nor a folder `{param}=…` names"
                );
                Complaint::new(mark, message)
            })
        });
        let names: Vec<String> = known.collect::<Result<_, _>>()?;
        let scope = match &kind.scope {
            Some(scope) => normal_scope(&self.setup.definition, scope, names),
            None => names,
        };
        let collection = Collection { kind: name.to_owned(), scope };
        match collection.misnamed(&self.setup.definition) {
            Some(message) => Err(Complaint::new(mark, message)),
            None => Ok(collection),
        }
    }

    /// Collections that hold nothing but what is declared.
    fn managed(
        &mut self,
        document: &Node,
        node: &Node,
        scope: &BTreeMap<String, String>,
    ) -> Result<(), Complaint> {
        let names: Vec<String> = load::typed(node)?;
        let ignore: Vec<String> = document.get("ignore").map(load::typed).transpose()?.unwrap_or_default();
        for (index, name) in names.iter().enumerate() {
            let mark = node.mark_of([index.to_string().as_str()]);
            let collection = self.collection(name, mark, scope)?;
            if self.definition_of(name, mark)?.list.is_none() {
                return Err(Complaint::new(
                    mark,
                    format!("this API cannot list `{name}`, so it cannot be managed as a whole"),
                ));
            }
            let origin = Origin::new(self.file.clone(), Some(mark.line));
            self.desired.exclusive.push(Scope {
                collection: collection.address(),
                ignore: ignore.clone(),
                origin,
            });
        }
        Ok(())
    }

    /// Objects that must not be there, by name.
    fn absent(&mut self, node: &Node, scope: &BTreeMap<String, String>) -> Result<(), Complaint> {
        let names: BTreeMap<String, Vec<Json>> = load::typed(node)?;
        for (name, objects) in names {
            let mark = node.mark_of([name.as_str()]);
            let collection = self.collection(&name, mark, scope)?;
            for (index, object) in objects.into_iter().enumerate() {
                let mark = node.mark_of([name.as_str(), index.to_string().as_str()]);
                let kind = self.definition_of(&name, mark)?;
                if kind.delete.is_none() && kind.batch.is_none() {
                    let message = format!("this API cannot delete `{name}`, so none can be declared absent");
                    return Err(Complaint::new(mark, message));
                }
                let mut whole = object.clone();
                if let (false, [key]) = (object.is_object(), kind.identity.keys.as_slice()) {
                    whole = Json::Null;
                    json::set(&mut whole, key, object);
                }
                let Normal { keys, .. } = normal(kind, &Form::of(kind), whole, mark)?;
                self.insert(&collection, keys, None, mark, BTreeMap::new())?;
            }
        }
        Ok(())
    }

    fn kind(
        &mut self,
        name: &str,
        mark: Mark,
        node: &Node,
        scope: &BTreeMap<String, String>,
    ) -> Result<(), Complaint> {
        let collection = self.collection(name, mark, scope)?;
        let kind = self.definition_of(name, mark)?;
        let Shape::List(objects) = &node.kind else {
            let example = if kind.is_single() { ", of the only one here: `- {…}`" } else { "" };
            return Err(Complaint::new(mark, format!("`{name}` wants a list of objects{example}")));
        };
        let form = Form::of(kind);
        let read = |node: &Node| {
            let Shape::Map(_) = &node.kind else {
                return Err(Complaint::new(node.mark, "an object is a mapping of fields"));
            };
            let object = node.to_json();
            let notes = check(kind, &form, node, &object)?;
            Ok((notes, normal(kind, &form, object, node.mark)?, lines(node)))
        };
        let found: Vec<Result<_, Complaint>> = objects.par_iter().map(read).collect();
        for (node, found) in objects.iter().zip(found) {
            let (notes, Normal { keys, value }, fields) = found?;
            let note = |(mark, note): (Mark, String)| format!("`{}:{}`: {note}", self.file, mark.line);
            self.desired.notes.extend(notes.into_iter().map(note));
            self.insert(&collection, keys, Some(value), node.mark, fields)?;
        }
        Ok(())
    }

    fn insert(
        &mut self,
        collection: &Collection,
        keys: Vec<String>,
        value: Option<Value>,
        mark: Mark,
        fields: BTreeMap<Box<str>, u32>,
    ) -> Result<(), Complaint> {
        let address = collection.address_of(&keys);
        let origin = Origin { fields: Arc::new(fields), ..Origin::new(self.file.clone(), Some(mark.line)) };
        if let Some(first) = self.desired.objects.insert(address.clone(), Object { value, origin }) {
            let first = first.origin.at("");
            return Err(Complaint::new(mark, format!("`{address}` is declared twice, first in `{first}`")));
        }
        Ok(())
    }
}

/// A declaration in the server's normal form.
struct Normal {
    keys: Vec<String>,
    value: Value,
}

fn normal(kind: &Kind, form: &Form<'_>, mut object: Json, mark: Mark) -> Result<Normal, Complaint> {
    form.normalize(&mut object);
    let keys = form.identity(&object).ok_or_else(|| {
        let keys = kind.identity.keys.join(" and ");
        Complaint::new(mark, format!("an object of this kind is named by {keys}"))
    })?;
    Ok(Normal { keys, value: form.to_model(&object) })
}

/// The lines of the fields below `node` that do not stand in its own line, by pointer.
fn lines(node: &Node) -> BTreeMap<Box<str>, u32> {
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

/// Holds one declaration against its kind; answers remarks.
fn check(kind: &Kind, form: &Form<'_>, node: &Node, object: &Json) -> Result<Vec<(Mark, String)>, Complaint> {
    let mut notes = Vec::new();
    fields(kind, form, node, &mut Vec::new(), &mut notes)?;
    if let Some(pointer) = form.meaningless(object).find(|pointer| object.pointer(pointer).is_some()) {
        let (steps, field) = (json::steps(pointer), &kind.fields[pointer]);
        let rule = field.only_when.as_ref().map(|rule| format!(" where `{rule}`")).unwrap_or_default();
        let message = format!("`{}` means something only{rule}{}", &pointer[1..], field.remark());
        return Err(Complaint::new(node.mark_of(steps.iter().map(String::as_str)), message));
    }
    if let Some(reference) = references::all(object).iter().find(|address| address.as_str().is_empty()) {
        return Err(Complaint::new(node.mark, format!("`{reference}` refers to nothing")));
    }
    Ok(notes)
}

/// Whether `path` is in a field that is no part of the object, of which `open` does not speak.
fn is_beside(kind: &Kind, path: &[String]) -> bool {
    kind.beside.as_ref().is_some_and(|beside| json::matches(&beside.field, &path[..1]))
}

fn fields(
    kind: &Kind,
    form: &Form<'_>,
    node: &Node,
    path: &mut Vec<String>,
    notes: &mut Vec<(Mark, String)>,
) -> Result<(), Complaint> {
    let Shape::Map(entries) = &node.kind else { return Ok(()) };
    for (key, mark, value) in entries {
        path.push(key.clone());
        let pointer = || format!("/{}", path.join("/"));
        let is_previous_name = || kind.identity.previously.as_deref() == Some(&pointer());
        match form.field(path) {
            None if form.is_divided(path) || is_previous_name() => {
                fields(kind, form, value, path, notes)?;
            }
            None if kind.open && !is_beside(kind, path) => {}
            None => {
                let known = kind.fields.iter().filter(|(_, field)| field.access != Access::ReadOnly);
                let known = known.map(|(pointer, _)| pointer.as_str());
                let hint = nearest(&pointer(), known)
                    .map_or_else(String::new, |near| format!("; did you mean `{}`?", &near[1..]));
                return Err(Complaint::new(*mark, format!("no field `{}`{hint}", path.join("/"))));
            }
            Some(field) => {
                let wrong =
                    |message: String| Err(Complaint::new(*mark, format!("`{}` {message}", path.join("/"))));
                let json = value.to_json();
                let secret = field.sensitive || !field.access.is_answered();
                let named = secrets::is_name(&json);
                if field.access == Access::ReadOnly {
                    return wrong(format!("is the server's own and cannot be declared{}", field.remark()));
                }
                if named && !secret {
                    return wrong("is shown in plans, so it cannot be a secret".to_owned());
                }
                if field.list != Items::Ordered && !(json.is_array() || json.is_null() || json.is_object()) {
                    return wrong("is a list".to_owned());
                }
                if !field.one_of.is_empty() && !field.one_of.contains(&json) && json.get("$ref").is_none() {
                    let all: Vec<String> = field.one_of.iter().map(Json::to_string).collect();
                    return wrong(format!("is {json}, and can be {}{}", all.join(", "), field.remark()));
                }
                if field.never.contains(&json) {
                    return wrong(format!("cannot be {json}{}", field.remark()));
                }
                if field.sensitive && json.is_string() {
                    let note = "a secret stands in Git; `{$env: NAME}` or `{$file: PATH}` names it instead";
                    notes.push((*mark, note.to_owned()));
                }
                if form.is_divided(path) {
                    fields(kind, form, value, path, notes)?;
                }
            }
        }
        path.pop();
    }
    Ok(())
}
