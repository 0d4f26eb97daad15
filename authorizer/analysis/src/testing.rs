//! The unit tests of a policy: [`Suite::compile`] reads them, [`run`] asks the core, and [`Coverage`] says what they
//! went through. [`suggest`] writes the tests that are missing.

mod coverage;
pub mod document;
mod run;
mod suggest;
mod suite;
#[cfg(test)]
mod tests;

pub use coverage::{Coverage, Point, Term};
pub use run::{Difference, TestResult, run};
pub use suggest::{Lists, Suggested, Suggestion, suggest};
pub use suite::{Expected, Suite};
