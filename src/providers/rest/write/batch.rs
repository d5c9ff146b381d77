//! Many changes in one request, all or none of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{
    job::{Job, Made, Precondition},
    write_error::Trouble,
};
use crate::{
    model::{change::Action, report::Verdict},
    providers::rest::{
        client::{json, transport::Content},
        compare::projection::Projection,
        declare::address::Collection,
        definition::ErrorClass as Class,
        read::collection_reader::Found,
        template::Ingredients,
    },
};

/// A change with its place among all of them.
pub type Numbered<'a> = (usize, Job<'a>);

/// Groups batched jobs by collection, each group as large as one request may be. What is deleted stands
/// beside what is made under the same first name, and before it: the one may be in the way of the other.
pub fn chunks<'a, 'b>(jobs: Vec<&'a Numbered<'b>>) -> Vec<Vec<&'a Numbered<'b>>> {
    let mut by_collection: BTreeMap<Collection, BTreeMap<&str, Vec<&Numbered<'_>>>> = BTreeMap::new();
    for job in jobs {
        let names = by_collection.entry(job.1.place.collection()).or_default();
        names.entry(job.1.place.keys.first().map_or("", String::as_str)).or_default().push(job);
    }
    let mut chunks = Vec::new();
    for names in by_collection.into_values() {
        let mut chunk: Vec<&Numbered<'_>> = Vec::new();
        for mut same in names.into_values() {
            same.sort_by_key(|(_, job)| job.change.action != Action::Delete);
            let most = same[0].1.kind.batch.as_ref().map_or(1, |batch| batch.max.max(1));
            if chunk.len() + same.len() > most && !chunk.is_empty() {
                chunks.push(std::mem::take(&mut chunk));
            }
            chunk.extend(same);
        }
        chunks.push(chunk);
    }
    chunks
}

/// Sends several changes in one request. Those that are stale are left out of it.
pub fn send(jobs: &[&Numbered<'_>]) -> Vec<(usize, Made)> {
    let mut told: Vec<(usize, Made)> = Vec::new();
    let (mut items, mut carried) = (Vec::new(), Vec::new());
    for (at, job) in jobs {
        match job.check().and_then(|_| item(job)) {
            Ok(item) => {
                items.push(item);
                carried.push((*at, job));
            }
            Err(trouble) => told.push((*at, Err(trouble))),
        }
    }
    let Some((_, first)) = carried.first() else { return told };
    match request(first, items) {
        Ok(()) => told.extend(carried.iter().map(|(at, _)| (*at, Ok(None)))),
        Err(trouble) => told.extend(blamed(&carried, &trouble)),
    }
    told
}

/// One refusal for many changes: those that it speaks of failed, the others were not made because of them.
fn blamed(carried: &[(usize, &Job<'_>)], trouble: &Trouble) -> Vec<(usize, Made)> {
    let speaks_of = |job: &Job<'_>| {
        let said = trouble.message.to_lowercase();
        let names = || job.place.keys.iter().map(|key| key.trim_end_matches('.').to_lowercase());
        names().all(|name| said.contains(&name))
    };
    let guilty: Vec<bool> = carried.iter().map(|(_, job)| speaks_of(job)).collect();
    let known = carried.len() > 1 && trouble.class == Some(Class::Invalid) && guilty.contains(&true);
    let one = |((at, _), guilty): (&(usize, &Job<'_>), bool)| {
        let trouble = match (known, guilty, carried.len()) {
            (true, false, _) => {
                Trouble::new(Verdict::NotAttempted, "it stood in one request with what the server refused")
            }
            (_, _, 1) | (true, true, _) => trouble.clone(),
            (false, _, count) => {
                trouble.clone().with(&format!("in one request with {} others, all or nothing", count - 1))
            }
        };
        (*at, Err(trouble))
    };
    carried.iter().zip(guilty).map(one).collect()
}

/// Its part of a batch.
fn item(job: &Job<'_>) -> Result<Json, Trouble> {
    let wrong = |message: &str| Trouble::new(Verdict::Failed, message);
    let batch = job.kind.batch.as_ref().ok_or_else(|| wrong("it takes no batches"))?;
    let variables = job.variables(None)?;
    let (template, object) = match job.change.after {
        Some(_) => (&batch.put, job.whole()?),
        None => (&batch.remove, job.names()),
    };
    template
        .fill(&Ingredients::of(&object, &variables))
        .ok_or_else(|| wrong("the definition makes nothing of it"))
}

fn request(job: &Job<'_>, items: Vec<Json>) -> Result<(), Trouble> {
    let Some(batch) = &job.kind.batch else { return Ok(()) };
    let mut body = Json::Null;
    json::set(&mut body, &batch.items, Json::Array(items));
    let variables = job.variables(None)?;
    job.send(&batch.call(), &Content::Json(body), &variables, &Precondition::default()).map(drop)
}

impl Job<'_> {
    /// What the server has, with what is declared over it.
    fn whole(&self) -> Result<Json, Trouble> {
        let mut whole = match &self.now {
            Found::Here(raw) => raw.clone(),
            _ => Json::Object(Map::new()),
        };
        if let (Json::Object(whole), Json::Object(desired)) = (&mut whole, self.desired()?.clone()) {
            whole.extend(desired);
        }
        Projection::of(self.kind).encode(&mut whole);
        Ok(whole)
    }
}
