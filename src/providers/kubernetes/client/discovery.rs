//! Which kinds the server knows, in two requests.

use std::collections::{BTreeMap, BTreeSet};

use super::{failure::Failure, transport::ReadClient};
use crate::{
    model::value::Value,
    providers::kubernetes::manifest::names::{Kind, Name},
};

/// One kind that the server knows.
#[derive(Clone, Debug)]
pub struct Resource {
    /// For example `deployments`.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether somebody reports the status of its objects.
    pub has_status: bool,
    /// Whether its objects can be listed, in the version that the server prefers.
    is_listed: bool,
}

/// Every kind that the server knows.
#[derive(Debug, Default)]
pub struct Discovery {
    kinds: BTreeMap<Kind, Resource>,
    /// Groups with versions that could not be asked right now.
    stale: BTreeSet<(String, String)>,
}

/// What is known of a kind.
pub enum Known<'a> {
    /// It is there.
    Yes(&'a Resource),
    /// The server has no such kind.
    No,
    /// The part of the server that has it does not answer.
    Unclear,
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Asks the server.
pub async fn discover(looking: &ReadClient) -> Result<Discovery, Failure> {
    let (core, groups) =
        tokio::try_join!(looking.get_as("/api", AGGREGATED), looking.get_as("/apis", AGGREGATED))?;
    let mut discovery = Discovery::default();
    for answer in [core, groups] {
        if answer.value.get("kind").and_then(Value::as_str) != Some("APIGroupDiscoveryList") {
            let message = "the server does not speak aggregated discovery (Kubernetes 1.30 and later do)";
            return Err(Failure::Garbled(message.to_owned()));
        }
        for group in list(&answer.value, "items") {
            discovery.take_group(group);
        }
    }
    Ok(discovery)
}

impl Discovery {
    /// What is known of `kind`.
    pub fn find(&self, kind: &Kind) -> Known<'_> {
        match self.kinds.get(kind) {
            Some(resource) => Known::Yes(resource),
            None if self.stale.contains(&(kind.group.clone(), kind.version.clone())) => Known::Unclear,
            None => Known::No,
        }
    }

    /// Every kind whose objects are in namespaces and can be listed, once.
    pub fn in_namespaces(&self) -> impl Iterator<Item = (Kind, Resource)> {
        let kinds = self.kinds.iter().filter(|(_, resource)| resource.namespaced && resource.is_listed);
        kinds.map(|(kind, resource)| (kind.clone(), resource.clone()))
    }

    fn take_group(&mut self, group: &Value) {
        let name = group.get("metadata").map(|metadata| text(metadata, "name")).unwrap_or_default();
        for (position, version) in list(group, "versions").iter().enumerate() {
            let first = position == 0;
            let number = text(version, "version");
            if text(version, "freshness") == "Stale" {
                self.stale.insert((name.clone(), number.clone()));
            }
            for resource in list(version, "resources") {
                let Some(response) = resource.get("responseKind") else { continue };
                let kind =
                    Kind { group: name.clone(), version: number.clone(), kind: text(response, "kind") };
                let subresources = list(resource, "subresources");
                let resource = Resource {
                    plural: text(resource, "resource"),
                    namespaced: text(resource, "scope") == "Namespaced",
                    is_listed: first && list(resource, "verbs").contains(&Value::string("list")),
                    has_status: subresources.iter().any(|part| text(part, "subresource") == "status"),
                };
                self.kinds.insert(kind, resource);
            }
        }
    }
}

impl Resource {
    /// The path of all objects of the kind, of one namespace or of all.
    pub fn collection(&self, kind: &Kind, namespace: Option<&str>) -> String {
        let root = match kind.group.as_str() {
            "" => format!("/api/{}", kind.version),
            group => format!("/apis/{group}/{}", kind.version),
        };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// The path of one object.
    pub fn object(&self, name: &Name, default_namespace: &str) -> String {
        let namespace = name.namespace.as_deref().unwrap_or(default_namespace);
        format!("{}/{}", self.collection(&name.kind, Some(namespace)), name.name)
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.get(key) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
