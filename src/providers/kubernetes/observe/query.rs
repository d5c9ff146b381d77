//! What a plan asks about, sorted by kind.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::cluster::{Cluster, Seen};
use crate::{
    model::{
        address::Address,
        change::ThreeWay,
        object::{Actual, Cause, Observed},
        value::Value,
    },
    providers::{
        Query,
        kubernetes::{
            client::discovery::{Discovery, Known, Resource},
            manifest::names::{Identity, Kind, Name, kinds_of},
        },
    },
};

/// One kind with what is asked of it.
pub struct Group {
    pub resource: Resource,
    /// By what [`key`] makes of the names that the server has.
    pub asked: HashMap<String, Asked>,
}

/// One object that is asked for.
pub struct Asked {
    pub address: Address,
    pub name: Arc<Name>,
    pub desired: Option<Value>,
    pub base: Option<Value>,
}

impl Asked {
    /// What the object should hold, or was made to hold last.
    pub fn wanted(&self) -> Option<&Value> {
        self.desired.as_ref().or(self.base.as_ref())
    }
}

/// What is asked about, with its name if it has one, and what Git says of it.
type Named<'a> = (&'a Address, Option<Arc<Name>>, &'a ThreeWay<&'a Value>);

/// How the server tells an object of a kind from others.
pub fn key(namespace: Option<&str>, name: &str) -> String {
    format!("{}/{name}", namespace.unwrap_or_default())
}

/// The namespace of a key.
pub fn namespace_of(key: &str) -> Option<&str> {
    key.split('/').next().filter(|namespace| !namespace.is_empty())
}

/// Sorts what is asked for by kind. Answers at once where the kind is not
/// there, and notes the addresses that are other names of declared objects.
pub fn sort(
    cluster: &mut Cluster,
    query: &Query<'_>,
    discovery: &Discovery,
    actual: &mut Actual,
) -> BTreeMap<Kind, Group> {
    let objects: Vec<Named<'_>> = query
        .objects
        .iter()
        .map(|(address, sides)| (*address, Name::parse(address).map(Arc::new), sides))
        .collect();
    let coming = declared_kinds(&objects);
    let successors = successors(cluster, &objects);
    let mut groups: BTreeMap<Kind, Group> = BTreeMap::new();
    for (address, name, sides) in objects {
        let Some(name) = name else {
            let message = "the record holds a name that is none".to_owned();
            actual.objects.insert(address.clone(), Observed::Unknown { cause: Cause::Other, message });
            continue;
        };
        if sides.desired.is_none()
            && !successors.is_empty()
            && let Some(successor) = successors.get(&place(cluster, &name))
        {
            actual.renamed.insert(successor.clone(), address.clone());
            actual.objects.insert(address.clone(), Observed::Absent);
            continue;
        }
        // Where drift is looked for, what is desired is the base, and is only said later.
        let config = sides.desired.or(sides.base).cloned();
        let mut seen = Seen { name: name.clone(), path: None, live: None, config, base: None };
        match discovery.find(&name.kind) {
            Known::Yes(resource) => {
                let default = cluster.options.default_namespace();
                seen.path = Some(resource.object(&name, default));
                let namespace = name.namespace.as_deref().unwrap_or(default);
                let key = key(resource.namespaced.then_some(namespace), &name.name);
                let ThreeWay { desired, base, .. } = *sides;
                let (desired, base) = (desired.cloned(), base.cloned());
                let asked = Asked { address: address.clone(), name, desired, base };
                group(&mut groups, &asked.name.kind, resource).asked.insert(key, asked);
            }
            Known::Unclear => {
                let message = format!("the part of the server that has {} does not answer", name.kind);
                let cause = Cause::Unavailable;
                actual.objects.insert(address.clone(), Observed::Unknown { cause, message });
            }
            Known::No if sides.desired.is_none() || coming.contains(&name.kind) => {
                actual.objects.insert(address.clone(), Observed::Absent);
            }
            Known::No => {
                let message =
                    format!("the server has no kind {}, and no definition of it is declared", name.kind);
                // One that was applied had its kind once: then it is the cluster that moved.
                let cause = if sides.base.is_some() { Cause::Other } else { Cause::Invalid };
                actual.objects.insert(address.clone(), Observed::Unknown { cause, message });
            }
        }
        cluster.seen.insert(address.clone(), seen);
    }
    groups
}

fn group<'a>(groups: &'a mut BTreeMap<Kind, Group>, kind: &Kind, resource: &Resource) -> &'a mut Group {
    if !groups.contains_key(kind) {
        groups.insert(kind.clone(), Group { resource: resource.clone(), asked: HashMap::new() });
    }
    groups.get_mut(kind).expect("it was put there")
}

/// What is declared, by identity, if anything is asked for that is not.
fn successors(cluster: &Cluster, objects: &[Named<'_>]) -> HashMap<Identity, Address> {
    if objects.iter().all(|(_, _, sides)| sides.desired.is_some()) {
        return HashMap::new();
    }
    let declared = objects.iter().filter(|(_, _, sides)| sides.desired.is_some());
    declared
        .filter_map(|(address, name, _)| Some((place(cluster, name.as_ref()?), (*address).clone())))
        .collect()
}

/// What an object is in every version, and whether or not its scope was known when it was named.
fn place(cluster: &Cluster, name: &Name) -> Identity {
    let mut identity = name.identity();
    identity.namespace.get_or_insert_with(|| cluster.options.default_namespace().to_owned());
    identity
}

/// The kinds that the declared definitions bring.
fn declared_kinds(objects: &[Named<'_>]) -> BTreeSet<Kind> {
    let definitions = objects
        .iter()
        .filter_map(|(_, name, sides)| name.as_ref().filter(|name| name.kind.is_crd()).and(sides.desired));
    definitions.flat_map(kinds_of).collect()
}
