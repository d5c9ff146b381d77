//! What the server is known to make of values of the kinds of Kubernetes itself: amounts in its own words, defaults
//! within what is owned as a whole, and nothing of what says nothing.
//!
//! Each row is a promise of a stable API. What is not in the table costs a dry run and no more.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use super::{names::Kind, quantity};
use crate::{
    model::{
        path::{self, Path},
        value::{Map, Value},
    },
    providers::kubernetes::ownership::{
        fields::Fields,
        managed::{self, Entry},
    },
};

/// What becomes of a declared value.
#[derive(Clone, Copy)]
enum Form {
    /// An amount is written in the shortest way.
    Amount,
    /// A mapping that is owned as a whole gets this field.
    Default(&'static str, &'static str),
    /// The same, with a number.
    DefaultNumber(&'static str, u32),
    /// Zero, false and what is empty are left out.
    Nothing,
    /// An empty mapping changes nothing in what is there.
    Empty,
    /// The subject of a role.
    Subject,
    /// A claim that comes with each pod of a set.
    Claim,
}

/// Where the pods of a kind are described.
const PODS: [(&str, &str, &str); 9] = [
    ("", "Pod", ""),
    ("", "PodTemplate", "/template"),
    ("", "ReplicationController", "/spec/template"),
    ("apps", "Deployment", "/spec/template"),
    ("apps", "StatefulSet", "/spec/template"),
    ("apps", "DaemonSet", "/spec/template"),
    ("apps", "ReplicaSet", "/spec/template"),
    ("batch", "Job", "/spec/template"),
    ("batch", "CronJob", "/spec/jobTemplate/spec/template"),
];

const IN_PODS: [(&str, Form); 31] = [
    ("/metadata/annotations", Form::Nothing),
    ("/spec/*ontainers/*/resources/*/*", Form::Amount),
    ("/spec/*ontainers/*/env/*/value", Form::Nothing),
    ("/spec/*ontainers/*/env/*/valueFrom/fieldRef", Form::Default("apiVersion", "v1")),
    ("/spec/*ontainers/*/env/*/valueFrom/resourceFieldRef/divisor", Form::Amount),
    ("/spec/*ontainers/*/env/*/valueFrom/resourceFieldRef", Form::Default("divisor", "0")),
    ("/spec/*ontainers/*/volumeMounts/*/readOnly", Form::Nothing),
    ("/spec/*ontainers/*/*Probe/initialDelaySeconds", Form::Nothing),
    ("/spec/*ontainers/*/args", Form::Nothing),
    ("/spec/*ontainers/*/command", Form::Nothing),
    ("/spec/*ontainers/*/stdin", Form::Nothing),
    ("/spec/*ontainers/*/stdinOnce", Form::Nothing),
    ("/spec/*ontainers/*/tty", Form::Nothing),
    ("/spec/hostNetwork", Form::Nothing),
    ("/spec/hostPID", Form::Nothing),
    ("/spec/hostIPC", Form::Nothing),
    ("/spec/nodeSelector", Form::Nothing),
    ("/spec/tolerations", Form::Nothing),
    ("/spec/overhead/*", Form::Amount),
    ("/spec/resources/*/*", Form::Amount),
    ("/spec/volumes/*/emptyDir/sizeLimit", Form::Amount),
    ("/spec/volumes/*/emptyDir/medium", Form::Nothing),
    ("/spec/volumes/*/persistentVolumeClaim/readOnly", Form::Nothing),
    ("/spec/volumes/*/ephemeral/volumeClaimTemplate/spec/resources/*/*", Form::Amount),
    ("/spec/volumes/*/downwardAPI/items/*/fieldRef", Form::Default("apiVersion", "v1")),
    ("/spec/volumes/*/downwardAPI/items/*/resourceFieldRef/divisor", Form::Amount),
    ("/spec/volumes/*/downwardAPI/items/*/resourceFieldRef", Form::Default("divisor", "0")),
    ("/spec/volumes/*/projected/sources/*/downwardAPI/items/*/fieldRef", Form::Default("apiVersion", "v1")),
    ("/spec/volumes/*/projected/sources/*/downwardAPI/items/*/resourceFieldRef/divisor", Form::Amount),
    (
        "/spec/volumes/*/projected/sources/*/downwardAPI/items/*/resourceFieldRef",
        Form::Default("divisor", "0"),
    ),
    (
        "/spec/volumes/*/projected/sources/*/serviceAccountToken",
        Form::DefaultNumber("expirationSeconds", 3600),
    ),
];

const RBAC: &str = "rbac.authorization.k8s.io";
const HOOKS: &str = "admissionregistration.k8s.io";

const ELSEWHERE: [(&str, &str, &str, Form); 29] = [
    ("apps", "Deployment", "/spec/minReadySeconds", Form::Nothing),
    ("apps", "Deployment", "/spec/paused", Form::Nothing),
    ("apps", "Deployment", "/spec/strategy", Form::Empty),
    ("apps", "StatefulSet", "/spec/minReadySeconds", Form::Nothing),
    ("apps", "StatefulSet", "/spec/updateStrategy", Form::Empty),
    ("apps", "StatefulSet", "/spec/volumeClaimTemplates/*", Form::Claim),
    ("apps", "DaemonSet", "/spec/minReadySeconds", Form::Nothing),
    ("apps", "DaemonSet", "/spec/updateStrategy", Form::Empty),
    ("", "Service", "/spec/publishNotReadyAddresses", Form::Nothing),
    ("", "PersistentVolumeClaim", "/spec/resources/*/*", Form::Amount),
    ("", "PersistentVolume", "/spec/capacity/*", Form::Amount),
    ("", "ResourceQuota", "/spec/hard/*", Form::Amount),
    ("autoscaling", "HorizontalPodAutoscaler", "/spec/metrics/*/*/target/averageValue", Form::Amount),
    ("autoscaling", "HorizontalPodAutoscaler", "/spec/metrics/*/*/target/value", Form::Amount),
    ("networking.k8s.io", "NetworkPolicy", "/spec/ingress/*/ports/*", Form::Default("protocol", "TCP")),
    ("networking.k8s.io", "NetworkPolicy", "/spec/egress/*/ports/*", Form::Default("protocol", "TCP")),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/preserveUnknownFields", Form::Nothing),
    ("scheduling.k8s.io", "PriorityClass", "/globalDefault", Form::Nothing),
    ("scheduling.k8s.io", "PriorityClass", "/description", Form::Nothing),
    (RBAC, "RoleBinding", "/roleRef", Form::Default("apiGroup", RBAC)),
    (RBAC, "RoleBinding", "/subjects/*", Form::Subject),
    (RBAC, "ClusterRoleBinding", "/roleRef", Form::Default("apiGroup", RBAC)),
    (RBAC, "ClusterRoleBinding", "/subjects/*", Form::Subject),
    (HOOKS, "ValidatingWebhookConfiguration", "/webhooks/*/rules/*", Form::Default("scope", "*")),
    (HOOKS, "MutatingWebhookConfiguration", "/webhooks/*/rules/*", Form::Default("scope", "*")),
    ("batch", "Job", "/spec/template/metadata/labels", Form::Nothing),
    ("batch", "CronJob", "/spec/jobTemplate/metadata/labels", Form::Nothing),
    ("batch", "CronJob", "/spec/jobTemplate/metadata/annotations", Form::Nothing),
    ("batch", "CronJob", "/spec/jobTemplate/spec/template/metadata/labels", Form::Nothing),
];

/// Rows by group and kind.
type Forms = HashMap<(&'static str, &'static str), Vec<(Path, Form)>>;

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let mut forms = Forms::new();
    let path = |text: &str| text.parse().expect("the paths of the table are paths");
    for (group, kind, root) in PODS {
        let rows = IN_PODS.iter().map(|(below, form)| (path(&format!("{root}{below}")), *form));
        forms.entry((group, kind)).or_default().extend(rows);
    }
    for (group, kind, text, form) in ELSEWHERE {
        forms.entry((group, kind)).or_default().push((path(text), form));
    }
    forms
});

