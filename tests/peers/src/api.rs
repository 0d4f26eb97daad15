//! The Lambda Runtime API for one process, in the measuring thread: it takes the time of each message.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::AbortHandle;

/// A message from a function, with its time.
#[derive(Debug)]
pub enum Said {
    /// It requested an event at this instant.
    Next(Instant),
    /// It answered an event with this result, after this time.
    Answer(Bytes, Duration),
    /// It failed on an event, or cannot start.
    Failed(Bytes),
}

/// The server. It stops when this is dropped.
#[derive(Debug)]
pub struct Api {
    addr: SocketAddr,
    events: mpsc::Sender<Bytes>,
    said: mpsc::UnboundedReceiver<Said>,
    server: AbortHandle,
}

struct State {
    events: Mutex<mpsc::Receiver<Bytes>>,
    handed_over: Mutex<Option<Instant>>,
    said: mpsc::UnboundedSender<Said>,
}

impl Api {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (events, receiver) = mpsc::channel(1);
        let (sender, said) = mpsc::unbounded_channel();
        let state =
            Arc::new(State { events: Mutex::new(receiver), handed_over: Mutex::new(None), said: sender });
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let state = Arc::clone(&state);
                let service = service_fn(move |request| {
                    let state = Arc::clone(&state);
                    async move { state.answer(request).await }
                });
                tokio::spawn(async move {
                    // The connection of a killed process fails.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { addr, events, said, server: server.abort_handle() }
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Passes an event to the process that requests one.
    pub async fn hand_over(&self, event: Bytes) {
        self.events.send(event).await.unwrap();
    }

    /// The next message.
    pub async fn said(&mut self) -> Said {
        self.said.recv().await.unwrap()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let is_next = parts.method == Method::GET && parts.uri.path().ends_with("/invocation/next");
        if is_next {
            return Ok(self.next(Instant::now()).await);
        }
        let body = body.collect().await.unwrap().to_bytes();
        let now = Instant::now();
        let handed_over = self.handed_over.lock().await.take();
        let said = match handed_over {
            Some(handed_over) if parts.uri.path().ends_with("/response") => {
                Said::Answer(body, now.duration_since(handed_over))
            }
            _ => Said::Failed(body),
        };
        // The receiver may be gone.
        let _ = self.said.send(said);
        Ok(Response::builder().status(StatusCode::ACCEPTED).body(Full::default()).unwrap())
    }

    async fn next(&self, asked: Instant) -> Response<Full<Bytes>> {
        let _ = self.said.send(Said::Next(asked));
        let event = self.events.lock().await.recv().await.unwrap_or_default();
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(5);
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
            .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
            .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:1:function:a:1")
            .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0")
            .body(Full::new(event))
            .unwrap();
        *self.handed_over.lock().await = Some(Instant::now());
        response
    }
}
