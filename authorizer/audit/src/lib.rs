//! What a policy allows, and why. Pure: no I/O, no clock.
//!
//! [`explain`] says of one request what every rule makes of it. The decision is the core's own, and each
//! rule is asked by the core's own matching.
//!
//! [`backtest`] says what another policy would have made of the requests of a log.

pub mod backtest;
mod explain;

pub use explain::{Explanation, RuleExplanation, explain};
