use super::*;
use crate::manifest;

fn value(text: &str) -> Value {
    let text = format!("metadata: {{name: x, generation: 2}}\n{text}");
    manifest::manifests(text.as_bytes()).unwrap().0.remove(0).node.value()
}

fn of(text: &str) -> State {
    state(&value(text), Around::default())
}

fn waiting(why: &str) -> State {
    State::Waiting(why.to_owned())
}

fn failed(why: &str) -> State {
    State::Failed(why.to_owned())
}

#[test]
fn a_deployment_is_ready_once_all_replicas_are_new_and_available() {
    let of = |rest: &str| {
        of(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nspec: {{replicas: 3}}\nstatus: {{observedGeneration: 2, {rest}}}"
        ))
    };
    assert_eq!(of("observed: 1"), waiting("0 of 3 replicas are updated"));
    assert_eq!(of("replicas: 4, updatedReplicas: 3"), waiting("1 old replicas are still there"));
    assert_eq!(
        of("replicas: 3, updatedReplicas: 3, availableReplicas: 2"),
        waiting("2 of 3 replicas are available")
    );
    assert_eq!(of("replicas: 3, updatedReplicas: 3, availableReplicas: 3"), State::Ready);
    let quota =
        "conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: exceeded quota}]";
    assert_eq!(of(quota), waiting("0 of 3 replicas are updated: FailedCreate exceeded quota"));
    let late = "conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: too late}]";
    assert_eq!(of(late), failed("ProgressDeadlineExceeded too late"));
}

#[test]
fn a_status_about_an_older_declaration_says_nothing() {
    let old = waiting("its controller has not looked at it yet");
    assert_eq!(of("apiVersion: apps/v1\nkind: Deployment\nstatus: {}"), old);
    assert_eq!(
        of("apiVersion: apps/v1\nkind: Deployment\nstatus: {observedGeneration: 1, availableReplicas: 1}"),
        old
    );
    assert_eq!(of("apiVersion: x.org/v1\nkind: Thing\nstatus: {observedGeneration: 1}"), old);
    let condition = "conditions: [{type: Ready, status: 'True', observedGeneration: 1}]";
    assert_eq!(of(&format!("apiVersion: x.org/v1\nkind: Thing\nstatus: {{{condition}}}")), old);
}

#[test]
fn a_stateful_set_heeds_its_strategy() {
    let of = |strategy: &str, status: &str| {
        of(&format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nspec: {{replicas: 3, updateStrategy: {strategy}}}\nstatus: {{observedGeneration: 2, {status}}}"
        ))
    };
    let rolling = "{type: RollingUpdate}";
    assert_eq!(of("{type: OnDelete}", "replicas: 1"), State::Ready);
    assert_eq!(of(rolling, "readyReplicas: 2"), waiting("2 of 3 replicas are ready"));
    let moving = "readyReplicas: 3, replicas: 3, updatedReplicas: 1, currentRevision: a, updateRevision: b";
    assert_eq!(of(rolling, moving), waiting("1 of 3 replicas are updated"));
    assert_eq!(
        of(rolling, "readyReplicas: 3, replicas: 4"),
        waiting("1 replicas more than wanted are there")
    );
    let parted = "{type: RollingUpdate, rollingUpdate: {partition: 2}}";
    assert_eq!(of(parted, moving), State::Ready);
    assert_eq!(
        of(parted, "readyReplicas: 3, replicas: 3"),
        waiting("0 of 1 replicas above the partition are updated")
    );
    assert_eq!(
        of(rolling, "readyReplicas: 3, replicas: 3, currentRevision: b, updateRevision: b"),
        State::Ready
    );
}

#[test]
fn a_daemon_set_is_ready_on_every_node() {
    let of = |status: &str| {
        of(&format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nstatus: {{observedGeneration: 2, desiredNumberScheduled: 2, {status}}}"
        ))
    };
    assert_eq!(of("updatedNumberScheduled: 1"), waiting("1 of 2 replicas are updated"));
    assert_eq!(of("updatedNumberScheduled: 2, numberAvailable: 1"), waiting("1 of 2 replicas are available"));
    assert_eq!(of("updatedNumberScheduled: 2, numberAvailable: 2, numberReady: 2"), State::Ready);
}

#[test]
fn a_job_has_to_end_well() {
    let of = |status: &str| {
        of(&format!("apiVersion: batch/v1\nkind: Job\nspec: {{completions: 2}}\nstatus: {{{status}}}"))
    };
    assert_eq!(of("succeeded: 1"), waiting("1 of 2 pods succeeded"));
    assert_eq!(of("conditions: [{type: Complete, status: 'True'}]"), State::Ready);
    assert_eq!(of("conditions: [{type: Suspended, status: 'True'}]"), State::Ready);
    let over = "conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]";
    assert_eq!(of(over), failed("BackoffLimitExceeded"));
}

