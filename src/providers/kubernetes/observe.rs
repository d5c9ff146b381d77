//! What the cluster holds of the objects that a plan asks for: one list for each kind.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Result;
use futures_util::{StreamExt as _, stream};
use globset::GlobSet;

use super::{
    cluster::{Cluster, Seen},
    discovery::{Discovery, Known, Resource},
    explain,
    failure::Failure,
    ignoring::{Declared, Ignoring},
    listing::{self, Listed, Wanted},
    managed,
    marks::{self, doubt, marked, stripped},
    names::{Identity, Kind, Name},
    scaling, strangers,
};
use crate::{
    model::{
        address::Address,
        change::Sides,
        explain::Basis,
        object::{Actual, Cause, Observed, State},
        value::Value,
    },
    providers::Query,
};

/// How many requests are under way at once.
pub(super) const PARALLEL: usize = 16;

/// Where the name of an object of the server leads.
type Index = BTreeMap<(Option<String>, String), Address>;

/// One kind with what is asked of it.
struct Group {
    resource: Resource,
    index: Index,
}

/// Answers a plan's query.
pub(super) fn observe(cluster: &mut Cluster, query: &Query<'_>) -> Result<Actual> {
    let discovery = cluster.about()?.discovery.clone();
    cluster.seen.clear();
    cluster.reasons = query.explain.iter().map(|address| (address.clone(), Vec::new())).collect();
    let mut actual = Actual { notes: notes(cluster), ..Actual::default() };
    let groups = sort(cluster, query, &discovery, &mut actual);
    let listed = list(cluster, &groups);
    let (scaled, unclear) = scaling::scaled(cluster, query, &listed);
    cluster.ignoring = Ignoring { rules: query.rules.clone(), scaled };
    actual.notes.extend(unclear);
    let mut left: Vec<Address> = Vec::new();
    for (kind, listed) in listed {
        let Some(group) = groups.get(&kind) else { continue };
        match listed {
            Ok(listed) => left.extend(take(cluster, query, &kind, group, listed, &mut actual)),
            Err(failure) => {
                for address in group.index.values() {
                    actual.objects.insert(address.clone(), unknown(&format!("listing {kind}"), &failure));
                }
            }
        }
    }
    left.retain(|address| query.objects.get(address).is_some_and(|sides| sides.desired.is_none()));
    look_up(cluster, left, &mut actual);
    Ok(actual)
}

fn notes(cluster: &Cluster) -> Vec<String> {
    cluster.looking.unheeded().map(str::to_owned).into_iter().collect()
}

/// An answer that is none.
pub(super) fn unknown(doing: &str, failure: &Failure) -> Observed {
    Observed::Unknown { cause: failure.cause(), message: format!("{doing}: {failure}") }
}

/// Sorts what is asked for by kind. Answers at once where the kind is not
/// there, and notes the addresses that are other names of declared objects.
fn sort(
    cluster: &mut Cluster,
    query: &Query<'_>,
    discovery: &Discovery,
    actual: &mut Actual,
) -> BTreeMap<Kind, Group> {
    let coming = declared_kinds(query);
    let desired: BTreeMap<Identity, Address> = query
        .objects
        .iter()
        .filter(|(_, sides)| sides.desired.is_some())
        .filter_map(|(address, _)| Some((place(cluster, &Name::parse(address)?), (*address).clone())))
        .collect();
    let mut groups: BTreeMap<Kind, Group> = BTreeMap::new();
    for (address, sides) in &query.objects {
        let Some(name) = Name::parse(address) else {
            let message = "the record holds a name that is none".to_owned();
            actual.objects.insert((*address).clone(), Observed::Unknown { cause: Cause::Other, message });
            continue;
        };
        if sides.desired.is_none()
            && let Some(successor) = desired.get(&place(cluster, &name))
        {
            actual.renamed.insert(successor.clone(), (*address).clone());
            actual.objects.insert((*address).clone(), Observed::Absent);
            continue;
        }
        // Where drift is looked for, what is desired is the base, and is only said later.
        let config = sides.desired.or(sides.base).cloned();
        let mut seen = Seen { name, path: None, live: None, config, base: None };
        match discovery.find(&seen.name.kind) {
            Known::Yes(resource) => {
                seen.path = Some(resource.object(&seen.name, cluster.options.default_namespace()));
                let key = key(&seen.name, resource, cluster.options.default_namespace());
                let group = groups
                    .entry(seen.name.kind.clone())
                    .or_insert_with(|| Group { resource: resource.clone(), index: Index::new() });
                group.index.insert(key, (*address).clone());
            }
            Known::Unclear => {
                let message = format!("the part of the server that has {} does not answer", seen.name.kind);
                let cause = Cause::Unavailable;
                actual.objects.insert((*address).clone(), Observed::Unknown { cause, message });
            }
            Known::No if sides.desired.is_none() || coming.contains(&seen.name.kind) => {
                actual.objects.insert((*address).clone(), Observed::Absent);
            }
            Known::No => {
                let message =
                    format!("the server has no kind {}, and no definition of it is declared", seen.name.kind);
                // One that was applied had its kind once: then it is the cluster that moved.
                let cause = if sides.base.is_some() { Cause::Other } else { Cause::Invalid };
                actual.objects.insert((*address).clone(), Observed::Unknown { cause, message });
            }
        }
        cluster.seen.insert((*address).clone(), seen);
    }
    groups
}

