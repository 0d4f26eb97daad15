//! The tests of what measures: no clock is looked at.
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod needs_peers;
mod tables;
