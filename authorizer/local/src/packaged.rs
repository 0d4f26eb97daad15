//! The deployment package in its own process, as Lambda runs it: the same zip, runtime clients and Runtime API, one
//! invocation at a time.

mod error;
mod output;
mod process;
mod runtime;
mod unpack;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::invocation::{FunctionError, Invocation};
use crate::observer::Observer;
use crate::random::lambda_request_id;

pub use error::PackagedError;
use output::Listener;
use process::{NotIdle, Process};
use runtime::Launch;
pub use runtime::{Runtime, RuntimeClients};
pub use unpack::UnpackError;

/// Lambda@Edge's limit on a function of a viewer event.
const DEADLINE: Duration = Duration::from_secs(5);

/// The Region that the function sees.
const REGION: &str = "us-east-1";

/// An unpacked package, and its process if it runs.
pub struct Packaged {
    shared: Arc<Shared>,
    deadline: Duration,
}

struct Shared {
    folder: TempDir,
    launch: Launch,
    listener: Listener,
    process: Mutex<Option<Process>>,
    /// The process's id; 0 without a process.
    pid: AtomicU32,
}

impl Packaged {
    /// Unpacks the zip and finds the command that starts it. Nothing runs yet.
    ///
    /// # Errors
    /// [`PackagedError`] if the zip, its handler or the runtime's client is missing or not valid.
    pub fn unpack(zip: &Path, runtime: Runtime, clients: &RuntimeClients) -> Result<Self, PackagedError> {
        let folder = unpack::unpack(zip)?;
        let launch = Launch::new(runtime, clients, folder.path())?;
        let shared = Shared {
            folder,
            launch,
            listener: Arc::new(OnceLock::new()),
            process: Mutex::new(None),
            pid: AtomicU32::new(0),
        };
        Ok(Self { shared: Arc::new(shared), deadline: DEADLINE })
    }

    /// Sets another time limit for an invocation than the 5 seconds of Lambda@Edge.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The folder of the unpacked package.
    pub fn folder(&self) -> &Path {
        self.shared.folder.path()
    }

    /// The id of the function's process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        Some(self.shared.pid.load(Ordering::Acquire)).filter(|pid| *pid != 0)
    }

    /// Starts the process now, so that the first request does not wait for it and a function that cannot start is
    /// reported at once.
    ///
    /// # Errors
    /// [`FunctionError::DidNotStart`], with the last lines that it wrote.
    pub async fn start(&self) -> Result<(), FunctionError> {
        let mut slot = self.shared.process.lock().await;
        if slot.is_none() {
            *slot = Some(self.shared.start().await?);
        }
        Ok(())
    }

    pub(crate) fn observe(&self, observer: &Arc<dyn Observer>) {
        // A package serves one distribution, whose observer is the first.
        let _ = self.shared.listener.set(Arc::clone(observer));
    }

    /// Runs one invocation, in a new process if the current one cannot.
    pub(crate) async fn invoke(&self, event: Bytes) -> Result<Invocation, FunctionError> {
        let (shared, deadline) = (Arc::clone(&self.shared), self.deadline);
        // In its own task: Lambda finishes an invocation even if its viewer disconnects.
        let invocation = tokio::spawn(async move { shared.invoke(event, deadline).await });
        invocation.await.unwrap_or_else(|error| Err(FunctionError::Unavailable(error.to_string())))
    }
}

impl Shared {
    async fn start(&self) -> Result<Process, FunctionError> {
        let started =
            Process::start(&self.launch, self.folder.path(), REGION, Arc::clone(&self.listener)).await;
        self.pid.store(started.as_ref().map_or(0, Process::pid), Ordering::Release);
        started
    }

    async fn invoke(&self, event: Bytes, deadline: Duration) -> Result<Invocation, FunctionError> {
        let id = lambda_request_id().map_err(|error| FunctionError::Unavailable(error.to_string()))?;
        let mut slot = self.process.lock().await;
        // INVARIANT: a process is put back only if it can serve another invocation.
        let mut process = match slot.take() {
            None => self.start().await?,
            Some(mut process) => match process.idle(deadline).await {
                Ok(()) => process,
                Err(NotIdle::Ended(_) | NotIdle::InitFailed(_) | NotIdle::TooSlow) => {
                    drop(process);
                    self.start().await?
                }
            },
        };
        let result = process.invoke(id, event, deadline).await;
        match result {
            Ok(_) | Err(FunctionError::Failed(_)) => *slot = Some(process),
            Err(
                FunctionError::Ended { .. }
                | FunctionError::DidNotStart { .. }
                | FunctionError::DeadlineExceeded(_)
                | FunctionError::Unavailable(_),
            ) => self.pid.store(0, Ordering::Release),
        }
        result
    }
}

impl fmt::Debug for Packaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packaged").field("folder", &self.folder()).field("pid", &self.pid()).finish()
    }
}
