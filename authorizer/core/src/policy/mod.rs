//! The policy: from the document that a person wrote to rules and issuers that can decide.

mod compile;
pub mod document;
mod problem;

pub use problem::{Place, PolicyProblem, Step};

use crate::operation::OperationSet;
use crate::record::SubjectLogging;
use crate::rules::{Effect, Rule};
use crate::token::Issuer;

/// A policy that was found whole and can decide.
///
/// INVARIANT: every name that a rule uses exists, ids are unique, every pattern is compiled, every
/// issuer has a key and an audience.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) subject_logging: SubjectLogging,
}

impl Policy {
    /// Compiles a document whose JWK sets are inline.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the document.
    pub fn compile(document: &document::PolicyDocument) -> Result<Self, Vec<PolicyProblem>> {
        compile::compile(document)
    }

    /// The issuers, in the order of the document.
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// The rules, in the order of the document.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The operations that some rule allows on some key.
    pub fn possible_operations(&self) -> OperationSet {
        self.rules
            .iter()
            .filter(|rule| rule.effect == Effect::Allow)
            .fold(OperationSet::default(), |set, rule| set.union(rule.operations))
    }
}
