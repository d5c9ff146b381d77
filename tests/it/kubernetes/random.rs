//! Users, controllers and other appliers, played at random: what `unchanged`
//! says without asking is what the server says when asked.

use http::{Method, Request, StatusCode};
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};
use trueup::providers::kubernetes::unchanged;

use super::server::Server;
use crate::generators::{self, Dice};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// An amount in some of its forms.
fn amount(generators: &mut Dice) -> Value {
    let all =
        [json!(1), json!("1"), json!("1000m"), json!(0.5), json!("500m"), json!("2048Ki"), json!("2Mi")];
    generators.one(&all).clone()
}

/// A field of a pod, with or without its version.
fn field(generators: &mut Dice) -> Value {
    let path = generators.one(&["metadata.name", "metadata.namespace"]);
    match generators.roll(2) {
        0 => json!({"fieldPath": path}),
        _ => json!({"fieldPath": path, "apiVersion": "v1"}),
    }
}

/// A custom object with every kind of list and mapping that a schema can have.
fn widget(generators: &mut Dice) -> Value {
    let mut spec = json!({});
    if generators.chance(50) {
        spec["size"] = json!(generators.roll(3));
    }
    if generators.chance(60) {
        let named = generators.some(&NAMES);
        spec["parts"] = named
            .iter()
            .map(|name| {
                let mut part = json!({"name": name});
                if generators.chance(50) {
                    part["value"] = json!(generators.word());
                }
                if generators.chance(40) {
                    let ports = generators.some(&[80, 443]);
                    part["ports"] = ports
                        .iter()
                        .map(|port| match generators.roll(3) {
                            0 => json!({"port": port}),
                            1 => json!({"port": port, "protocol": "TCP"}),
                            _ => json!({"port": port, "protocol": "UDP", "note": "x"}),
                        })
                        .collect();
                }
                part
            })
            .collect();
    }
    if generators.chance(50) {
        spec["tags"] = json!(generators.some(&NAMES));
    }
    if generators.chance(50) {
        spec["atoms"] = json!(generators.some(&NAMES));
    }
    for field in ["table", "whole", "free"] {
        if generators.chance(40) {
            let keys = generators.some(&NAMES);
            spec[field] = keys.iter().map(|key| ((*key).to_owned(), json!(generators.word()))).collect();
        }
    }
    json!({"apiVersion": "random.example.org/v1", "kind": "Widget", "spec": spec})
}

/// A Deployment with what people write into one.
fn deployment(generators: &mut Dice) -> Value {
    let named = generators.some(&["b", "c"]);
    let containers: Vec<Value> = std::iter::once("a")
        .chain(named)
        .map(|name| {
            let mut container = json!({"name": name, "image": format!("image:{}", generators.roll(2))});
            if generators.chance(60) {
                let env = generators.some(&NAMES);
                container["env"] = env
                    .iter()
                    .map(|name| match generators.roll(4) {
                        0 => json!({"name": name, "valueFrom": {"fieldRef": field(generators)}}),
                        1 => json!({"name": name, "value": ""}),
                        _ => json!({"name": name, "value": generators.word()}),
                    })
                    .collect();
            }
            if generators.chance(50) {
                let ports = generators.some(&[80, 443]);
                container["ports"] = ports
                    .iter()
                    .map(|port| match generators.roll(2) {
                        0 => json!({"containerPort": port}),
                        _ => json!({"containerPort": port, "protocol": "TCP", "name": format!("p{port}")}),
                    })
                    .collect();
            }
            if generators.chance(40) {
                container["resources"] = json!({"limits": {"cpu": amount(generators)}});
            }
            if generators.chance(20) {
                container["livenessProbe"] =
                    json!({"tcpSocket": {"port": 1}, "initialDelaySeconds": generators.roll(2)});
            }
            container
        })
        .collect();
    let mut pod = json!({"containers": containers});
    if generators.chance(40) {
        let names = generators.some(&NAMES);
        pod["volumes"] = names.iter().map(|name| json!({"name": name, "emptyDir": {}})).collect();
    }
    if generators.chance(20) {
        pod["nodeSelector"] = if generators.chance(50) { json!({}) } else { json!({"a": "b"}) };
    }
    if generators.chance(30) {
        pod["tolerations"] = json!([{"key": generators.word(), "operator": "Exists"}]);
    }
    let mut spec = json!({
        "selector": {"matchLabels": {"app": "x"}},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": pod},
    });
    if generators.chance(60) {
        spec["replicas"] = json!(0);
    }
    if generators.chance(30) {
        spec["strategy"] = match generators.roll(3) {
            0 => json!({}),
            1 => json!({"type": "Recreate"}),
            // What an empty one becomes.
            _ => {
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})
            }
        };
    }
    if generators.chance(30) {
        spec["minReadySeconds"] = json!(generators.roll(2));
    }
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec})
}

