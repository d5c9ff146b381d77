//! What keeps the pods of a workload from running.

use super::ready;
use crate::{
    model::{address::Address, value::Value},
    providers::kubernetes::{
        client::discovery::{Discovery, Known},
        manifest::names::{Kind, Name},
        observe::cluster::Cluster,
    },
};

/// Of how many workloads the pods are asked.
const ASKED: usize = 10;

/// Adds to what workloads lack what their pods say, as far as they may be read.
pub async fn explain(cluster: &Cluster, discovery: &Discovery, lacking: &mut [(Address, String)]) {
    let workloads = lacking.iter_mut().filter_map(|(address, why)| Some((Name::parse(address)?, why)));
    for (name, why) in workloads.filter(|(name, _)| has_pods(&name.kind)).take(ASKED) {
        if let Some(said) = hindrance(cluster, discovery, &name).await {
            why.push_str(&format!("; {said}"));
        }
    }
}

fn has_pods(kind: &Kind) -> bool {
    kind.group == "apps" || (kind.group == "batch" && kind.kind == "Job")
}

/// What the first pod that says something says.
async fn hindrance(cluster: &Cluster, discovery: &Discovery, name: &Name) -> Option<String> {
    let Known::Yes(resource) = discovery.find(&name.kind) else { return None };
    let namespace = cluster.options.default_namespace();
    let workload = cluster.looking.get(&resource.object(name, namespace)).await.ok()?.value;
    let Value::Map(labels) = workload.get("spec")?.get("selector")?.get("matchLabels")? else { return None };
    let pairs: Option<Vec<String>> =
        labels.iter().map(|(key, value)| Some(format!("{key}%3D{}", value.as_str()?))).collect();
    let namespace = name.namespace.as_deref().unwrap_or(namespace);
    let path = format!("/api/v1/namespaces/{namespace}/pods?limit=100&labelSelector={}", pairs?.join(","));
    let pods = cluster.looking.get(&path).await.ok()?.value;
    let Value::List(pods) = pods.get("items")? else { return None };
    pods.iter().find_map(|pod| {
        let name = pod.get("metadata")?.get("name")?.as_str()?;
        Some(format!("pod `{name}`, {}", ready::hindrance(pod)?))
    })
}
