//! What goes along with a namespace or a definition that is deleted.

use futures_util::{StreamExt as _, stream};

use super::preview_input::PreviewInput;
use crate::{
    model::value::Value,
    providers::kubernetes::{
        client::{
            discovery::{Discovery, Known, Resource},
            failure::Failure,
            transport::ReadClient,
        },
        manifest::names::{Kind, Name, kinds_of},
        observe::lists::PARALLEL,
        ownership::ownership_labels::{self, ownership_mismatch},
    },
};

/// How many objects are named.
const NAMED: usize = 5;

/// Metadata is enough to tell whose an object is.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// What is there for as long as a namespace is, made by nobody in particular.
const ALWAYS: [(&str, &str); 2] = [("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")];

/// Kinds that controllers write about others.
const ABOUT_OTHERS: [&str; 2] = ["Event", "Endpoints"];

/// What would go along with an object.
#[derive(Default)]
pub struct Along {
    /// How many objects that trueup did not apply.
    pub count: usize,
    /// The same in words, with what could not be seen.
    pub notes: Vec<String>,
}

/// What would go along with the object of a case.
pub async fn along(looking: &ReadClient, case: &PreviewInput) -> Along {
    let name = &case.seen.name;
    let discovery = &case.discovery;
    let (kinds, namespace) = match &case.seen.live {
        _ if name.kind.is_core("Namespace") => (discovery.in_namespaces().collect(), Some(name.name.clone())),
        Some(definition) if name.kind.is_crd() => (defined(discovery, definition), None),
        _ => return Along::default(),
    };
    let lists = kinds.into_iter().map(|(kind, resource)| {
        let path = resource.collection(&kind, namespace.as_deref());
        list(looking.clone(), kind, path)
    });
    let lists: Vec<_> = stream::iter(lists).buffer_unordered(PARALLEL).collect().await;
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    for (kind, listed) in lists {
        match listed {
            Ok(items) => found.extend(items.iter().filter_map(|item| foreign(case, &kind, item))),
            Err(failure) if matches!(failure.code(), 404 | 405) => {}
            Err(failure) => unseen.push(format!("listing {kind}: {failure}")),
        }
    }
    found.sort();
    unseen.sort();
    told(&found, &unseen)
}

/// One version of each kind that a definition defines.
fn defined(discovery: &Discovery, definition: &Value) -> Vec<(Kind, Resource)> {
    let kinds = kinds_of(definition).into_iter();
    let served = kinds.filter_map(|kind| match discovery.find(&kind) {
        Known::Yes(resource) => Some((kind, resource.clone())),
        _ => None,
    });
    served.take(1).collect()
}

async fn list(looking: ReadClient, kind: Kind, path: String) -> (Kind, Result<Vec<Value>, Failure>) {
    let answer = looking.get_as(&path, METADATA).await;
    let items = answer.map(|answer| match answer.value.get("items") {
        Some(Value::List(items)) => items.to_vec(),
        _ => Vec::new(),
    });
    (kind, items)
}

/// The address of an object that would go and that nobody asked to.
fn foreign(case: &PreviewInput, kind: &Kind, item: &Value) -> Option<String> {
    let metadata = item.get("metadata")?;
    let name = Name {
        kind: kind.clone(),
        namespace: ownership_labels::metadata(item, "namespace").map(str::to_owned),
        name: ownership_labels::metadata(item, "name")?.to_owned(),
    };
    let is_always = ALWAYS.contains(&(kind.kind.as_str(), name.name.as_str()));
    let is_record = name.name == case.record && ["ConfigMap", "Lease"].contains(&kind.kind.as_str());
    let is_owned = metadata.get("ownerReferences").is_some();
    let is_about_others = ABOUT_OTHERS.contains(&kind.kind.as_str());
    let is_ours = ownership_mismatch(&name, item, &case.set).is_none();
    let passed_over = is_always || is_record || is_owned || is_about_others || is_ours;
    (!passed_over).then(|| name.address().to_string())
}

fn told(found: &[String], unseen: &[String]) -> Along {
    let mut notes = Vec::new();
    if !found.is_empty() {
        let named: Vec<&str> = found.iter().take(NAMED).map(String::as_str).collect();
        let more = found.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let things = if found.len() == 1 { "1 object" } else { &format!("{} objects", found.len()) };
        notes
            .push(format!("{things} that trueup did not apply would go with it: {}{more}", named.join(", ")));
    }
    if let Some(first) = unseen.first() {
        let more = unseen.len() - 1;
        let more = if more > 0 { format!(", and {more} kinds more") } else { String::new() };
        notes.push(format!("what else would go with it could not be seen: {first}{more}"));
    }
    Along { count: found.len(), notes }
}
