//! The function behind the distribution: the very code in this process, or the package that is deployed.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::observer::Observer;
use crate::packaged::Packaged;

/// The viewer-request function.
#[derive(Debug)]
pub enum Function {
    /// A function of this process.
    InProcess(InProcess),
    /// The deployment package, in a process of its own as on Lambda.
    Packaged(Packaged),
}

/// What one invocation gave.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function's result, as it came: CloudFront's checks are still to come.
    pub result: Bytes,
    /// The decision-log line of the invocation.
    pub record: Option<Value>,
}

/// Why an invocation gave no result. CloudFront answers each with 503.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FunctionError {
    /// It ended, failed or was too slow before it asked for its first event.
    #[error("the function did not start: {cause}{}", last_lines(log))]
    DidNotStart {
        /// What happened instead.
        cause: String,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// It ended in the middle of an invocation.
    #[error("the function ended while it served the request: {cause}{}", last_lines(log))]
    Ended {
        /// How it ended.
        cause: String,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// It reported an error of its own for this invocation.
    #[error("the function failed: {0}")]
    Failed(String),
    /// It did not answer in time.
    #[error("the function took longer than {} ms", _0.as_millis())]
    DeadlineExceeded(Duration),
    /// The machine around it failed.
    #[error("the function could not be run: {0}")]
    Unavailable(String),
}

fn last_lines(log: &[String]) -> String {
    log.iter().map(|line| format!("\n    {line}")).collect()
}

impl Function {
    /// Runs the function for one event.
    ///
    /// # Errors
    /// [`FunctionError`] when there is no result to check.
    pub async fn invoke(&self, event: Bytes) -> Result<Invocation, FunctionError> {
        match self {
            Self::InProcess(function) => Ok((function.handler)(event).await),
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

/// A function of this process: event bytes in, result bytes and record out.
#[derive(Clone)]
pub struct InProcess {
    handler: Arc<Handler>,
}

impl InProcess {
    /// The function that the closure is.
    pub fn new<F>(handler: impl Fn(Bytes) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Invocation> + Send + 'static,
    {
        Self { handler: Arc::new(move |event| Box::pin(handler(event))) }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}
