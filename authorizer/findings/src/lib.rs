//! What in a policy and in its deployment deserves a second look. Pure: no I/O, no clock.
//!
//! 1. A [`Check`] says what is looked for, why it matters and how it is mended; [`catalogue`] has them all, each with a
//!    page in `docs/audit`.
//! 2. [`policy::findings`] looks at a policy: at its rules, its issuers, their keys and what browsers may do.
//! 3. [`deployment::findings`] checks the surroundings of the function: what is deployed, compared with the policy and
//!    the package that were reviewed.
//! 4. [`report`] puts either into a [`Report`](report::Report), and writes that as text, JSON or SARIF.
//! 5. [`review::Review`] is all that a reviewer reads of a policy, as one page of HTML or as Markdown.
//! 6. [`jwk`] says of a key of a JWK set whether a policy can use it, and why not.

mod catalogue;
mod check;
pub mod deployment;
mod docs;
mod family;
pub mod jwk;
pub mod policy;
pub mod report;
pub mod review;

pub use catalogue::catalogue;
pub use check::{Catalogue, Check, Severity};
pub use docs::Docs;
