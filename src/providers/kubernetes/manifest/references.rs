//! Which other objects an object names.

use std::collections::BTreeSet;

use super::names::Kind;
use crate::model::value::Value;

/// An object by group, kind, namespace and name.
pub type Reference = (String, String, Option<String>, String);

/// Keys under which a name of another object stands, with what it is.
const NAMED_BY: [(&str, &str, &str); 9] = [
    ("serviceAccountName", "", "ServiceAccount"),
    ("secretName", "", "Secret"),
    ("claimName", "", "PersistentVolumeClaim"),
    ("priorityClassName", "scheduling.k8s.io", "PriorityClass"),
    ("runtimeClassName", "node.k8s.io", "RuntimeClass"),
    ("storageClassName", "storage.k8s.io", "StorageClass"),
    ("ingressClassName", "networking.k8s.io", "IngressClass"),
    ("volumeName", "", "PersistentVolume"),
    ("serviceName", "", "Service"),
];

/// Keys under which a mapping with the name of another object stands.
const NAMED_IN: [(&str, &str, &str); 7] = [
    ("configMapRef", "", "ConfigMap"),
    ("configMapKeyRef", "", "ConfigMap"),
    ("configMap", "", "ConfigMap"),
    ("secretRef", "", "Secret"),
    ("secretKeyRef", "", "Secret"),
    ("secret", "", "Secret"),
    ("service", "", "Service"),
];

/// The objects that a value names, as far as well-known keys tell. A name that
/// leads nowhere does no harm.
pub fn named(value: &Value, namespace: Option<&str>, found: &mut BTreeSet<Reference>) {
    let add = |group: &str, kind: &str, name: &str, found: &mut BTreeSet<Reference>| {
        found.insert(reference(group, kind, namespace, name));
    };
    match value {
        Value::List(items) => items.iter().for_each(|item| named(item, namespace, found)),
        Value::Map(map) => {
            for (key, below) in map.iter() {
                if let (Some((_, group, kind)), Some(name)) =
                    (NAMED_BY.iter().find(|(named_by, ..)| *named_by == &**key), below.as_str())
                {
                    add(group, kind, name, found);
                }
                let text = |key: &str| below.get(key).and_then(Value::as_str);
                if let (Some((_, group, kind)), Some(name)) =
                    (NAMED_IN.iter().find(|(named_in, ..)| *named_in == &**key), text("name"))
                {
                    // A webhook names the namespace of its service.
                    found.insert(reference(group, kind, text("namespace").or(namespace), name));
                }
                match &**key {
                    "roleRef" | "scaleTargetRef" => found.extend(whole(below, namespace)),
                    "ownerReferences" => {
                        let Value::List(owners) = below else { continue };
                        found.extend(owners.iter().filter_map(|owner| whole(owner, namespace)));
                    }
                    "subjects" => subjects(below, namespace, found),
                    "imagePullSecrets" => {
                        let Value::List(secrets) = below else { continue };
                        for name in secrets.iter().filter_map(|secret| secret.get("name")?.as_str()) {
                            add("", "Secret", name, found);
                        }
                    }
                    _ => {}
                }
                named(below, namespace, found);
            }
        }
        _ => {}
    }
}

fn reference(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Reference {
    let kind = Kind { group: group.to_owned(), version: String::new(), kind: kind.to_owned() };
    let namespace = namespace.filter(|_| kind.is_cluster_scoped() != Some(true));
    (kind.group, kind.kind, namespace.map(str::to_owned), name.to_owned())
}

/// A reference that names its kind.
fn whole(value: &Value, namespace: Option<&str>) -> Option<Reference> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let group = match text("apiGroup") {
        Some(group) => group.to_owned(),
        None => Kind::new(text("apiVersion")?, "").group,
    };
    Some(reference(&group, text("kind")?, namespace, text("name")?))
}

fn subjects(value: &Value, namespace: Option<&str>, found: &mut BTreeSet<Reference>) {
    let Value::List(subjects) = value else { return };
    for subject in subjects {
        let text = |key: &str| subject.get(key).and_then(Value::as_str);
        if let (Some("ServiceAccount"), Some(name)) = (text("kind"), text("name")) {
            let namespace = text("namespace").or(namespace).map(str::to_owned);
            found.insert(("".to_owned(), "ServiceAccount".to_owned(), namespace, name.to_owned()));
        }
    }
}
