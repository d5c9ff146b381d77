//! Fields, items and union members that Git takes out or swaps, forth and back: each is pending, is applied, and
//! leaves what a fresh create would have made.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Shop;

/// An object before and after an edit; `NAME` is what it is called.
struct Edit {
    name: &'static str,
    before: String,
    after: String,
}

fn edit(name: &'static str, before: impl Into<String>, after: impl Into<String>) -> Edit {
    Edit { name, before: before.into(), after: after.into() }
}

/// A workload with something more in its container, its pod and itself.
fn workload(kind: &str, container: &str, pod: &str, more: &str) -> String {
    let own = match kind {
        "StatefulSet" => "serviceName: db, ",
        _ => "",
    };
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: NAME}}\nspec: {{{own}selector: {{matchLabels: {{app: NAME}}}}, \
         template: {{metadata: {{labels: {{app: NAME}}}}, spec: {{{pod}containers: [{{name: a, image: 'a:1'{container}}}]}}}}{more}}}\n"
    )
}

/// An edit of the container of a Deployment.
fn container(name: &'static str, before: &str, after: &str) -> Edit {
    edit(name, workload("Deployment", before, "", ""), workload("Deployment", after, "", ""))
}

/// An edit of the pod of a Deployment.
fn pod(name: &'static str, before: &str, after: &str) -> Edit {
    edit(name, workload("Deployment", "", before, ""), workload("Deployment", "", after, ""))
}

/// An edit of a workload itself.
fn outer(name: &'static str, kind: &str, before: &str, after: &str) -> Edit {
    edit(name, workload(kind, "", "", before), workload(kind, "", "", after))
}

/// An edit of the `spec` of an object of any other kind.
fn spec(name: &'static str, head: &str, before: &str, after: &str) -> Edit {
    let object = |spec: &str| {
        let (version, kind) = head.rsplit_once('/').unwrap();
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: NAME}}\n{spec}\n")
    };
    edit(name, object(before), object(after))
}

fn containers() -> Vec<Edit> {
    const HTTP: &str = "httpGet: {path: /, port: 80}";
    const TCP: &str = "tcpSocket: {port: 80}";
    const EXEC: &str = "exec: {command: ['true']}";
    const MAP: &str = "configMapKeyRef: {name: c, key: k}";
    const FIELD: &str = "fieldRef: {fieldPath: metadata.name}";
    vec![
        container(
            "env-first",
            ", env: [{name: A, value: '1'}, {name: B, value: '2'}]",
            ", env: [{name: B, value: '2'}]",
        ),
        container("env-all", ", env: [{name: A, value: '1'}]", ""),
        container(
            "env-field",
            &format!(", env: [{{name: A, valueFrom: {{{FIELD}}}}}, {{name: B, value: x}}]"),
            ", env: [{name: B, value: x}]",
        ),
        container("env-only-field", &format!(", env: [{{name: A, valueFrom: {{{FIELD}}}}}]"), ""),
        container(
            "env-kind",
            ", env: [{name: A, value: x}]",
            &format!(", env: [{{name: A, valueFrom: {{{FIELD}}}}}]"),
        ),
        container(
            "env-source",
            &format!(", env: [{{name: A, valueFrom: {{{MAP}}}}}]"),
            &format!(", env: [{{name: A, valueFrom: {{{FIELD}}}}}]"),
        ),
        container(
            "env-secret",
            ", env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]",
            &format!(", env: [{{name: A, valueFrom: {{{MAP}}}}}]"),
        ),
        container(
            "env-resource",
            ", env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]",
            ", env: [{name: A, value: x}]",
        ),
        container(
            "env-from",
            ", envFrom: [{configMapRef: {name: c}}]",
            ", envFrom: [{secretRef: {name: c}}]",
        ),
        container(
            "port",
            ", ports: [{containerPort: 80}, {containerPort: 81}]",
            ", ports: [{containerPort: 80}]",
        ),
        container("port-all", ", ports: [{containerPort: 80, name: web}]", ""),
        container(
            "port-protocol",
            ", ports: [{containerPort: 53, protocol: UDP}]",
            ", ports: [{containerPort: 53, protocol: TCP}]",
        ),
        container(
            "port-number",
            ", ports: [{containerPort: 80, name: web}]",
            ", ports: [{containerPort: 81, name: web}]",
        ),
        container("probe", &format!(", livenessProbe: {{{HTTP}}}"), ""),
        container(
            "probe-kind",
            &format!(", livenessProbe: {{{HTTP}}}"),
            &format!(", livenessProbe: {{{TCP}}}"),
        ),
        container(
            "probe-exec",
            &format!(", readinessProbe: {{{EXEC}}}"),
            &format!(", readinessProbe: {{{HTTP}}}"),
        ),
        container(
            "probe-grpc",
            ", startupProbe: {grpc: {port: 80}}",
            &format!(", startupProbe: {{{TCP}, periodSeconds: 3}}"),
        ),
        container(
            "probe-period",
            &format!(", livenessProbe: {{{HTTP}, periodSeconds: 3, timeoutSeconds: 2}}"),
            &format!(", livenessProbe: {{{HTTP}}}"),
        ),
        container("hook", &format!(", lifecycle: {{preStop: {{{EXEC}}}}}"), ""),
        container(
            "hook-kind",
            &format!(", lifecycle: {{preStop: {{{HTTP}}}}}"),
            &format!(", lifecycle: {{preStop: {{{EXEC}}}}}"),
        ),
        container(
            "hook-moves",
            &format!(", lifecycle: {{preStop: {{{HTTP}}}}}"),
            &format!(", lifecycle: {{postStart: {{{HTTP}}}}}"),
        ),
        container(
            "limits",
            ", resources: {limits: {cpu: '1', memory: 1Gi}}",
            ", resources: {limits: {memory: 1Gi}}",
        ),
        container("limits-all", ", resources: {limits: {cpu: '1'}, requests: {cpu: 100m}}", ""),
        container("security", ", securityContext: {runAsUser: 1, capabilities: {drop: [ALL]}}", ""),
        container("command", ", command: [a], args: [b]", ", args: [c]"),
        container(
            "termination",
            ", terminationMessagePath: /x, terminationMessagePolicy: FallbackToLogsOnError",
            "",
        ),
        container("pull", ", imagePullPolicy: Always", ""),
    ]
}

