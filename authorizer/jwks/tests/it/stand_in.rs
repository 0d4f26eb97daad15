//! A server on a loopback address that answers with exactly the given bytes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use authorizer_core::FetchUrl;

/// The server. It stops listening when it is dropped.
pub(crate) struct StandIn {
    listener: TcpListener,
    over: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// A server that closes the connection after the answer.
    pub(crate) fn always(answer: &[u8]) -> Self {
        let answer = answer.to_vec();
        Self::start(move |stream, _| {
            // A client that stops reading closes first.
            let _ = stream.write_all(&answer);
            let _ = stream.shutdown(Shutdown::Write);
        })
    }

    /// A server that never ends its answer.
    pub(crate) fn stalling(start: &[u8]) -> Self {
        let start = start.to_vec();
        Self::start(move |stream, _| {
            let _ = stream.write_all(&start);
            // Until the client gives up.
            let _ = stream.read(&mut [0]);
        })
    }

    /// A server whose answer depends on the request.
    pub(crate) fn answering(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        Self::start(move |stream, request| {
            let _ = stream.write_all(answer(request).as_bytes());
            let _ = stream.shutdown(Shutdown::Write);
        })
    }

    fn start(answer: impl Fn(&mut TcpStream, &str) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicUsize::new(0));
        let received = Arc::new(Mutex::new(Vec::new()));
        let (count, requests) = (Arc::clone(&asked), Arc::clone(&received));
        let (accepting, is_over) = (listener.try_clone().unwrap(), Arc::clone(&over));
        let thread = thread::spawn(move || {
            while let Ok((mut stream, _)) = accepting.accept() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                let request = read_request(&mut stream);
                requests.lock().unwrap().push(request.clone());
                answer(&mut stream, &request);
            }
        });
        Self { listener, over, asked, received, thread: Some(thread) }
    }

    /// The number of connections.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The requests, each with its body.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> FetchUrl {
        FetchUrl::parse(&format!("http://{}{path}", self.listener.local_addr().unwrap())).unwrap()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread.
        drop(TcpStream::connect(self.listener.local_addr().unwrap()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads a request; for a TLS handshake, the first byte (RFC 8446 section 5.1).
fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n")
        && !request.starts_with(&[22])
        && stream.read(&mut byte).is_ok_and(|read| read == 1)
    {
        request.extend(byte);
    }
    let head = String::from_utf8_lossy(&request).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    let _ = stream.read_exact(&mut body);
    request.extend(body);
    String::from_utf8_lossy(&request).into_owned()
}
