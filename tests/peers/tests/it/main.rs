//! The tests of the measurement: they do not check any time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test stops at its first failure"
)]

mod needs_peers;
mod tables;
