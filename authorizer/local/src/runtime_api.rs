//! The Lambda Runtime API for the packaged function: one invocation at a time.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::server::{BoxError, Server};

const PREFIX: &str = "/2018-06-01/runtime/";

/// Lambda's limit on a synchronous payload.
const MAX_RESPONSE: usize = 6 * 1024 * 1024;

const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:authorizer:1";

/// The Runtime API for one process of the function.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    server: Server,
    queue: mpsc::Sender<Work>,
    phase: watch::Receiver<Phase>,
}

/// The state of the process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// It did not request an event yet.
    Starting,
    /// It reported that it cannot start.
    InitFailed(String),
    /// It waits for an event.
    Idle,
    /// It works on an event, and did not request the next one yet.
    Busy,
}

/// One event for the process.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) id: String,
    pub(crate) event: Bytes,
    pub(crate) deadline: SystemTime,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The answer of the process.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Bytes),
    Error(String),
}

#[derive(Debug)]
struct State {
    queue: tokio::sync::Mutex<mpsc::Receiver<Work>>,
    phase: watch::Sender<Phase>,
    /// The invocation that the process works on.
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (queue, receiver) = mpsc::channel(1);
        let (sender, phase) = watch::channel(Phase::Starting);
        let state = Arc::new(State {
            queue: tokio::sync::Mutex::new(receiver),
            phase: sender,
            current: Mutex::new(None),
        });
        let handler = move |request, _| handle(Arc::clone(&state), request);
        Ok(Self { server: Server::start(listener, None, handler)?, queue, phase })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    pub(crate) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    /// Passes the event to the process. The answer's channel closes if no answer will come.
    pub(crate) async fn send(&self, work: Work) {
        // The receiver lives as long as the server. If it is gone, dropping the work closes the answer's channel.
        let _ = self.queue.send(work).await;
    }
}

impl State {
    fn take_current(&self, id: &str) -> Option<oneshot::Sender<Answer>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.take_if(|(current, _)| current == id).map(|(_, answer)| answer)
    }

    fn set_current(&self, id: String, answer: oneshot::Sender<Answer>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, answer));
    }
}

async fn handle(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BoxError> {
    let (parts, body) = request.into_parts();
    let Some(path) = parts.uri.path().strip_prefix(PREFIX) else { return status(StatusCode::NOT_FOUND) };
    let segments: Vec<&str> = path.split('/').collect();
    match (&parts.method, segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(&state).await,
        (&Method::POST, ["init", "error"]) => {
            state.phase.send_replace(Phase::InitFailed(error_message(&read(body).await?)));
            status(StatusCode::ACCEPTED)
        }
        (&Method::POST, ["invocation", id, "response"]) => {
            let response = read(body).await?;
            answer(&state, id, Answer::Response(response))
        }
        (&Method::POST, ["invocation", id, "error"]) => {
            let message = error_message(&read(body).await?);
            answer(&state, id, Answer::Error(message))
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

async fn next(state: &State) -> Result<Response<Full<Bytes>>, BoxError> {
    state.phase.send_replace(Phase::Idle);
    let Some(work) = state.queue.lock().await.recv().await else { return status(StatusCode::GONE) };
    state.phase.send_replace(Phase::Busy);
    let deadline = work.deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &work.id)
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
        .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0")
        .body(Full::new(work.event))?;
    state.set_current(work.id, work.answer);
    Ok(response)
}

fn answer(state: &State, id: &str, answer: Answer) -> Result<Response<Full<Bytes>>, BoxError> {
    match state.take_current(id) {
        Some(sender) => {
            // After the deadline, nobody waits for the answer.
            let _ = sender.send(answer);
            status(StatusCode::ACCEPTED)
        }
        None => status(StatusCode::BAD_REQUEST),
    }
}

async fn read(body: Incoming) -> Result<Bytes, BoxError> {
    Ok(Limited::new(body, MAX_RESPONSE).collect().await?.to_bytes())
}

fn status(status: StatusCode) -> Result<Response<Full<Bytes>>, BoxError> {
    let body = json!({"status": status.canonical_reason().unwrap_or_default()}).to_string();
    Ok(Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?)
}

/// `errorType: errorMessage`, as the runtime clients send it, or the text itself.
fn error_message(body: &[u8]) -> String {
    let fields = serde_json::from_slice::<Value>(body).ok();
    let field = |name: &str| fields.as_ref()?.get(name)?.as_str();
    match (field("errorType"), field("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(message)) => message.to_owned(),
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}