fn pods() -> Vec<Edit> {
    const MAP: &str = "configMap: {name: c}";
    vec![
        pod(
            "container",
            "initContainers: [{name: i, image: i, ports: [{containerPort: 1}]}, {name: j, image: j}], ",
            "initContainers: [{name: j, image: j}], ",
        ),
        pod("init-all", "initContainers: [{name: i, image: i}], ", ""),
        edit(
            "second-container",
            workload("Deployment", "}, {name: b, image: b, livenessProbe: {tcpSocket: {port: 1}}", "", ""),
            workload("Deployment", "", "", ""),
        ),
        edit(
            "first-container",
            workload("StatefulSet", "}, {name: b, image: b, ports: [{containerPort: 1}]", "", ""),
            workload("StatefulSet", "", "", ""),
        ),
        pod(
            "volume",
            &format!("volumes: [{{name: v, {MAP}}}, {{name: w, emptyDir: {{}}}}], "),
            "volumes: [{name: w, emptyDir: {}}], ",
        ),
        pod("volume-all", "volumes: [{name: v, secret: {secretName: s}}], ", ""),
        pod(
            "volume-kind",
            &format!("volumes: [{{name: v, {MAP}}}], "),
            "volumes: [{name: v, secret: {secretName: s}}], ",
        ),
        pod(
            "volume-empty",
            "volumes: [{name: v, emptyDir: {}}], ",
            &format!("volumes: [{{name: v, {MAP}}}], "),
        ),
        pod(
            "volume-path",
            "volumes: [{name: v, hostPath: {path: /x}}], ",
            "volumes: [{name: v, persistentVolumeClaim: {claimName: p}}], ",
        ),
        pod("volume-none", "volumes: [{name: v}], ", &format!("volumes: [{{name: v, {MAP}}}], ")),
        pod(
            "volume-projected",
            "volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: x}}]}}], ",
            "volumes: [{name: v, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}}]}}], ",
        ),
        pod(
            "volume-mode",
            "volumes: [{name: v, configMap: {name: c, defaultMode: 256}}], ",
            &format!("volumes: [{{name: v, {MAP}}}], "),
        ),
        pod("dns", "dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.1]}, ", ""),
        pod("host-network", "hostNetwork: true, ", ""),
        pod("security", "securityContext: {fsGroup: 1}, ", ""),
        pod("account", "serviceAccountName: x, ", ""),
        pod("grace", "terminationGracePeriodSeconds: 5, ", ""),
        pod(
            "affinity",
            "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}, ",
            "",
        ),
        pod("toleration", "tolerations: [{key: a}], ", ""),
        pod(
            "spread",
            "topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: NAME}}}], ",
            "",
        ),
        pod("pull-secrets", "imagePullSecrets: [{name: a}, {name: b}], ", "imagePullSecrets: [{name: b}], "),
        pod("aliases", "hostAliases: [{ip: 10.0.0.1, hostnames: [a]}], ", ""),
    ]
}

