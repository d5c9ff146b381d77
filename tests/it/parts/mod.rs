//! Real servers, each started once per run on free loopback ports, and ended with the run however it ends.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

mod couchdb;
mod rest;

pub use couchdb::CouchDb;
pub use rest::{Caddy, Etcd, Gitea, Kinto, PowerDns, Prism, RabbitMq};

/// The folder of a part's programs. Without it the test says so and is left out; with `CI` set it fails.
pub fn programs(part: &str) -> Option<PathBuf> {
    let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/parts/install");
    let output = Command::new(install).args(["--where", part]).output().unwrap();
    if output.status.success() {
        return Some(String::from_utf8(output.stdout).unwrap().trim().into());
    }
    assert!(std::env::var_os("CI").is_none(), "{part} is missing; `tests/it/parts/install rest`");
    crate::skip::skip(&format!("{part} is not installed"));
    None
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A new folder for one server, in the target folder of the build.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("part-{name}"));
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Starts a server that ends with this process: the kernel sends it SIGTERM when the thread that
/// started it is gone, which is when all threads are. Answers its process id.
pub fn start(mut make: impl FnMut() -> Command + Send + 'static) -> u32 {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let made = make();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]).arg(made.get_program()).args(made.get_args());
        if let Some(folder) = made.get_current_dir() {
            command.current_dir(folder);
        }
        for (name, value) in made.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let mut child: Child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tell.send(child.id()).unwrap();
        // Not before the server ends, which it does not before this process.
        _ = child.wait();
    });
    told.recv().unwrap()
}

/// A server that can be ended and started again.
pub struct Service {
    name: &'static str,
    make: Arc<dyn Fn() -> Command + Send + Sync>,
    ready: Box<dyn Fn() -> bool + Send + Sync>,
    process: AtomicU32,
}

impl Service {
    /// Starts what `make` makes, and waits until it is `ready`.
    fn new(
        name: &'static str,
        make: impl Fn() -> Command + Send + Sync + 'static,
        ready: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Service {
        let process = AtomicU32::new(0);
        let service = Service { name, make: Arc::new(make), ready: Box::new(ready), process };
        service.run();
        service
    }

    /// Starts it again, and waits for its first answer.
    pub fn run(&self) {
        let make = self.make.clone();
        self.process.store(start(move || make()), Ordering::SeqCst);
        wait_for(self.name, &self.ready);
    }

    /// Ends it, as a crash would.
    pub fn end(&self) {
        let process = self.process.load(Ordering::SeqCst).to_string();
        assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
        wait_for(self.name, || !(self.ready)());
    }
}

/// Waits until `ready` says so.
#[track_caller]
pub fn wait_for(what: &str, mut ready: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(180);
    while !ready() {
        assert!(Instant::now() < end, "{what} did not start within three minutes");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Runs curl and answers what it printed, or nothing if the server refused.
pub fn curl(args: &[&str]) -> Option<String> {
    let output =
        Command::new("curl").args(["-sS", "--fail-with-body", "--noproxy", "*"]).args(args).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
