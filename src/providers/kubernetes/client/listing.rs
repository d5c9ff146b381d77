//! Whole lists of objects, page by page.

use std::collections::BTreeSet;

use tokio::task::JoinHandle;

use super::{discovery::Resource, failure::Failure, page, transport::ReadClient};
use crate::{
    model::value::Value,
    providers::kubernetes::{manifest::names::Kind, ownership::ownership_labels::PART_OF},
};

/// How many objects one page has.
const PAGE: usize = 500;

/// How often a list that expired on the way is begun anew.
const RESTARTS: usize = 3;

/// What is to be listed.
#[derive(Clone)]
pub struct Wanted {
    pub kind: Kind,
    pub resource: Resource,
    /// The namespaces to try if not all of them may be listed.
    pub namespaces: BTreeSet<String>,
    /// The set whose members are wanted; empty for all objects.
    pub set: String,
}

/// What a listing answered.
pub struct Listed<T = Value> {
    /// What was taken of the objects, which lack `apiVersion` and `kind`: lists leave them out.
    pub items: Vec<T>,
    /// The namespaces that were listed; `None` for all.
    pub namespaces: Option<BTreeSet<String>>,
}

/// A page that was asked for already. Nobody waits for it any more once it is dropped.
pub struct Ahead(JoinHandle<Result<Vec<u8>, Failure>>);

impl Ahead {
    /// Asks for the first page of a list.
    pub fn of_list(looking: &ReadClient, wanted: &Wanted) -> Ahead {
        Ahead::of(looking, &wanted.path(None))
    }

    /// Asks for a page.
    fn of(looking: &ReadClient, path: &str) -> Ahead {
        let (looking, path) = (looking.clone(), path.to_owned());
        Ahead(tokio::spawn(async move { looking.get_with(&path, |bytes| Ok(bytes.to_vec())).await }))
    }

    async fn text(mut self) -> Result<Vec<u8>, Failure> {
        (&mut self.0).await.unwrap_or_else(|error| Err(Failure::Garbled(error.to_string())))
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What was read of one page.
struct Page<T> {
    items: Vec<T>,
    /// The page after it: its path, and what was asked for.
    next: Option<(String, Ahead)>,
}

/// Lists the members of a set of one kind.
pub async fn members(looking: &ReadClient, wanted: &Wanted) -> Result<Listed, Failure> {
    each(looking, wanted, None, &|item| item).await
}

/// Lists the members of a set of one kind, everywhere, or if that is forbidden, in each namespace that may hold one.
/// Keeps of every object what `take` makes of it. The first page may have been asked for already.
pub async fn each<T>(
    looking: &ReadClient,
    wanted: &Wanted,
    ahead: Option<Ahead>,
    take: &impl Fn(Value) -> T,
) -> Result<Listed<T>, Failure> {
    match list(looking, &wanted.path(None), ahead, take).await {
        Ok(items) => return Ok(Listed { items, namespaces: None }),
        Err(failure) if failure.code() == 403 && wanted.resource.namespaced => {}
        Err(failure) => return Err(failure),
    }
    let (mut items, mut namespaces) = (Vec::new(), BTreeSet::new());
    for namespace in &wanted.namespaces {
        match list(looking, &wanted.path(Some(namespace)), None, take).await {
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

impl Wanted {
    /// The path of the first page.
    fn path(&self, namespace: Option<&str>) -> String {
        let collection = self.resource.collection(&self.kind, namespace);
        match self.set.as_str() {
            "" => format!("{collection}?limit={PAGE}"),
            set => format!("{collection}?labelSelector={PART_OF}%3D{set}&limit={PAGE}"),
        }
    }
}

async fn list<T>(
    looking: &ReadClient,
    first: &str,
    mut ahead: Option<Ahead>,
    take: &impl Fn(Value) -> T,
) -> Result<Vec<T>, Failure> {
    let mut restarts = 0;
    'anew: loop {
        let (mut items, mut next) = (Vec::new(), Some((first.to_owned(), ahead.take())));
        while let Some((path, ahead)) = next {
            let page = match page(looking, first, &path, ahead, take).await {
                Err(failure) if failure.code() == 410 && restarts < RESTARTS => {
                    restarts += 1;
                    continue 'anew;
                }
                page => page?,
            };
            items.extend(page.items);
            next = page.next.map(|(path, ahead)| (path, Some(ahead)));
        }
        return Ok(items);
    }
}

/// Reads a page, and asks for the one after it meanwhile. What came garbled is asked for again.
async fn page<T>(
    looking: &ReadClient,
    first: &str,
    path: &str,
    ahead: Option<Ahead>,
    take: &impl Fn(Value) -> T,
) -> Result<Page<T>, Failure> {
    let read = |bytes: &[u8]| {
        let mut page = Page { items: Vec::new(), next: None };
        let next = |token: &str| {
            let path = format!("{first}&continue={}", escaped(token));
            page.next = Some((path.clone(), Ahead::of(looking, &path)));
        };
        page::read(bytes, next, |item| page.items.push(take(item))).map_err(Failure::no_json)?;
        Ok(page)
    };
    if let Some(ahead) = ahead {
        match ahead.text().await.and_then(|text| read(&text)) {
            Err(Failure::Garbled(_)) => {}
            page => return page,
        }
    }
    looking.get_with(path, read).await
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
