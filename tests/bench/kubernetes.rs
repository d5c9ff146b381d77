//! A cluster, against kubectl and against the bare requests sent by curl.

use crate::{
    cluster::Cluster,
    manifests::{EVERYDAY, LARGE},
    measure::{compare, peak, print_count, print_peak_of},
};

/// The kinds of the set.
const KINDS: usize = 4;

/// How many objects are edited.
const EDITED: usize = 10;

/// 1,020 objects in 20 namespaces: made, looked at, and applied again.
pub fn everyday() {
    let Some(cluster) = Cluster::declaring(EVERYDAY) else { return };
    first_apply(&cluster);
    cluster.empty();
    cluster.place.apply();
    lists(&cluster);
    requests(&cluster);
    kubectl(&cluster);
}

fn first_apply(cluster: &Cluster) {
    let empty = || cluster.empty();
    let side = || cluster.place.trueup(&["apply", "--yes", "-q"]).before(&empty);
    let patches = cluster.curl(&cluster.patches()).before(&empty);
    compare("first apply of 1,020 objects, against the patches by curl", 3, Some(1.3), side(), patches);
    let kubectl = cluster.kubectl(&["apply"]).before(&empty);
    compare("the same, against kubectl apply --server-side", 1, None, side(), kubectl);
}

fn lists(cluster: &Cluster) {
    let plan = cluster.place.trueup(&["plan", "-q"]);
    compare(
        "plan of 1,020 objects, against their LISTs by curl",
        15,
        Some(3.0),
        plan,
        cluster.curl(&[cluster.lists()]),
    );
}

/// What a plan asks of the server, from its audit log.
fn requests(cluster: &Cluster) {
    let plan = cluster.requests(&["plan", "-q"], 0);
    assert!(!plan.iter().any(|request| request.starts_with("patch")), "a plan without changes sent {plan:?}");
    print_count("requests of that plan, none of them a PATCH", plan.len(), KINDS + 8);
    edit(cluster);
    let changed = cluster.requests(&["plan", "-q"], 2);
    print_count("requests of a plan with 10 edited objects", changed.len(), plan.len() + EDITED);
    restore(cluster);
    let writes = cluster.requests(&["apply", "--yes", "-q"], 0);
    let writes = writes.iter().filter(|request| !request.starts_with("get") && !request.starts_with("list"));
    print_count("writes of an apply with nothing to do", writes.count(), 3);
}

fn edit(cluster: &Cluster) {
    for object in cluster.objects.iter().filter(|object| object.file.contains("configmap")).take(EDITED) {
        let edited = object.manifest.replace("LOG_LEVEL: info", "LOG_LEVEL: debug");
        cluster.place.write(&format!("checkout/k8s/{}", object.file), &edited);
    }
}

fn restore(cluster: &Cluster) {
    for object in &cluster.objects {
        cluster.place.write(&format!("checkout/k8s/{}", object.file), &object.manifest);
    }
}

/// Last, since kubectl adds itself to the owners of every field.
fn kubectl(cluster: &Cluster) {
    let apply = cluster.place.trueup(&["apply", "--yes", "-q"]);
    compare(
        "apply with nothing to do, against kubectl apply",
        2,
        Some(0.033),
        apply,
        cluster.kubectl(&["apply"]),
    );
    let plan = cluster.place.trueup(&["plan", "-q"]);
    compare("plan, against kubectl diff --server-side", 2, Some(0.02), plan, cluster.kubectl(&["diff"]));
}

/// The memory of a plan of 10,000 objects.
pub fn memory() {
    let Some(cluster) = Cluster::declaring(LARGE) else { return };
    print_peak_of(
        "first apply of 10,000 objects",
        peak(&cluster.place.trueup(&["apply", "--yes", "-q"])),
        300.0,
    );
    print_peak_of("plan of 10,000 objects", peak(&cluster.place.trueup(&["plan", "-q"])), 150.0);
    compare(
        "plan of 10,000 objects, against their LISTs by curl",
        3,
        Some(3.0),
        cluster.place.trueup(&["plan", "-q"]),
        cluster.curl(&[cluster.lists()]),
    );
    cluster.empty();
}
