//! What a policy allows, and why. Pure: no I/O, no clock.
//!
//! [`explain`] says of one request what every rule makes of it. The decision is the core's own, and each
//! rule is asked by the core's own matching. The request is an event, or a [`PosedRequest`] by the holder of a
//! token that nobody signed ([`explain_supposing`], [`fill_in`]). [`testing`] runs the unit tests of a policy, and
//! says what of it they went through. [`cedar`] translates its rules. [`distribution`] reads a CloudFront
//! distribution's configuration, puts the function on its behaviors, and says what would be left open.

pub mod cedar;
pub mod distribution;
mod explain;
pub mod parts;
pub mod posed;
#[cfg(test)]
mod sample;
mod supposed;
pub mod testing;

pub use explain::{Explanation, RuleExplanation, explain, explain_supposing};
pub use posed::PosedRequest;
pub use supposed::{FilledToken, OtherIssuerError, fill_in};
