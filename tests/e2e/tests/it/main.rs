//! The end-to-end tests: the real programs, started as people start them.
//!
//! Grouped by what they need, so that a filter picks a group: `cargo test -p authorizer-e2e --test it fast::`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod browser;
mod fast;
mod infra;
mod providers;
mod runtimes;
