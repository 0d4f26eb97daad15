//! Fetching keys and tokens from issuers, and the decisions when they misbehave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at its first failure"
)]

mod fetch;
mod live;
mod post;
mod stand_in;
mod tls;
mod tokens;
