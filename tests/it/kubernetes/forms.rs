//! What the server writes in other words than people do, and what it adds where they said nothing.

use super::Shop;

/// One of everything that is known to come back otherwise; `NAME` is what is of no namespace.
const ALL: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  minReadySeconds: 0
  updateStrategy: {}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}, annotations: {}}
    spec:
      hostNetwork: false
      hostPID: false
      hostIPC: false
      nodeSelector: {}
      tolerations: []
      initContainers:
      - {name: first, image: db, resources: {requests: {cpu: 0.1}}}
      containers:
      - name: db
        image: db
        args: []
        command: []
        stdin: false
        stdinOnce: false
        tty: false
        env:
        - {name: NONE, value: ""}
        - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        - {name: MILLI, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 0.001}}}
        resources: {limits: {cpu: 1, memory: 1024Mi}, requests: {cpu: "0.5", memory: 0.5Gi}}
        livenessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 0}
        readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 0}
        volumeMounts: [{name: data, mountPath: /d, readOnly: false}]
      volumes:
      - {name: empty, emptyDir: {sizeLimit: 1024Ki, medium: ""}}
      - {name: claimed, persistentVolumeClaim: {claimName: claim, readOnly: false}}
      - name: projected
        projected:
          sources:
          - serviceAccountToken: {path: x}
          - downwardAPI:
              items:
              - {path: a, fieldRef: {fieldPath: metadata.name}}
              - {path: b, resourceFieldRef: {containerName: db, resource: limits.cpu}}
      - name: down
        downwardAPI:
          items:
          - {path: a, fieldRef: {fieldPath: metadata.name}}
          - {path: b, resourceFieldRef: {containerName: db, resource: limits.cpu, divisor: 1000m}}
      - name: each
        ephemeral:
          volumeClaimTemplate:
            spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
  volumeClaimTemplates:
  - metadata: {name: data, labels: {a: b}}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: more}
    spec: {accessModes: [ReadWriteOnce], volumeMode: Block, resources: {requests: {storage: 1000}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  paused: false
  minReadySeconds: 0
  strategy: {}
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web, resources: {}}]}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: each}
spec:
  minReadySeconds: 0
  updateStrategy: {}
  selector: {matchLabels: {app: each}}
  template: {metadata: {labels: {app: each}}, spec: {nodeSelector: {only: elsewhere}, containers: [{name: each, image: each}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: night}
spec:
  schedule: "0 0 * * *"
  jobTemplate:
    metadata: {labels: {}, annotations: {}}
    spec:
      template:
        metadata: {labels: {}}
        spec: {restartPolicy: Never, containers: [{name: night, image: night, resources: {limits: {cpu: 1000m}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {publishNotReadyAddresses: false, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1024Mi}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAME}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, hostPath: {path: /x}, capacity: {storage: 1024Mi}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {limits.cpu: 1000, requests.memory: 4096Mi}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 3
  metrics:
  - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1024Mi}}}
  - {type: External, external: {metric: {name: x}, target: {type: Value, value: 1000}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}], egress: [{ports: [{port: 53}, {port: 53, protocol: UDP}]}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: User, name: jane}, {kind: ServiceAccount, name: x, namespace: other}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: NAME}
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: Group, name: nobody}]
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: NAME}
value: 1
globalDefault: false
description: ""
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: NAME}
webhooks:
- name: a.example.org
  sideEffects: None
  failurePolicy: Ignore
  admissionReviewVersions: [v1]
  clientConfig: {url: "https://127.0.0.1:1/"}
  namespaceSelector: {matchLabels: {only: elsewhere}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: NAME}
webhooks:
- name: a.example.org
  sideEffects: None
  failurePolicy: Ignore
  admissionReviewVersions: [v1]
  clientConfig: {url: "https://127.0.0.1:1/"}
  namespaceSelector: {matchLabels: {only: elsewhere}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: NAMEs.forms.example.org}
spec:
  group: forms.example.org
  scope: Namespaced
  preserveUnknownFields: false
  names: {kind: NAME, plural: NAMEs, singular: NAME}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"#;

#[test]
fn what_the_server_writes_in_other_words_is_known_without_asking() {
    let Some(shop) = Shop::new() else { return };
    let name = shop.namespace.replace('-', "");
    shop.declare(&[("all.yaml", &ALL.replace("NAME", &name))]);
    shop.trueup(&["apply", "--yes", "--no-wait"]).expect(0);
    let (ran, requests) = shop.watched(&["plan"]);
    ran.expect(0);
    let asked: Vec<&String> = requests.iter().filter(|line| line.contains("dryRun")).collect();
    assert!(asked.is_empty(), "{asked:?}");
    // What is really something else is not passed over.
    for (from, to) in [
        ("memory: 1024Mi", "memory: 1025Mi"),
        ("fieldPath: metadata.name", "fieldPath: metadata.namespace"),
        ("initialDelaySeconds: 0", "initialDelaySeconds: 1"),
        ("strategy: {}", "strategy: {rollingUpdate: {maxSurge: 2}}"),
        ("{port: 53}, ", ""),
    ] {
        shop.declare(&[("all.yaml", &ALL.replace("NAME", &name).replacen(from, to, 1))]);
        let ran = shop.trueup(&["plan"]).expect(2);
        assert!(ran.stdout.contains("1 update"), "{to}: {}", ran.stdout);
    }
    let gone = [
        "persistentvolume",
        "priorityclass",
        "clusterrolebinding",
        "validatingwebhookconfiguration",
        "mutatingwebhookconfiguration",
    ];
    gone.iter().for_each(|kind| _ = shop.kubectl(&["delete", "--wait=false", kind, &name]));
    shop.kubectl(&["delete", "customresourcedefinition", &format!("{name}s.forms.example.org")]);
}

#[test]
fn what_somebody_else_declares_too_is_asked() {
    let Some(shop) = Shop::new() else { return };
    let quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: quota}\nspec: {hard: {pods: \"1\"}}\n";
    shop.declare(&[("quota.yaml", quota)]);
    shop.apply();
    let other = ["-n", &shop.namespace, "apply", "--server-side", "--field-manager=other", "-f", "-"];
    shop.server.kubectl_as("admin", &other, quota);
    shop.declare(&[("quota.yaml", &quota.replace("\"1\"", "1000m"))]);
    let (ran, requests) = shop.watched(&["plan"]);
    ran.expect(0);
    assert!(requests.iter().any(|line| line.contains("dryRun")), "{requests:?}");
}
