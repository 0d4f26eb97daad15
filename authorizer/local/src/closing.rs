//! The end of a connection: what the client still sends is read and discarded for a while, since a connection that is
//! closed with unread bytes is reset, and its client may not see the last answer. nginx calls it a lingering close.
//! <https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close>

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How much is read of what nobody wants, how long, and how long a silence may be.
pub(crate) const BYTES: usize = 64 * 1024 * 1024;
pub(crate) const TIME: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(5);

/// A connection that comes back when whoever uses it has closed it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// `None` only while it is dropped.
    stream: Option<TcpStream>,
    /// The client has closed its side.
    has_ended: bool,
    closed: Arc<Mutex<Option<TcpStream>>>,
}

/// Where a connection comes back.
#[derive(Debug)]
pub(crate) struct Closed(Arc<Mutex<Option<TcpStream>>>);

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> (Self, Closed) {
        let closed = Arc::default();
        (Self { stream: Some(stream), has_ended: false, closed: Arc::clone(&closed) }, Closed(closed))
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.has_ended {
            *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = self.stream.take();
        }
    }
}

impl Closed {
    /// Reads on until the client closes its side too, or until it was enough.
    pub(crate) async fn linger(self) {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stream) = stream {
            // A client that still sends after that is reset.
            let _ = timeout(TIME, discard(stream)).await;
        }
    }
}

async fn discard(mut stream: TcpStream) -> io::Result<()> {
    // The client learns that there is nothing more to come.
    stream.shutdown().await?;
    let mut buffer = vec![0; 64 * 1024];
    let mut left = BYTES;
    while let Ok(read) = timeout(SILENCE, stream.read(&mut buffer)).await {
        match (read?, left) {
            (0, _) => break,
            (read, _) => match left.checked_sub(read) {
                Some(less) => left = less,
                None => break,
            },
        }
    }
    Ok(())
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.stream()?.poll_read(context, buffer))?;
        self.has_ended |= buffer.filled().len() == before && buffer.remaining() > 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
