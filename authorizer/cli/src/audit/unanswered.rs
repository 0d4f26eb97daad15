//! Why a question about a policy does not have an answer.

use authorizer_analysis::EngineError;
use miette::Diagnostic;
use thiserror::Error;

/// The analysis did not finish, so the question does not have an answer.
#[derive(Debug, Diagnostic, Error)]
#[error("{0}")]
#[diagnostic(help(
    "the analysis did not finish; ask about fewer keys, or report this error with the policy"
))]
pub(super) struct UnansweredError(pub(super) EngineError);