fn workloads() -> Vec<Edit> {
    const ROLL: &str = ", strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}";
    const CRON: &str = "spec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}";
    const JOB: &str =
        "spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}";
    vec![
        outer("strategy", "Deployment", ROLL, ", strategy: {type: Recreate}"),
        outer("strategy-default", "Deployment", "", ", strategy: {type: Recreate}"),
        outer("strategy-surge", "Deployment", ROLL, ""),
        outer(
            "history",
            "Deployment",
            ", revisionHistoryLimit: 3, progressDeadlineSeconds: 60, minReadySeconds: 1",
            "",
        ),
        outer("replicas", "Deployment", ", replicas: 2", ""),
        outer("on-delete", "StatefulSet", "", ", updateStrategy: {type: OnDelete}"),
        outer(
            "partition",
            "StatefulSet",
            ", updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}",
            "",
        ),
        outer(
            "pods",
            "StatefulSet",
            ", podManagementPolicy: OrderedReady, persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}",
            "",
        ),
        outer(
            "daemon",
            "DaemonSet",
            ", updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 2}}",
            ", updateStrategy: {type: OnDelete}",
        ),
        spec(
            "cron",
            "batch/v1/CronJob",
            &format!(
                "{CRON}, concurrencyPolicy: Forbid, successfulJobsHistoryLimit: 1, startingDeadlineSeconds: 5}}"
            ),
            &format!("{CRON}}}"),
        ),
        spec(
            "cron-env",
            "batch/v1/CronJob",
            &format!(
                "{}}}",
                CRON.replace(
                    "image: a",
                    "image: a, env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"
                )
            ),
            &format!("{CRON}}}"),
        ),
        spec(
            "job",
            "batch/v1/Job",
            &format!("{JOB}, activeDeadlineSeconds: 9, ttlSecondsAfterFinished: 9, backoffLimit: 1}}"),
            &format!("{JOB}}}"),
        ),
    ]
}