/// A StatefulSet with a claim, which cannot be changed.
fn set(generators: &mut Dice) -> Value {
    let mut deployment = deployment(generators);
    let spec = deployment["spec"].as_object_mut().unwrap();
    spec.remove("strategy");
    spec.insert("serviceName".to_owned(), json!("x"));
    let mut claim = json!({
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
    });
    if generators.chance(50) {
        claim["kind"] = json!("PersistentVolumeClaim");
        claim["spec"]["volumeMode"] = json!("Filesystem");
    }
    spec.insert("volumeClaimTemplates".to_owned(), json!([claim]));
    deployment["kind"] = json!("StatefulSet");
    deployment
}

fn policy(generators: &mut Dice) -> Value {
    let ports = generators.some(&[80, 443]);
    let ports: Vec<Value> = ports
        .iter()
        .map(|port| match generators.roll(3) {
            0 => json!({"port": port, "protocol": "TCP"}),
            1 => json!({"port": port, "protocol": "UDP"}),
            _ => json!({"port": port}),
        })
        .collect();
    let ingress = [json!([{"ports": ports}]), json!([{}]), json!([])][generators.roll(3) as usize].clone();
    let spec = json!({"podSelector": {}, "ingress": ingress, "policyTypes": ["Ingress"]});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": spec})
}

fn binding(generators: &mut Dice) -> Value {
    let names = generators.some(&NAMES);
    let subjects: Vec<Value> = names
        .iter()
        .map(|name| match generators.roll(3) {
            0 => json!({"kind": "User", "name": name}),
            1 => json!({"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"}),
            _ => json!({"kind": "ServiceAccount", "name": name, "namespace": "x"}),
        })
        .collect();
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": subjects,
    })
}

fn quota(generators: &mut Dice) -> Value {
    let mut hard = json!({});
    for name in generators.some(&["pods", "limits.cpu", "requests.storage"]) {
        hard[name] = amount(generators);
    }
    json!({"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": hard}})
}

fn settings(generators: &mut Dice) -> Value {
    let keys = generators.some(&NAMES);
    let data: serde_json::Map<String, Value> =
        keys.iter().map(|key| ((*key).to_owned(), json!(generators.word()))).collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data})
}

/// One kind of object that is played with.
#[derive(Clone, Copy)]
struct Toy {
    collection: &'static str,
    make: fn(&mut Dice) -> Value,
}

const TOYS: [Toy; 7] = [
    Toy { collection: "/apis/random.example.org/v1/namespaces/random/widgets", make: widget },
    Toy { collection: "/apis/apps/v1/namespaces/random/deployments", make: deployment },
    Toy { collection: "/api/v1/namespaces/random/configmaps", make: settings },
    Toy { collection: "/apis/apps/v1/namespaces/random/statefulsets", make: set },
    Toy { collection: "/apis/networking.k8s.io/v1/namespaces/random/networkpolicies", make: policy },
    Toy { collection: "/apis/rbac.authorization.k8s.io/v1/namespaces/random/rolebindings", make: binding },
    Toy { collection: "/api/v1/namespaces/random/resourcequotas", make: quota },
];

const DEFINITION: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: random}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.random.example.org}
spec:
  group: random.example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, default: 7}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties:
                    name: {type: string}
                    value: {type: string, default: given}
                    ports:
                      type: array
                      x-kubernetes-list-type: map
                      x-kubernetes-list-map-keys: [port, protocol]
                      items:
                        type: object
                        required: [port]
                        properties:
                          port: {type: integer}
                          protocol: {type: string, default: TCP}
                          note: {type: string}
              tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              atoms: {type: array, items: {type: string}}
              table: {type: object, additionalProperties: {type: string}}
              whole: {type: object, x-kubernetes-map-type: atomic, additionalProperties: {type: string}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
";

#[derive(Clone)]
struct Api(Client);

impl Api {
    async fn connect(server: &Server) -> Api {
        let kubeconfig = Kubeconfig::read_from(server.kubeconfig("admin")).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        Api(Client::try_from(config).unwrap())
    }

    async fn send(&self, method: Method, path: &str, kind: &str, body: &Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let response = self.0.send(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect_bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, "application/json", &Value::Null).await.1
    }

    async fn apply(&self, path: &str, query: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::PATCH, &format!("{path}?{query}"), "application/apply-patch+yaml", body).await
    }
}

