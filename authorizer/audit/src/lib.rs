//! What a policy allows, and why. Pure: no I/O, no clock.
//!
//! [`explain`] says of one request what every rule makes of it. The decision is the core's own, and each
//! rule is asked by the core's own matching. [`distribution`] reads a CloudFront distribution's configuration, puts
//! the function on its behaviors, and says what would be left open.

pub mod distribution;
mod explain;

pub use explain::{Explanation, RuleExplanation, explain};
