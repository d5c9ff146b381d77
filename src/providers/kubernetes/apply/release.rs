//! Objects that are let go: our marks and our ownership of fields go, and nothing else.

use futures_util::{StreamExt as _, stream};

use super::{
    run::{PARALLEL, outcome, path},
    write::{TRIES, WriteResult},
};
use crate::{
    model::{
        change::Change,
        path::escape,
        report::Outcome,
        value::{Map, Value},
    },
    providers::kubernetes::{
        client::{json_patch, transport::WriteClient},
        observe::cluster::Cluster,
        ownership::{
            managed,
            ownership_labels::{IDENTITY, PART_OF},
        },
    },
};

/// Lets objects go; one outcome for each, in the same order. What another target declares now keeps its marks until
/// that is applied.
pub fn release(
    cluster: &Cluster,
    writing: &WriteClient,
    changes: &[&Change],
    lost: &dyn Fn() -> Option<String>,
) -> Vec<Outcome> {
    let one = |change: &'_ Change| {
        let place = cluster
            .seen
            .get(&change.address)
            .and_then(|seen| Some((path(cluster, seen)?, seen.live.clone()?)));
        let why = lost();
        let moved = change.moved.is_some();
        async move {
            match (place, why) {
                _ if moved => WriteResult::done(),
                (_, Some(why)) => WriteResult::left(Some(why)),
                (None, _) => WriteResult::nothing_seen(),
                (Some((path, live)), _) => unmark(writing, &path, (*live).clone()).await,
            }
        }
    };
    let results: Vec<WriteResult> = cluster.runtime.block_on(async {
        stream::iter(changes.iter().map(|change| one(change))).buffered(PARALLEL).collect().await
    });
    changes.iter().zip(results).map(|(change, result)| outcome(change, result)).collect()
}

async fn unmark(writing: &WriteClient, path: &str, mut live: Value) -> WriteResult {
    for _ in 0..TRIES {
        let Some(operations) = unmarking(&live) else { return WriteResult::done() };
        match writing.patch(path, &json_patch::guarded(&live, operations)).await {
            Ok(_) => return WriteResult::done(),
            Err(failure) if failure.code() == 404 => return WriteResult::done(),
            // A failed test is 422.
            Err(failure) if matches!(failure.code(), 409 | 422) => {}
            Err(failure) => return WriteResult::failed(&failure, "letting it go"),
        }
        match writing.looking().get(path).await {
            Ok(answer) => live = answer.value,
            Err(failure) if failure.code() == 404 => return WriteResult::done(),
            Err(failure) => return WriteResult::failed(&failure, "reading it again").unwritten(),
        }
    }
    WriteResult::stale("it changes all the time")
}

/// What takes our marks from an object; none if it has none.
fn unmarking(live: &Value) -> Option<Vec<Value>> {
    let metadata = live.get("metadata")?;
    let marks = [("labels", PART_OF), ("annotations", IDENTITY)];
    let there =
        marks.iter().filter(|(field, key)| metadata.get(field).is_some_and(|map| map.get(key).is_some()));
    let mut operations: Vec<Value> =
        there.map(|(field, key)| json_patch::remove(&format!("/metadata/{field}/{}", escape(key)))).collect();
    let entries = managed::raw(live).iter().zip(managed::entries(live));
    let (ours, others): (Vec<_>, Vec<_>) = entries.partition(|(_, entry)| entry.is_by_us());
    if !ours.is_empty() {
        let mut left: Vec<Value> = others.into_iter().map(|(raw, _)| raw.clone()).collect();
        if left.is_empty() {
            // An empty list says nothing; a list of one empty entry resets it (Kubernetes, Server-Side Apply).
            left.push(Value::from(Map::new()));
        }
        operations.push(json_patch::set("/metadata/managedFields", Value::List(left)));
    }
    (!operations.is_empty()).then_some(operations)
}