fn network() -> Vec<Edit> {
    const INGRESS: &str = "networking.k8s.io/v1/Ingress";
    const POLICY: &str = "networking.k8s.io/v1/NetworkPolicy";
    let rule = |host: &str, path: &str| {
        format!(
            "{{host: {host}, http: {{paths: [{{path: {path}, pathType: Prefix, backend: {{service: {{name: s, port: {{number: 80}}}}}}}}]}}}}"
        )
    };
    vec![
        spec(
            "service",
            "v1/Service",
            "spec: {ports: [{name: a, port: 80}, {name: b, port: 81}]}",
            "spec: {ports: [{name: a, port: 80}]}",
        ),
        spec(
            "service-name",
            "v1/Service",
            "spec: {ports: [{name: a, port: 80}]}",
            "spec: {ports: [{port: 80}]}",
        ),
        spec("service-number", "v1/Service", "spec: {ports: [{port: 80}]}", "spec: {ports: [{port: 81}]}"),
        spec(
            "service-protocol",
            "v1/Service",
            "spec: {ports: [{name: d, port: 53, protocol: UDP}]}",
            "spec: {ports: [{name: d, port: 53}]}",
        ),
        spec(
            "service-affinity",
            "v1/Service",
            "spec: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 9}}, ports: [{port: 80}]}",
            "spec: {ports: [{port: 80}]}",
        ),
        spec(
            "service-node",
            "v1/Service",
            "spec: {type: NodePort, externalTrafficPolicy: Local, ports: [{port: 80}]}",
            "spec: {ports: [{port: 80}]}",
        ),
        spec(
            "service-balancer",
            "v1/Service",
            "spec: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], ports: [{port: 80}]}",
            "spec: {type: ClusterIP, ports: [{port: 80}]}",
        ),
        spec(
            "service-external",
            "v1/Service",
            "spec: {type: ExternalName, externalName: a.example}",
            "spec: {ports: [{port: 80}]}",
        ),
        spec(
            "service-selector",
            "v1/Service",
            "spec: {selector: {a: b, c: d}, ports: [{port: 80, targetPort: web}]}",
            "spec: {selector: {a: b}, ports: [{port: 80}]}",
        ),
        spec(
            "ingress",
            INGRESS,
            &format!("spec: {{rules: [{}, {}]}}", rule("a", "/a"), rule("b", "/b")),
            &format!("spec: {{rules: [{}]}}", rule("b", "/b")),
        ),
        spec(
            "ingress-backend",
            INGRESS,
            "spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}",
            &format!("spec: {{rules: [{}]}}", rule("b", "/b")),
        ),
        spec(
            "ingress-port",
            INGRESS,
            "spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}",
            "spec: {defaultBackend: {service: {name: a, port: {name: web}}}}",
        ),
        spec(
            "ingress-kind",
            INGRESS,
            "spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}",
            "spec: {defaultBackend: {resource: {apiGroup: x, kind: Bucket, name: z}}}",
        ),
        spec(
            "ingress-tls",
            INGRESS,
            "spec: {tls: [{hosts: [a], secretName: t}], defaultBackend: {service: {name: a, port: {number: 80}}}}",
            "spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}",
        ),
        spec(
            "policy",
            POLICY,
            "spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 80}]}], egress: [{}]}",
            "spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 80}]}]}",
        ),
        spec(
            "policy-peer",
            POLICY,
            "spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}",
            "spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}",
        ),
        spec("policy-types", POLICY, "spec: {podSelector: {}, egress: [{}]}", "spec: {podSelector: {}}"),
    ]
}

fn rest() -> Vec<Edit> {
    const HPA: &str =
        "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: x}, maxReplicas: 3";
    let cpu = "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}";
    let memory =
        "{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1Gi}}}";
    let pods = "{type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: 1}}}";
    let hpa = |more: &str| format!("{HPA}{more}}}");
    const HEAD: &str = "autoscaling/v2/HorizontalPodAutoscaler";
    let crd = |properties: &str, columns: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: removals.example.org}}\nspec: {{group: example.org, \
             names: {{kind: Removal, plural: removals}}, scope: Namespaced, versions: [{{name: v1, served: true, storage: true, {columns}\
             schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true{properties}}}}}}}]}}\n"
        )
    };
    vec![
        spec("hpa", HEAD, &hpa(", behavior: {scaleDown: {stabilizationWindowSeconds: 9}}"), &hpa("")),
        spec(
            "hpa-up",
            HEAD,
            &hpa(
                ", behavior: {scaleDown: {stabilizationWindowSeconds: 9}, scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 9}]}}",
            ),
            &hpa(", behavior: {scaleDown: {stabilizationWindowSeconds: 9}}"),
        ),
        spec(
            "hpa-metric",
            HEAD,
            &hpa(&format!(", metrics: [{cpu}, {memory}]")),
            &hpa(&format!(", metrics: [{memory}]")),
        ),
        spec("hpa-metrics", HEAD, &hpa(&format!(", minReplicas: 2, metrics: [{memory}, {pods}]")), &hpa("")),
        spec("hpa-kind", HEAD, &hpa(&format!(", metrics: [{cpu}]")), &hpa(&format!(", metrics: [{pods}]"))),
        spec(
            "pdb",
            "policy/v1/PodDisruptionBudget",
            "spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}",
            "spec: {maxUnavailable: 1, selector: {matchLabels: {a: b}}}",
        ),
        spec(
            "pdb-policy",
            "policy/v1/PodDisruptionBudget",
            "spec: {minAvailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow, selector: {}}",
            "spec: {minAvailable: 50%, selector: {}}",
        ),
        spec(
            "binding",
            "rbac.authorization.k8s.io/v1/RoleBinding",
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: a, namespace: x}, {kind: User, name: u}]",
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: [{kind: User, name: u}]",
        ),
        spec(
            "binding-all",
            "rbac.authorization.k8s.io/v1/RoleBinding",
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: [{kind: User, name: u}]",
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}",
        ),
        spec("secret", "v1/Secret", "stringData: {a: x, b: w}", "data: {b: dw==}"),
        spec("secret-all", "v1/Secret", "data: {a: eQ==}", ""),
        spec("map", "v1/ConfigMap", "data: {a: x, b: w}\nbinaryData: {c: eQ==}", "data: {b: w}"),
        spec("map-kind", "v1/ConfigMap", "data: {a: x}", "binaryData: {a: eA==}"),
        spec(
            "claim",
            "v1/PersistentVolumeClaim",
            "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\nstatus: {}",
            "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}",
        ),
        spec(
            "service-account",
            "v1/ServiceAccount",
            "automountServiceAccountToken: false\nimagePullSecrets: [{name: a}]",
            "",
        ),
        spec(
            "quota",
            "v1/ResourceQuota",
            "spec: {hard: {pods: '1000', configmaps: '1000'}}",
            "spec: {hard: {configmaps: '1000'}}",
        ),
        spec(
            "role",
            "rbac.authorization.k8s.io/v1/Role",
            "rules: [{apiGroups: [''], resources: [pods], verbs: [get, list]}, {apiGroups: [''], resources: [secrets], verbs: [get]}]",
            "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]",
        ),
        edit(
            "crd",
            crd(
                ", properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}",
                "additionalPrinterColumns: [{name: A, type: string, jsonPath: .spec.a}], ",
            ),
            crd("", ""),
        ),
    ]
}