/// What was declared in the words of the server, and what the server has with what it leaves out, so that both can be
/// compared. `None` if the table says nothing of it, or somebody else owns such a place: then an apply takes it over.
pub fn settled(config: &Value, live: &Value, kind: &Kind) -> Option<(Value, Value)> {
    let rows = FORMS.get(&(&*kind.group, &*kind.kind))?;
    let ours = managed::applied(live)?;
    let mut sides = Sides {
        keyed: managed::shape(live).keyed(config),
        config: config.clone(),
        live: live.clone(),
        ours: ours.fields(),
    };
    let others = others(live, &ours)?;
    let mut is_other = false;
    for (path, form) in rows {
        for place in path.places(&sides.keyed) {
            if sides.write(*form, &place).is_some() {
                is_other = true;
                if others.touches(&place) {
                    return None;
                }
            }
        }
    }
    is_other.then_some((sides.config, sides.live))
}

/// What everybody else owns. `None` if some of it is said in another version, or if somebody applied after us: then
/// an apply would at least be noted as the later one.
fn others(live: &Value, ours: &Entry<'_>) -> Option<Fields> {
    let (mut fields, mut after) = (Fields::default(), false);
    for entry in managed::entries(live) {
        if entry == *ours {
            after = true;
            continue;
        }
        let is_later = after && entry.operation == "Apply";
        if is_later || entry.api_version != ours.api_version && entry.subresource != "status" {
            return None;
        }
        fields.add(entry.fields());
    }
    Some(fields)
}

