//! Asking issuers for their keys, and what becomes of requests when they misbehave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod fetch;
mod live;
mod stand_in;
mod tls;
