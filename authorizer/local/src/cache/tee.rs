//! A body that is kept while it goes to the viewer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

use super::OBJECT;
use crate::body::ResponseBody;
use crate::server::BoxError;

type Keep = Box<dyn FnOnce(Bytes) + Send>;

/// Passes a body on, and gives all of it to `keep` once it has ended. A body that breaks off, is too long, or is not
/// read to its end is not kept.
pub(crate) struct Tee {
    body: ResponseBody,
    seen: BytesMut,
    keep: Option<Keep>,
}

impl Tee {
    pub(crate) fn new(body: ResponseBody, keep: impl FnOnce(Bytes) + Send + 'static) -> Self {
        let mut tee = Self { body, seen: BytesMut::new(), keep: Some(Box::new(keep)) };
        // A body without bytes may never be asked for.
        if tee.body.is_end_stream() {
            tee.end();
        }
        tee
    }

    fn end(&mut self) {
        if let Some(keep) = self.keep.take() {
            keep(std::mem::take(&mut self.seen).freeze());
        }
    }
}

impl Body for Tee {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            None => self.end(),
            Some(Err(_)) => self.keep = None,
            Some(Ok(frame)) => {
                if let (Some(data), true) = (frame.data_ref(), self.keep.is_some()) {
                    if self.seen.len().saturating_add(data.len()) > OBJECT {
                        self.keep = None;
                        self.seen = BytesMut::new();
                    } else {
                        self.seen.extend_from_slice(data);
                    }
                }
                // The reader of a body with a length does not ask for more once it has all of it.
                if self.body.is_end_stream() {
                    self.end();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
