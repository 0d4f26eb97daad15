//! The unit tests of a policy: [`Suite::compile`] reads them, [`run`] asks the core, and [`Coverage`] says what they
//! went through.

mod coverage;
pub mod document;
mod run;
mod suite;
#[cfg(test)]
mod tests;

pub use coverage::{Coverage, Point, Term};
pub use run::{Difference, TestResult, run};
pub use suite::{Expected, Suite};
