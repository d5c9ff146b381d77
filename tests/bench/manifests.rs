//! Manifests of a given number, and what reading them costs.

use crate::{measure::compare, place::Place};

/// How many namespaces are declared.
pub const NAMESPACES: usize = 20;

/// How many objects each namespace holds.
#[derive(Clone, Copy)]
pub struct Size {
    pub deployments: usize,
    pub services: usize,
    pub config_maps: usize,
}

/// 1,020 objects.
pub const EVERYDAY: Size = Size { deployments: 13, services: 13, config_maps: 24 };

/// 10,000 objects.
pub const LARGE: Size = Size { deployments: 130, services: 130, config_maps: 239 };

/// One object of a folder of manifests.
pub struct Declared {
    /// The path of its file below the folder.
    pub file: String,
    /// The path of its requests.
    pub path: String,
    /// Its manifest.
    pub manifest: String,
}

/// Every object of a set: first the namespaces, then what is in them.
pub fn objects(size: Size) -> Vec<Declared> {
    let namespaces = (0..NAMESPACES).map(|number| format!("shop-{number:02}"));
    let spaces = namespaces.clone().map(|namespace| Declared {
        file: format!("{namespace}/00-namespace.yaml"),
        path: format!("/api/v1/namespaces/{namespace}"),
        manifest: format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  labels:\n    team: shop\n"
        ),
    });
    let contents = namespaces.flat_map(move |namespace| {
        let of =
            |kind: &'static str, count: usize, group: &'static str, manifest: fn(&str, usize) -> String| {
                let namespace = namespace.clone();
                (0..count).map(move |number| Declared {
                    file: format!("{namespace}/{kind}-{number:03}.yaml"),
                    path: format!("{group}/namespaces/{namespace}/{kind}s/{kind}-{number:03}"),
                    manifest: manifest(&namespace, number),
                })
            };
        of("deployment", size.deployments, "/apis/apps/v1", deployment)
            .chain(of("service", size.services, "/api/v1", service))
            .chain(of("configmap", size.config_maps, "/api/v1", config_map))
            .collect::<Vec<_>>()
    });
    spaces.chain(contents).collect()
}

fn deployment(namespace: &str, number: usize) -> String {
    let name = format!("deployment-{number:03}");
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: shop
    spec:
      containers:
        - name: web
          image: registry.example.org/shop/web:1.{number}.0
          args: [\"--listen=:8080\", \"--log=json\"]
          env:
            - name: LOG_LEVEL
              value: info
            - name: PORT
              value: \"8080\"
          envFrom:
            - configMapRef:
                name: configmap-{number:03}
          ports:
            - name: http
              containerPort: 8080
              protocol: TCP
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            periodSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
"
    )
}

fn service(namespace: &str, number: usize) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata:
  name: service-{number:03}
  namespace: {namespace}
  labels:
    app.kubernetes.io/part-of: shop
spec:
  selector:
    app.kubernetes.io/name: deployment-{number:03}
  ports:
    - name: http
      port: 80
      protocol: TCP
      targetPort: http
"
    )
}

fn config_map(namespace: &str, number: usize) -> String {
    let lines =
        |line: usize| format!("    setting-{line:02} = \"{namespace}-{number}-{line}\"  # of the shop\n");
    format!(
        "# Settings of part {number}.
apiVersion: v1
kind: ConfigMap
metadata:
  name: configmap-{number:03}
  namespace: {namespace}
  labels:
    app.kubernetes.io/part-of: shop
data:
  LOG_LEVEL: info
  REGION: \"eu-{number}\"
  settings.toml: |
{}",
        (0..12).map(lines).collect::<String>()
    )
}

/// A checkout with the objects of a set below `k8s`, committed and packed.
pub fn checkout(config: &str, size: Size) -> Place {
    let place = Place::new(config);
    for object in objects(size) {
        place.write(&format!("checkout/k8s/{}", object.file), &object.manifest);
    }
    place.commit();
    place.pack();
    place
}

/// Reads and parses 10,000 manifests of a commit. A range from a commit to itself reads it twice, and asks no target.
pub fn load() {
    let place = checkout("version: 1\ntargets:\n  shop: {provider: kubernetes, path: k8s}\n", LARGE);
    let twice = "git archive HEAD >/dev/null; git archive HEAD >/dev/null";
    compare(
        "load and parse 10,000 manifests, against git archive",
        7,
        Some(4.0),
        place.trueup(&["diff", "HEAD..HEAD", "-q"]),
        place.run("sh", &["-c", twice]),
    );
}
