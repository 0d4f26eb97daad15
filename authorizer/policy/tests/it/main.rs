//! A policy file as its author meets it: the bundle that it becomes, and what is wrong with it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod errors;
