//! The function of the distribution: the same code in this process, or the deployment package.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

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

/// A function in this process: event bytes in, result bytes and record out.
#[derive(Clone)]
pub struct InProcess {
    handler: Arc<Handler>,
}

impl InProcess {
    /// Wraps a closure.
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
