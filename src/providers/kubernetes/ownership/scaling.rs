//! Which objects an autoscaler sizes.

use std::collections::BTreeSet;

use super::{managed::same, ownership_labels::metadata};
use crate::{
    model::value::Value,
    providers::kubernetes::{
        client::{
            discovery::Known,
            listing::{self, Wanted},
        },
        manifest::names::{Kind, Name},
        observe::{
            cluster::{Cluster, Seen},
            list_filter::What,
            lists::Sifted,
            query::Asked,
        },
    },
};

/// The objects that autoscalers name: group, kind, namespace and name.
#[derive(Clone, Debug, Default)]
pub struct Scaled(BTreeSet<[String; 4]>);

impl Scaled {
    /// Whether an autoscaler sizes an object.
    pub fn has(&self, name: &Name) -> bool {
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

/// What the declared autoscalers size.
pub fn declared<'a>(seen: impl Iterator<Item = &'a Seen>) -> Scaled {
    let mut scaled = Scaled::default();
    for Seen { name, config, .. } in seen.filter(|seen| is_autoscaler(&seen.name.kind)) {
        let Some(config) = config else { continue };
        scaled.add(&name.kind.kind, name.namespace.as_deref().unwrap_or_default(), config);
    }
    scaled
}

/// Where somebody else set the size of an object that was listed, adds what the autoscalers of the cluster size.
/// What cannot be told is a remark.
pub fn ask_if_moved(cluster: &mut Cluster, listed: &[Sifted]) -> Option<String> {
    let namespaces = moved(&cluster.ignoring.scaled, listed);
    let mut scaled = std::mem::take(&mut cluster.ignoring.scaled);
    let asked = if namespaces.is_empty() { Ok(()) } else { ask(cluster, namespaces, &mut scaled) };
    cluster.ignoring.scaled = scaled;
    asked.err()
}

fn replicas(object: &Value) -> Option<&Value> {
    object.get("spec")?.get("replicas")
}

/// The namespaces of objects whose size is not the declared one.
fn moved(scaled: &Scaled, listed: &[Sifted]) -> BTreeSet<String> {
    let mut namespaces = BTreeSet::new();
    for (sieve, listed) in listed {
        let found = listed.iter().flat_map(|listed| listed.items.iter().flatten());
        for found in found {
            let What::Candidate(key, live) = &found.what else { continue };
            let asked = &sieve.group.asked[key];
            if has_moved(asked, live) && !scaled.has(&asked.name) {
                namespaces.extend(asked.name.namespace.clone());
            }
        }
    }
    namespaces
}

fn has_moved(asked: &Asked, live: &Value) -> bool {
    let sides = || [&asked.desired, &asked.base].into_iter().flatten();
    let is_sized = sides().any(|side| replicas(side).is_some());
    let sizes = asked.wanted().and_then(replicas).zip(replicas(live));
    is_sized && !sizes.is_some_and(|(wanted, live)| same(wanted, live))
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
    let listed = cluster.runtime.block_on(listing::members(&cluster.looking, &wanted));
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
