//! A policy as policies of [Cedar](https://www.cedarpolicy.com/), for people who review in it, and so that another
//! engine can be asked what ours decides.
//!
//! The rules are translated, which is step 6: what comes before them (the path, the token, the query, the headers) is
//! not. Each rule is written out by itself, so that whoever reads the translation can hold it against the policy rule
//! by rule. What of a request the policies read is in the [`Shape`], and docs/audit/cedar.md says how it is made.

mod keys;
mod rules;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod text;

use authorizer_core::policy::Policy;
use thiserror::Error;

pub use shape::Shape;

/// A policy in Cedar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Translation {
    policies: String,
    schema: String,
    shape: Shape,
}

/// What Cedar's numbers and dates cannot hold.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum UntranslatableError {
    /// Beyond 2^53 a claim can be a double that equals several integers.
    #[error("the integer {0} is beyond 2^53, where a claim's number can equal several")]
    Integer(i64),
    /// Beyond 64 bits with a sign.
    #[error("a `max_bytes` is beyond Cedar's numbers")]
    Size,
    /// Beyond the year 9999.
    #[error("a `not_before` or `not_after` is beyond Cedar's dates")]
    Instant,
}

impl Translation {
    /// Translates the rules of a policy.
    ///
    /// # Errors
    /// [`UntranslatableError`] where Cedar could not decide the same.
    pub fn of(policy: &Policy) -> Result<Self, UntranslatableError> {
        let mut shape = Shape::default();
        let mut policies = String::new();
        for rule in policy.rules() {
            policies.push_str(&rules::translate(rule, &mut shape)?);
        }
        policies.truncate(policies.trim_end().len());
        policies.push('\n');
        Ok(Self { policies, schema: schema::write(&shape), shape })
    }

    /// The policies, each with the id of its rule in `@rule`.
    pub fn policies(&self) -> &str {
        &self.policies
    }

    /// The schema that they are valid by.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// What they read of a request.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}
