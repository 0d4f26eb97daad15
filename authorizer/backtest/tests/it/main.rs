//! The results of a backtest, compared with what the core decides on the requests themselves.
//!
//! `RANDOM_CASES` is the number of random cases per test, in percent of the usual number.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at its first failure"
)]

mod as_decided;
mod generate;
mod merged;
mod random;
mod rebuilt;
