//! What the YAML files of a revision declare.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde_json::Value as Json;

use super::{
    address::{Collection, normal_scope, spelled},
    declaration, validate,
    yaml::{self, Complaint, Kind as Shape, Mark, Node},
};
use crate::{
    exit::Exit,
    model::{
        object::{Desired, Object, Origin, Scope},
        suggest::nearest,
        tree::{self, Contents, DECLARED_IN, EntryKind, Tree, is_aside, is_declaration},
        user_error::UserError,
        value::Value,
    },
    providers::{
        Target,
        rest::{
            client::json,
            compare::projection::Projection,
            definition::{Kind, load},
            options::TargetConfig,
        },
    },
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
    let setup = TargetConfig::open(target)?;
    let mut desired = Desired::default();
    let (mut read, mut others) = (0, Vec::new());
    for entry in &tree.entries {
        let path = entry.path.to_string();
        let name = path.rsplit('/').next().unwrap_or_default();
        let of_target = setup.options.definition.as_deref().is_some_and(|file| path.ends_with(file));
        if name == "trueup.yaml" || of_target {
            continue;
        }
        let file = tree.source_path(entry);
        if !is_declaration(name) {
            others.extend((!is_aside(name)).then_some(file));
            continue;
        }
        if !matches!(entry.kind, EntryKind::File | EntryKind::Executable) {
            return Err(tree::not_a_file(&file).hint("put the file in its place").into());
        }
        read += 1;
        if contents.size(&entry.id)? > LARGEST {
            return Err(
                UserError::new(Exit::BadDesired, format!("`{file}` is larger than {LARGEST} bytes")).into()
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
    desired.notes.extend(not_read(read, &others)?);
    Ok(desired)
}

/// A remark on the files that declare nothing.
///
/// # Errors
/// There are no others: what is there would pass for an empty declaration.
fn not_read(read: usize, others: &[Arc<str>]) -> Result<Option<String>, UserError> {
    let Some(first) = others.first() else { return Ok(None) };
    let more = if others.len() > 1 { format!(" and {} more", others.len() - 1) } else { String::new() };
    let said = format!("`{first}`{more}: neither YAML nor JSON, and not read");
    match read {
        0 => Err(UserError::new(Exit::BadDesired, format!("nothing is declared: {said}")).hint(DECLARED_IN)),
        _ => Ok(Some(said)),
    }
}

/// Scopes in the names of folders: `owner=acme/repo=web/labels.yaml`.
fn folders(path: &str) -> BTreeMap<String, String> {
    let pairs = path.split('/').filter_map(|part| part.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The declarations of one file on their way into the desired state.
struct Declarations<'a> {
    setup: &'a TargetConfig,
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
        let spelled = |pattern: String| spelled(&self.setup.definition, &pattern).unwrap_or(pattern);
        let ignore: Vec<String> = ignore.into_iter().map(spelled).collect();
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
                if !kind.is_deletable() {
                    let message = format!("this API cannot delete `{name}`, so none can be declared absent");
                    return Err(Complaint::new(mark, message));
                }
                let mut whole = object.clone();
                if let (false, [key]) = (object.is_object(), kind.identity.keys.as_slice()) {
                    whole = Json::Null;
                    json::set(&mut whole, key, object);
                }
                let Normal { keys, .. } = normal(kind, &Projection::of(kind), whole, mark)?;
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
        let kind = self.definition_of(name, mark)?;
        if matches!(&node.kind, Shape::List(objects) if objects.is_empty()) {
            // It declares nothing, wherever that is.
            return Ok(());
        }
        let collection = self.collection(name, mark, scope)?;
        let Shape::List(objects) = &node.kind else {
            let example = if kind.is_single() { ", of the only one here: `- {…}`" } else { "" };
            return Err(Complaint::new(mark, format!("`{name}` wants a list of objects{example}")));
        };
        let form = Projection::of(kind);
        let read = |node: &Node| {
            let Shape::Map(_) = &node.kind else {
                return Err(Complaint::new(node.mark, "an object is a mapping of fields"));
            };
            let object = node.to_json();
            let notes = declaration::check(&form, node, &object)?;
            let Normal { keys, object } = normal(kind, &form, object, node.mark)?;
            let invalid = validate::complaints(&form, node, &object);
            Ok((notes, invalid, keys, form.to_model(&object), declaration::lines(node)))
        };
        let found: Vec<Result<_, Complaint>> = objects.par_iter().map(read).collect();
        for (node, found) in objects.iter().zip(found) {
            let (notes, invalid, keys, value, fields) = found?;
            self.desired.invalid.extend(invalid.iter().map(|complaint| complaint.within(&self.file)));
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
    object: Json,
}

fn normal(kind: &Kind, form: &Projection<'_>, mut object: Json, mark: Mark) -> Result<Normal, Complaint> {
    form.normalize(&mut object);
    let keys = form.identity(&object).ok_or_else(|| {
        let keys = kind.identity.keys.join(" and ");
        Complaint::new(mark, format!("an object of this kind is named by {keys}"))
    })?;
    Ok(Normal { keys, object })
}
