//! What a policy allows, and why. Pure: no I/O, no clock.
//!
//! [`explain`] says of one request what every rule makes of it. The decision is the core's own, and each
//! rule is asked by the core's own matching.

mod analysis;
mod diff;
mod engine;
mod explain;

pub use analysis::{Analysis, Difference, Reach};
pub use diff::{AccessChange, Direction, PolicyDiff, StorageChange, TrustChange, diff};
pub use engine::{Bounds, EngineError, Replayed, Who, Witness};
pub use explain::{Explanation, RuleExplanation, explain};
