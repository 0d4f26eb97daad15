//! Step 6: from an operation on a key by a principal to a decision.

mod access;
mod claims;
mod condition;
mod decision;
mod examine;
mod host;
#[cfg(test)]
mod linear;
mod listing;
mod matcher;
mod mismatch;
mod part;
mod pattern;
mod rule;
mod terms;

pub use access::Access;
pub use claims::{Claims, is_numeric_date};
pub(crate) use condition::is_scope_claim;
pub use condition::{ClaimTest, Condition};
pub use decision::Decision;
pub(crate) use decision::Rules;
pub(crate) use host::host_of;
pub use host::{HostPattern, is_name as is_host_name};
pub use ipnet::IpNet;
pub use mismatch::Mismatch;
pub use part::RulePart;
pub use pattern::{KeyPattern, PatternError, Segment};
pub use rule::{Effect, Period, PrincipalConstraint, Rule};
pub use terms::{MetadataTerm, TermsMismatch, UploadTerms};
