//! Declarations of what a target holds already.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value as Json;

use super::{
    address::{Collection, Place},
    adopt, validate,
};
use crate::{
    exit::Exit,
    model::{object::Desired, tree::EntryKind, user_error::UserError},
    providers::{
        Edit, Target,
        rest::{
            client::{failure::Failure, session::Session},
            compare::projection::Projection,
            definition::{ErrorClass as Class, Kind},
            options::TargetConfig,
            read::collection_reader::{Extent, Found, Gathered, Part},
        },
    },
};

/// Writes down what `target` holds of `kinds`: one file for each, without defaults, without what the server
/// owns, and without what is declared already.
///
/// # Errors
/// A kind that does not exist or cannot be listed in the scope of the target.
pub fn import(target: &Target, kinds: &[String], declared: &Desired) -> Result<Vec<Edit>> {
    let setup = TargetConfig::open(target)?;
    let session = Session::open(setup.clone())?;
    kinds.iter().map(|name| one(&setup, &session, target, name, declared)).collect()
}

fn one(
    setup: &TargetConfig,
    session: &Session,
    target: &Target,
    name: &str,
    declared: &Desired,
) -> Result<Edit> {
    let wrong = |message: String| UserError::new(Exit::Usage, message);
    let kind = setup.definition.kind(name).ok_or_else(|| {
        let known: Vec<&str> = setup.definition.kinds.keys().map(String::as_str).collect();
        wrong(format!("no kind `{name}`; there is {}", known.join(", ")))
    })?;
    if kind.list.is_none() && !kind.is_single() {
        return Err(wrong(format!("this API cannot list `{name}`")).into());
    }
    let mut objects: Vec<(Place, Vec<Json>)> = Vec::new();
    let mut unseen = None;
    let mut left_out = std::collections::BTreeSet::new();
    for collection in collections(session, name)? {
        let part = Part { extent: Extent::Import, ..Part::default() };
        let wanted = BTreeMap::from([(collection.clone(), part)]);
        let mut gathered = session.gather(&wanted).remove(&collection).unwrap_or_default();
        gathered.found.retain(|keys, _| !declared.objects.contains_key(&collection.address_of(keys)));
        let mut found = exported(&Projection::of(kind), &gathered)?;
        for object in &mut found {
            left_out.extend(validate::leave_out(&Projection::of(kind), object));
        }
        unseen = unseen.or(gathered.incomplete).or(hidden(kind, &found));
        if !found.is_empty() {
            let Collection { kind: name, scope } = collection;
            objects.push((Place { kind: name, scope, keys: Vec::new() }, found));
        }
    }
    let documents: Vec<String> =
        objects.iter().map(|(place, objects)| adopt::document(setup, kind, place, objects)).collect();
    let path =
        if target.path.is_empty() { format!("{name}.yaml") } else { format!("{}/{name}.yaml", target.path) };
    let content = if documents.is_empty() { format!("{name}: []\n") } else { documents.join("---\n") };
    let remark =
        unseen.map(|why| format!("# Not all may be here: {}.\n", why.message.replace(['\n', '\r'], " ")));
    let left_out =
        left_out.into_iter().map(|why| format!("# Left out: {}.\n", why.replace(['\n', '\r'], " ")));
    let content = remark.into_iter().chain(left_out).collect::<String>() + &content;
    Ok(Edit { path: path.into(), content: Some((EntryKind::File, content.into_bytes())), hidden: false })
}

/// Why some of what is beside the objects is not written down.
fn hidden(kind: &Kind, found: &[Json]) -> Option<Failure> {
    let beside = kind.envelope.as_ref().filter(|beside| beside.imported)?;
    let unseen = found.iter().any(|object| object.pointer(&beside.field).is_none());
    let message = || format!("`{}` of some is not shown to these credentials", beside.field);
    unseen.then(|| Failure::new(Class::Forbidden, message()))
}

fn exported(form: &Projection<'_>, gathered: &Gathered) -> Result<Vec<Json>> {
    let mut objects = Vec::new();
    for found in gathered.found.values() {
        match found {
            Found::Here(raw) => objects.push(form.export(raw)),
            Found::Unknown(failure) => return Err(unreadable(&failure.message).into()),
            Found::Absent | Found::NoParent => {}
        }
    }
    match (&gathered.incomplete, objects.is_empty()) {
        (Some(failure), true) => Err(unreadable(&failure.message).into()),
        _ => Ok(objects),
    }
}

fn unreadable(message: &str) -> UserError {
    UserError::new(Exit::Error, format!("listing what is there: {message}"))
}

/// The collections of a kind: the one that the target's scope names, or all, from the outside in.
pub fn collections(session: &Session, name: &str) -> Result<Vec<Collection>> {
    let setup = &session.setup;
    let Some(kind) = setup.definition.kind(name) else { return Ok(Vec::new()) };
    let params = setup.definition.params(kind);
    let known: Option<Vec<String>> =
        params.iter().map(|param| setup.options.scope.get(param).cloned()).collect();
    if let Some(scope) = known {
        let collection = Collection { kind: name.to_owned(), scope };
        return match collection.misnamed(&setup.definition) {
            Some(message) => Err(UserError::new(Exit::BadConfig, message).into()),
            None => Ok(vec![collection]),
        };
    }
    let parent = kind.scope.as_ref().and_then(|scope| setup.definition.scopes.get(scope)?.kind.clone());
    let parent = parent.ok_or_else(|| {
        let message =
            format!("`{name}` lives in {}, which the target's `scope:` does not name", params.join(" and "));
        UserError::new(Exit::BadConfig, message)
    })?;
    let mut found = Vec::new();
    for outer in collections(session, &parent)? {
        let wanted = BTreeMap::from([(outer.clone(), Part::whole())]);
        let gathered = session.gather(&wanted).remove(&outer).unwrap_or_default();
        let names = gathered.found.iter().filter(|(_, found)| matches!(found, Found::Here(_)));
        found.extend(
            names.map(|(keys, _)| Collection {
                kind: name.to_owned(),
                scope: [&outer.scope[..], keys].concat(),
            }),
        );
    }
    Ok(found)
}
