//! What a call does, without a pointer.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use authorizer_edge::{BUILT_WITH, Function, HandOver, StartError, log};

/// The longest input: more than an event has ("Lambda quotas": 6 MB), and more than a bundle has.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The only state: the bundle that decides, and what was remembered of its tokens and keys.
static STARTED: OnceLock<Started> = OnceLock::new();

struct Started {
    function: Function,
    #[cfg(feature = "remote-keys")]
    runtime: tokio::runtime::Runtime,
}

/// What a call gives out.
#[derive(Default)]
pub(crate) struct Given {
    /// Whether it did what it should.
    pub(crate) done: bool,
    /// The outcome and the lines of the log.
    pub(crate) bytes: Vec<u8>,
    /// How many of the bytes are the outcome.
    pub(crate) outcome: usize,
}

/// Takes the bundle. A second one is not taken: what decides does not change while a process lives.
pub(crate) fn start(bundle: &[u8]) -> Given {
    // Used, so that the linker keeps it.
    black_box(const { BUILT_WITH.marker() });
    let started = match Started::new(bundle) {
        Ok(started) => started,
        Err(error) => return Given { bytes: log::start_failed(&error), ..Given::default() },
    };
    let line = log::started(&HandOver::of_library(), &started.function);
    match STARTED.set(started) {
        Ok(()) => Given { done: true, bytes: line, outcome: 0 },
        Err(_) => Given { bytes: log::start_failed(&StartError::AlreadyStarted), ..Given::default() },
    }
}

/// Decides on one event.
pub(crate) fn decide(event: &[u8], millis_left: u64) -> Given {
    let Some(started) = STARTED.get() else { return Given::default() };
    let mut lines = Vec::new();
    let time_left = Duration::from_millis(millis_left);
    let outcome = started.wait(started.function.decide(event, time_left, &mut lines));
    let Some(Ok(mut bytes)) = outcome.map(|outcome| serde_json::to_vec(&outcome)) else {
        return Given { bytes: lines, ..Given::default() };
    };
    let outcome = bytes.len();
    bytes.append(&mut lines);
    Given { done: true, bytes, outcome }
}

impl Started {
    fn new(bundle: &[u8]) -> Result<Self, StartError> {
        Ok(Self {
            function: Function::new(PathBuf::from("bundle.json"), bundle)?,
            #[cfg(feature = "remote-keys")]
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(StartError::Tokio)?,
        })
    }

    #[cfg(feature = "remote-keys")]
    fn wait<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        Some(self.runtime.block_on(future))
    }

    /// Without keys to fetch, nothing waits.
    #[cfg(not(feature = "remote-keys"))]
    #[allow(clippy::unused_self, reason = "same signature as the variant that fetches keys")]
    fn wait<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        use std::pin::pin;
        use std::task::{Context, Poll, Waker};
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }
}
