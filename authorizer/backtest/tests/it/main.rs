//! What a backtest says of a log, beside what the core decides on the requests themselves.
//!
//! `RANDOM_CASES` is how many random cases each test tries, in percent of the usual number.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod as_decided;
mod generate;
mod random;
