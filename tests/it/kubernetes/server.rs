//! A real API server with its store, and its controllers where they are wanted.

use std::{
    env, fs,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use crate::skip;

/// Who may ask the server, by name: the token is the name.
const TOKENS: &str = "admin,admin,1,\"system:masters\"\nreader,reader,2\neditor,editor,3\nnobody,nobody,4\n";

const AUDIT: &str =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n";

/// A server that ends with this process.
pub struct Server {
    /// Its folder.
    pub folder: PathBuf,
    /// The folder of kubectl.
    pub programs: PathBuf,
    /// The port of its store.
    pub store: u16,
    // Its end ends the server.
    lifeline: ChildStdin,
    _child: Child,
}

fn part(name: &str) -> Option<PathBuf> {
    let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/parts/install");
    let found =
        Command::new(install).args(["--where", name]).output().ok().filter(|found| found.status.success());
    match found {
        Some(found) => Some(PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())),
        None => {
            skip::missing(name, "tests/it/parts/install kubernetes");
            None
        }
    }
}

/// Starts a server without controllers; `None` where it is not installed, which is said.
pub fn start() -> Option<Server> {
    let (etcd, kubernetes, kwok) = (part("etcd")?, part("kubernetes")?, part("kwok")?);
    let folder = env::temp_dir().join(format!("trueup-kubernetes-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let ports = free_ports();
    fs::write(folder.join("tokens.csv"), TOKENS).unwrap();
    fs::write(folder.join("audit.yaml"), AUDIT).unwrap();
    for user in ["admin", "reader", "editor", "nobody"] {
        fs::write(folder.join(format!("{user}.kubeconfig")), kubeconfig(&folder, ports[0], user)).unwrap();
    }
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(include_str!("server.sh"))
        .env("D", &folder)
        .env("ETCD", etcd)
        .env("KUBERNETES", &kubernetes)
        .env("KWOK", kwok)
        .envs(["P", "P1", "P2", "P3", "P4"].iter().zip(ports).map(|(name, port)| (name, port.to_string())))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let lifeline = child.stdin.take().unwrap();
    let server = Server { folder, programs: kubernetes, store: ports[1], lifeline, _child: child };
    server.wait("/readyz");
    server.kubectl_as("admin", &["apply", "--server-side", "-f", "-"], WORLD);
    Some(server)
}

/// A node whose pods run at once, and what the users may do.
const WORLD: &str = r#"
{apiVersion: v1, kind: Node, metadata: {name: n1, annotations: {kwok.x-k8s.io/node: fake}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: looks}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: looks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looks}
subjects: [{kind: User, name: reader}]
"#;

fn free_ports() -> [u16; 5] {
    // All held at once, so that they differ.
    let held: Vec<TcpListener> = (0..5).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    std::array::from_fn(|index| held[index].local_addr().unwrap().port())
}

/// A kubeconfig for a user of the server, or of what stands before it on `port`.
pub fn kubeconfig(folder: &Path, port: u16, user: &str) -> String {
    let authority = folder.join("certs/apiserver.crt");
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {user}\n\
         clusters: [{{name: local, cluster: {{server: \"https://127.0.0.1:{port}\", certificate-authority: {}}}}}]\n\
         users: [{{name: {user}, user: {{token: {user}}}}}]\n\
         contexts: [{{name: {user}, context: {{cluster: local, user: {user}}}}}]\n",
        authority.display()
    )
}

impl Server {
    /// Starts the controllers: from now on Deployments get pods, and namespaces end.
    pub fn control(&self) {
        (&self.lifeline).write_all(b"go\n").unwrap();
    }

    /// The kubeconfig of a user.
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.folder.join(format!("{user}.kubeconfig"))
    }

    /// Runs kubectl as `user`; its standard output.
    #[track_caller]
    pub fn kubectl_as(&self, user: &str, args: &[&str], input: &str) -> String {
        let (ok, text) = self.try_kubectl(user, args, input);
        assert!(ok, "kubectl {args:?}: {text}");
        text
    }

    /// Runs kubectl as the administrator; its standard output.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> String {
        self.kubectl_as("admin", args, "")
    }

    /// Runs kubectl; whether it succeeded, and what it said.
    pub fn try_kubectl(&self, user: &str, args: &[&str], input: &str) -> (bool, String) {
        let mut child = Command::new(self.programs.join("kubectl"))
            .arg("--kubeconfig")
            .arg(self.kubeconfig(user))
            .args(args)
            .env("HOME", &self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    fn wait(&self, path: &str) {
        let begun = Instant::now();
        while !self.folder.join("certs/apiserver.crt").exists()
            || !self.try_kubectl("admin", &["get", "--raw", path], "").0
        {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What trueup asked of the server between two moments, one line each: verb and path.
    pub fn requests(&self, during: impl FnOnce()) -> Vec<String> {
        let file = self.folder.join("audit.log");
        let before = fs::metadata(&file).unwrap().len() as usize;
        during();
        // The log is written as each request ends; the last may still be on its way.
        std::thread::sleep(Duration::from_millis(300));
        let log = fs::read(&file).unwrap();
        String::from_utf8_lossy(&log[before..])
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|event| event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("trueup")))
            .map(|event| {
                format!("{} {}", event["verb"].as_str().unwrap(), event["requestURI"].as_str().unwrap())
            })
            .collect()
    }
}
