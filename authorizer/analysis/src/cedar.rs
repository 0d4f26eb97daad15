//! A policy as [Cedar](https://www.cedarpolicy.com/) policies, for people who review in Cedar, and so that another
//! engine can check the decisions.
//!
//! Only the rules (step 6) are translated. The steps before them (the path, the token, the query, the headers) are
//! not. Each rule is written separately, so that a reader can compare the translation with the policy rule by rule.
//! The [`Shape`] says which parts of a request the policies read; docs/audit/cedar.md says how it is made.

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

/// The schema for policies that read these parts of a request.
pub fn schema(shape: &Shape) -> String {
    schema::write(shape)
}

/// A policy in Cedar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Translation {
    policies: String,
    schema: String,
    shape: Shape,
}

/// What Cedar's numbers and dates cannot represent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum UntranslatableError {
    /// Beyond 2^53, a double in a claim can equal several integers.
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
    /// [`UntranslatableError`] if Cedar could not decide the same.
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

    /// The schema that they conform to.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The parts of a request that they read.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}