/// What an object is in every version, and whether or not its scope was known when it was named.
fn place(cluster: &Cluster, name: &Name) -> Identity {
    let mut identity = name.identity();
    identity.namespace.get_or_insert_with(|| cluster.options.default_namespace().to_owned());
    identity
}

/// How the server tells an object of a kind from others.
fn key(name: &Name, resource: &Resource, default_namespace: &str) -> (Option<String>, String) {
    let namespace = name.namespace.as_deref().unwrap_or(default_namespace);
    (resource.namespaced.then(|| namespace.to_owned()), name.name.clone())
}

/// The kinds that the declared definitions bring.
fn declared_kinds(query: &Query<'_>) -> BTreeSet<Kind> {
    let definitions = query.objects.iter().filter_map(|(address, sides)| {
        Name::parse(address).filter(|name| name.kind.is_crd()).and(sides.desired)
    });
    definitions.flat_map(kinds_of).collect()
}

/// The kinds that a custom resource definition defines.
pub(super) fn kinds_of(definition: &Value) -> Vec<Kind> {
    let find = || {
        let spec = definition.get("spec")?;
        let group = spec.get("group")?.as_str()?;
        let kind = spec.get("names")?.get("kind")?.as_str()?;
        let Some(Value::List(versions)) = spec.get("versions") else { return None };
        let names = versions.iter().filter_map(|version| version.get("name")?.as_str());
        Some(names.map(|version| Kind::new(&format!("{group}/{version}"), kind)).collect())
    };
    find().unwrap_or_default()
}

/// Lists every kind that is asked for, several at a time.
fn list(cluster: &Cluster, groups: &BTreeMap<Kind, Group>) -> Vec<(Kind, Result<Listed, Failure>)> {
    let wanted: Vec<Wanted> = groups
        .iter()
        .map(|(kind, group)| Wanted {
            kind: kind.clone(),
            resource: group.resource.clone(),
            namespaces: group.index.keys().filter_map(|(namespace, _)| namespace.clone()).collect(),
            set: cluster.place.label().to_owned(),
        })
        .collect();
    let looking = &cluster.looking;
    cluster.runtime.block_on(async {
        stream::iter(wanted)
            .map(|wanted| async {
                let kind = wanted.kind.clone();
                // A task of its own, so that lists are also parsed in parallel.
                let listed = tokio::spawn(listing::members(looking.clone(), wanted)).await;
                (kind, listed.unwrap_or_else(|error| Err(Failure::Garbled(error.to_string()))))
            })
            .buffer_unordered(PARALLEL)
            .collect()
            .await
    })
}

/// Takes in the list of one kind. Answers which of the objects asked for were not in it.
fn take(
    cluster: &mut Cluster,
    query: &Query<'_>,
    kind: &Kind,
    group: &Group,
    listed: Listed,
    actual: &mut Actual,
) -> Vec<Address> {
    let mut index: BTreeMap<&(Option<String>, String), &Address> = group.index.iter().collect();
    for item in listed.items {
        let live = whole(kind, item);
        let found = (marks::metadata(&live, "namespace"), marks::metadata(&live, "name"));
        let (namespace, Some(name)) = found else { continue };
        let key = (namespace.map(str::to_owned), name.to_owned());
        match index.remove(&key) {
            Some(address) => {
                if let Some(reasons) = cluster.reasons.get_mut(address) {
                    reasons.push(explain::listed(kind, listed.namespaces.as_ref()));
                }
                let sides = query.objects.get(address).cloned().unwrap_or_default();
                present(cluster, address, sides, live, actual);
            }
            None => stranger(cluster, kind, key, live, actual),
        }
    }
    let mut left = Vec::new();
    for ((namespace, _), address) in index {
        // Not in the list is not yet absent: the label may be gone, or it never had one.
        let seen_there = match (&listed.namespaces, namespace) {
            (Some(listed), Some(namespace)) => listed.contains(namespace),
            _ => true,
        };
        if seen_there {
            actual.objects.insert(address.clone(), Observed::Absent);
        } else {
            let message = format!("listing {kind}: forbidden in every way");
            let cause = Cause::NoPermission;
            actual.objects.insert(address.clone(), Observed::Unknown { cause, message });
        }
        left.push(address.clone());
    }
    left
}

