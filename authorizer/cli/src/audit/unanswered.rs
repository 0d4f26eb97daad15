//! Why a question about a policy has no answer.

use authorizer_analysis::EngineError;
use miette::Diagnostic;
use thiserror::Error;

/// A question about a policy has no answer.
#[derive(Debug, Diagnostic, Error)]
#[error("{0}")]
#[diagnostic(help(
    "the analysis did not finish; ask about fewer keys, or report this error with the policy"
))]
pub(super) struct UnansweredError(pub(super) EngineError);
