//! The servers of the REST suite, started as README.md beside this file says.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::json;

use super::{Service, curl, folder, free_port, programs, start, wait_for};

/// A Kinto server; `admin` with the password `p4ssw0rd-canary` may do everything.
pub struct Kinto {
    /// Where it is.
    pub url: String,
}

impl Kinto {
    /// The user and the password.
    pub const LOGIN: &'static str = "admin:p4ssw0rd-canary";

    /// The server of this run.
    pub fn get() -> Option<&'static Kinto> {
        static SERVER: OnceLock<Option<Kinto>> = OnceLock::new();
        SERVER.get_or_init(|| Some(Kinto::start(programs("kinto")?))).as_ref()
    }

    fn start(programs: PathBuf) -> Kinto {
        let (folder, port) = (folder("kinto"), free_port());
        let ini = folder.join("kinto.ini");
        let kinto = programs.join("kinto");
        let init = ["--backend", "memory", "--cache-backend", "memory", "--host", "127.0.0.1"];
        let made = Command::new(&kinto).args(["init", "--ini"]).arg(&ini).args(init).output().unwrap();
        assert!(made.status.success());
        start(move || {
            let mut command = Command::new(&kinto);
            command.args(["start", "--ini"]).arg(&ini).args(["--port", &port.to_string()]);
            // Lists of any length have pages.
            command.env("KINTO_PAGINATE_BY", "3");
            command
        });
        let url = format!("http://127.0.0.1:{port}");
        wait_for("kinto", || curl(&[&format!("{url}/v1/")]).is_some());
        let account = format!("{url}/v1/accounts/admin");
        let body = r#"{"data": {"password": "p4ssw0rd-canary"}}"#;
        curl(&["-X", "PUT", &account, "-H", "Content-Type: application/json", "-d", body]).unwrap();
        Kinto { url }
    }

    /// Sends a request with curl, as a person would; the path starts at the API.
    pub fn curl(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let url = format!("{}/v1{path}", self.url);
        let mut args = vec!["-u", Self::LOGIN, "-X", method, &url];
        if !body.is_empty() {
            args.extend(["-H", "Content-Type: application/json", "-d", body]);
        }
        curl(&args)
    }
}

/// A Gitea server with one administrator.
pub struct Gitea {
    /// Where it is.
    pub url: String,
    /// The administrator's token.
    pub token: String,
    /// The program.
    pub service: Service,
}

impl Gitea {
    /// The server of this run.
    pub fn get() -> Option<&'static Gitea> {
        static SERVER: OnceLock<Option<Gitea>> = OnceLock::new();
        SERVER.get_or_init(|| Some(Gitea::start(programs("gitea")?, "gitea"))).as_ref()
    }

    /// A server for one test, which may end it.
    pub fn own() -> Option<Gitea> {
        Some(Gitea::start(programs("gitea")?, "gitea-own"))
    }

    fn start(programs: PathBuf, name: &str) -> Gitea {
        let (folder, port) = (folder(name), free_port());
        let fixed = programs.parent().unwrap().join("static");
        let ini = format!(
            "RUN_USER = root\nRUN_MODE = prod\nI_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\n\
             [server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\nROOT_URL = http://127.0.0.1:{port}/\nDISABLE_SSH = true\n\
             OFFLINE_MODE = true\nSTATIC_ROOT_PATH = {}\n[database]\nDB_TYPE = sqlite3\nPATH = {}\n\
             [security]\nINSTALL_LOCK = true\nSECRET_KEY = secret\nINTERNAL_TOKEN = internal\n[cron]\nENABLED = false\n\
             [webhook]\nALLOWED_HOST_LIST = loopback\n",
            fixed.display(),
            folder.join("gitea.db").display(),
        );
        fs::write(folder.join("app.ini"), ini).unwrap();
        let gitea = move |args: &[&str]| {
            let mut command = Command::new(programs.join("gitea"));
            command.arg("--config").arg(folder.join("app.ini")).args(args);
            command.env("GITEA_WORK_DIR", &folder).env("HOME", &folder);
            command
        };
        assert!(gitea(&["migrate"]).output().unwrap().status.success());
        let user = ["admin", "user", "create", "--admin", "--username", "admin1", "--password", "Passw0rd1"];
        let more = [
            "--email",
            "a@example.org",
            "--must-change-password=false",
            "--access-token",
            "--access-token-scopes",
            "all",
        ];
        let made = gitea(&[&user[..], &more[..]].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        let token = said
            .split_whitespace()
            .find(|word| word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit()));
        let token = token.unwrap_or_else(|| panic!("no token in: {said}")).to_owned();
        let url = format!("http://127.0.0.1:{port}");
        let version = format!("{url}/api/v1/version");
        let service = Service::new("gitea", move || gitea(&["web"]), move || curl(&[&version]).is_some());
        Gitea { url, token, service }
    }

    /// Sends a request with curl, as a person would; the path starts at the API.
    pub fn curl(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let url = format!("{}/api/v1{path}", self.url);
        let header = format!("Authorization: token {}", self.token);
        let mut args = vec!["-H", &header, "-X", method, &url];
        if !body.is_empty() {
            args.extend(["-H", "Content-Type: application/json", "-d", body]);
        }
        curl(&args)
    }
}