fn named(edit: &Edit, text: &str) -> String {
    text.replace("NAME", edit.name)
}

/// What a server has of an object, but for what differs from one to the next.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    let map = object.as_object_mut().unwrap();
    map.remove("metadata");
    map.remove("status");
    if map["kind"] == "Job" {
        map["spec"]["selector"].take();
        map["spec"]["template"]["metadata"].take();
    }
    if let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) {
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            spec.remove(key);
        }
        for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            port.as_object_mut().unwrap().remove("nodePort");
        }
    }
    object
}

/// What objects of both states look like when they are made, by name.
fn fresh(shop: &Shop, edits: &[Edit], text: fn(&Edit) -> &str) -> BTreeMap<String, Value> {
    let all: String = edits.iter().map(|edit| named(edit, text(edit)) + "---\n").collect();
    let args = ["-n", &shop.namespace, "create", "--dry-run=server", "-o", "json", "-f", "-"];
    read(&shop.server.kubectl_as("admin", &args, &all))
}

/// The objects that kubectl printed, as one list or one after the other.
fn read(printed: &str) -> BTreeMap<String, Value> {
    let printed = serde_json::Deserializer::from_str(printed).into_iter::<Value>();
    let objects = printed.flat_map(|object| match object.unwrap() {
        Value::Object(mut list) if list["kind"] == "List" => list["items"].take().as_array().unwrap().clone(),
        object => vec![object],
    });
    let key = |item: &Value| {
        format!("{}/{}", item["kind"].as_str().unwrap(), item["metadata"]["name"].as_str().unwrap())
    };
    objects.map(|item| (key(&item), content(&item))).collect()
}

/// What the server has of all objects.
fn live(shop: &Shop, edits: &[Edit]) -> BTreeMap<String, Value> {
    let all: String = edits.iter().map(|edit| named(edit, &edit.after) + "---\n").collect();
    read(&shop.server.kubectl_as(
        "admin",
        &["-n", &shop.namespace, "get", "--ignore-not-found", "-o", "json", "-f", "-"],
        &all,
    ))
}

