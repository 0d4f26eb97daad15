//! The instant of a decision. The core has no clock: whoever calls it says when it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// An instant in whole seconds since 1970-01-01T00:00:00Z, as RFC 7519 counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From a count of seconds.
    pub fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// From the system's clock. With a clock before 1970 it is the end of time, when every token has
    /// expired.
    pub fn from_system(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs()))
    }

    /// The count of seconds.
    pub fn as_seconds(self) -> u64 {
        self.0
    }

    /// For comparison with a NumericDate, which need not be whole. Exact until 2^53 seconds.
    #[allow(clippy::cast_precision_loss, reason = "exact for the next 285 million years")]
    pub(crate) fn as_seconds_f64(self) -> f64 {
        self.0 as f64
    }
}
