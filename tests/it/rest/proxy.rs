//! A proxy in front of a real server that answers some requests by itself, wrongly on purpose.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query; the whole address where we are asked as a proxy.
    pub path: String,
    /// The head as it came, credentials included.
    pub head: String,
    /// What it carries.
    pub body: String,
}

impl Asked {
    /// Has `upstream` do it, and tells nobody what it says.
    pub fn forward(&self, upstream: &str) {
        _ = forward(self, &self.body, upstream.trim_start_matches("http://"));
    }
}

/// What the proxy does with a request.
pub enum Answer {
    /// Asks the real server.
    Forward,
    /// Asks the real server, with another body.
    ForwardAs(String),
    /// Asks the real server and says nothing of its answer.
    Swallow,
    /// Says nothing and asks nobody.
    Drop,
    /// Says this, bytes for bytes.
    Say(Vec<u8>),
    /// Says a list of so many MiB, without announcing how long it is.
    Flood(usize),
    /// Does as it likes.
    Act(fn(&mut TcpStream) -> std::io::Result<()>),
}

/// The proxy.
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    /// All that it was asked.
    pub asked: Arc<Mutex<Vec<Asked>>>,
    /// How many requests it is dealing with.
    busy: Arc<AtomicUsize>,
}

/// A whole answer.
pub fn reply(status: &str, headers: &str, body: &str) -> Answer {
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    Answer::Say([head.as_bytes(), body.as_bytes()].concat())
}

/// An answer in JSON.
pub fn json(status: &str, body: &str) -> Answer {
    reply(status, "Content-Type: application/json\r\n", body)
}

impl Proxy {
    /// Starts a proxy in front of `upstream`.
    pub fn start(upstream: &str, rule: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, rule, busy) = (asked.clone(), Arc::new(rule), Arc::new(AtomicUsize::new(0)));
        let count = busy.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (upstream, log, rule, count) =
                    (upstream.clone(), log.clone(), rule.clone(), count.clone());
                count.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    _ = serve(stream, &upstream, &log, &*rule);
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Proxy { url, asked, busy }
    }

    /// Waits until what was asked is answered, and the real server has acted on it.
    pub fn settle(&self) {
        while self.busy.load(Ordering::SeqCst) > 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The requests so far, as `METHOD path`.
    pub fn requests(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }
}

fn serve(
    mut client: TcpStream,
    upstream: &str,
    log: &Mutex<Vec<Asked>>,
    rule: &dyn Fn(&Asked) -> Answer,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let asked = read(&mut reader)?;
    log.lock().unwrap().push(asked.clone());
    match rule(&asked) {
        Answer::Say(bytes) => client.write_all(&bytes)?,
        Answer::Drop => {}
        Answer::Act(act) => act(&mut client)?,
        Answer::Flood(mib) => flood(&mut client, mib)?,
        _ if asked.method == "CONNECT" => tunnel(&mut client, upstream)?,
        Answer::Forward => client.write_all(&forward(&asked, &asked.body, upstream)?)?,
        Answer::ForwardAs(body) => client.write_all(&forward(&asked, &body, upstream)?)?,
        Answer::Swallow => _ = forward(&asked, &asked.body, upstream)?,
    }
    client.shutdown(Shutdown::Both)
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Asked> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let mut words = head.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Ok(Asked { method, path, head, body: String::from_utf8_lossy(&body).into_owned() })
}

/// What the real server answers. No connection is kept, whatever it thinks of that.
fn forward(asked: &Asked, body: &str, upstream: &str) -> std::io::Result<Vec<u8>> {
    let ours = ["connection:", "content-length:"];
    let kept = asked.head.lines().skip(1).filter(|line| {
        let line = line.to_ascii_lowercase();
        !ours.iter().any(|name| line.starts_with(name))
    });
    let headers: String = kept.map(|line| format!("{line}\r\n")).collect();
    // A proxy is asked for a whole address.
    let path = asked
        .path
        .strip_prefix("http://")
        .map_or(asked.path.as_str(), |rest| rest.find('/').map_or("/", |at| &rest[at..]));
    let (method, length) = (&asked.method, body.len());
    let mut server = TcpStream::connect(upstream)?;
    let head = format!("{method} {path} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n");
    server.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

fn tunnel(client: &mut TcpStream, upstream: &str) -> std::io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || _ = std::io::copy(&mut from, &mut to));
    std::io::copy(&mut &server, client).map(drop)
}

fn flood(client: &mut TcpStream, mib: usize) -> std::io::Result<()> {
    client.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[")?;
    let chunk = "0,".repeat(512 * 1024);
    (0..mib).try_for_each(|_| client.write_all(chunk.as_bytes()))?;
    client.write_all(b"0]")
}
