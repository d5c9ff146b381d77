//! What the cluster holds of the objects that a plan asks for: one list for each kind.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use anyhow::Result;
use futures_util::{StreamExt as _, stream};

use super::{
    cluster::{Cluster, Seen},
    explain,
    list_filter::{Found, Sieve, What},
    query::{self, Asked, Group, namespace_of},
};
use crate::{
    model::{
        address::Address,
        explain::Basis,
        ignore::Ignored,
        object::{Actual, Cause, Observed, State},
        record::StoredRecord,
        value::Value,
    },
    providers::{
        Query,
        kubernetes::{
            client::{
                discovery::Known,
                failure::Failure,
                listing::{self, Ahead, Listed, Wanted},
            },
            manifest::names::{Kind, Name, kinds},
            ownership::{
                ignore_rules::Ignoring,
                ownership_labels::{deletion, is_deleting, stripped},
                scaling,
            },
        },
    },
};

/// How many requests are under way at once.
pub const PARALLEL: usize = 16;

/// One kind with what its list told.
pub type Sifted = (Arc<Sieve>, Result<Listed<Option<Found>>, Failure>);

/// Answers a plan's query.
pub fn observe(cluster: &mut Cluster, query: &Query<'_>) -> Result<Actual> {
    let discovery = cluster.about()?.discovery.clone();
    cluster.seen.clear();
    cluster.reasons = query.explain.iter().map(|address| (address.clone(), Vec::new())).collect();
    let mut actual = Actual { notes: notes(cluster), ..Actual::default() };
    let groups = query::sort(cluster, query, &discovery, &mut actual);
    let scaled = scaling::declared(cluster.seen.values());
    cluster.ignoring = Ignoring { rules: query.rules.clone(), scaled };
    let listed = list(cluster, query, groups);
    actual.notes.extend(scaling::ask_if_moved(cluster, &listed));
    let mut left: Vec<Address> = Vec::new();
    for (sieve, listed) in listed {
        match listed {
            Ok(listed) => left.extend(take(cluster, &sieve, listed, &mut actual)),
            Err(failure) => {
                for asked in sieve.group.asked.values() {
                    let observed = unknown(&format!("listing {}", sieve.kind), &failure);
                    actual.objects.insert(asked.address.clone(), observed);
                }
            }
        }
    }
    look_up(cluster, left, &mut actual);
    Ok(actual)
}

fn notes(cluster: &Cluster) -> Vec<String> {
    cluster.looking.unheeded().map(str::to_owned).into_iter().collect()
}

/// An answer that is none.
pub fn unknown(doing: &str, failure: &Failure) -> Observed {
    Observed::Unknown { cause: failure.cause(), message: format!("{doing}: {failure}") }
}

/// Lists every kind that is asked for, several at a time, each in a task of its own, so that lists are also read
/// in parallel.
fn list(cluster: &mut Cluster, query: &Query<'_>, groups: BTreeMap<Kind, Group>) -> Vec<Sifted> {
    let ignoring = Arc::new(cluster.ignoring.clone());
    let sieve = |(kind, group): (Kind, Group)| Sieve {
        kind,
        group,
        label: cluster.place.label().to_owned(),
        human_field_managers: cluster.human_field_managers.clone(),
        ignoring: ignoring.clone(),
        explained: query.explain.clone(),
        verify: query.verify,
        keeps_leaving: query.declared.is_some(),
    };
    let sieves: Vec<Arc<Sieve>> = groups.into_iter().map(|group| Arc::new(sieve(group))).collect();
    let mut ahead = std::mem::take(&mut cluster.ahead);
    cluster.runtime.block_on(async {
        stream::iter(sieves)
            .map(|sieve| (ahead.remove(&sieve.kind), sieve))
            .map(|(ahead, sieve)| async {
                let (looking, shared) = (cluster.looking.clone(), sieve.clone());
                let listed = tokio::spawn(async move {
                    listing::each(&looking, &wanted(&shared), ahead, &|item| shared.classify(item)).await
                });
                (sieve, listed.await.unwrap_or_else(|error| Err(Failure::Garbled(error.to_string()))))
            })
            .buffer_unordered(PARALLEL)
            .collect()
            .await
    })
}

/// Asks for the lists of the kinds that the record names.
pub fn prefetch(cluster: &mut Cluster, memory: &StoredRecord) {
    let Some(about) = &cluster.about else { return };
    let _within = cluster.runtime.enter();
    let lists = kinds(memory.owned.keys()).into_iter().filter_map(|kind| match about.discovery.find(&kind) {
        Known::Yes(resource) => {
            let (resource, set) = (resource.clone(), cluster.place.label().to_owned());
            let wanted = Wanted { kind: kind.clone(), resource, namespaces: BTreeSet::new(), set };
            Some((kind, Ahead::of_list(&cluster.looking, &wanted)))
        }
        _ => None,
    });
    cluster.ahead = lists.take(PARALLEL).collect();
}

fn wanted(sieve: &Sieve) -> Wanted {
    let namespaces = sieve.group.asked.keys().filter_map(|key| namespace_of(key));
    Wanted {
        kind: sieve.kind.clone(),
        resource: sieve.group.resource.clone(),
        namespaces: namespaces.map(str::to_owned).collect(),
        set: sieve.label.clone(),
    }
}

