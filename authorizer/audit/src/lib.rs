//! What a policy allows, and why. Pure: no I/O, no clock.
//!
//! [`explain`] says of one request what every rule makes of it. The decision is the core's own, and each
//! rule is asked by the core's own matching. The request is an event, or a [`PosedRequest`] by the holder of a
//! token that nobody signed ([`explain_supposing`], [`fill_in`]). [`testing`] runs the unit tests of a policy, and
//! says what of it they went through. [`findings`](findings::findings) says what in a policy deserves a second
//! look. [`cedar`] translates its rules. [`distribution`] reads a CloudFront distribution's configuration, puts the
//! function on its behaviors, and says what would be left open. [`deployment`] looks at all of
//! what stands around the function: what is deployed, held against the policy and the package that were reviewed.

mod analysis;
pub mod cedar;
pub mod deployment;
mod diff;
pub mod distribution;
mod engine;
mod explain;
pub mod findings;
mod matrix;
pub mod parts;
pub mod posed;
mod query;
#[cfg(test)]
mod sample;
mod supposed;
pub mod testing;
mod words;

pub use analysis::{Analysis, Difference, Reach};
pub use diff::{AccessChange, Direction, PolicyDiff, StorageChange, TrustChange, diff};
pub use engine::{Bounds, EngineError, Replayed, Who, Witness};
pub use explain::{Explanation, RuleExplanation, explain, explain_supposing};
pub use matrix::{Cell, Matrix, Row, matrix};
pub use posed::PosedRequest;
pub use query::{Permission, Query, Shown, query};
pub use supposed::{FilledToken, OtherIssuerError, fill_in};
pub use words::conditions_in_words;
