//! The deployment package in its own processes, as Lambda runs it: the same zip, runtime clients and Runtime API, one
//! invocation at a time in each process, and as many processes as invocations run at once.

mod error;
mod group;
mod meter;
mod output;
mod pool;
mod process;
mod runtime;
mod unpack;

use std::fmt;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::invocation::{FunctionError, Invocation};
use crate::observer::Observer;
use crate::random::lambda_request_id;

pub use error::PackagedError;
use output::Listener;
use pool::{Live, Place, Pool, Turn};
use process::{NotInvoked, Process};
use runtime::Launch;
pub use runtime::{Runtime, RuntimeClients};
pub use unpack::UnpackError;
use unpack::Unpacked;

/// Lambda@Edge's limit on a function of a viewer event.
const DEADLINE: Duration = Duration::from_secs(5);

/// How many processes there may be: what a new account of AWS often has in a Region.
const CONCURRENCY: NonZeroU16 = NonZeroU16::new(10).unwrap();

/// How long a process waits for a request before it is ended.
const IDLE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The Region that the function sees.
const REGION: &str = "us-east-1";

/// An unpacked package, and its processes.
pub struct Packaged {
    shared: Arc<Shared>,
    deadline: Duration,
    concurrency: NonZeroU16,
    idle_limit: Duration,
    pool: OnceLock<Arc<Pool>>,
    /// Each invocation, and the watch over idle processes. They end with this.
    tasks: Mutex<JoinSet<()>>,
}

struct Shared {
    launch: Launch,
    listener: Listener,
    folder: Unpacked,
}

impl Packaged {
    /// Unpacks the zip and finds the command that starts it. Nothing runs yet.
    ///
    /// # Errors
    /// [`PackagedError`] if the zip, its handler or the runtime's client is missing or not valid.
    pub fn unpack(zip: &Path, runtime: Runtime, clients: &RuntimeClients) -> Result<Self, PackagedError> {
        let folder = unpack::unpack(zip)?;
        let launch = Launch::new(runtime, clients, folder.path())?;
        let shared = Shared { launch, listener: Arc::new(OnceLock::new()), folder };
        Ok(Self {
            shared: Arc::new(shared),
            deadline: DEADLINE,
            concurrency: CONCURRENCY,
            idle_limit: IDLE_LIMIT,
            pool: OnceLock::new(),
            tasks: Mutex::default(),
        })
    }

    /// Sets another time limit for an invocation than the 5 seconds of Lambda@Edge.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Sets another limit on processes, and so on invocations at once, than 10.
    #[must_use]
    pub fn with_concurrency(self, concurrency: NonZeroU16) -> Self {
        Self { concurrency, ..self }
    }

    /// Sets how long a process waits for a request before it is ended, 5 minutes by default.
    #[must_use]
    pub fn with_idle_limit(self, idle_limit: Duration) -> Self {
        Self { idle_limit, ..self }
    }

    /// Whether this system tells the memory of a process, so that the limit of 128 MB is enforced.
    pub const fn limits_memory() -> bool {
        cfg!(target_os = "linux")
    }

    /// The folder of the unpacked package.
    pub fn folder(&self) -> &Path {
        self.shared.folder.path()
    }

    /// The id of the function's first process that runs.
    pub fn pid(&self) -> Option<u32> {
        self.pids().first().copied()
    }

    /// The ids of the function's processes.
    pub fn pids(&self) -> Vec<u32> {
        self.pool.get().map(|pool| pool.pids()).unwrap_or_default()
    }

    /// Starts a process now, so that the first request does not wait for it and a function that cannot start is
    /// reported at once.
    ///
    /// # Errors
    /// [`FunctionError::DidNotStart`], with the last lines that it wrote.
    pub async fn start(&self) -> Result<(), FunctionError> {
        let pool = self.pool();
        match pool.turn().await {
            Turn::Cold(place) => {
                let live = self.shared.start(place).await?;
                pool.settling(live).settle(Duration::ZERO).await;
            }
            Turn::Warm(live) => pool.settling(live).settle(Duration::ZERO).await,
            Turn::Throttled(_) => {}
        }
        Ok(())
    }

    pub(crate) fn observe(&self, observer: &Arc<dyn Observer>) {
        // A package serves one distribution, whose observer is the first.
        let _ = self.shared.listener.set(Arc::clone(observer));
    }

    /// Runs one invocation, in a new process if no other waits.
    pub(crate) async fn invoke(&self, event: Bytes) -> Result<Invocation, FunctionError> {
        let (shared, pool, deadline) = (Arc::clone(&self.shared), Arc::clone(self.pool()), self.deadline);
        let (sender, answer) = oneshot::channel();
        // In its own task: Lambda finishes an invocation even if its viewer disconnects.
        self.spawn(async move { shared.invoke(&pool, event, deadline, sender).await });
        answer.await.unwrap_or_else(|_| Err(FunctionError::Unavailable("it was stopped".to_owned())))
    }

    fn pool(&self) -> &Arc<Pool> {
        self.pool.get_or_init(|| {
            let pool = Pool::new(self.concurrency.get().into(), self.idle_limit);
            self.spawn(Arc::clone(&pool).watch());
            pool
        })
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}

impl Shared {
    async fn start(&self, place: Place) -> Result<Live, FunctionError> {
        let listener = Arc::clone(&self.listener);
        let process = Process::start(&self.launch, self.folder.path(), REGION, listener).await?;
        Ok(place.take(process))
    }

    async fn invoke(
        &self,
        pool: &Arc<Pool>,
        event: Bytes,
        deadline: Duration,
        answer: oneshot::Sender<Result<Invocation, FunctionError>>,
    ) {
        // Fails only if the viewer has disconnected.
        match self.run(pool, event, deadline).await {
            Ok((live, result, began)) => {
                let settling = pool.settling(live);
                let _ = answer.send(result);
                settling.settle(deadline.saturating_sub(began.elapsed())).await;
            }
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    /// The answer, with the process if it can serve another invocation.
    async fn run(
        &self,
        pool: &Arc<Pool>,
        event: Bytes,
        deadline: Duration,
    ) -> Result<(Live, Result<Invocation, FunctionError>, Instant), FunctionError> {
        loop {
            let mut live = match pool.turn().await {
                Turn::Warm(live) => live,
                Turn::Cold(place) => self.start(place).await?,
                Turn::Throttled(limit) => return Err(FunctionError::Throttled(limit)),
            };
            let id = lambda_request_id().map_err(|error| FunctionError::Unavailable(error.to_string()))?;
            let began = Instant::now();
            match live.process().invoke(id, event.clone(), deadline).await {
                Ok(invocation) => return Ok((live, Ok(invocation), began)),
                Err(NotInvoked::Failed(error @ FunctionError::Failed(_))) => {
                    return Ok((live, Err(error), began));
                }
                // The process ends before the viewer has its answer.
                Err(NotInvoked::Failed(error)) => return Err(error),
                Err(NotInvoked::NotTaken) => {}
            }
        }
    }
}

impl fmt::Debug for Packaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packaged").field("folder", &self.folder()).field("pids", &self.pids()).finish()
    }
}