/// Takes in what the list of one kind told. Answers which objects were not in it and are not declared either: those
/// are not yet absent, since the label may be gone, or they never had one.
fn take(
    cluster: &mut Cluster,
    sieve: &Sieve,
    listed: Listed<Option<Found>>,
    actual: &mut Actual,
) -> Vec<Address> {
    let mut there = HashSet::new();
    for mut found in listed.items.into_iter().flatten() {
        for (manager, fields) in std::mem::take(&mut found.external) {
            actual.external.fields += fields;
            actual.external.managers.insert(manager);
        }
        let found = again(cluster, sieve, found);
        let (key, state, live) = match found.what {
            What::Stranger(name, live) => {
                stranger(cluster, name, live, actual);
                continue;
            }
            What::Same(key, ignored, live) => {
                let state = same(&sieve.group.asked[&key], ignored);
                (key, state, live)
            }
            What::Candidate(key, live) => {
                let state = candidate(&sieve.group.asked[&key], &live);
                (key, state, Some(live))
            }
        };
        let address = &sieve.group.asked[&key].address;
        if let Some(reasons) = cluster.reasons.get_mut(address) {
            reasons.push(explain::listed(&sieve.kind, listed.namespaces.as_ref()));
            reasons.extend(found.reasons);
        }
        if let (Some(live), Some(seen)) = (live, cluster.seen.get_mut(address)) {
            seen.live = Some(Arc::new(live));
        }
        actual.objects.insert(address.clone(), Observed::Present(Box::new(state)));
        there.insert(key);
    }
    let missing = sieve.group.asked.iter().filter(|(key, _)| !there.contains(*key));
    let absent = missing.map(|(key, asked)| {
        let unseen = namespace_of(key).zip(listed.namespaces.as_ref());
        let observed = match unseen.is_some_and(|(namespace, listed)| !listed.contains(namespace)) {
            false => Observed::Absent,
            true => Observed::Unknown {
                cause: Cause::NoPermission,
                message: format!("listing {}: forbidden in every way", sieve.kind),
            },
        };
        actual.objects.insert(asked.address.clone(), observed);
        asked
    });
    absent.filter(|asked| asked.desired.is_none()).map(|asked| asked.address.clone()).collect()
}

/// Judges a candidate anew that is sized by an autoscaler of which nobody knew when the list was read.
fn again(cluster: &Cluster, sieve: &Sieve, found: Found) -> Found {
    let What::Candidate(key, live) = found.what else { return found };
    let asked = &sieve.group.asked[&key];
    let scaled = &cluster.ignoring.scaled;
    match scaled.has(&asked.name) && !sieve.ignoring.scaled.has(&asked.name) {
        true => sieve.judge(&cluster.ignoring, key, asked, live),
        false => Found { what: What::Candidate(key, live), ..found },
    }
}

/// The state of an object that is as declared.
fn same(asked: &Asked, ignored: Vec<Ignored>) -> State {
    State { ignored: Some(ignored), ..State::new(asked.wanted().cloned().unwrap_or(Value::Null)) }
}

/// The state of an object that may differ.
fn candidate(asked: &Asked, live: &Value) -> State {
    let notes = is_deleting(live).then(|| deletion(live));
    State {
        notes: notes.into_iter().collect(),
        ..State::new(candidate_value(&asked.name, live, asked.wanted()))
    }
}

/// What the server holds, different from what is wanted in any case: a closer look
/// decides whether they are the same.
fn candidate_value(name: &Name, live: &Value, wanted: Option<&Value>) -> Value {
    let mut value = stripped(name, live);
    if wanted == Some(&value)
        && let Value::Map(map) = &mut value
    {
        Arc::make_mut(map).insert("(not looked at closely)".into(), Value::Bool(true));
    }
    value
}

/// Shows a member of the set that nobody asked for, in no version of its kind.
fn stranger(cluster: &mut Cluster, name: Name, live: Value, actual: &mut Actual) {
    if cluster.seen.values().any(|seen| seen.name.is_same_object(&name)) {
        return;
    }
    let address = name.address();
    let state = State {
        notes: vec!["trueup applied it, and its record does not know it any more".to_owned()],
        ..State::new(stripped(&name, &live))
    };
    let path = cluster.about.as_ref().and_then(|about| match about.discovery.find(&name.kind) {
        Known::Yes(resource) => Some(resource.object(&name, cluster.options.default_namespace())),
        _ => None,
    });
    let seen = Seen { name: Arc::new(name), path, live: Some(Arc::new(live)), config: None, base: None };
    cluster.seen.insert(address.clone(), seen);
    actual.objects.entry(address).or_insert(Observed::Present(Box::new(state)));
}

/// Looks one by one for what we own, what is not declared any more, and what no list had.
fn look_up(cluster: &mut Cluster, left: Vec<Address>, actual: &mut Actual) {
    let paths: Vec<(Address, String)> = left
        .into_iter()
        .filter_map(|address| Some((address.clone(), cluster.seen.get(&address)?.path.clone()?)))
        .collect();
    let looking = &cluster.looking;
    let answers: Vec<_> = cluster.runtime.block_on(async {
        stream::iter(paths)
            .map(|(address, path)| async move { (address, looking.get(&path).await) })
            .buffer_unordered(PARALLEL)
            .collect()
            .await
    });
    for (address, answer) in answers {
        if let Some(reasons) = cluster.reasons.get_mut(&address) {
            reasons.push(Basis::Read.says("in no list of what is ours, so it was asked for by itself"));
        }
        let observed = match answer {
            Err(failure) if failure.code() == 404 => Observed::Absent,
            Err(failure) => unknown("reading it", &failure),
            Ok(answer) => {
                let Some(seen) = cluster.seen.get_mut(&address) else { continue };
                let value = candidate_value(&seen.name, &answer.value, seen.config.as_ref());
                seen.live = Some(Arc::new(answer.value));
                Observed::Present(Box::new(State::new(value)))
            }
        };
        actual.objects.insert(address, observed);
    }
}