/// An item of a list with the kind that lists leave out.
pub(super) fn whole(kind: &Kind, item: Value) -> Value {
    let Value::Map(mut map) = item else { return item };
    let whole = Arc::make_mut(&mut map);
    whole.insert("apiVersion".into(), Value::string(kind.api_version()));
    whole.insert("kind".into(), Value::string(kind.kind.as_str()));
    Value::Map(map)
}

/// Answers for an object that is a member of the set.
fn present(cluster: &mut Cluster, address: &Address, sides: Sides<&Value>, live: Value, actual: &mut Actual) {
    let Some(seen) = cluster.seen.get_mut(address) else { return };
    count_external(&live, &cluster.humans, actual);
    let wanted = sides.desired.or(sides.base);
    if let Some(wanted) = wanted {
        let rules = cluster.ignoring.about(&seen.name, Some(wanted));
        let declared = Declared { rules: &rules, was: sides.desired.and(sides.base), is: Some(wanted) };
        let sent = declared.effective(&live);
        let config = marked(sent.as_ref().unwrap_or(wanted), cluster.place.label(), &seen.name.identity());
        let verdict = managed::unchanged(&config, &live, &seen.name.kind.api_version());
        if let Some(reasons) = cluster.reasons.get_mut(address) {
            reasons.extend(explain::verdict(&live, &verdict));
        }
        if verdict.is_ok() && !is_deleting(&live) {
            let by_hand = strangers::by_hand(&live, &cluster.humans);
            let ignored = declared.effects(&live, &by_hand);
            if !strangers::has_more(&by_hand, &ignored) {
                if sides.desired.is_none() {
                    seen.live = Some(Arc::new(live));
                }
                let state = State { ignored: Some(ignored), ..State::new(wanted.clone()) };
                actual.objects.insert(address.clone(), Observed::Present(Box::new(state)));
                return;
            }
        }
    }
    let state = State {
        notes: if is_deleting(&live) { vec!["it is being deleted".to_owned()] } else { Vec::new() },
        ..State::new(candidate_value(&seen.name, &live, wanted))
    };
    seen.live = Some(Arc::new(live));
    actual.objects.insert(address.clone(), Observed::Present(Box::new(state)));
}

/// Whether somebody asked for its deletion.
pub(super) fn is_deleting(live: &Value) -> bool {
    marks::metadata(live, "deletionTimestamp").is_some()
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

/// A member of the set that nobody asked for: shown if it is ours, not if a controller made a copy of one that is.
fn stranger(
    cluster: &mut Cluster,
    kind: &Kind,
    (namespace, name): (Option<String>, String),
    live: Value,
    actual: &mut Actual,
) {
    let name = Name { kind: kind.clone(), namespace, name };
    if doubt(&name, &live, cluster.place.label()).is_some() {
        return;
    }
    let address = name.address();
    let state = State {
        notes: vec!["trueup applied it, and its record does not know it any more".to_owned()],
        ..State::new(stripped(&name, &live))
    };
    let path = cluster.about.as_ref().and_then(|about| match about.discovery.find(kind) {
        Known::Yes(resource) => Some(resource.object(&name, cluster.options.default_namespace())),
        _ => None,
    });
    cluster
        .seen
        .insert(address.clone(), Seen { name, path, live: Some(Arc::new(live)), config: None, base: None });
    actual.objects.entry(address).or_insert(Observed::Present(Box::new(state)));
}

/// Counts the fields that programs own and nobody declares.
fn count_external(live: &Value, humans: &GlobSet, actual: &mut Actual) {
    for (manager, fields) in strangers::external(live, humans) {
        actual.external.fields += fields;
        if !actual.external.managers.contains(manager) {
            actual.external.managers.insert(manager.to_owned());
        }
    }
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
