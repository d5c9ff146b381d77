//! Whether objects are ready, by the rules that kubectl and kstatus use.

use crate::model::value::Value;

/// What an object says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Ready,
    /// Not yet, and why.
    Waiting(String),
    /// Never, and why.
    Failed(String),
}

/// What counts besides the object itself.
#[derive(Clone, Copy, Default)]
pub struct Around<'a> {
    /// The list of storage classes; none if it may not be read.
    pub classes: Option<&'a Value>,
    /// Whether a controller had the time to report a first status.
    pub settled: bool,
}

/// Whether an object is ready. Its kind has a status.
pub fn state(object: &Value, around: Around<'_>) -> State {
    if crate::providers::kubernetes::ownership::ownership_labels::is_deleting(object) {
        return State::Waiting("it is being deleted".to_owned());
    }
    let kind = text(object, &["kind"]);
    let api = text(object, &["apiVersion"]);
    if let Some(why) = unobserved(object, api == "apps/v1") {
        return State::Waiting(why.to_owned());
    }
    match (api, kind) {
        ("apps/v1", "Deployment") => deployment(object),
        ("apps/v1", "StatefulSet") => stateful_set(object),
        ("apps/v1", "DaemonSet") => daemon_set(object),
        ("apps/v1", "ReplicaSet") | ("v1", "ReplicationController") => {
            all(object, wanted(object), &[("readyReplicas", "ready")])
        }
        ("batch/v1", "Job") => job(object),
        ("v1", "Pod") => pod(object),
        ("v1", "PersistentVolumeClaim") => claim(object, around.classes),
        ("v1", "Service") => service(object),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => definition(object),
        ("apiregistration.k8s.io/v1", "APIService") => by_condition(object, "Available"),
        _ if object.get("status").is_none() && !around.settled => {
            State::Waiting("its controller has reported no status yet".to_owned())
        }
        _ => generic(object),
    }
}

/// Why what the object reports is about an older declaration.
fn unobserved(object: &Value, always_reports: bool) -> Option<&'static str> {
    let generation = number(object, &["metadata", "generation"])?;
    let observed = number(object, &["status", "observedGeneration"]).or(always_reports.then_some(0))?;
    (observed < generation).then_some("its controller has not looked at it yet")
}

fn deployment(object: &Value) -> State {
    if let Some(("False", why)) = condition(object, "Progressing")
        && why.starts_with("ProgressDeadlineExceeded")
    {
        return State::Failed(why);
    }
    if object.get("spec").and_then(|spec| spec.get("paused")) == Some(&Value::Bool(true)) {
        return State::Ready;
    }
    let state = all(object, wanted(object), &[("updatedReplicas", "updated")]);
    if state != State::Ready {
        return because(state, object);
    }
    match status(object, "replicas") - status(object, "updatedReplicas") {
        old if old > 0 => State::Waiting(format!("{old} old replicas are still there")),
        _ => because(all(object, wanted(object), &[("availableReplicas", "available")]), object),
    }
}

/// A state with the reason that a Deployment gives why no pods come.
fn because(state: State, object: &Value) -> State {
    match (state, condition(object, "ReplicaFailure")) {
        (State::Waiting(what), Some(("True", why))) => State::Waiting(format!("{what}: {why}")),
        (state, _) => state,
    }
}

fn stateful_set(object: &Value) -> State {
    if strategy(object) == "OnDelete" {
        return State::Ready;
    }
    let wanted = wanted(object);
    let state = all(object, wanted, &[("readyReplicas", "ready")]);
    if state != State::Ready {
        return state;
    }
    if status(object, "replicas") > wanted {
        return State::Waiting(format!(
            "{} replicas more than wanted are there",
            status(object, "replicas") - wanted
        ));
    }
    let partition = number(object, &["spec", "updateStrategy", "rollingUpdate", "partition"]).unwrap_or(0);
    match (partition, status(object, "updatedReplicas")) {
        (1.., updated) if updated < wanted - partition => State::Waiting(format!(
            "{updated} of {} replicas above the partition are updated",
            wanted - partition
        )),
        (..=0, updated)
            if text(object, &["status", "currentRevision"])
                != text(object, &["status", "updateRevision"]) =>
        {
            State::Waiting(format!("{updated} of {wanted} replicas are updated"))
        }
        _ => State::Ready,
    }
}

fn daemon_set(object: &Value) -> State {
    let wanted = status(object, "desiredNumberScheduled");
    let updated = ("updatedNumberScheduled", "updated");
    let rest = [("numberAvailable", "available"), ("numberReady", "ready")];
    if strategy(object) != "OnDelete" {
        let state = all(object, wanted, &[updated]);
        if state != State::Ready {
            return state;
        }
    }
    all(object, wanted, &rest)
}

fn strategy(object: &Value) -> &str {
    text(object, &["spec", "updateStrategy", "type"])
}

fn wanted(object: &Value) -> i64 {
    number(object, &["spec", "replicas"]).unwrap_or(1)
}

/// Ready once each of the counts is what is wanted.
fn all(object: &Value, wanted: i64, counts: &[(&str, &str)]) -> State {
    let lacking = counts.iter().find(|(field, _)| status(object, field) < wanted);
    lacking.map_or(State::Ready, |(field, word)| {
        State::Waiting(format!("{} of {wanted} replicas are {word}", status(object, field)))
    })
}

