//! In which order objects have to be written.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::value::Value,
    providers::kubernetes::manifest::{
        names::{Kind, Name, kinds_of},
        references::{self, Reference},
    },
};

/// Whether an object comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is written.
    Comes,
    /// It is deleted.
    Goes,
}

/// One object on its way.
pub struct Step<'a> {
    /// Which.
    pub name: &'a Name,
    /// Whether it comes or goes.
    pub way: Way,
    /// What it is or was.
    pub value: &'a Value,
}

/// For each step, the steps that have to be done before it.
pub fn before(steps: &[Step<'_>]) -> Vec<BTreeSet<usize>> {
    let graph = Graph::of(steps);
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); steps.len()];
    for (index, step) in steps.iter().enumerate() {
        let needs = graph.needs(step);
        let needs = needs.into_iter().filter(|other| *other != index && steps[*other].way == step.way);
        for other in needs {
            match step.way {
                Way::Comes => before[index].insert(other),
                // What is needed goes after what needs it.
                Way::Goes => before[other].insert(index),
            };
        }
        if step.way == Way::Comes && is_admission(&step.name.kind) {
            before[index]
                .extend(graph.coming.iter().copied().filter(|other| !is_admission(&steps[*other].name.kind)));
        }
        if step.way == Way::Goes {
            before[index].extend(&graph.coming);
        }
    }
    before
}

#[derive(Default)]
struct Graph {
    places: BTreeMap<Reference, Vec<usize>>,
    definitions: BTreeMap<Kind, Vec<usize>>,
    /// What brings the kinds of a group from another server.
    groups: BTreeMap<String, Vec<usize>>,
    coming: Vec<usize>,
}

impl Graph {
    fn of(steps: &[Step<'_>]) -> Graph {
        let mut graph = Graph::default();
        for (index, step) in steps.iter().enumerate() {
            let Name { kind, namespace, name } = step.name;
            let reference = (kind.group.clone(), kind.kind.clone(), namespace.clone(), name.clone());
            graph.places.entry(reference).or_default().push(index);
            if kind.is_crd() {
                for kind in kinds_of(step.value) {
                    graph.definitions.entry(kind).or_default().push(index);
                }
            }
            if (kind.group.as_str(), kind.kind.as_str()) == ("apiregistration.k8s.io", "APIService") {
                let group = step.value.get("spec").and_then(|spec| spec.get("group")?.as_str());
                graph.groups.entry(group.unwrap_or_default().to_owned()).or_default().push(index);
            }
            if step.way == Way::Comes {
                graph.coming.push(index);
            }
        }
        graph
    }

    fn needs(&self, step: &Step<'_>) -> Vec<usize> {
        let mut needs = self.definitions.get(&step.name.kind).cloned().unwrap_or_default();
        needs.extend(self.groups.get(&step.name.kind.group).into_iter().flatten());
        let mut references = BTreeSet::new();
        if let Some(namespace) = &step.name.namespace {
            references.insert(("".to_owned(), "Namespace".to_owned(), None, namespace.clone()));
        }
        references::named(step.value, step.name.namespace.as_deref(), &mut references);
        needs.extend(references.iter().filter_map(|reference| self.places.get(reference)).flatten());
        needs
    }
}

/// Webhooks and policies come last: they may refuse everything else until what they need runs.
pub fn is_admission(kind: &Kind) -> bool {
    kind.group == "admissionregistration.k8s.io"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{manifest, model::address::Address};

    /// The order in which objects come out if those that are free go in name order.
    fn order(way: Way, manifests: &str) -> Vec<String> {
        let (manifests, _) = manifest::manifests(manifests.as_bytes()).unwrap();
        let objects: Vec<(Name, Value)> = manifests
            .iter()
            .map(|manifest| {
                let kind = Kind::new(&manifest.api_version, &manifest.kind);
                let name = Name { kind, namespace: manifest.namespace.clone(), name: manifest.name.clone() };
                (name, manifest.node.value())
            })
            .collect();
        let steps: Vec<Step<'_>> = objects.iter().map(|(name, value)| Step { name, way, value }).collect();
        let before = before(&steps);
        let (mut done, mut out) = (BTreeSet::new(), Vec::new());
        while done.len() < steps.len() {
            let next = (0..steps.len())
                .filter(|index| !done.contains(index) && before[*index].is_subset(&done))
                .min_by_key(|index| steps[*index].name.address())
                .unwrap();
            done.insert(next);
            let address: Address = steps[next].name.address();
            out.push(address.as_str().rsplit('/').next().unwrap().to_owned());
        }
        out
    }

    const SET: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {serviceAccountName: runner, containers: [{name: a, envFrom: [{configMapRef: {name: settings}}]}]}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gate}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: gadget, namespace: shop}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec: {group: example.org, names: {kind: Widget}, versions: [{name: v1}]}
";

    #[test]
    fn what_is_needed_comes_first_and_goes_last() {
        assert_eq!(
            order(Way::Comes, SET),
            ["widgets.example.org", "shop", "gadget", "settings", "runner", "web", "gate"]
        );
        assert_eq!(
            order(Way::Goes, SET),
            ["gate", "web", "gadget", "widgets.example.org", "settings", "runner", "shop"]
        );
    }

    #[test]
    fn owners_services_and_whole_groups_come_before_what_names_them() {
        let set = "
apiVersion: v1
kind: ConfigMap
metadata: {name: a-owned, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: owner}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: owner, namespace: shop}
---
apiVersion: metrics.example.org/v1
kind: Meter
metadata: {name: b-meter, namespace: shop}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.metrics.example.org}
spec: {group: metrics.example.org, version: v1, service: {name: meters, namespace: system}}
---
apiVersion: v1
kind: Service
metadata: {name: meters, namespace: system}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: a-scaler, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: owner}}
";
        let order = order(Way::Comes, set);
        let at = |name: &str| order.iter().position(|found| found == name).unwrap();
        for (first, then) in [
            ("owner", "a-owned"),
            ("owner", "a-scaler"),
            ("meters", "v1.metrics.example.org"),
            ("v1.metrics.example.org", "b-meter"),
        ] {
            assert!(at(first) < at(then), "{order:?}");
        }
    }
}
