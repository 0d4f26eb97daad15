//! The policy: from the document that a person writes to rules and issuers that can decide.

mod compile;
mod compiled;
pub mod document;
mod problem;
#[cfg(feature = "code-flow")]
pub mod stand_in;

pub use compile::parse_size;
pub use compiled::Policy;
pub use problem::{Place, PolicyProblem, Step};
