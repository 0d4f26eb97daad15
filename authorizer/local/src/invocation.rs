//! What an invocation of the function gives, or why it gives nothing.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

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
