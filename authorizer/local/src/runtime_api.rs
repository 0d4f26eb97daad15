//! The Lambda Runtime API for the packaged function: one invocation at a time.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::server::{BoxError, Server};

const PREFIX: &str = "/2018-06-01/runtime/";

/// Lambda's limit on a synchronous payload: 6 MB and 100 bytes.
const MAX_RESPONSE: usize = 6 * 1024 * 1024 + 100;

/// The most characters that are told of an error.
const MAX_MESSAGE: usize = 4_096;

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
    current: Mutex<Current>,
}

/// What the process was asked.
#[derive(Debug)]
enum Current {
    /// Nothing that is not answered.
    Nothing,
    /// The invocation that it works on.
    Running { id: String, answer: oneshot::Sender<Answer> },
}

/// What AWS's Runtime API answers to a request that does not fit.
#[derive(Clone, Copy)]
enum Misfit {
    /// The answer is for another invocation.
    InvalidRequestId,
    /// It is not the time for this request, such as for a second answer.
    InvalidStateTransition,
    /// The result is too large.
    RequestEntityTooLarge,
}

impl RuntimeApi {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (queue, receiver) = mpsc::channel(1);
        let (sender, phase) = watch::channel(Phase::Starting);
        let state = Arc::new(State {
            queue: tokio::sync::Mutex::new(receiver),
            phase: sender,
            current: Mutex::new(Current::Nothing),
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
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the invocation that runs, if it has this id.
    fn answer(&self, id: &str, answer: Answer) -> Result<(), Misfit> {
        let mut current = self.current();
        match std::mem::replace(&mut *current, Current::Nothing) {
            Current::Running { id: running, answer: sender } if running == id => {
                // After the deadline, nobody waits for the answer.
                let _ = sender.send(answer);
                Ok(())
            }
            running @ Current::Running { .. } => {
                *current = running;
                Err(Misfit::InvalidRequestId)
            }
            Current::Nothing => Err(Misfit::InvalidStateTransition),
        }
    }
}

async fn handle(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BoxError> {
    let (parts, body) = request.into_parts();
    let Some(path) = parts.uri.path().strip_prefix(PREFIX) else { return status(StatusCode::NOT_FOUND) };
    let segments: Vec<&str> = path.split('/').collect();
    match (&parts.method, segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(&state).await,
        (&Method::POST, ["init", "error"]) => {
            if *state.phase.borrow() != Phase::Starting {
                return misfit(Misfit::InvalidStateTransition);
            }
            let message = read(body).await?.map_or_else(too_large, |body| error_message(&body));
            state.phase.send_replace(Phase::InitFailed(message));
            status(StatusCode::ACCEPTED)
        }
        (&Method::POST, ["invocation", id, "response"]) => match read(body).await? {
            Some(response) => answered(state.answer(id, Answer::Response(response))),
            None => match state.answer(id, Answer::Error(too_large())) {
                Ok(()) => misfit(Misfit::RequestEntityTooLarge),
                Err(why) => misfit(why),
            },
        },
        (&Method::POST, ["invocation", id, "error"]) => {
            let message = read(body).await?.map_or_else(too_large, |body| error_message(&body));
            answered(state.answer(id, Answer::Error(message)))
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

async fn next(state: &State) -> Result<Response<Full<Bytes>>, BoxError> {
    if matches!(*state.current(), Current::Running { .. }) {
        return misfit(Misfit::InvalidStateTransition);
    }
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
    *state.current() = Current::Running { id: work.id, answer: work.answer };
    Ok(response)
}

fn answered(taken: Result<(), Misfit>) -> Result<Response<Full<Bytes>>, BoxError> {
    match taken {
        Ok(()) => status(StatusCode::ACCEPTED),
        Err(why) => misfit(why),
    }
}

/// The body, or `None` if it is too large.
async fn read(body: Incoming) -> Result<Option<Bytes>, BoxError> {
    match Limited::new(body, MAX_RESPONSE).collect().await {
        Ok(body) => Ok(Some(body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(error),
    }
}

/// As Lambda says it to the caller.
fn too_large() -> String {
    format!(
        "Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
    )
}

fn status(status: StatusCode) -> Result<Response<Full<Bytes>>, BoxError> {
    json(status, &json!({"status": status.canonical_reason().unwrap_or_default()}))
}

fn misfit(misfit: Misfit) -> Result<Response<Full<Bytes>>, BoxError> {
    let (status, kind, message) = match misfit {
        Misfit::InvalidRequestId => (StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        Misfit::InvalidStateTransition => {
            (StatusCode::FORBIDDEN, "InvalidStateTransition", "State transition is not allowed")
        }
        Misfit::RequestEntityTooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            "Exceeded maximum allowed payload size (6291556 bytes).",
        ),
    };
    json(status, &json!({"errorType": kind, "errorMessage": message}))
}

fn json(status: StatusCode, body: &Value) -> Result<Response<Full<Bytes>>, BoxError> {
    Ok(Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))?)
}

/// `errorType: errorMessage`, as the runtime clients send it, or the text itself.
fn error_message(body: &[u8]) -> String {
    whole_message(body).chars().take(MAX_MESSAGE).collect()
}

fn whole_message(body: &[u8]) -> String {
    let fields = serde_json::from_slice::<Value>(body).ok();
    let field = |name: &str| fields.as_ref()?.get(name)?.as_str();
    match (field("errorType"), field("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(message)) => message.to_owned(),
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}
