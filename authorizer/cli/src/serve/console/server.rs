//! The console's own HTTP server. It answers nobody but the page, and says so little that no other page learns a thing.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::State;
use super::guard::Admitted;

/// The most connections at once. A page has one for the requests as they come, and browsers open six at most.
const MAX_CONNECTIONS: usize = 64;

/// The longest body of a request.
const MAX_BODY: usize = 256 * 1024;

/// How long the headers of a request may take.
const HEADERS: Duration = Duration::from_secs(10);

/// The pause after a failed accept.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// What everybody gets who may not have more.
const REFUSED: &str = "Open the address of the console that `authorizer serve` printed.\n";

/// What every answer says to a browser.
const HEADERS_OF_ALL: [(&str, &str); 7] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-dns-prefetch-control", "off"),
];

/// The policy for whatever is not the page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// A body in memory, or one that is sent as it comes to be.
pub(super) enum Answer {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Bytes>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(parts) => {
                parts.poll_recv(context).map(|part| part.map(|part| Ok(Frame::data(part))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(
                bytes.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            ),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// Serves the console until it is dropped.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // INVARIANT: every connection is in this set, so it cannot outlive the server.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let Ok(permit) = Arc::clone(&free).try_acquire_owned() else { continue };
                    let state = Arc::clone(&state);
                    connections.spawn(async move {
                        let _permit = permit;
                        let service = service_fn(move |request| {
                            let state = Arc::clone(&state);
                            async move { Ok::<_, Infallible>(answer(request, state).await) }
                        });
                        let mut builder = http1::Builder::new();
                        builder.timer(TokioTimer::new()).header_read_timeout(HEADERS);
                        // A failed connection cannot be reported to its client.
                        let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
            },
        }
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Response<Answer> {
    let (parts, body) = request.into_parts();
    match state.guard.admit(&parts.method, &parts.uri, &parts.headers) {
        None => whole(StatusCode::FORBIDDEN, "text/plain; charset=utf-8", REFUSED),
        Some(Admitted::Page) => {
            let mut response = whole(StatusCode::OK, "text/html; charset=utf-8", state.page.html);
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, state.page.policy.clone());
            response
        }
        Some(Admitted::Api) => {
            let path = parts.uri.path().strip_prefix("/api/").unwrap_or_default();
            if (&parts.method, path) == (&Method::GET, "events") {
                return match super::events::stream(&state, parts.uri.query()) {
                    Some(stream) => respond(StatusCode::OK, "text/event-stream", Answer::Stream(stream)),
                    None => json_answer(
                        StatusCode::TOO_MANY_REQUESTS,
                        &error("the console is open in too many tabs"),
                    ),
                };
            }
            let body = match Limited::new(body, MAX_BODY).collect().await {
                Ok(body) => body.to_bytes(),
                Err(_) => {
                    return json_answer(StatusCode::PAYLOAD_TOO_LARGE, &error("the request is too large"));
                }
            };
            match super::api::answer(&state, &parts.method, path, body).await {
                Ok(value) => json_answer(StatusCode::OK, &value),
                Err((status, message)) => json_answer(status, &error(&message)),
            }
        }
    }
}

fn error(message: &str) -> Value {
    json!({"error": super::redact::scrub(message)})
}

fn json_answer(status: StatusCode, value: &Value) -> Response<Answer> {
    whole(status, "application/json", value.to_string())
}

fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Answer> {
    respond(status, content_type, Answer::Whole(Some(body.into())))
}

fn respond(status: StatusCode, content_type: &'static str, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING));
    for (name, value) in HEADERS_OF_ALL {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
