//! A body that is kept while it goes to the viewer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{OBJECT, Place};
use crate::body::ResponseBody;
use crate::server::BoxError;

type Keep = Box<dyn FnOnce(Bytes) + Send>;

/// The first room for a body whose length is not known.
const FIRST: usize = 64 * 1024;

/// Passes a body on, and gives all of it to `keep` once it has ended. A body that breaks off, is too long, for which the
/// cache has no room, or that is not read to its end is not kept.
pub(crate) struct Tee {
    body: ResponseBody,
    kept: Option<Kept>,
}

/// What is kept of a body until it has ended.
struct Kept {
    seen: Vec<u8>,
    /// The bytes that the cache's account has for it.
    room: usize,
    place: Place,
    keep: Keep,
}

impl Kept {
    /// Adds bytes, if there is room for them.
    fn add(&mut self, data: &[u8]) -> bool {
        let needed = self.seen.len().saturating_add(data.len());
        if needed > self.room {
            let room = needed.max(self.room.saturating_mul(2)).clamp(FIRST, OBJECT);
            if needed > OBJECT || !self.reserve(room) {
                return false;
            }
        }
        self.seen.extend_from_slice(data);
        true
    }

    fn reserve(&mut self, room: usize) -> bool {
        let is_granted = self.place.grow(room.saturating_sub(self.room));
        if is_granted {
            self.room = room;
            self.seen.reserve_exact(room.saturating_sub(self.seen.len()));
        }
        is_granted
    }
}

impl Tee {
    pub(crate) fn new(body: ResponseBody, place: Place, keep: impl FnOnce(Bytes) + Send + 'static) -> Self {
        let mut kept = Kept { seen: Vec::new(), room: 0, place, keep: Box::new(keep) };
        let has_room = match body.size_hint().exact().map(usize::try_from) {
            Some(Ok(length)) => length <= OBJECT && kept.reserve(length),
            Some(Err(_)) => false,
            None => true,
        };
        let mut tee = Self { body, kept: has_room.then_some(kept) };
        // A body without bytes may never be asked for.
        if tee.body.is_end_stream() {
            tee.end();
        }
        tee
    }

    fn end(&mut self) {
        if let Some(Kept { seen, place, keep, .. }) = self.kept.take() {
            keep(place.filled(seen));
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
            Some(Err(_)) => self.kept = None,
            Some(Ok(frame)) => {
                if let (Some(data), Some(kept)) = (frame.data_ref(), &mut self.kept)
                    && !kept.add(data)
                {
                    self.kept = None;
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
