//! The console: a page that shows the requests and the policy, and tries and sends others. On a port of its own, of this
//! machine alone, for whoever has the address that `serve` prints.
//!
//! - `guard` decides who is answered, `server` answers, `page.html` is the page: one file, without a request to any
//!   other place.
//! - `recorder` keeps the last requests in bounded memory. `shown` and `redact` say what of them the page is told: no
//!   token, and no value that may have one.
//! - `asked` is a request that the page describes. `sender` sends it with a token of a development key, `saver` adds it
//!   to the tests of the policy.
//! - `file` is the policy as its file has it, `events` says what happens.

mod api;
mod asked;
mod events;
mod file;
mod guard;
mod recorder;
mod redact;
mod saver;
mod sender;
mod server;
mod shown;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use authorizer_local::{Invalidator, Observer};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use rustls::pki_types::ServerName;
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::file::ReviewedFile;
use self::guard::Guard;
use self::recorder::{Recorder, Watched};
use self::saver::Saver;
use self::sender::{Sender, Signer};
use super::decider::Decider;
use super::dev_issuer::DevIssuer;
use super::observer::RequestLines;
use crate::test::tests_beside;

/// The most pages that are told of requests at once. Browsers open six connections, and each page needs others too.
const MAX_STREAMS: usize = 4;

/// Why there is no console.
#[derive(Debug, Error)]
pub(super) enum ConsoleError {
    #[error("no port of this machine is free for the console: {0}")]
    Listen(std::io::Error),
    #[error("the operating system did not give random bytes")]
    Random,
    #[error("the page of the console has no script or no style")]
    Page,
}

/// What `serve` serves, for the console.
pub(super) struct About<'a> {
    pub(super) decider: Decider,
    /// What removes answers from the cache, if there is one.
    pub(super) invalidator: Option<Invalidator>,
    /// The policy file, unless a package decides.
    pub(super) policy: Option<PathBuf>,
    pub(super) dev_issuer: Option<Arc<DevIssuer>>,
    /// The key of the sample.
    pub(super) sample_key: Option<PathBuf>,
    pub(super) decided_by: String,
    /// The distribution.
    pub(super) addr: SocketAddr,
    pub(super) base: String,
    /// With HTTPS: the file with the certificate to trust, and the name that it is for.
    pub(super) tls: Option<(&'a Path, ServerName<'static>)>,
}

/// Records requests for the console.
pub(super) struct Recording(Arc<Recorder>);

impl Recording {
    pub(super) fn new() -> Self {
        Self(Arc::new(Recorder::new()))
    }

    /// Records nothing from now on: there is no console.
    pub(super) fn stop(&self) {
        self.0.stop();
    }

    /// An observer that writes lines as before, and records.
    pub(super) fn observer(&self, lines: Arc<RequestLines>) -> Arc<dyn Observer> {
        Arc::new(Watched { lines, recorder: Arc::clone(&self.0) })
    }
}

/// The page, and what a browser may do with it: run its script, use its style, and ask this console.
struct Page {
    html: &'static str,
    policy: HeaderValue,
}

impl Page {
    const HTML: &'static str = include_str!("console/page.html");

    fn new() -> Option<Self> {
        let hash = |tag: &str| {
            let (_, after) = Self::HTML.split_once(&format!("<{tag}>"))?;
            let (text, _) = after.split_once(&format!("</{tag}>"))?;
            Some(format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes()))))
        };
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            hash("script")?,
            hash("style")?
        );
        Some(Self { html: Self::HTML, policy: HeaderValue::try_from(policy).ok()? })
    }
}

/// What all requests of the page share.
struct State {
    guard: Guard,
    page: Page,
    recorder: Arc<Recorder>,
    decider: Decider,
    invalidator: Option<Invalidator>,
    file: Option<ReviewedFile>,
    /// The matrix, where there is no file.
    package_rows: OnceLock<Value>,
    saver: Option<Saver>,
    sender: Sender,
    decided_by: String,
    streams: Arc<Semaphore>,
    policy_changes: watch::Sender<u64>,
}

/// A console that is served until it is dropped.
pub(super) struct Console {
    /// The address of the page, which has the secret.
    pub(super) url: String,
    /// The command that removes everything from the cache, if there is one.
    pub(super) invalidate: Option<String>,
    _tasks: JoinSet<()>,
}

impl Console {
    /// Starts it on a free port.
    pub(super) async fn start(recording: &Recording, about: About<'_>) -> Result<Self, ConsoleError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(ConsoleError::Listen)?;
        let port = listener.local_addr().map_err(ConsoleError::Listen)?.port();
        let guard = Guard::new(port).map_err(|_| ConsoleError::Random)?;
        let url = guard.url();
        let invalidate =
            about.invalidator.is_some().then(|| guard.command("invalidate", "{\"paths\": [\"/*\"]}"));
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let policy = about.policy.map(absolute);
        let signer = match (about.dev_issuer, about.sample_key) {
            (Some(keys), _) => Signer::Dev(keys),
            (None, Some(file)) => Signer::Sample(file),
            (None, None) => Signer::None,
        };
        let state = Arc::new(State {
            guard,
            page: Page::new().ok_or(ConsoleError::Page)?,
            recorder: Arc::clone(&recording.0),
            decider: about.decider,
            invalidator: about.invalidator,
            saver: policy.as_deref().map(|policy| Saver::new(tests_beside(policy))),
            sender: Sender {
                signer,
                addr: about.addr,
                base: about.base,
                tls: about.tls.map(|(trusted, name)| (trusted.to_owned(), name)),
                policy: policy.clone(),
            },
            file: policy.map(ReviewedFile::new),
            package_rows: OnceLock::new(),
            decided_by: about.decided_by,
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            policy_changes: watch::Sender::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(events::watch(Arc::clone(&state), events::Seen::look(&state)));
        tasks.spawn(server::serve(listener, state));
        Ok(Self { url, invalidate, _tasks: tasks })
    }
}