/// Swaps two items of some list.
fn shuffle(generators: &mut Dice, value: &mut Value) {
    match value {
        Value::Array(items) if items.len() > 1 && generators.chance(50) => {
            let (one, other) = (generators.roll(items.len() as u64), generators.roll(items.len() as u64));
            items.swap(one as usize, other as usize);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shuffle(generators, item)),
        Value::Object(fields) => fields.values_mut().for_each(|field| shuffle(generators, field)),
        _ => {}
    }
}

#[derive(Debug, Default)]
struct Count {
    trials: usize,
    same: usize,
    told: usize,
    invalid: usize,
}

/// Applies as trueup does; what was applied, if the server took it.
async fn applied(api: &Api, path: &str, config: &Value) -> Option<Value> {
    let (status, _) = api.apply(path, "fieldManager=trueup&force=true", config).await;
    status.is_success().then(|| config.clone())
}

/// Plays with one object.
async fn play(api: Api, toy: Toy, seed: u64, trials: usize) -> Count {
    let mut generators = Dice::new(seed);
    let path = format!("{}/toy-{seed}", toy.collection);
    let named = |mut value: Value| {
        value["metadata"] =
            json!({"name": format!("toy-{seed}"), "namespace": "random", "labels": {"l": "1"}});
        value
    };
    let mut config = named((toy.make)(&mut generators));
    // What was applied last, as far as the server took it.
    let mut was = applied(&api, &path, &config).await.unwrap_or_default();
    let mut count = Count::default();
    while count.trials < trials {
        match generators.roll(6) {
            0 => {
                let other = named((toy.make)(&mut generators));
                api.apply(&path, "fieldManager=other&force=true", &other).await;
            }
            1 | 2 => {
                // Somebody edits what is there.
                let mut live = api.get(&path).await;
                if generators.chance(50) {
                    shuffle(&mut generators, &mut live["spec"]);
                } else {
                    let edit = (toy.make)(&mut generators);
                    for field in ["spec", "data", "subjects"] {
                        let Some(fields) = edit[field].as_object() else { continue };
                        for (key, value) in fields.clone() {
                            if generators.chance(40) {
                                live[field][key] = value;
                            }
                        }
                    }
                }
                let path = format!("{path}?fieldManager=kubectl-edit");
                api.send(Method::PUT, &path, "application/json", &live).await;
            }
            3 => was = applied(&api, &path, &config).await.unwrap_or(was),
            4 => config = named((toy.make)(&mut generators)),
            _ => {}
        }
        let live = api.get(&path).await;
        let [config_text, live_text, was] = [&config, &live, &was].map(Value::to_string);
        let verdict = unchanged(config_text.as_bytes(), live_text.as_bytes(), was.as_bytes());
        // Asked of exactly the version that was looked at: a controller may write at any time.
        let mut asked = config.clone();
        asked["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        let (status, preview) = api.apply(&path, "fieldManager=trueup&force=true&dryRun=All", &asked).await;
        if status == StatusCode::CONFLICT {
            continue;
        }
        count.trials += 1;
        if !status.is_success() {
            count.invalid += 1;
            assert!(verdict.is_err(), "seed {seed}: the server refuses what is said to change nothing");
            continue;
        }
        let same = preview == live;
        count.same += usize::from(same);
        count.told += usize::from(verdict.is_ok());
        assert!(
            same || verdict.is_err(),
            "seed {seed}: said to change nothing, and it does\n{config}\n{live}\n{preview}"
        );
    }
    count
}

#[test]
fn what_is_said_to_be_unchanged_is_unchanged() {
    let Some(server) = super::server() else { return };
    server.kubectl_as("admin", &["apply", "-f", "-"], DEFINITION);
    server.kubectl(&["wait", "--for=condition=Established", "crd/widgets.random.example.org"]);
    let (_, trials) = generators::throw(1500, 1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let seeds = 1..=14_u64;
    let each = trials / 14;
    let counts = runtime.block_on(async {
        let api = Api::connect(server).await;
        let games: Vec<_> = seeds
            .map(|seed| tokio::spawn(play(api.clone(), TOYS[seed as usize % TOYS.len()], seed, each)))
            .collect();
        let mut counts = Vec::new();
        for game in games {
            counts.push(game.await.unwrap());
        }
        counts
    });
    let sum = |of: fn(&Count) -> usize| counts.iter().map(of).sum::<usize>();
    let (all, same, told, invalid) = (
        sum(|count| count.trials),
        sum(|count| count.same),
        sum(|count| count.told),
        sum(|count| count.invalid),
    );
    let line = format!(
        "{all} trials: {same} change nothing, {told} of them told without asking, {invalid} refused\n"
    );
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    assert!(told * 3 > same, "{line}");
}
