//! The result of an invocation, or why there is none.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// The result of one invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function's raw result, before CloudFront's checks.
    pub result: Bytes,
    /// The decision-log line of the invocation.
    pub record: Option<Value>,
}

/// Why an invocation did not give a result. CloudFront answers each with 503.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FunctionError {
    /// It ended, failed or was too slow before it requested its first event.
    #[error("the function did not start: {cause}{}", last_lines(log))]
    DidNotStart {
        /// The cause.
        cause: String,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// It ended during an invocation.
    #[error("the function ended while it served the request: {cause}{}", last_lines(log))]
    Ended {
        /// The way it ended.
        cause: String,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// It reported an error for this invocation.
    #[error("the function failed: {0}")]
    Failed(String),
    /// It did not answer in time.
    #[error("the function took longer than {} ms", _0.as_millis())]
    DeadlineExceeded(Duration),
    /// It could not be run on this machine.
    #[error("the function could not be run: {0}")]
    Unavailable(String),
}

fn last_lines(log: &[String]) -> String {
    log.iter().map(|line| format!("\n    {line}")).collect()
}
