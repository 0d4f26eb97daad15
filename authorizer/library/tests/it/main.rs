//! The library through its C interface: from Rust in this process, and from Python in others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at its first failure"
)]

mod border;
mod python;
mod stage;