/// A PowerDNS server with an empty database.
pub struct PowerDns {
    /// Where its API is.
    pub url: String,
    /// Where it answers questions.
    pub port: u16,
    /// The program.
    pub service: Service,
}

impl PowerDns {
    /// The key of its API.
    pub const KEY: &'static str = "k3y-canary";

    /// The server of this run.
    pub fn get() -> Option<&'static PowerDns> {
        static SERVER: OnceLock<Option<PowerDns>> = OnceLock::new();
        SERVER.get_or_init(|| Some(PowerDns::start(programs("powerdns")?, "powerdns"))).as_ref()
    }

    /// A server for one test, which may end it.
    pub fn own() -> Option<PowerDns> {
        Some(PowerDns::start(programs("powerdns")?, &format!("powerdns-{}", free_port())))
    }

    fn start(programs: PathBuf, name: &str) -> PowerDns {
        let (folder, port, url) = (folder(name), free_port(), format!("http://127.0.0.1:{}", free_port()));
        let schema = fs::File::open("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql").unwrap();
        let made = Command::new("sqlite3").arg(folder.join("pdns.db")).stdin(schema).status();
        assert!(made.unwrap().success());
        let (place, api) = (folder.display(), url.rsplit(':').next().unwrap_or_default());
        let words = "--daemon=no --guardian=no --launch=gsqlite3 --gsqlite3-dnssec=yes --webserver=yes --api=yes \
                     --write-pid=no --local-address=127.0.0.1 --webserver-address=127.0.0.1";
        let mut args: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        args.extend([
            format!("--config-dir={place}"),
            format!("--socket-dir={place}"),
            format!("--gsqlite3-database={place}/pdns.db"),
            format!("--local-port={port}"),
            format!("--webserver-port={api}"),
            format!("--api-key={}", Self::KEY),
        ]);
        let program = programs.join("pdns_server");
        let make = move || {
            let mut command = Command::new(&program);
            command.args(&args);
            command
        };
        let api = url.clone();
        let service = Service::new("powerdns", make, move || PowerDns::ask(&api, "GET", "", "").is_some());
        PowerDns { url, port, service }
    }

    /// Sends a request with curl; the path starts at the server's entry in the API.
    pub fn curl(&self, method: &str, path: &str, body: &str) -> Option<String> {
        Self::ask(&self.url, method, path, body)
    }

    fn ask(url: &str, method: &str, path: &str, body: &str) -> Option<String> {
        let url = format!("{url}/api/v1/servers/localhost{path}");
        let header = format!("X-API-Key: {}", Self::KEY);
        let mut args = vec!["-H", &header, "-X", method, &url];
        if !body.is_empty() {
            args.extend(["-H", "Content-Type: application/json", "-d", body]);
        }
        curl(&args)
    }

    /// What the server answers to a question, sorted.
    pub fn dig(&self, name: &str, kind: &str) -> String {
        let port = self.port.to_string();
        let output =
            Command::new("dig").args(["@127.0.0.1", "-p", &port, "+short", name, kind]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join(" ")
    }
}

/// Keeps Erlang from listening on every address.
const LOOPBACK: &str = "-kernel inet_dist_use_interface {127,0,0,1}";

/// A RabbitMQ broker with its management plugin.
pub struct RabbitMq {
    /// Where its API is.
    pub url: String,
    programs: PathBuf,
    folder: PathBuf,
    epmd: u16,
}

