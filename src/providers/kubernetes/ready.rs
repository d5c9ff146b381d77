//! Whether objects are ready, by the rules that kubectl and kstatus use.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::transport::Looking;
use crate::model::value::Value;

/// What an object says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// Not yet, and why.
    Waiting(String),
    /// Never, and why.
    Failed(String),
}

/// Waits until every object is ready. Answers those that are not, with the reason.
pub(super) async fn wait(
    looking: &Looking,
    objects: Vec<(usize, String)>,
    patience: Duration,
    stop: &AtomicBool,
) -> Vec<(usize, String)> {
    let begun = Instant::now();
    let mut waiting: BTreeMap<usize, (String, String)> =
        objects.into_iter().map(|(index, path)| (index, (path, String::new()))).collect();
    let mut failed = Vec::new();
    loop {
        for (index, (path, _)) in waiting.clone() {
            let state = match looking.get(&path).await {
                Ok(answer) => state(&answer.value),
                Err(failure) if failure.code() == 404 => State::Failed("it is gone".to_owned()),
                Err(failure) => State::Waiting(failure.to_string()),
            };
            match state {
                State::Ready => _ = waiting.remove(&index),
                State::Failed(why) => {
                    waiting.remove(&index);
                    failed.push((index, why));
                }
                State::Waiting(why) => _ = waiting.insert(index, (path, why)),
            }
        }
        if waiting.is_empty() || begun.elapsed() >= patience || stop.load(Ordering::SeqCst) {
            failed.extend(waiting.into_iter().map(|(index, (_, why))| (index, why)));
            return failed;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// A condition's status, and its reason with the message.
pub(super) fn condition<'a>(object: &'a Value, wanted: &str) -> Option<(&'a str, String)> {
    let Some(Value::List(conditions)) = object.get("status").and_then(|status| status.get("conditions"))
    else {
        return None;
    };
    let text =
        |condition: &'a Value, key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    let found = conditions.iter().find(|condition| text(condition, "type") == wanted)?;
    Some((
        text(found, "status"),
        format!("{} {}", text(found, "reason"), text(found, "message")).trim().to_owned(),
    ))
}

fn number(object: &Value, path: [&str; 2]) -> Option<i64> {
    match object.get(path[0])?.get(path[1])? {
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// Whether an object is ready.
pub(super) fn state(object: &Value) -> State {
    if super::observe::is_deleting(object) {
        return State::Waiting("it is being deleted".to_owned());
    }
    let generation = number(object, ["metadata", "generation"]);
    let observed = number(object, ["status", "observedGeneration"]);
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let api = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let workload = api == "apps/v1";
    if let (Some(generation), Some(observed)) = (generation, observed.or(workload.then_some(0)))
        && observed < generation
    {
        return State::Waiting("its controller has not looked at it yet".to_owned());
    }
    match (api, kind) {
        ("apps/v1", "Deployment") => deployment(object),
        ("apps/v1", "StatefulSet" | "ReplicaSet") => {
            replicas(object, number(object, ["spec", "replicas"]).unwrap_or(1), "readyReplicas")
        }
        ("apps/v1", "DaemonSet") => {
            replicas(object, number(object, ["status", "desiredNumberScheduled"]).unwrap_or(0), "numberReady")
        }
        ("batch/v1", "Job") => job(object),
        ("v1", "Pod") => pod(object),
        ("v1", "PersistentVolumeClaim") => claim(object),
        ("v1", "Service") => service(object),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => by_condition(object, "Established"),
        ("apiregistration.k8s.io/v1", "APIService") => by_condition(object, "Available"),
        _ => generic(object),
    }
}

fn deployment(object: &Value) -> State {
    if let Some(("False", why)) = condition(object, "Progressing")
        && why.contains("ProgressDeadlineExceeded")
    {
        return State::Failed(why);
    }
    let wanted = number(object, ["spec", "replicas"]).unwrap_or(1);
    let of = |field| number(object, ["status", field]).unwrap_or(0);
    match (of("updatedReplicas"), of("replicas"), of("availableReplicas")) {
        (updated, ..) if updated < wanted => {
            State::Waiting(format!("{updated} of {wanted} replicas are updated"))
        }
        (updated, all, _) if all > updated => {
            State::Waiting(format!("{} old replicas are still there", all - updated))
        }
        (.., available) if available < wanted => {
            State::Waiting(format!("{available} of {wanted} replicas are available"))
        }
        _ => State::Ready,
    }
}

fn replicas(object: &Value, wanted: i64, field: &str) -> State {
    match number(object, ["status", field]).unwrap_or(0) {
        ready if ready < wanted => State::Waiting(format!("{ready} of {wanted} replicas are ready")),
        _ => State::Ready,
    }
}

fn job(object: &Value) -> State {
    match (condition(object, "Failed"), condition(object, "Complete"), condition(object, "Suspended")) {
        (Some(("True", why)), ..) => State::Failed(why),
        (_, Some(("True", _)), _) | (.., Some(("True", _))) => State::Ready,
        _ => State::Waiting("it is running".to_owned()),
    }
}

fn pod(object: &Value) -> State {
    let phase = object.get("status").and_then(|status| status.get("phase")?.as_str()).unwrap_or_default();
    match phase {
        "Succeeded" => State::Ready,
        "Failed" => State::Failed("it failed".to_owned()),
        _ => by_condition(object, "Ready"),
    }
}

fn claim(object: &Value) -> State {
    // A claim may wait for its first consumer, which waits for nothing.
    match object.get("status").and_then(|status| status.get("phase")?.as_str()) {
        Some("Lost") => State::Failed("its volume is lost".to_owned()),
        _ => State::Ready,
    }
}

fn service(object: &Value) -> State {
    let balanced = object.get("spec").and_then(|spec| spec.get("type")?.as_str()) == Some("LoadBalancer");
    let ingress = object.get("status").and_then(|status| status.get("loadBalancer")?.get("ingress"));
    match (balanced, ingress) {
        (true, None) => State::Waiting("it has no load balancer yet".to_owned()),
        _ => State::Ready,
    }
}

fn by_condition(object: &Value, wanted: &str) -> State {
    match condition(object, wanted) {
        Some(("True", _)) => State::Ready,
        Some((_, why)) => State::Waiting(format!("{wanted}: {why}")),
        None => State::Waiting(format!("it is not yet {wanted}")),
    }
}

fn generic(object: &Value) -> State {
    if let Some(("True", why)) = condition(object, "Stalled") {
        return State::Failed(why);
    }
    if let Some(("True", why)) = condition(object, "Reconciling") {
        return State::Waiting(why);
    }
    match condition(object, "Ready") {
        Some(("True", _)) | None => State::Ready,
        Some((_, why)) => State::Waiting(why),
    }
}
