//! Why a question about a policy does not have an answer.

use std::fmt;

use authorizer_analysis::EngineError;
use miette::Diagnostic;
use thiserror::Error;

/// The analysis did not finish, so the question does not have an answer.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct UnansweredError(pub(super) EngineError);

impl Diagnostic for UnansweredError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = match &self.0 {
            EngineError::NotDecided { .. } => {
                "this is not a \"no\"; ask about fewer keys, or use fewer `*` and `{claim}` in the patterns of these \
                 rules"
            }
            EngineError::Unconfirmed { .. } => {
                "the analysis did not finish; report this error with the policy"
            }
        };
        Some(Box::new(help))
    }
}