/// What is declared and what is there, on the way to the same words.
struct Sides {
    /// As it is declared, with lists by key.
    keyed: Value,
    config: Value,
    live: Value,
    /// What we own there.
    ours: Fields,
}

impl Sides {
    /// Writes one place as the server does; none if that changes nothing.
    fn write(&mut self, form: Form, place: &[Arc<str>]) -> Option<()> {
        let declared = path::get_mut(&mut self.config, place)?;
        match (form, path::get(&self.live, place)) {
            (Form::Nothing, None) if says_nothing(declared) => {
                path::get(&self.live, &place[..place.len() - 1])?;
                path::copy_at(&mut self.live, place, Some(&self.keyed));
            }
            (Form::Empty, Some(there)) if says_nothing(declared) => {
                self.ours.at(place).filter(|below| below.is_empty())?;
                *declared = there.clone();
            }
            (Form::Nothing | Form::Empty, _) => return None,
            (form, _) => *declared = form.written(declared)?,
        }
        Some(())
    }
}

/// Whether a value is zero, false or empty.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

impl Form {
    /// What the server writes for a value; none if that is the value.
    fn written(self, value: &Value) -> Option<Value> {
        let written = match self {
            Form::Amount => Value::string(quantity::canonical(value)?),
            Form::Default(key, default) => with(value, key, Value::string(default))?,
            Form::DefaultNumber(key, default) => with(value, key, Value::Number(default.into()))?,
            Form::Subject => subject(value)?,
            Form::Claim => claim(value)?,
            Form::Nothing | Form::Empty => return None,
        };
        (written != *value).then_some(written)
    }
}

/// A mapping with a field that it may lack.
fn with(value: &Value, key: &str, default: Value) -> Option<Value> {
    let Value::Map(map) = value else { return None };
    let mut map = Map::clone(map);
    if map.get(key).is_none() {
        map.insert(key.into(), default);
    }
    Some(Value::from(map))
}

/// A subject of a role: an account is of no group, everybody else of that of the roles.
fn subject(value: &Value) -> Option<Value> {
    match value.get("kind")?.as_str()? {
        "User" | "Group" => with(value, "apiGroup", Value::string(RBAC)),
        _ => None,
    }
}

fn claim(value: &Value) -> Option<Value> {
    let pending = Value::map([("phase", Value::string("Pending"))]);
    let claim = with(value, "apiVersion", Value::string("v1"))?;
    let claim = with(&claim, "kind", Value::string("PersistentVolumeClaim"))?;
    let mut claim = with(&claim, "status", pending)?;
    let spec = path::get_mut(&mut claim, &path::place("/spec"))?;
    *spec = with(spec, "volumeMode", Value::string("Filesystem"))?;
    static AMOUNTS: LazyLock<Path> = LazyLock::new(|| "/spec/resources/*/*".parse().expect("it is a path"));
    for place in AMOUNTS.places(&claim) {
        let amount = path::get_mut(&mut claim, &place)?;
        if let Some(written) = Form::Amount.written(amount) {
            *amount = written;
        }
    }
    Some(claim)
}