/// Declares one state of all; what is wrong with its plan, its apply and what the server has then.
fn go(shop: &Shop, edits: &[Edit], text: fn(&Edit) -> &str, fresh: &BTreeMap<String, Value>) -> Vec<String> {
    for edit in edits {
        shop.sandbox.write(&format!("checkout/k8s/{}.yaml", edit.name), named(edit, text(edit)));
    }
    shop.sandbox.sh("commit 'Edit'").expect(0);
    let mut wrong = Vec::new();
    let plan = shop.trueup(&["plan", "-o", "json"]);
    let report: Value = serde_json::from_str(&plan.stdout).expect(&plan.stderr);
    for change in report["changes"].as_array().unwrap() {
        if change["class"] != "pending" || change["action"] != "update" && change["action"] != "create" {
            wrong.push(format!(
                "plan: {} {} {}: {}",
                change["address"], change["action"], change["class"], change["unknown"]
            ));
        }
    }
    let applied = shop.trueup(&["apply", "--yes"]);
    if applied.exit != 0 {
        wrong.push(format!("apply: {} {}", applied.exit, applied.stderr));
    }
    let again = shop.trueup(&["plan"]);
    if again.exit != 0 {
        wrong.push(format!("plan again: {}\n{}", again.exit, again.stdout));
    }
    for (name, live) in live(shop, edits) {
        if fresh[&name] != live {
            wrong.push(format!("{name} is\n{live}\nand was made\n{}", fresh[&name]));
        }
    }
    wrong
}

#[test]
fn what_git_takes_out_or_swaps_is_pending_and_goes() {
    let Some(shop) = Shop::new() else { return };
    let edits: Vec<Edit> =
        [containers(), pods(), workloads(), network(), rest()].into_iter().flatten().collect();
    assert!(edits.len() >= 60);
    let fresh = [fresh(&shop, &edits, |edit| &edit.before), fresh(&shop, &edits, |edit| &edit.after)];
    let states: [fn(&Edit) -> &str; 2] = [|edit| &edit.before, |edit| &edit.after];
    let mut wrong = Vec::new();
    for step in [0, 1, 0, 1] {
        let found = go(&shop, &edits, states[step], &fresh[step]);
        wrong.extend(found.into_iter().map(|what| format!("state {step}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const DNS: &str = "apiVersion: v1
kind: Service
metadata: {name: dns}
spec: {selector: {app: dns}, ports: [{name: dns, port: 53}]}
";

#[test]
fn a_key_of_an_item_that_people_change_is_drift_and_is_reverted() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("dns.yaml", DNS)]);
    shop.apply();
    let protocol = r#"[{"op": "replace", "path": "/spec/ports/0/protocol", "value": "UDP"}]"#;
    shop.kubectl(&["patch", "service/dns", "--type=json", "-p", protocol]);
    let drift = shop.trueup(&["drift"]).expect(3);
    assert!(drift.stdout.contains("[port=53,protocol=UDP]"), "{}", drift.stdout);
    shop.trueup(&["apply", "--yes", "--only-drift"]).expect(0);
    shop.trueup(&["plan"]).expect(0);
    let ports = shop.kubectl(&["get", "service/dns", "-o", "jsonpath={.spec.ports[*].protocol}"]);
    assert_eq!(ports, "TCP");
}

/// A webhook configuration with these webhooks.
fn webhooks(names: &[&str]) -> String {
    let webhook = |name: &&str| {
        format!(
            "{{name: {name}.example.org, admissionReviewVersions: [v1], sideEffects: None, failurePolicy: Ignore, \
             clientConfig: {{url: 'https://127.0.0.1:9/'}}, rules: [{{apiGroups: [none.example.org], apiVersions: [v1], \
             operations: [CREATE], resources: [nothings]}}]}}"
        )
    };
    let all: Vec<String> = names.iter().map(webhook).collect();
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: removals}}\nwebhooks: [{}]\n",
        all.join(", ")
    )
}

#[test]
fn an_item_goes_although_another_manager_applied_a_field_of_it() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("webhooks.yaml", &webhooks(&["one", "two"]))]);
    shop.apply();
    let bundle = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: removals}\n\
                  webhooks: [{name: two.example.org, clientConfig: {caBundle: Cg==}}]\n";
    let encode = format!("base64 -w0 {}", shop.server.folder.join("ca.crt").display());
    let encoded = shop.sandbox.sh(&encode).expect(0).stdout;
    let args = ["apply", "--server-side", "--field-manager=cainjector", "-f", "-"];
    shop.server.kubectl_as("admin", &args, &bundle.replace("Cg==", encoded.trim()));
    shop.trueup(&["plan"]).expect(0);
    shop.declare(&[("webhooks.yaml", &webhooks(&["one"]))]);
    let plan = shop.trueup(&["plan"]).expect(2);
    assert!(plan.stdout.contains("two steps"), "{}", plan.stdout);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    let names = ["get", "validatingwebhookconfiguration/removals", "-o", "jsonpath={.webhooks[*].name}"];
    assert_eq!(shop.kubectl(&names), "one.example.org");
    shop.kubectl(&["delete", "validatingwebhookconfiguration/removals"]);
}

