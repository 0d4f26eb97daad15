//! The body of an upload, which is stored only after the bucket's checks.
//!
//! `s3s-fs` writes a body to a temporary file and renames it when the body has ended. It does its checks before
//! that, but meanwhile another upload may finish. So the body does not end until the store has compared it with its
//! promises, locked the object and checked the conditions. If the store refuses, the body fails, and the temporary
//! file is removed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http::StatusCode;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError};
use tokio::sync::oneshot;

use super::promises::Promises;

/// A body that waits before its end.
struct Waiting {
    body: StreamingBlob,
    state: State,
}

enum State {
    Arriving {
        promises: Box<Promises>,
        arrived: oneshot::Sender<S3Result<()>>,
        admitted: oneshot::Receiver<()>,
    },
    AtTheDoor(oneshot::Receiver<()>),
    Over,
}

/// The other end: learns that the body has arrived, and admits it. Dropping it refuses the body.
pub(crate) struct Arrival {
    arrived: oneshot::Receiver<S3Result<()>>,
    admit: oneshot::Sender<()>,
}

/// The right to admit a body that has arrived.
pub(crate) struct Admission(oneshot::Sender<()>);

/// Watches the body. The returned body ends as the original does, after the admission.
pub(crate) fn watch(body: StreamingBlob, promises: Promises) -> (StreamingBlob, Arrival) {
    let (arrived, hears) = oneshot::channel();
    let (admit, admitted) = oneshot::channel();
    let state = State::Arriving { promises: Box::new(promises), arrived, admitted };
    let arrival = Arrival { arrived: hears, admit };
    (StreamingBlob::wrap(Waiting { body, state }), arrival)
}

impl Arrival {
    /// Waits for the body's end. `None` if it failed: its reader knows why.
    pub(crate) async fn arrived(self) -> S3Result<Option<Admission>> {
        match self.arrived.await {
            Ok(Ok(())) => Ok(Some(Admission(self.admit))),
            Ok(Err(broken)) => Err(broken),
            Err(_) => Ok(None),
        }
    }
}

impl Admission {
    /// Lets the body end.
    pub(crate) fn admit(self) {
        // Fails only if nobody reads the body any more.
        let _ = self.0.send(());
    }
}

impl Stream for Waiting {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Arriving { mut promises, arrived, admitted } => {
                    match Pin::new(&mut self.body).poll_next(context) {
                        Poll::Pending => {
                            self.state = State::Arriving { promises, arrived, admitted };
                            return Poll::Pending;
                        }
                        Poll::Ready(Some(Ok(bytes))) => {
                            promises.update(&bytes);
                            self.state = State::Arriving { promises, arrived, admitted };
                            return Poll::Ready(Some(Ok(bytes)));
                        }
                        Poll::Ready(Some(Err(error))) => {
                            if let Some(refusal) = refusal(&error) {
                                let _ = arrived.send(Err(refusal));
                            }
                            return Poll::Ready(Some(Err(io::Error::other(error))));
                        }
                        // Reported first, because the store answers with this error.
                        Poll::Ready(None) => match promises.check() {
                            Ok(()) => {
                                let _ = arrived.send(Ok(()));
                                self.state = State::AtTheDoor(admitted);
                            }
                            Err(broken) => {
                                let _ = arrived.send(Err(broken));
                                return Poll::Ready(Some(Err(turned_away())));
                            }
                        },
                    }
                }
                State::AtTheDoor(mut admitted) => {
                    let Poll::Ready(answer) = Pin::new(&mut admitted).poll(context) else {
                        self.state = State::AtTheDoor(admitted);
                        return Poll::Pending;
                    };
                    return Poll::Ready(answer.err().map(|_| Err(turned_away())));
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }
}

fn turned_away() -> io::Error {
    io::Error::other("the bucket refused the body")
}

/// S3's answer if the body itself is wrong. `s3s` verifies `x-amz-content-sha256` as it reads; only the text of its
/// error distinguishes it from other errors.
fn refusal(error: &StdError) -> Option<S3Error> {
    if !error.to_string().contains("Sha256Mismatch") {
        return None;
    }
    let mut mismatch = S3Error::with_message(
        S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
    mismatch.set_status_code(StatusCode::BAD_REQUEST);
    Some(mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt, stream};

    fn body(chunks: &[&'static str]) -> StreamingBlob {
        let chunks: Vec<io::Result<Bytes>> =
            chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        StreamingBlob::wrap(stream::iter(chunks))
    }

    #[tokio::test]
    async fn a_body_ends_when_it_is_let_in_and_breaks_off_when_it_is_not() {
        for is_let_in in [true, false] {
            let (mut watched, arrival) = watch(body(&["ab", "c"]), Promises::default());
            assert_eq!(watched.next().await.unwrap().unwrap(), "ab");
            assert_eq!(watched.next().await.unwrap().unwrap(), "c");
            assert!(watched.next().now_or_never().is_none(), "it waits");
            let admission = arrival.arrived().await.unwrap().unwrap();
            if is_let_in {
                admission.admit();
                assert!(watched.next().await.is_none());
            } else {
                drop(admission);
                assert!(watched.next().await.unwrap().is_err());
                assert!(watched.next().await.is_none());
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_nobody_reads_to_its_end_never_arrives() {
        let (watched, arrival) = watch(body(&["ab", "c"]), Promises::default());
        drop(watched);
        assert!(arrival.arrived().await.unwrap().is_none());
    }
}