impl RabbitMq {
    /// The server of this run.
    pub fn get() -> Option<&'static RabbitMq> {
        static SERVER: OnceLock<Option<RabbitMq>> = OnceLock::new();
        SERVER.get_or_init(|| Some(RabbitMq::start(programs("rabbitmq")?, "rabbitmq"))).as_ref()
    }

    /// A server for one test, which may end it.
    pub fn own() -> Option<RabbitMq> {
        Some(RabbitMq::start(programs("rabbitmq")?, "rabbitmq-own"))
    }

    fn start(programs: PathBuf, name: &str) -> RabbitMq {
        let folder = folder(name);
        let [epmd, distribution, amqp, api] = std::array::from_fn(|_| free_port());
        fs::write(
            folder.join("enabled_plugins"),
            "[rabbitmq_management, rabbitmq_federation, rabbitmq_shovel].\n",
        )
        .unwrap();
        let conf = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {api}\nloopback_users = none\n"
        );
        fs::write(folder.join("rabbitmq.conf"), conf).unwrap();
        start(move || {
            let mut command = Command::new("epmd");
            command.args(["-address", "127.0.0.1", "-port", &epmd.to_string()]);
            command
        });
        let server = RabbitMq { url: format!("http://127.0.0.1:{api}"), programs, folder, epmd };
        let mut settings = server.settings();
        settings.push(("RABBITMQ_DIST_PORT", distribution.to_string()));
        settings.push(("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", LOOPBACK.to_owned()));
        let files = [("RABBITMQ_BASE", ""), ("RABBITMQ_MNESIA_BASE", "mnesia"), ("RABBITMQ_LOG_BASE", "log")];
        let more =
            [("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"), ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins")];
        let files = files.into_iter().chain(more).chain([("RABBITMQ_PID_FILE", "pid")]);
        settings.extend(files.map(|(name, file)| (name, server.folder.join(file).display().to_string())));
        let (program, place) = (server.programs.join("rabbitmq-server"), server.folder.clone());
        start(move || {
            // It writes what it dies of to where it stands.
            let mut command = Command::new(&program);
            command.current_dir(&place).envs(settings.iter().map(|(name, value)| (name, value)));
            command
        });
        wait_for("rabbitmq", || server.curl("GET", "/overview", "").is_some());
        server
    }

    /// What the server and its own client have to agree on.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let api = self.url.rsplit(':').next().unwrap_or_default();
        vec![
            ("HOME", self.folder.display().to_string()),
            ("RABBITMQ_NODENAME", format!("trueup-{api}@localhost")),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("ERL_EPMD_PORT", self.epmd.to_string()),
        ]
    }

    /// What `rabbitmqctl` says.
    pub fn ctl(&self, args: &[&str]) -> String {
        let mut command = Command::new(self.programs.join("rabbitmqctl"));
        command.args(["-q", "--node", &self.settings()[1].1]).args(args);
        command.envs(self.settings()).env("RABBITMQ_CTL_ERL_ARGS", LOOPBACK);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Sends a request with curl; the path starts at the API.
    pub fn curl(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let url = format!("{}/api{path}", self.url);
        let mut args = vec!["-u", "guest:guest", "-X", method, &url];
        if !body.is_empty() {
            args.extend(["-H", "Content-Type: application/json", "-d", body]);
        }
        curl(&args)
    }
}

/// A server that answers as GitHub's description of its API says, from the examples in it.
pub struct Prism {
    /// Where it is.
    pub url: String,
}

impl Prism {
    /// The server of this run.
    pub fn get() -> Option<&'static Prism> {
        static SERVER: OnceLock<Option<Prism>> = OnceLock::new();
        SERVER.get_or_init(|| Some(Prism::start(programs("github")?))).as_ref()
    }

    fn start(programs: PathBuf) -> Prism {
        let port = free_port();
        let description = programs.join("../node_modules/@octokit/openapi/generated/api.github.com.json");
        start(move || {
            let mut command = Command::new(programs.join("prism"));
            command.args(["mock", "-h", "127.0.0.1", "-p", &port.to_string()]).arg(&description);
            command
        });
        let url = format!("http://127.0.0.1:{port}");
        wait_for("prism", || curl(&[&format!("{url}/meta")]).is_some());
        Prism { url }
    }
}

