//! The end-to-end tests: the real programs, started as people start them.
//!
//! They are grouped by what they need, so that a filter selects a group:
//! `cargo test -p authorizer-e2e --test it needs_browser::`.
//! `tests/run` excludes groups by these names, so other crates must not have modules with such names, except for the
//! peers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at its first failure"
)]

mod fast;
mod needs_browser;
mod needs_docs;
mod needs_editors;
mod needs_infra;
mod needs_providers;
mod needs_runtimes;
