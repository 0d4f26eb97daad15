//! The tests of the measurement: they do not check any time.
#![allow(clippy::unwrap_used, reason = "a test stops at its first failure")]

mod needs_peers;
mod tables;
