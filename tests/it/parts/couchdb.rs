//! A server that speaks CouchDB's protocol, started as README.md beside this file says.

use std::{path::PathBuf, process::Command, sync::OnceLock};

use super::{curl, folder, free_port, programs, start, wait_for};

/// A PouchDB Server without any database of ours; `admin` may do everything.
pub struct CouchDb {
    /// Where it is.
    pub url: String,
}

impl CouchDb {
    /// The password of `admin`.
    pub const PASSWORD: &'static str = "c0uch-canary";

    /// The server of this run.
    pub fn get() -> Option<&'static CouchDb> {
        static SERVER: OnceLock<Option<CouchDb>> = OnceLock::new();
        SERVER.get_or_init(|| Some(CouchDb::start(programs("couchdb")?))).as_ref()
    }

    fn start(programs: PathBuf) -> CouchDb {
        let (folder, port) = (folder("couchdb"), free_port());
        start(move || {
            let mut command = Command::new(programs.join("pouchdb-server"));
            command.args(["--in-memory", "--no-stdout-logs", "--host", "127.0.0.1"]);
            command.args(["--port", &port.to_string(), "--config"]).arg(folder.join("config.json"));
            // It keeps its log where it stands.
            command.current_dir(&folder);
            command
        });
        let url = format!("http://127.0.0.1:{port}");
        wait_for("couchdb", || curl(&[&url]).is_some());
        let password = format!("\"{}\"", CouchDb::PASSWORD);
        curl(&["-X", "PUT", &format!("{url}/_config/admins/admin"), "-d", &password]).unwrap();
        CouchDb { url }
    }

    /// Sends a request with curl, as the administrator would.
    pub fn curl(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let (login, url) = (format!("admin:{}", CouchDb::PASSWORD), format!("{}{path}", self.url));
        let mut args = vec!["-u", &login, "-X", method, &url];
        if !body.is_empty() {
            args.extend(["-H", "Content-Type: application/json", "-d", body]);
        }
        curl(&args)
    }
}
