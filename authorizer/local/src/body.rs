//! Bodies in transit: each is passed on frame by frame and never held, with an idle timeout.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::closing;
use crate::server::{BoxError, HEADER_READ_TIMEOUT};

/// The body of an answer to the viewer.
pub(crate) type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// A body that is in memory.
pub(crate) fn full(bytes: impl Into<Bytes>) -> ResponseBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// The time of a request's last progress, shared by its body and the code that waits for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    pub(crate) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Completes when there was no progress for that long.
    pub(crate) async fn ceased(&self, limit: Duration) {
        loop {
            let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
            match limit.checked_sub(idle) {
                Some(left) if !left.is_zero() => sleep(left).await,
                _ => return,
            }
        }
    }
}

/// The viewer's body on its way to the bucket.
pub(crate) struct Upload {
    body: Option<Incoming>,
    activity: Activity,
}

impl Upload {
    pub(crate) fn new(body: Option<Incoming>, activity: Activity) -> Self {
        Self { body, activity }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        self.activity.touch();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// The bucket's body on its way to the viewer.
pub(crate) struct Download {
    body: Incoming,
    limit: Duration,
    /// Runs only while the distribution waits for the bucket: a slow viewer does not count against the bucket.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Download {
    pub(crate) fn new(body: Incoming, limit: Duration) -> Self {
        Self { body, limit, timer: None }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Some(Err("the bucket stopped in the middle of its answer".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that its reader may leave unread, while the sender still gets its answer.
pub(crate) struct Lingering(Option<Incoming>);

impl Lingering {
    pub(crate) fn new(body: Incoming) -> Self {
        Self(Some(body))
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(body) = self.0.take() {
            discard(body, LINGER_BYTES, LINGER_TIME);
        }
    }
}

/// A viewer's body, and whether it comes by HTTP/2.
pub(crate) struct ViewerBody {
    body: Incoming,
    is_http_2: bool,
}

impl ViewerBody {
    pub(crate) fn new(body: Incoming, version: Version) -> Self {
        Self { body, is_http_2: version >= Version::HTTP_2 }
    }

    pub(crate) fn is_http_2(&self) -> bool {
        self.is_http_2
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    /// Whether there is anything in it. With HTTP/2, a request may come without the end of its body and without a length:
    /// only what follows says it. What is looked at is lost, so this is for a request that must not have a body.
    pub(crate) async fn has_content(&mut self) -> bool {
        if self.body.is_end_stream() || !self.is_http_2 {
            return !self.body.is_end_stream();
        }
        let first = async {
            while let Some(frame) = self.body.frame().await {
                if frame.map_or(true, |frame| frame.data_ref().is_some_and(|data| !data.is_empty())) {
                    return true;
                }
            }
            false
        };
        timeout(HEADER_READ_TIMEOUT, first).await.unwrap_or(true)
    }

    /// Discards it. Closing a connection with unread bytes resets it. With HTTP/1.1, what is not read here is read when
    /// the connection ends (`closing`). A stream of HTTP/2 has only this: some clients do not see an answer that comes
    /// with the end of their stream.
    pub(crate) fn linger(self) {
        if self.is_http_2 {
            discard(self.body, closing::BYTES, closing::TIME);
        } else {
            discard(self.body, LINGER_BYTES, LINGER_TIME);
        }
    }

    pub(crate) fn into_inner(self) -> Incoming {
        self.body
    }
}

/// How much of an unwanted body is read before the connection ends, and for how long.
const LINGER_BYTES: usize = 256 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Discards an unwanted body, slowly enough for its sender to read its answer.
fn discard(mut body: Incoming, bytes: usize, time: Duration) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(async move {
        let mut left = bytes;
        let drain = async {
            while let Some(Ok(frame)) = body.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                match left.checked_sub(length) {
                    Some(less) => left = less,
                    None => break,
                }
            }
        };
        let _ = timeout(time, drain).await;
    });
}