/// What the server only takes for new objects: before, and after.
const FIXED: [(&str, &str, &str); 11] = [
    (
        "storage.k8s.io/v1/StorageClass",
        "provisioner: x.example.org\nparameters: {a: b}",
        "provisioner: x.example.org\nparameters: {a: c}",
    ),
    (
        "v1/Pod",
        "spec: {nodeName: n1, containers: [{name: a, image: a}]}",
        "spec: {nodeName: n1, containers: [{name: a, image: a, env: [{name: A, value: b}]}]}",
    ),
    (
        "v1/Service",
        "spec: {clusterIP: None, ports: [{port: 80}]}",
        "spec: {clusterIP: 10.0.7.7, ports: [{port: 80}]}",
    ),
    (
        "batch/v1/Job",
        "spec: {suspend: true, completions: 1, completionMode: NonIndexed, template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}",
        "spec: {suspend: true, completions: 1, completionMode: Indexed, template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}",
    ),
    ("scheduling.k8s.io/v1/PriorityClass", "value: 1", "value: 2"),
    (
        "rbac.authorization.k8s.io/v1/RoleBinding",
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}",
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: s}",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b, c: d}}, spec: {containers: [{name: a, image: a}]}}}",
        "spec: {replicas: 0, selector: {matchLabels: {c: d}}, template: {metadata: {labels: {a: b, c: d}}, spec: {containers: [{name: a, image: a}]}}}",
    ),
    ("v1/Secret", "type: example.org/a", "type: example.org/b"),
    ("v1/ConfigMap", "immutable: true\ndata: {a: b}", "immutable: true\ndata: {a: c}"),
    (
        "networking.k8s.io/v1/IngressClass",
        "spec: {controller: example.org/a}",
        "spec: {controller: example.org/b}",
    ),
    (
        "storage.k8s.io/v1/CSIDriver",
        "spec: {volumeLifecycleModes: [Persistent]}",
        "spec: {volumeLifecycleModes: [Ephemeral]}",
    ),
];

#[test]
fn what_the_server_takes_only_as_a_new_object_is_replaced_and_stops_nothing_else() {
    let Some(shop) = Shop::new() else { return };
    let object = |(head, ..): &(&str, &str, &str), spec: &str| {
        let (version, kind) = head.rsplit_once('/').unwrap();
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: fixed}}\n{spec}\n---\n")
    };
    let before: String = FIXED.iter().map(|row| object(row, row.1)).collect();
    let after: String = FIXED.iter().map(|row| object(row, row.2)).collect();
    let map = |value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: beside}}\ndata: {{a: {value}}}\n")
    };
    shop.declare(&[("fixed.yaml", &before), ("beside.yaml", &map("b"))]);
    shop.trueup(&["apply", "--yes", "--no-wait"]).expect(0);
    shop.declare(&[("fixed.yaml", &after), ("beside.yaml", &map("c"))]);
    let plan = shop.trueup(&["plan", "-o", "json"]);
    let report: Value = serde_json::from_str(&plan.stdout).unwrap();
    let other: Vec<String> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] != "replace")
        .map(|change| format!("{} {} {}", change["address"], change["action"], change["unknown"]))
        .collect();
    assert_eq!(other, [format!("\"v1/ConfigMap/{}/beside\" \"update\" null", shop.namespace)]);
    let consents = ["--allow-replace", "**", "--max-delete-percent", "100", "--allow-protected", "**"];
    shop.trueup(&[&["apply", "--yes", "--no-wait"][..], &consents].concat()).expect(0);
    shop.trueup(&["plan"]).expect(0);
    shop.sandbox.sh("rm k8s/fixed.yaml; commit 'Drop'").expect(0);
    let consents = ["--max-delete-percent", "100", "--allow-protected", "**"];
    shop.trueup(&[&["apply", "--yes"][..], &consents].concat()).expect(0);
}
