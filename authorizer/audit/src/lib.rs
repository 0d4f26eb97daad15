//! What a policy allows, and why. Pure: no I/O, no clock.
//!
//! [`explain`] says of one request what every rule makes of it. The decision itself is the core's own, so
//! an explanation can never disagree with what happens at the edge.

mod explain;

pub use explain::{Explanation, RuleExplanation, explain};