/// An etcd without any key, and its gateway for JSON.
pub struct Etcd {
    /// Where that is.
    pub url: String,
    /// The program.
    pub service: Service,
}

impl Etcd {
    /// The server of this run.
    pub fn get() -> Option<&'static Etcd> {
        static SERVER: OnceLock<Option<Etcd>> = OnceLock::new();
        SERVER.get_or_init(|| Some(Etcd::start(programs("etcd")?, "etcd-gateway"))).as_ref()
    }

    /// A server for one test, which may end it.
    pub fn own() -> Option<Etcd> {
        Some(Etcd::start(programs("etcd")?, "etcd-own"))
    }

    fn start(programs: PathBuf, name: &str) -> Etcd {
        let folder = folder(name);
        let [url, peer] = std::array::from_fn(|_| format!("http://127.0.0.1:{}", free_port()));
        let (listens, healthy) = (url.clone(), format!("{url}/readyz"));
        let make = move || {
            let mut command = Command::new(programs.join("etcd"));
            command.arg("--data-dir").arg(&folder);
            command.args(["--listen-client-urls", &listens, "--advertise-client-urls", &listens]);
            command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
            command.args(["--initial-cluster", &format!("default={peer}")]);
            command
        };
        let service = Service::new("etcd", make, move || curl(&[&healthy]).is_some());
        Etcd { url, service }
    }

    /// Sends a request with curl; the path starts at the version of the API.
    pub fn curl(&self, path: &str, body: &str) -> Option<String> {
        curl(&[&format!("{}/v3{path}", self.url), "-d", body])
    }
}

/// A Caddy server without any site.
pub struct Caddy {
    /// Where its administration is.
    pub url: String,
}

impl Caddy {
    /// The server of this run.
    pub fn get() -> Option<&'static Caddy> {
        static SERVER: OnceLock<Option<Caddy>> = OnceLock::new();
        SERVER.get_or_init(|| Some(Caddy::start(programs("caddy")?))).as_ref()
    }

    fn start(programs: PathBuf) -> Caddy {
        let (folder, port) = (folder("caddy"), free_port());
        let config = format!(
            r#"{{"admin": {{"listen": "127.0.0.1:{port}"}}, "apps": {{"http": {{"servers": {{}}}}}}}}"#
        );
        fs::write(folder.join("caddy.json"), config).unwrap();
        Caddy::run(programs, folder);
        let url = format!("http://127.0.0.1:{port}");
        wait_for("caddy", || curl(&[&format!("{url}/config/")]).is_some());
        Caddy { url }
    }

    fn run(programs: PathBuf, folder: PathBuf) {
        start(move || {
            let mut command = Command::new(programs.join("caddy"));
            command.args(["run", "--config"]).arg(folder.join("caddy.json"));
            command.env("HOME", &folder).env("XDG_CONFIG_HOME", &folder).env("XDG_DATA_HOME", &folder);
            command
        });
    }

    /// A Caddy that speaks TLS before `upstream`, with the `server.pem` of the folder `certificates`, which
    /// is for `host`, and with people who have one of `ca.pem` only, if `clients` says so. Answers its port.
    pub fn before(upstream: &str, certificates: &Path, host: &str, clients: bool) -> Option<u16> {
        let programs = programs("caddy")?;
        let port = free_port();
        let folder = folder(&format!("caddy-{port}"));
        let file = |name: &str| certificates.join(name).display().to_string();
        let mut policy = json!({"default_sni": host});
        if clients {
            let trusted =
                json!({"mode": "require_and_verify", "trusted_ca_certs_pem_files": [file("ca.pem")]});
            policy["client_authentication"] = trusted;
        }
        let upstream = upstream.trim_start_matches("http://");
        let server = json!({
            "listen": [format!("127.0.0.1:{port}")], "protocols": ["h1", "h2"],
            "automatic_https": {"disable": true}, "strict_sni_host": false, "tls_connection_policies": [policy],
            "routes": [{"handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": upstream}]}]}],
        });
        let files = json!([{"certificate": file("server.pem"), "key": file("server.key")}]);
        let config = json!({
            "admin": {"disabled": true},
            "apps": {"http": {"servers": {"front": server}}, "tls": {"certificates": {"load_files": files}}},
        });
        fs::write(folder.join("caddy.json"), config.to_string()).unwrap();
        Caddy::run(programs, folder);
        wait_for("caddy", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(port)
    }
}
