//! The end-to-end tests: the real programs, started as people start them.
//!
//! Grouped by what they need, so that a filter picks a group: `cargo test -p authorizer-e2e --test it needs_browser::`.
//! `tests/run` leaves groups out by these names, so no other crate has modules of such names, except the peers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod fast;
mod needs_browser;
mod needs_infra;
mod needs_providers;
mod needs_runtimes;
