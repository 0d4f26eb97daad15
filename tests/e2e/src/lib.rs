//! What the end-to-end tests share: the real programs, started as people start them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

pub mod binaries;
pub mod browser;
pub mod cloudformation;
pub mod docs;
pub mod document;
pub mod fixtures;
pub mod lambda;
pub mod ministack;
pub mod packages;
pub mod providers;
pub mod random;
pub mod runtimes;
pub mod sdk;
pub mod served;
pub mod skipped;
pub mod stage;
pub mod tools;
pub mod viewer;
