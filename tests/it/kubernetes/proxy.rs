//! What goes wrong on the way: a proxy that answers some requests itself.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use super::server::{Server, kubeconfig};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It goes through.
    None,
    /// It is answered with a status, a `Retry-After` of no time and a page of HTML.
    Status(u16),
    /// The connection is closed without an answer.
    Reset,
    /// Half of the server's answer, then the end.
    Half,
}

/// Decides from the request line.
type Decide = dyn FnMut(&str) -> Fault + Send;

/// A listener on loopback that speaks plain HTTP and passes requests on by `kubectl proxy`.
pub struct Proxy {
    /// A kubeconfig that leads through it.
    pub kubeconfig: PathBuf,
    passing: Child,
    _input: ChildStdin,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.passing.kill();
        let _ = self.passing.wait();
    }
}

impl Proxy {
    /// Stands between a user and the server.
    pub fn before(server: &Server, decide: impl FnMut(&str) -> Fault + Send + 'static) -> Proxy {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut passing = Command::new(server.programs.join("kubectl"))
            .arg("--kubeconfig")
            .arg(server.kubeconfig("admin"))
            .args(["proxy", "--port", &free.to_string()])
            .env("HOME", &server.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let input = passing.stdin.take().unwrap();
        while TcpStream::connect(("127.0.0.1", free)).is_err() {
            thread::sleep(std::time::Duration::from_millis(20));
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let decide: Arc<Mutex<Box<Decide>>> = Arc::new(Mutex::new(Box::new(decide)));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let decide = decide.clone();
                thread::spawn(move || pass(client, free, &decide));
            }
        });
        let file = server.folder.join(format!("proxy-{port}.kubeconfig"));
        let text = kubeconfig(&server.folder, port, "admin").replace("https://", "http://");
        fs::write(&file, text).unwrap();
        Proxy { kubeconfig: file, passing, _input: input }
    }
}

/// Serves one connection: one request after the other, each on a new connection to the server.
fn pass(mut client: TcpStream, port: u16, decide: &Mutex<Box<Decide>>) {
    while let Some(request) = read_message(&mut client) {
        let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
        let fault = decide.lock().unwrap()(&line);
        let answer = match fault {
            Fault::Reset => return,
            Fault::Status(code) => page(code),
            Fault::None | Fault::Half => {
                let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                // One request for each connection, so that the answer ends with it.
                let text = String::from_utf8_lossy(&request).into_owned();
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                let head: Vec<&str> =
                    head.lines().filter(|line| !line.to_lowercase().starts_with("connection:")).collect();
                write!(server, "{}\r\nConnection: close\r\n\r\n{body}", head.join("\r\n")).unwrap();
                let mut answer = Vec::new();
                let _ = server.read_to_end(&mut answer);
                answer
            }
        };
        let length = if fault == Fault::Half { answer.len() / 2 } else { answer.len() };
        if client.write_all(&answer[..length]).is_err() || !matches!(fault, Fault::Status(_)) {
            return;
        }
    }
}

fn page(code: u16) -> Vec<u8> {
    let body = "<html><body>something stands in the way</body></html>";
    format!(
        "HTTP/1.1 {code} X\r\nContent-Type: text/html\r\nRetry-After: 0\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One HTTP request with its body.
pub fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut byte = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(bytes)
}