#[test]
fn a_pod_says_what_keeps_it() {
    let of = |status: &str| of(&format!("apiVersion: v1\nkind: Pod\nstatus: {{{status}}}"));
    assert_eq!(of("phase: Pending"), waiting("it is not yet Ready"));
    let crash =
        "containerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff, message: back-off}}}]";
    assert_eq!(of(crash), waiting("container `a`: CrashLoopBackOff back-off"));
    let nowhere =
        "conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: no node}]";
    assert_eq!(of(nowhere), waiting("Unschedulable no node"));
    assert_eq!(of("phase: Failed, reason: Evicted"), failed("it failed Evicted"));
    assert_eq!(of("phase: Succeeded"), State::Ready);
    assert_eq!(of("phase: Running, conditions: [{type: Ready, status: 'True'}]"), State::Ready);
}

#[test]
fn a_claim_that_waits_for_its_first_consumer_holds_nobody_up() {
    let classes = value(
        "apiVersion: v1\nkind: Classes\nitems:\n\
         - {metadata: {name: late, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}, volumeBindingMode: WaitForFirstConsumer}\n\
         - {metadata: {name: soon}, volumeBindingMode: Immediate}\n",
    );
    let of = |class: &str, phase: &str| {
        let claim = value(&format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nspec: {{{class}}}\nstatus: {{phase: {phase}}}"
        ));
        state(&claim, Around { classes: Some(&classes), settled: false })
    };
    assert_eq!(of("storageClassName: late", "Pending"), State::Ready);
    assert_eq!(of("size: 1", "Pending"), State::Ready);
    assert_eq!(of("storageClassName: soon", "Pending"), waiting("no volume is bound to it"));
    assert_eq!(of("storageClassName: soon", "Bound"), State::Ready);
    assert_eq!(of("storageClassName: soon", "Lost"), failed("its volume is lost"));
}

#[test]
fn a_load_balancer_needs_an_address() {
    let of = |rest: &str| of(&format!("apiVersion: v1\nkind: Service\n{rest}"));
    assert_eq!(of("spec: {type: ClusterIP}"), State::Ready);
    assert_eq!(
        of("spec: {type: LoadBalancer}\nstatus: {loadBalancer: {}}"),
        waiting("it has no load balancer yet")
    );
    assert_eq!(
        of("spec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}"),
        State::Ready
    );
}

#[test]
fn definitions_and_services_of_the_api_have_conditions_of_their_own() {
    let definition = |conditions: &str| {
        of(&format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nstatus: {{conditions: [{conditions}]}}"
        ))
    };
    assert_eq!(definition("{type: Established, status: 'True'}"), State::Ready);
    assert_eq!(definition("{type: NamesAccepted, status: 'False', reason: Conflict}"), failed("Conflict"));
    assert_eq!(definition(""), waiting("it is not yet Established"));
    let service = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nstatus: {conditions: [{type: Available, status: 'False', reason: MissingEndpoints}]}";
    assert_eq!(of(service), waiting("it is not Available: MissingEndpoints"));
}

#[test]
fn any_other_object_is_ready_if_it_says_so_or_says_nothing_for_a_while() {
    let silent = value("apiVersion: x.org/v1\nkind: Thing\nspec: {size: 1}");
    assert_eq!(state(&silent, Around::default()), waiting("its controller has reported no status yet"));
    assert_eq!(state(&silent, Around { settled: true, classes: None }), State::Ready);
    let of = |condition: &str| {
        of(&format!("apiVersion: x.org/v1\nkind: Thing\nstatus: {{conditions: [{condition}]}}"))
    };
    assert_eq!(
        of("{type: Ready, status: 'False', reason: Dns, message: no record}"),
        waiting("it is not Ready: Dns no record")
    );
    assert_eq!(of("{type: Ready, status: 'True'}"), State::Ready);
    assert_eq!(of("{type: Stalled, status: 'True', reason: Bad}"), failed("Bad"));
    assert_eq!(of("{type: Reconciling, status: 'True', reason: Busy}"), waiting("Busy"));
}

#[test]
fn what_is_being_deleted_is_not_ready() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x, deletionTimestamp: '2026-01-01T00:00:00Z'}\n";
    let pod = manifest::manifests(pod.as_bytes()).unwrap().0.remove(0).node.value();
    assert_eq!(state(&pod, Around::default()), waiting("it is being deleted"));
}
