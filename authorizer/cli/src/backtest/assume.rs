//! The assumptions that a person can choose.

use authorizer_backtest::Assumptions;
use clap::ValueEnum;
use serde::Serialize;

/// An assumption about what the logs do not contain.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Assumption {
    /// Tokens that verified would verify again, and others would not; subjects are logged as the policy says.
    Tokens,
    /// No read asked for response headers other than those stored with the object (`response-*` in the query).
    Reads,
    /// Every upload meets what the rules require: length, type, metadata, checksums.
    Uploads,
}

impl Assumption {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Tokens => "tokens that verified would verify again, and others would not",
            Self::Reads => "no read asked for response headers other than those stored with the object",
            Self::Uploads => "every upload meets what the rules require",
        }
    }
}

pub(super) fn assumptions(chosen: &[Assumption]) -> Assumptions {
    Assumptions {
        tokens: chosen.contains(&Assumption::Tokens),
        reads: chosen.contains(&Assumption::Reads),
        uploads: chosen.contains(&Assumption::Uploads),
    }
}
