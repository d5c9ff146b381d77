//! A proxy in front of a real server that answers some requests by itself, wrongly on purpose.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What a request line and its head say.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The head as it came, credentials included.
    pub head: String,
}

/// What the proxy does with a request.
pub enum Answer {
    /// Asks the real server.
    Forward,
    /// Asks the real server and says nothing of its answer.
    Swallow,
    /// Says this, bytes for bytes.
    Say(Vec<u8>),
}

/// The proxy.
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    /// All that it was asked.
    pub asked: Arc<Mutex<Vec<Asked>>>,
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
        let (log, rule) = (asked.clone(), Arc::new(rule));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (upstream, log, rule) = (upstream.clone(), log.clone(), rule.clone());
                thread::spawn(move || _ = serve(stream, &upstream, &log, &*rule));
            }
        });
        Proxy { url, asked }
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
    let mut words = head.split_whitespace();
    let (method, path) =
        (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let asked = Asked { method, path, head: head.clone() };
    log.lock().unwrap().push(asked.clone());
    let answer = rule(&asked);
    if let Answer::Say(bytes) = &answer {
        client.write_all(bytes)?;
        return client.shutdown(Shutdown::Both);
    }
    let mut server = TcpStream::connect(upstream)?;
    let head: String = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    server.write_all(&body)?;
    let mut bytes = Vec::new();
    server.read_to_end(&mut bytes)?;
    if let Answer::Forward = answer {
        // Connections are not kept, whatever the server thinks of it.
        client.write_all(&bytes)?;
    }
    client.shutdown(Shutdown::Both)
}
