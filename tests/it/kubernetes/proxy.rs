//! What goes wrong on the way: a proxy that answers some requests itself.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use super::server::{Server, kubeconfig};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It goes through.
    None,
    /// It is answered with a status, a `Retry-After` of no time and a page of HTML.
    Status(u16),
    /// It is answered with 429 and a `Retry-After` of so many seconds.
    Busy(u32),
    /// The connection is closed without an answer.
    Reset,
    /// Half of the server's answer, then the end.
    Half,
    /// The first half of the server's answer, as if that were all of it.
    Cut,
    /// It goes through, after that many milliseconds.
    Slow(u64),
    /// It goes through, and its answer is held back for good: see [`Proxy::held`].
    Held,
    /// From now on, nobody listens any more.
    Gone,
}

/// Decides from the request line.
type Decide = dyn FnMut(&str) -> Fault + Send;

/// A listener on loopback that speaks plain HTTP and passes requests on by `kubectl proxy`.
pub struct Proxy {
    /// A kubeconfig that leads through it.
    pub kubeconfig: PathBuf,
    /// Told of each request that was carried out and whose answer is held back.
    pub held: mpsc::Receiver<()>,
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
        let mut passing = Command::new(server.programs.join("kubectl"))
            .arg("--kubeconfig")
            .arg(server.kubeconfig("admin"))
            .args(["proxy", "--port", "0"])
            .env("HOME", &server.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = passing.stdin.take().unwrap();
        // It says where it listens, once it does.
        let mut said = String::new();
        BufReader::new(passing.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let behind = said.trim().rsplit(':').next().unwrap().parse().unwrap_or_else(|_| panic!("{said}"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (hold, held) = mpsc::channel();
        let way = Arc::new(Way {
            decide: Mutex::new(Box::new(decide)),
            server: behind,
            own: port,
            hold: Mutex::new(hold),
            gone: AtomicBool::new(false),
        });
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if way.gone.load(Ordering::SeqCst) {
                    return;
                }
                let way = way.clone();
                thread::spawn(move || pass(client, &way));
            }
        });
        let file = server.folder.join(format!("proxy-{port}.kubeconfig"));
        let text = kubeconfig(&server.folder, port, "admin").replace("https://", "http://");
        fs::write(&file, text).unwrap();
        Proxy { kubeconfig: file, held, passing, _input: input }
    }
}

/// What the connections through a proxy share.
struct Way {
    decide: Mutex<Box<Decide>>,
    /// The port of the server behind it.
    server: u16,
    /// Its own port.
    own: u16,
    hold: Mutex<mpsc::Sender<()>>,
    gone: AtomicBool,
}

/// Serves one connection: one request after the other, each on a new connection to the server.
fn pass(mut client: TcpStream, way: &Way) {
    while let Some(request) = read_message(&mut client) {
        let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
        let fault = way.decide.lock().unwrap()(&line);
        let answer = match fault {
            Fault::Status(code) => page(code, 0),
            Fault::Busy(seconds) => page(429, seconds),
            Fault::Reset => return,
            Fault::Gone => {
                way.gone.store(true, Ordering::SeqCst);
                // Whoever waits for connections looks up.
                let _ = TcpStream::connect(("127.0.0.1", way.own));
                return;
            }
            Fault::Slow(pause) => {
                thread::sleep(Duration::from_millis(pause));
                exchange(&request, way.server)
            }
            Fault::None | Fault::Half | Fault::Cut | Fault::Held => exchange(&request, way.server),
        };
        let answer = match fault {
            Fault::Half => answer[..answer.len() / 2].to_vec(),
            Fault::Cut => cut(&answer),
            Fault::Held => {
                let _ = way.hold.lock().unwrap().send(());
                let _ = client.read(&mut [0; 1]);
                return;
            }
            _ => answer,
        };
        if client.write_all(&answer).is_err() || !matches!(fault, Fault::Status(_) | Fault::Busy(_)) {
            return;
        }
    }
}

/// Passes a request on. One for each connection, so that the answer ends with it.
fn exchange(request: &[u8], port: u16) -> Vec<u8> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let text = String::from_utf8_lossy(request).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head: Vec<&str> =
        head.lines().filter(|line| !line.to_lowercase().starts_with("connection:")).collect();
    write!(server, "{}\r\nConnection: close\r\n\r\n{body}", head.join("\r\n")).unwrap();
    let mut answer = Vec::new();
    let _ = server.read_to_end(&mut answer);
    answer
}

/// An answer with the first half of its body.
fn cut(answer: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    answer_of(200, 0, "application/json", &body[..body.floor_char_boundary(body.len() / 2)])
}

fn page(code: u16, retry_after: u32) -> Vec<u8> {
    answer_of(code, retry_after, "text/html", "<html><body>something stands in the way</body></html>")
}

fn answer_of(code: u16, retry_after: u32, kind: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {code} X\r\nContent-Type: {kind}\r\nRetry-After: {retry_after}\r\nContent-Length: {}\r\n\r\n{body}",
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
