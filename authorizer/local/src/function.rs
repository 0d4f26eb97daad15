//! The function of the distribution: the same code in this process, or the deployment package.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::invocation::{FunctionError, Invocation};
use crate::observer::Observer;
use crate::packaged::Packaged;

/// The viewer-request function.
#[derive(Debug)]
pub enum Function {
    /// A function in this process.
    InProcess(InProcess),
    /// The deployment package, in its own process, as on Lambda.
    Packaged(Packaged),
}

impl Function {
    /// Runs the function for one event.
    ///
    /// # Errors
    /// [`FunctionError`] if the function does not return a result.
    pub async fn invoke(&self, event: Bytes) -> Result<Invocation, FunctionError> {
        match self {
            Self::InProcess(function) => function.invoke(event).await,
            Self::Packaged(function) => function.invoke(event).await,
        }
    }

    pub(crate) fn observe(&self, observer: &Arc<dyn Observer>) {
        match self {
            Self::InProcess(_) => {}
            Self::Packaged(function) => function.observe(observer),
        }
    }
}

type Handler = dyn Fn(Bytes) -> Pin<Box<dyn Future<Output = Invocation> + Send>> + Send + Sync;

/// The time limit of Lambda@Edge for a function of a viewer event.
const DEADLINE: Duration = Duration::from_secs(5);

/// A function in this process: event bytes in, result bytes and record out.
#[derive(Clone)]
pub struct InProcess {
    handler: Arc<Handler>,
    deadline: Duration,
}

impl InProcess {
    /// Wraps a closure.
    pub fn new<F>(handler: impl Fn(Bytes) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Invocation> + Send + 'static,
    {
        Self { handler: Arc::new(move |event| Box::pin(handler(event))), deadline: DEADLINE }
    }

    /// Sets another time limit for an invocation than the 5 seconds of Lambda@Edge.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Runs one invocation. It has its own task: it may panic, and Lambda finishes it even if its viewer disconnects.
    async fn invoke(&self, event: Bytes) -> Result<Invocation, FunctionError> {
        let handler = Arc::clone(&self.handler);
        let mut task = tokio::spawn(async move { handler(event).await });
        match tokio::time::timeout(self.deadline, &mut task).await {
            Ok(Ok(invocation)) => Ok(invocation),
            Ok(Err(error)) => Err(FunctionError::Ended { cause: error.to_string(), log: Vec::new() }),
            Err(_) => {
                task.abort();
                Err(FunctionError::DeadlineExceeded(self.deadline))
            }
        }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}
