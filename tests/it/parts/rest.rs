//! The servers of the REST suite, started as README.md beside this file says.

use std::{fs, path::PathBuf, process::Command, sync::OnceLock};

use super::{curl, folder, free_port, programs, start, wait_for};

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
}

impl Gitea {
    /// The server of this run.
    pub fn get() -> Option<&'static Gitea> {
        static SERVER: OnceLock<Option<Gitea>> = OnceLock::new();
        SERVER.get_or_init(|| Some(Gitea::start(programs("gitea")?))).as_ref()
    }

    fn start(programs: PathBuf) -> Gitea {
        let (folder, port) = (folder("gitea"), free_port());
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
        start(move || gitea(&["web"]));
        let url = format!("http://127.0.0.1:{port}");
        wait_for("gitea", || curl(&[&format!("{url}/api/v1/version")]).is_some());
        Gitea { url, token }
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
}

impl PowerDns {
    /// The key of its API.
    pub const KEY: &'static str = "k3y-canary";

    /// The server of this run.
    pub fn get() -> Option<&'static PowerDns> {
        static SERVER: OnceLock<Option<PowerDns>> = OnceLock::new();
        SERVER.get_or_init(|| Some(PowerDns::start(programs("powerdns")?))).as_ref()
    }

    fn start(programs: PathBuf) -> PowerDns {
        let (folder, port, api) = (folder("powerdns"), free_port(), free_port());
        let database = folder.join("pdns.db");
        let schema = fs::File::open("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql").unwrap();
        assert!(Command::new("sqlite3").arg(&database).stdin(schema).status().unwrap().success());
        start(move || {
            let mut command = Command::new(programs.join("pdns_server"));
            let place = folder.display();
            command.args([
                "--daemon=no",
                "--guardian=no",
                "--launch=gsqlite3",
                "--webserver=yes",
                "--api=yes",
                "--write-pid=no",
            ]);
            command.arg(format!("--config-dir={place}")).arg(format!("--socket-dir={place}"));
            command.arg(format!("--gsqlite3-database={}", database.display()));
            command.arg("--local-address=127.0.0.1").arg(format!("--local-port={port}"));
            command.arg("--webserver-address=127.0.0.1").arg(format!("--webserver-port={api}"));
            command.arg(format!("--api-key={}", PowerDns::KEY));
            command
        });
        let server = PowerDns { url: format!("http://127.0.0.1:{api}"), port };
        wait_for("powerdns", || server.curl("GET", "", "").is_some());
        server
    }

    /// Sends a request with curl; the path starts at the server's entry in the API.
    pub fn curl(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let url = format!("{}/api/v1/servers/localhost{path}", self.url);
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

/// A RabbitMQ broker with its management plugin.
pub struct RabbitMq {
    /// Where its API is.
    pub url: String,
}

impl RabbitMq {
    /// The server of this run.
    pub fn get() -> Option<&'static RabbitMq> {
        static SERVER: OnceLock<Option<RabbitMq>> = OnceLock::new();
        SERVER.get_or_init(|| Some(RabbitMq::start(programs("rabbitmq")?))).as_ref()
    }

    fn start(programs: PathBuf) -> RabbitMq {
        let folder = folder("rabbitmq");
        let [epmd, distribution, amqp, api] = std::array::from_fn(|_| free_port());
        fs::write(folder.join("enabled_plugins"), "[rabbitmq_management].\n").unwrap();
        let conf = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {api}\nloopback_users = none\n"
        );
        fs::write(folder.join("rabbitmq.conf"), conf).unwrap();
        start(move || {
            let mut command = Command::new("epmd");
            command.args(["-address", "127.0.0.1", "-port", &epmd.to_string()]);
            command
        });
        start(move || {
            let place = |name: &str| folder.join(name);
            let mut command = Command::new(programs.join("rabbitmq-server"));
            command
                .env("HOME", &folder)
                .env("RABBITMQ_NODENAME", format!("trueup-{api}@localhost"))
                .env("RABBITMQ_BASE", &folder)
                .env("RABBITMQ_MNESIA_BASE", place("mnesia"))
                .env("RABBITMQ_LOG_BASE", place("log"))
                .env("RABBITMQ_CONFIG_FILE", place("rabbitmq.conf"))
                .env("RABBITMQ_ENABLED_PLUGINS_FILE", place("enabled_plugins"))
                .env("RABBITMQ_PID_FILE", place("pid"))
                .env("RABBITMQ_DIST_PORT", distribution.to_string())
                .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
                .env("ERL_EPMD_ADDRESS", "127.0.0.1")
                .env("ERL_EPMD_PORT", epmd.to_string());
            command
        });
        let server = RabbitMq { url: format!("http://127.0.0.1:{api}") };
        wait_for("rabbitmq", || server.curl("GET", "/overview", "").is_some());
        server
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
        start(move || {
            let mut command = Command::new(programs.join("caddy"));
            command.args(["run", "--config"]).arg(folder.join("caddy.json"));
            command.env("HOME", &folder).env("XDG_CONFIG_HOME", &folder).env("XDG_DATA_HOME", &folder);
            command
        });
        let url = format!("http://127.0.0.1:{port}");
        wait_for("caddy", || curl(&[&format!("{url}/config/")]).is_some());
        Caddy { url }
    }
}