fn job(object: &Value) -> State {
    let is = |wanted| condition(object, wanted).filter(|(status, _)| *status == "True");
    if let Some((_, why)) = is("Failed") {
        return State::Failed(why);
    }
    if is("Complete").or(is("Suspended")).is_some() {
        return State::Ready;
    }
    let wanted = number(object, &["spec", "completions"]).unwrap_or(1);
    State::Waiting(format!("{} of {wanted} pods succeeded", status(object, "succeeded")))
}

fn pod(object: &Value) -> State {
    match text(object, &["status", "phase"]) {
        "Succeeded" => return State::Ready,
        "Failed" => {
            let why = [text(object, &["status", "reason"]), text(object, &["status", "message"])];
            return State::Failed(format!("it failed {}", why.join(" ")).trim().to_owned());
        }
        _ => {}
    }
    match (by_condition(object, "Ready"), hindrance(object)) {
        (State::Waiting(_), Some(why)) => State::Waiting(why),
        (state, _) => state,
    }
}

/// What keeps a pod from running, in its own words.
pub fn hindrance(pod: &Value) -> Option<String> {
    let containers = ["initContainerStatuses", "containerStatuses"].into_iter();
    let waiting = containers.flat_map(|list| items(pod, &["status", list])).find_map(|container| {
        let reason = text(container, &["state", "waiting", "reason"]);
        let routine = ["", "ContainerCreating", "PodInitializing"].contains(&reason);
        let message = text(container, &["state", "waiting", "message"]);
        let name = text(container, &["name"]);
        (!routine).then(|| format!("container `{name}`: {reason} {message}").trim().to_owned())
    });
    waiting.or_else(|| match condition(pod, "PodScheduled")? {
        ("False", why) => Some(why),
        _ => None,
    })
}

fn claim(object: &Value, classes: Option<&Value>) -> State {
    match text(object, &["status", "phase"]) {
        "Bound" => State::Ready,
        "Lost" => State::Failed("its volume is lost".to_owned()),
        // It waits for its first consumer, which may be written after everything is ready.
        _ if binds_late(object, classes) => State::Ready,
        _ => State::Waiting("no volume is bound to it".to_owned()),
    }
}

/// Whether a claim is bound only once somebody uses it; yes where nobody can tell.
fn binds_late(claim: &Value, classes: Option<&Value>) -> bool {
    let Some(classes) = classes else { return true };
    let name = claim.get("spec").and_then(|spec| spec.get("storageClassName")?.as_str());
    let is_default = |class: &Value| {
        let annotations = class.get("metadata").and_then(|metadata| metadata.get("annotations"));
        let mark =
            annotations.and_then(|all| all.get("storageclass.kubernetes.io/is-default-class")?.as_str());
        mark == Some("true")
    };
    let named = |class: &&Value| match name {
        Some(name) => text(class, &["metadata", "name"]) == name,
        None => is_default(class),
    };
    let class = items(classes, &["items"]).iter().find(named);
    class.is_some_and(|class| text(class, &["volumeBindingMode"]) == "WaitForFirstConsumer")
}

fn service(object: &Value) -> State {
    let balanced = text(object, &["spec", "type"]) == "LoadBalancer";
    match balanced && items(object, &["status", "loadBalancer", "ingress"]).is_empty() {
        true => State::Waiting("it has no load balancer yet".to_owned()),
        false => State::Ready,
    }
}

fn definition(object: &Value) -> State {
    match condition(object, "NamesAccepted") {
        Some(("False", why)) => State::Failed(why),
        _ => by_condition(object, "Established"),
    }
}

fn by_condition(object: &Value, wanted: &str) -> State {
    match condition(object, wanted) {
        Some(("True", _)) => State::Ready,
        Some((_, why)) => {
            State::Waiting(format!("it is not {wanted}: {why}").trim_end_matches([' ', ':']).to_owned())
        }
        None => State::Waiting(format!("it is not yet {wanted}")),
    }
}

fn generic(object: &Value) -> State {
    match (condition(object, "Stalled"), condition(object, "Reconciling"), condition(object, "Ready")) {
        (Some(("True", why)), ..) => State::Failed(why),
        (_, Some(("True", why)), _) => State::Waiting(why),
        (.., None) => State::Ready,
        (.., Some(_)) if outdated(object, "Ready") => {
            State::Waiting("its controller has not looked at it yet".to_owned())
        }
        _ => by_condition(object, "Ready"),
    }
}

/// Whether a condition is about an older declaration.
fn outdated(object: &Value, wanted: &str) -> bool {
    let generation = number(object, &["metadata", "generation"]);
    let observed = found(object, wanted).and_then(|condition| number(condition, &["observedGeneration"]));
    observed.zip(generation).is_some_and(|(observed, generation)| observed < generation)
}

/// A condition's status, and its reason with the message.
pub fn condition<'a>(object: &'a Value, wanted: &str) -> Option<(&'a str, String)> {
    let found = found(object, wanted)?;
    let why = format!("{} {}", text(found, &["reason"]), text(found, &["message"]));
    Some((text(found, &["status"]), why.trim().to_owned()))
}

fn found<'a>(object: &'a Value, wanted: &str) -> Option<&'a Value> {
    items(object, &["status", "conditions"]).iter().find(|condition| text(condition, &["type"]) == wanted)
}

fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    match at(object, path) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn number(object: &Value, path: &[&str]) -> Option<i64> {
    match at(object, path)? {
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

fn status(object: &Value, field: &str) -> i64 {
    number(object, &["status", field]).unwrap_or(0)
}

#[cfg(test)]
mod tests;
