//! A real API server, and a checkout that declares what it should hold.

use std::{fmt::Write as _, fs, sync::OnceLock};

use serde_json::{Value, json};

use crate::{
    manifests::{self, Declared, NAMESPACES, Size},
    measure::Side,
    place::Place,
    server::{self, Server},
};

/// A server and a checkout for it.
pub struct Cluster {
    pub place: Place,
    pub server: &'static Server,
    pub objects: Vec<Declared>,
}

/// The server of this run. Without controllers nobody but the measured programs asks it.
fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(server::start).as_ref()
}

impl Cluster {
    /// A cluster that holds nothing of `size` yet; `None` where it is not installed, which is said.
    pub fn declaring(size: Size) -> Option<Cluster> {
        let server = server()?;
        let kubeconfig = server.kubeconfig("admin");
        let config = format!(
            "version: 1\ntargets:\n  shop: {{provider: kubernetes, path: k8s, kubeconfig: {}, namespace: default}}\n",
            kubeconfig.display()
        );
        let cluster =
            Cluster { place: manifests::checkout(&config, size), server, objects: manifests::objects(size) };
        cluster.empty();
        Some(cluster)
    }

    /// kubectl over the manifests.
    pub fn kubectl(&self, args: &[&str]) -> Side<'_> {
        let kubeconfig = self.server.kubeconfig("admin").display().to_string();
        let cache = self.server.folder.join("cache").display().to_string();
        let connection = ["--kubeconfig", &kubeconfig, "--cache-dir", &cache];
        let program = self.server.programs.join("kubectl").display().to_string();
        self.place.run(&program, &[&connection[..], args, &["--server-side", "-R", "-f", "k8s"]].concat())
    }

    /// curl with requests, the second wave after the first.
    pub fn curl(&self, waves: &[Vec<Request>]) -> Side<'_> {
        let commands = waves.iter().enumerate().map(|(index, wave)| {
            let file = self.place.path(format!("wave-{index}-{}", wave.len()));
            fs::write(&file, self.config(wave)).unwrap();
            format!("curl -sS --parallel --parallel-max 16 -K {}", file.display())
        });
        self.place.run("sh", &["-ec", &commands.collect::<Vec<_>>().join("\n")])
    }

    fn config(&self, requests: &[Request]) -> String {
        let authority = self.server.folder.join("certs/apiserver.crt");
        let url = self.server.kubectl(&["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"]);
        requests.iter().enumerate().fold(String::new(), |mut text, (index, request)| {
            let Request { method, path, kind, body } = request;
            let next = if index > 0 { "next\n" } else { "" };
            write!(
                text,
                "{next}url = \"{url}{path}\"\nrequest = {method}\ncacert = \"{}\"\noutput = /dev/null\nfail\n\
                 header = \"Authorization: Bearer admin\"\nheader = \"Content-Type: {kind}\"\n",
                authority.display()
            )
            .unwrap();
            if let Some(body) = body {
                let quoted = body.replace('\\', "\\\\").replace('"', "\\\"");
                writeln!(text, "data-binary = \"{quoted}\"").unwrap();
            }
            text
        })
    }

    /// Makes the cluster hold nothing of the set, and no record of it.
    pub fn empty(&self) {
        let namespaces: Vec<String> = self
            .server
            .kubectl(&["get", "namespaces", "-o", "name"])
            .lines()
            .filter_map(|line| line.strip_prefix("namespace/shop-").map(|number| format!("shop-{number}")))
            .collect();
        let delete = |path: String| Request::new("DELETE", path);
        let contents = namespaces.iter().flat_map(|namespace| {
            [
                "/apis/apps/v1/namespaces/NS/deployments",
                "/api/v1/namespaces/NS/services",
                "/api/v1/namespaces/NS/configmaps",
            ]
            .map(|path| delete(path.replace("NS", namespace)))
        });
        let going = namespaces.iter().map(|namespace| delete(format!("/api/v1/namespaces/{namespace}")));
        // Without controllers nobody else takes the finalizer of a namespace away.
        let gone = namespaces.iter().map(|namespace| Request {
            body: Some(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}, "spec": {"finalizers": []}}).to_string()),
            ..Request::new("PUT", format!("/api/v1/namespaces/{namespace}/finalize"))
        });
        if !namespaces.is_empty() {
            assert_eq!(self.curl(&[contents.collect(), going.collect(), gone.collect()]).run(), Some(0));
        }
        self.server.kubectl(&[
            "-n",
            "default",
            "delete",
            "--ignore-not-found",
            "configmap/trueup-shop",
            "lease/trueup-shop",
        ]);
    }

    /// The lists that tell what the cluster holds of the set, for curl.
    pub fn lists(&self) -> Vec<Request> {
        let label = self.label();
        ["/api/v1/namespaces", "/apis/apps/v1/deployments", "/api/v1/services", "/api/v1/configmaps"]
            .map(|path| {
                Request::new("GET", format!("{path}?labelSelector=applyset.kubernetes.io/part-of%3D{label}"))
            })
            .into()
    }

    /// The patches that make the objects, as trueup sends them: namespaces first.
    pub fn patches(&self) -> [Vec<Request>; 2] {
        let label = "applyset-of-the-peer";
        let patch = |object: &Declared| {
            let mut body: Value = serde_yaml::from_str(&object.manifest).unwrap();
            body["metadata"]["labels"]["applyset.kubernetes.io/part-of"] = json!(label);
            body["metadata"]["annotations"]["trueup.dev/identity"] = json!(object.path);
            Request {
                method: "PATCH",
                path: format!("{}?fieldManager=trueup&force=true&fieldValidation=Strict", object.path),
                kind: "application/apply-patch+yaml",
                body: Some(body.to_string()),
            }
        };
        let (spaces, contents) = self.objects.split_at(NAMESPACES);
        [spaces.iter().map(patch).collect(), contents.iter().map(patch).collect()]
    }

    /// The label of the objects that trueup applied.
    fn label(&self) -> String {
        let path = "jsonpath={.metadata.labels.applyset\\.kubernetes\\.io/part-of}";
        self.server.kubectl(&["get", "namespace", "shop-00", "-o", path])
    }

    /// What trueup asks of the server during a run: verb and path, one line each.
    pub fn requests(&self, args: &[&str], exit: i32) -> Vec<String> {
        self.server.requests(|| assert_eq!(self.place.trueup(args).run(), Some(exit), "{args:?}"))
    }
}

/// A request that curl sends.
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub kind: &'static str,
    pub body: Option<String>,
}

impl Request {
    fn new(method: &'static str, path: String) -> Request {
        Request { method, path, kind: "application/json", body: None }
    }
}
