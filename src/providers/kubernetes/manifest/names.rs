//! What objects and kinds are called: kinds, identities and addresses.

use std::{collections::BTreeSet, fmt};

use crate::model::{address::Address, value::Value};

/// Group, version and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// Empty for the core group.
    pub group: String,
    /// For example `v1`.
    pub version: String,
    /// For example `Deployment`.
    pub kind: String,
}

/// An object by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// What it is, in the version that it is talked about.
    pub kind: Kind,
    /// Its namespace, if it has one, or if nobody knows yet: the one it would be in.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// What one object is in every version: group, kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    pub group: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
}

impl Kind {
    /// Takes an `apiVersion` and a `kind` apart.
    pub fn new(api_version: &str, kind: &str) -> Kind {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Kind { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// `apiVersion`
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Whether it is the kind of that name of the core group.
    pub fn is_core(&self, kind: &str) -> bool {
        self.group.is_empty() && self.kind == kind
    }

    /// Whether it is a custom resource definition.
    pub fn is_crd(&self) -> bool {
        self.group == "apiextensions.k8s.io" && self.kind == "CustomResourceDefinition"
    }

    /// Whether its objects are known to be outside of namespaces. `None`: nobody knows without the server.
    pub fn is_cluster_scoped(&self) -> Option<bool> {
        let built_in = !self.group.contains('.') || self.group.ends_with(".k8s.io");
        let found = CLUSTER_SCOPED.iter().any(|(group, kind)| *group == self.group && *kind == self.kind);
        (found || built_in).then_some(found)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api_version(), self.kind)
    }
}

impl Name {
    /// `apps/v1/Deployment/shop/web`
    pub fn address(&self) -> Address {
        Address::new(match &self.namespace {
            Some(namespace) => format!("{}/{namespace}/{}", self.kind, self.name),
            None => format!("{}/{}", self.kind, self.name),
        })
    }

    /// Reads an address. `None` if it is of no object.
    pub fn parse(address: &Address) -> Option<Name> {
        let parts: Vec<&str> = address.as_str().split('/').collect();
        let core = parts.first().is_some_and(|first| is_version(first));
        let (group, rest) = if core { ("", &parts[..]) } else { (*parts.first()?, &parts[1..]) };
        let (version, kind, namespace, name) = match rest {
            [version, kind, name] => (version, kind, None, name),
            [version, kind, namespace, name] => (version, kind, Some((*namespace).to_owned()), name),
            _ => return None,
        };
        let kind = Kind { group: group.to_owned(), version: (*version).to_owned(), kind: (*kind).to_owned() };
        Some(Name { kind, namespace, name: (*name).to_owned() })
    }

    /// Whether both are one object, whatever the versions.
    pub fn is_same_object(&self, other: &Name) -> bool {
        fn of(name: &Name) -> (&str, &str, Option<&str>, &str) {
            (&name.kind.group, &name.kind.kind, name.namespace.as_deref(), &name.name)
        }
        of(self) == of(other)
    }

    /// The same in every version.
    pub fn identity(&self) -> Identity {
        Identity {
            group: self.kind.group.clone(),
            kind: self.kind.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity { group, kind, namespace, name } = self;
        match namespace {
            Some(namespace) => write!(f, "{group}/{kind}/{namespace}/{name}"),
            None => write!(f, "{group}/{kind}/{name}"),
        }
    }
}

/// The kinds that a custom resource definition defines.
pub fn kinds_of(definition: &Value) -> Vec<Kind> {
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

/// Group, kind, namespace and name.
pub fn names(address: &Address) -> Option<[String; 4]> {
    let Name { kind: Kind { group, kind, .. }, namespace, name } = Name::parse(address)?;
    Some([group, kind, namespace.unwrap_or_default(), name])
}

/// The collection of an address, for the guard against emptied collections: its kind in its namespace.
pub fn collection(address: &Address) -> String {
    of_collection(address).to_owned()
}

fn of_collection(address: &Address) -> &str {
    let text = address.as_str();
    text.rsplit_once('/').map_or(text, |(collection, _)| collection)
}

/// The kinds of some addresses, which cost least in order: one of each collection is enough to tell.
pub fn kinds<'a>(addresses: impl Iterator<Item = &'a Address>) -> BTreeSet<Kind> {
    let mut last = None;
    let one_of_each = addresses.filter(|address| {
        let collection = Some(of_collection(address));
        std::mem::replace(&mut last, collection) != collection
    });
    one_of_each.filter_map(Name::parse).map(|name| name.kind).collect()
}

/// `v1`, `v2beta1`: what a group is never called.
fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match rest.find(|character: char| !character.is_ascii_digit()) {
        None => digits(rest),
        Some(at) => {
            let tail = &rest[at..];
            digits(&rest[..at])
                && (tail.strip_prefix("alpha").or(tail.strip_prefix("beta"))).is_some_and(digits)
        }
    }
}

/// Kinds of Kubernetes itself whose objects are outside of namespaces.
const CLUSTER_SCOPED: [(&str, &str); 38] = [
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("", "ComponentStatus"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("authentication.k8s.io", "SelfSubjectReview"),
    ("authentication.k8s.io", "TokenReview"),
    ("authorization.k8s.io", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "SelfSubjectRulesReview"),
    ("authorization.k8s.io", "SubjectAccessReview"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("internal.apiserver.k8s.io", "StorageVersion"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
    ("storagemigration.k8s.io", "StorageVersionMigration"),
    ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_addresses_are_told_from_one_of_each_collection() {
        let addresses = [
            "apps/v1/Deployment/a/web",
            "apps/v1/Deployment/b/web",
            "v1/ConfigMap/a/one",
            "v1/ConfigMap/a/two",
            "v1/Namespace/a",
            "v1/Namespace/b",
            "no name",
            "v1/ConfigMap/a/three",
        ]
        .map(Address::new);
        let kinds: Vec<String> = kinds(addresses.iter()).iter().map(|kind| kind.kind.clone()).collect();
        assert_eq!(kinds, ["ConfigMap", "Namespace", "Deployment"]);
    }

    #[test]
    fn an_address_says_what_it_names() {
        for text in [
            "v1/ConfigMap/shop/web",
            "v1/Namespace/shop",
            "apps/v1/Deployment/shop/web",
            "rbac.authorization.k8s.io/v1/ClusterRole/system:x",
            "autoscaling/v2/HorizontalPodAutoscaler/shop/web",
            "example.org/v1beta1/Widget/a",
        ] {
            assert_eq!(Name::parse(&Address::new(text)).unwrap().address().as_str(), text);
        }
        assert_eq!(Name::parse(&Address::new("v1/Namespace/shop")).unwrap().namespace, None);
        assert!(Name::parse(&Address::new("apps/v1")).is_none());
    }

    #[test]
    fn scope_is_known_for_kinds_of_kubernetes_itself() {
        let scope = |api: &str, kind: &str| Kind::new(api, kind).is_cluster_scoped();
        assert_eq!(scope("v1", "Namespace"), Some(true));
        assert_eq!(scope("apps/v1", "Deployment"), Some(false));
        assert_eq!(scope("cert-manager.io/v1", "ClusterIssuer"), None);
    }
}
