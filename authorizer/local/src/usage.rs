//! What an invocation of the package used.

use std::time::Duration;

/// A megabyte as Lambda counts it.
pub(crate) const MB: u64 = 1024 * 1024;

/// What an invocation of the package used, as the `REPORT` line of Lambda's log has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Usage {
    /// The process that ran it.
    pub pid: u32,
    /// The start of the process, if this was its first invocation.
    pub cold_start: Option<ColdStart>,
    /// The time from the event to the answer.
    pub duration: Duration,
    /// The processor time from the event to the answer. Only Linux tells it.
    pub cpu: Option<Duration>,
    /// The most memory that the process has had, in bytes. Only Linux tells it.
    pub memory: Option<u64>,
}

/// The start of a process of the function, until it asked for its first event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ColdStart {
    /// The time that it took.
    pub duration: Duration,
    /// The processor time. Only Linux tells it.
    pub cpu: Option<Duration>,
}

/// Bytes as Lambda writes them.
pub(crate) fn in_mb(bytes: u64) -> u64 {
    bytes.div_ceil(MB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn megabytes_are_rounded_up_as_in_the_report() {
        assert_eq!([0, 1, MB, MB + 1].map(in_mb), [0, 1, 1, 2]);
    }
}
