//! One HTTP server on one port, for the distribution, the bucket and the Runtime API: HTTP/1.1 and HTTP/2, over TLS if
//! the distribution has a certificate, a time limit on headers, and a stop that lets running requests finish.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::closing::Connection;
use crate::tls::Tls;

/// The error of a body or a handler.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The time limit for the headers of a request. It limits idle connections too.
pub(crate) const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The time that running requests have to finish after the server was told to stop.
const GRACE: Duration = Duration::from_secs(30);

/// The pause after a failed accept: the process has run out of descriptors, and a busy loop does not free any.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// The limit on headers: above CloudFront's 20,480 bytes, so that our check answers and not hyper's.
const HEADER_BUFFER: u32 = 64 * 1024;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves every connection of the listener with the handler, over TLS if there is a certificate.
    pub(crate) fn start<F, Fut, B>(listener: TcpListener, tls: Option<Tls>, handler: F) -> io::Result<Self>
    where
        F: Fn(Request<Incoming>, SocketAddr) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response<B>, BoxError>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let addr = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, tls, stopped, handler));
        Ok(Self { addr, stop, task })
    }

    /// The address it listens on.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops accepting connections, lets running requests finish, and closes the rest after a while.
    pub(crate) async fn stop(self) {
        // Both fail only if the task has already ended, which is fine.
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

async fn accept<F, Fut, B>(
    listener: TcpListener,
    tls: Option<Tls>,
    mut stopped: watch::Receiver<bool>,
    handler: F,
) where
    F: Fn(Request<Incoming>, SocketAddr) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<B>, BoxError>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let graceful = GracefulShutdown::new();
    // INVARIANT: every connection is in this set, so it cannot outlive the server.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Told to stop, or the `Server` was dropped together with the sender.
            _ = stopped.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let watcher = graceful.watcher();
                    let stopped = stopped.clone();
                    connections.spawn(connection(stream, peer, tls.clone(), handler.clone(), watcher, stopped));
                }
                Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
            },
        }
    }
    drop(listener);
    // After the grace period, dropping the set closes the open connections.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

async fn connection<F, Fut, B>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Tls>,
    handler: F,
    watcher: Watcher,
    mut stopped: watch::Receiver<bool>,
) where
    F: Fn(Request<Incoming>, SocketAddr) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<B>, BoxError>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    // Answers are small, and the client waits for each; without this, each waits for the delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let (stream, closed) = match tls {
        None => {
            let (stream, closed) = Connection::new(stream);
            requests(stream, peer, handler, watcher).await;
            return closed.linger().await;
        }
        // A connection without a request has nothing to finish: browsers keep some ready.
        Some(tls) => tokio::select! {
            accepted = tokio::time::timeout(HEADER_READ_TIMEOUT, tls.accept(stream)) => match accepted {
                Ok(Ok(Some(accepted))) => accepted,
                // A viewer that does not trust the certificate closes the connection. It knows why.
                _ => return,
            },
            _ = stopped.changed() => return,
        },
    };
    requests(stream, peer, handler, watcher).await;
    closed.linger().await;
}

async fn requests<S, F, Fut, B>(stream: S, peer: SocketAddr, handler: F, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>, SocketAddr) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<B>, BoxError>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT).max_headers(512);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(HEADER_BUFFER).max_concurrent_streams(256);
    let service = service_fn(move |request| handler(request, peer));
    let served = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    // A failed connection cannot be reported to its viewer.
    let _ = watcher.watch(served).await;
}
