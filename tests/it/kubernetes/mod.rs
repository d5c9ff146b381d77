//! The Kubernetes provider against a real API server.

use std::{
    fs,
    sync::{
        OnceLock, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::sandbox::{Ran, Sandbox};

mod adopt;
mod audit;
mod concurrent_writers;
mod connection;
mod consents;
mod credentials;
mod everyday;
mod explain;
mod faults;
mod forms;
mod ignore_rules;
mod invalid;
mod kept;
mod killed;
mod lists;
mod moves;
mod proxy;
mod random;
mod random_adopt;
mod removals;
mod replaced;
mod rights;
mod secrets;
mod server;
mod session;
mod store;
mod takeover;
mod turns;
mod views;
mod waits;

use proxy::{Fault, Proxy};
use server::Server;

/// The server of this run; `None` where it is not installed, which is said once.
fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let controlled = || server::start().inspect(Server::control);
    SERVER.get_or_init(controlled).as_ref()
}

/// A checkout whose manifests belong to the server.
struct Shop {
    sandbox: Sandbox,
    server: &'static Server,
    /// A namespace of its own.
    namespace: String,
}

/// A Deployment whose pods run at once.
const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeName: n1
      containers:
      - name: web
        image: web:1
        ports: [{containerPort: 80}]
        env:
        - {name: MODE, value: fast}
        - {name: LEVEL, value: \"1\"}
        resources: {limits: {cpu: \"1\", memory: 64Mi}}
";

/// A ConfigMap.
const SETTINGS: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  colour: blue
  size: \"10\"
";

/// `count` ConfigMaps in one file.
fn many(count: usize, value: &str) -> String {
    (0..count)
        .map(|index| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: many-{index}}}\ndata: {{value: {value}}}\n---\n")
        })
        .collect()
}

/// Whether a request writes something.
fn is_write(line: &str) -> bool {
    !line.starts_with("GET") && !line.contains("dryRun")
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Held for writing by who counts requests, for reading by everybody else.
static ALONE: RwLock<()> = RwLock::new(());

/// Lets others ask the server at the same time, but nobody who counts requests.
fn share() -> RwLockReadGuard<'static, ()> {
    ALONE.read().unwrap_or_else(PoisonError::into_inner)
}

impl Shop {
    /// A shop with an empty namespace; `None` where there is no server.
    fn new() -> Option<Shop> {
        let server = server()?;
        let namespace = format!("shop-{}", COUNT.fetch_add(1, Ordering::SeqCst));
        server.kubectl(&["create", "namespace", &namespace]);
        let shop = Shop { sandbox: Sandbox::new(), server, namespace };
        shop.configure("admin", "");
        Some(shop)
    }

    /// The same shop in another namespace, which need not be there.
    fn moved_to(self, namespace: &str) -> Shop {
        let shop = Shop { namespace: namespace.to_owned(), ..self };
        shop.configure("admin", "");
        shop
    }

    /// Writes trueup.yaml for a user, with more keys for the target.
    fn configure(&self, user: &str, more: &str) {
        fs::copy(self.server.kubeconfig(user), self.sandbox.path(format!("home/{user}.kubeconfig"))).unwrap();
        let config = format!(
            "version: 1\ntargets:\n  shop: {{provider: kubernetes, path: k8s, kubeconfig: ../home/{user}.kubeconfig, namespace: {}{more}}}\n",
            self.namespace
        );
        self.sandbox.write("checkout/trueup.yaml", config);
    }

    /// A shop whose trueup goes through a proxy.
    fn proxied(decide: impl FnMut(&str) -> Fault + Send + 'static) -> Option<(Shop, Proxy)> {
        let shop = Shop::new()?;
        let proxy = Proxy::before(shop.server, decide);
        fs::copy(&proxy.kubeconfig, shop.sandbox.path("home/admin.kubeconfig")).unwrap();
        Some((shop, proxy))
    }

    /// Leads past the proxy from now on.
    fn directly(&self) {
        fs::copy(self.server.kubeconfig("admin"), self.sandbox.path("home/admin.kubeconfig")).unwrap();
    }

    /// The lock of a dead holder runs out; here nobody waits for that.
    fn unlock(&self) {
        self.kubectl(&["delete", "lease/trueup-shop", "--ignore-not-found"]);
    }

    /// Declares files and commits them.
    fn declare(&self, files: &[(&str, &str)]) {
        for (path, content) in files {
            self.sandbox.write(&format!("checkout/k8s/{path}"), content);
        }
        self.sandbox.sh("commit 'Declare'").expect(0);
    }

    fn trueup(&self, args: &[&str]) -> Ran {
        let _others_may_too = share();
        self.sandbox.trueup(args)
    }

    /// Runs trueup with nobody else asking the server; what it asked for, one line each.
    fn watched(&self, args: &[&str]) -> (Ran, Vec<String>) {
        let _alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
        let mut ran = None;
        let requests = self.server.requests(|| ran = Some(self.sandbox.trueup(args)));
        (ran.unwrap(), requests)
    }

    #[track_caller]
    fn apply(&self) -> Ran {
        self.trueup(&["apply", "--yes"]).expect(0)
    }

    /// kubectl in the namespace.
    #[track_caller]
    fn kubectl(&self, args: &[&str]) -> String {
        self.server.kubectl(&[&["-n", &self.namespace], args].concat())
    }

    /// Applies a text as kubectl does, in the namespace.
    #[track_caller]
    fn kubectl_apply(&self, text: &str) -> String {
        self.server.kubectl_as("admin", &["-n", &self.namespace, "apply", "-f", "-"], text)
    }
}
