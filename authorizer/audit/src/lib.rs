//! What a policy allows, and why. Pure: no I/O, no clock.
//!
//! [`explain`] says of one request what every rule makes of it. The decision is the core's own, and each
//! rule is asked by the core's own matching.
//!
//! [`findings`](findings::findings) says what in a policy deserves a second look.

mod analysis;
mod diff;
mod engine;
mod explain;
pub mod findings;
mod matrix;
mod query;
mod words;

pub use analysis::{Analysis, Difference, Reach};
pub use diff::{AccessChange, Direction, PolicyDiff, StorageChange, TrustChange, diff};
pub use engine::{Bounds, EngineError, Replayed, Who, Witness};
pub use explain::{Explanation, RuleExplanation, explain};
pub use matrix::{Cell, Matrix, Row, matrix};
pub use query::{Permission, Query, Shown, query};
pub use words::conditions_in_words;
