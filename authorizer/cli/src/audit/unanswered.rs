//! Why a question about a policy has no answer.

use authorizer_analysis::EngineError;
use miette::Diagnostic;
use thiserror::Error;

/// A question about a policy has no answer.
#[derive(Debug, Diagnostic, Error)]
#[error("{0}")]
#[diagnostic(help("this is no verdict on the policy: ask about fewer keys, or report it with the policy"))]
pub(super) struct UnansweredError(pub(super) EngineError);
