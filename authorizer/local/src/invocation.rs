//! The result of an invocation, or why there is none.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::usage::{Usage, in_mb};

/// The result of one invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function's raw result, before CloudFront's checks.
    pub result: Bytes,
    /// The decision-log line of the invocation.
    pub record: Option<Value>,
    /// What it used, if a package ran.
    pub usage: Option<Usage>,
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
    /// It used more memory than Lambda@Edge gives it, in bytes.
    #[error("the function {}", over_memory(*_0))]
    OutOfMemory(u64),
    /// All processes that it may have are busy, so many.
    #[error(
        "the function is throttled: all of its {0} processes are busy, and Lambda does not let a request wait \
         (`--concurrency` allows more)"
    )]
    Throttled(usize),
    /// It could not be run on this machine.
    #[error("the function could not be run: {0}")]
    Unavailable(String),
}

/// What is wrong with so much memory.
pub(crate) fn over_memory(used: u64) -> String {
    format!("used {} MB of memory, and Lambda@Edge ends a viewer-request function above 128 MB", in_mb(used))
}

fn last_lines(log: &[String]) -> String {
    log.iter().map(|line| format!("\n    {line}")).collect()
}
