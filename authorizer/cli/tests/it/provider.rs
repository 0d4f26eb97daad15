//! A provider on a loopback address, with the answers of a test.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A provider, which listens as long as the test runs.
pub(crate) struct Provider {
    addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    answers: HashMap<String, String>,
    asked: Vec<String>,
}

/// A complete answer with this body.
pub(crate) fn json_answer(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
}

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let answering = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &answering);
            }
        });
        Self { addr, shared }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Sets the answer of a path: the bytes, after which the connection is closed.
    pub(crate) fn answers(&self, path: &str, answer: String) {
        self.shared.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.lock().unwrap().asked.clone()
    }
}

fn answer(stream: TcpStream, shared: &Mutex<Shared>) {
    let mut lines = BufReader::new(&stream).split(b'\n').map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let first = String::from_utf8_lossy(&first).into_owned();
    // This does not wait for input that is not HTTP, such as the start of TLS.
    if !first.starts_with("GET ") {
        return;
    }
    for line in lines {
        if line == b"\r" {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut shared = shared.lock().unwrap();
    let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
    let answer = shared.answers.get(&path).cloned().unwrap_or(missing);
    shared.asked.push(path);
    drop(shared);
    // A client may close the connection first.
    let _ = (&stream).write_all(answer.as_bytes());
}
