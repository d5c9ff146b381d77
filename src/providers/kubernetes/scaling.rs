//! Which objects an autoscaler sizes.

use std::collections::BTreeSet;

use super::{
    cluster::Cluster,
    discovery::Known,
    listing::{self, Listed, Wanted},
    managed::same,
    marks::metadata,
    names::{Kind, Name},
};
use crate::{model::value::Value, providers::Query};

/// The objects that autoscalers name: group, kind, namespace and name.
#[derive(Clone, Debug, Default)]
pub(super) struct Scaled(BTreeSet<[String; 4]>);

impl Scaled {
    /// Whether an autoscaler sizes an object.
    pub(super) fn has(&self, name: &Name) -> bool {
        let Name { kind: Kind { group, kind, .. }, namespace: Some(namespace), name } = name else {
            return false;
        };
        !self.0.is_empty() && self.0.contains(&[group, kind, namespace, name].map(Clone::clone))
    }

    /// Takes in an autoscaler.
    fn add(&mut self, kind: &str, namespace: &str, scaler: &Value) {
        let Some(target) = scaler.get("spec").and_then(|spec| spec.get("scaleTargetRef")) else { return };
        let text = |key: &str| target.get(key).and_then(Value::as_str);
        let usual = (kind == "ScaledObject").then_some("Deployment");
        let (Some(target), Some(name)) = (text("kind").or(usual), text("name")) else { return };
        let api_version = text("apiVersion").or(usual.and(Some("apps/v1"))).unwrap_or_default();
        let Kind { group, kind, .. } = Kind::new(api_version, target);
        self.0.insert([group, kind, namespace.to_owned(), name.to_owned()]);
    }
}

/// The autoscalers of the cluster and the versions that are asked for.
const AUTOSCALERS: [&str; 2] = ["autoscaling/v2", "autoscaling/v1"];

fn is_autoscaler(kind: &Kind) -> bool {
    matches!(
        (kind.group.as_str(), kind.kind.as_str()),
        ("autoscaling", "HorizontalPodAutoscaler") | ("keda.sh", "ScaledObject")
    )
}

/// What autoscalers size: those that are declared, and where somebody else set a size, those of the cluster.
pub(super) fn scaled(
    cluster: &Cluster,
    query: &Query<'_>,
    listed: &[(Kind, Result<Listed, super::failure::Failure>)],
) -> (Scaled, Option<String>) {
    let mut scaled = Scaled::default();
    let mut sized = BTreeSet::new();
    for (address, sides) in &query.objects {
        let Some(wanted) = sides.desired.or(sides.base) else { continue };
        let has_size = |side: Option<&Value>| side.is_some_and(|side| replicas(side).is_some());
        let sizes = has_size(sides.desired) || has_size(sides.base);
        let scaler = wanted.get("spec").is_some_and(|spec| spec.get("scaleTargetRef").is_some());
        if !sizes && !scaler {
            continue;
        }
        let Some(name) = Name::parse(address) else { continue };
        if sizes {
            sized.insert(name.clone());
        }
        if scaler && is_autoscaler(&name.kind) {
            let namespace = name.namespace.as_deref().unwrap_or_default();
            scaled.add(&name.kind.kind, namespace, wanted);
        }
    }
    sized.retain(|name| !scaled.has(name));
    let note = match moved(query, &sized, listed) {
        namespaces if namespaces.is_empty() => None,
        namespaces => ask(cluster, namespaces, &mut scaled).err(),
    };
    (scaled, note)
}

fn replicas(object: &Value) -> Option<&Value> {
    object.get("spec")?.get("replicas")
}

/// The namespaces of objects whose size is not the declared one.
fn moved(
    query: &Query<'_>,
    sized: &BTreeSet<Name>,
    listed: &[(Kind, Result<Listed, super::failure::Failure>)],
) -> BTreeSet<String> {
    let mut namespaces = BTreeSet::new();
    for (kind, listed) in listed {
        let Ok(listed) = listed else { continue };
        if !sized.iter().any(|name| name.kind == *kind) {
            continue;
        }
        for live in &listed.items {
            let (Some(namespace), Some(name)) = (metadata(live, "namespace"), metadata(live, "name")) else {
                continue;
            };
            let name =
                Name { kind: kind.clone(), namespace: Some(namespace.to_owned()), name: name.to_owned() };
            let sides = sized.contains(&name).then(|| query.objects.get(&name.address())).flatten();
            let declared = sides.and_then(|sides| sides.desired.or(sides.base)).map(replicas);
            let is_same = |declared: Option<&Value>| match (declared, replicas(live)) {
                (Some(declared), Some(live)) => same(declared, live),
                _ => false,
            };
            if declared.is_some_and(|declared| !is_same(declared)) {
                namespaces.insert(namespace.to_owned());
            }
        }
    }
    namespaces
}

/// Asks the cluster for its autoscalers.
fn ask(cluster: &Cluster, namespaces: BTreeSet<String>, scaled: &mut Scaled) -> Result<(), String> {
    let Ok(about) = cluster.about() else { return Ok(()) };
    let found = AUTOSCALERS.iter().find_map(|version| {
        let kind = Kind::new(version, "HorizontalPodAutoscaler");
        match about.discovery.find(&kind) {
            Known::Yes(resource) => Some((kind, resource.clone())),
            _ => None,
        }
    });
    let Some((kind, resource)) = found else { return Ok(()) };
    let wanted = Wanted { kind, resource, namespaces: namespaces.clone(), set: String::new() };
    let listed = cluster.runtime.block_on(listing::members(cluster.looking.clone(), wanted));
    let unclear =
        |why: &str| format!("whether an autoscaler sets the number of replicas is not known: {why}");
    let listed = listed.map_err(|failure| unclear(&format!("listing autoscalers: {failure}")))?;
    for scaler in &listed.items {
        let namespace = metadata(scaler, "namespace").unwrap_or_default();
        scaled.add("HorizontalPodAutoscaler", namespace, scaler);
    }
    match listed.namespaces {
        Some(some) if some != namespaces => Err(unclear("listing autoscalers is forbidden")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::value;

    #[test]
    fn an_autoscaler_names_what_it_sizes() {
        let mut scaled = Scaled::default();
        let target =
            r#"{"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db"}}}"#;
        scaled.add("HorizontalPodAutoscaler", "shop", &value(target));
        scaled.add("ScaledObject", "shop", &value(r#"{"spec": {"scaleTargetRef": {"name": "web"}}}"#));
        let has = |kind: &str, namespace: &str, name: &str| {
            let kind = Kind::new("apps/v1", kind);
            scaled.has(&Name { kind, namespace: Some(namespace.to_owned()), name: name.to_owned() })
        };
        assert!(has("StatefulSet", "shop", "db") && has("Deployment", "shop", "web"));
        assert!(!has("Deployment", "shop", "db") && !has("Deployment", "other", "web"));
    }
}
