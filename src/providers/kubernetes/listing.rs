//! Whole lists of objects, page by page.

use std::{collections::BTreeSet, sync::Arc};

use super::{discovery::Resource, failure::Failure, marks::PART_OF, names::Kind, transport::Looking};
use crate::model::value::Value;

/// How many objects one page has.
const PAGE: usize = 500;

/// How often a list that expired on the way is begun anew.
const RESTARTS: usize = 3;

/// What is to be listed.
#[derive(Clone)]
pub(super) struct Wanted {
    pub kind: Kind,
    pub resource: Resource,
    /// The namespaces to try if not all of them may be listed.
    pub namespaces: BTreeSet<String>,
    /// The set whose members are wanted; empty for all objects.
    pub set: String,
}

/// What a listing answered.
pub(super) struct Listed {
    /// The objects, without `apiVersion` and `kind`, which lists leave out.
    pub items: Vec<Value>,
    /// The namespaces that were listed; `None` for all.
    pub namespaces: Option<BTreeSet<String>>,
}

/// Lists the members of a set of one kind: everywhere, or if that is forbidden, in each namespace that may hold one.
pub(super) async fn members(looking: Looking, wanted: Wanted) -> Result<Listed, Failure> {
    match list(&looking, &wanted, None).await {
        Ok(items) => return Ok(Listed { items, namespaces: None }),
        Err(failure) if failure.code() == 403 && wanted.resource.namespaced => {}
        Err(failure) => return Err(failure),
    }
    let (mut items, mut namespaces) = (Vec::new(), BTreeSet::new());
    for namespace in &wanted.namespaces {
        match list(&looking, &wanted, Some(namespace)).await {
            Ok(found) => {
                items.extend(found);
                namespaces.insert(namespace.clone());
            }
            Err(failure) if matches!(failure.code(), 403 | 404) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(Listed { items, namespaces: Some(namespaces) })
}

async fn list(looking: &Looking, wanted: &Wanted, namespace: Option<&str>) -> Result<Vec<Value>, Failure> {
    let collection = wanted.resource.collection(&wanted.kind, namespace);
    let members = match wanted.set.as_str() {
        "" => String::new(),
        set => format!("labelSelector={PART_OF}%3D{set}&"),
    };
    let first = format!("{collection}?{members}limit={PAGE}");
    let mut restarts = 0;
    'anew: loop {
        let (mut items, mut path) = (Vec::new(), first.clone());
        loop {
            let answer = match looking.get(&path).await {
                Err(failure) if failure.code() == 410 && restarts < RESTARTS => {
                    restarts += 1;
                    continue 'anew;
                }
                answer => answer?,
            };
            let Value::Map(mut page) = answer.value else {
                return Err(Failure::Garbled("the list is no object".to_owned()));
            };
            // Read a moment ago and known to nobody else, so nothing is copied here.
            let page = Arc::make_mut(&mut page);
            match page.remove("items") {
                Some(Value::List(found)) => items.extend(found),
                Some(Value::Null) => {}
                _ => return Err(Failure::Garbled("the list has no items".to_owned())),
            }
            let token = page.get("metadata").and_then(|metadata| metadata.get("continue"));
            match token.and_then(Value::as_str).filter(|token| !token.is_empty()) {
                Some(token) => path = format!("{first}&continue={}", escaped(token)),
                None => return Ok(items),
            }
        }
    }
}

/// A query value; tokens are base64 and may hold `+`, `/` and `=`.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => escaped.push(byte.into()),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
        escaped
    })
}
