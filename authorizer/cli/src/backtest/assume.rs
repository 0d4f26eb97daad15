//! The assumptions that a person can choose.

use authorizer_backtest::{Assumptions, Contradicted};
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

/// An assumption about what the logs do not contain.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize, ValueEnum)]
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

/// The number of requests whose lines contradict the assumption.
pub(super) fn contradicted(assumption: Assumption, counts: &Contradicted) -> u64 {
    match assumption {
        Assumption::Tokens => counts.tokens,
        Assumption::Reads => counts.reads,
        Assumption::Uploads => counts.uploads,
    }
}

pub(super) fn assumptions(chosen: &[Assumption]) -> Assumptions {
    Assumptions {
        tokens: chosen.contains(&Assumption::Tokens),
        reads: chosen.contains(&Assumption::Reads),
        uploads: chosen.contains(&Assumption::Uploads),
    }
}

/// The choices that make these assumptions, in the order of their declaration.
pub(super) fn chosen(assumptions: Assumptions) -> Vec<Assumption> {
    let Assumptions { tokens, reads, uploads } = assumptions;
    [(Assumption::Tokens, tokens), (Assumption::Reads, reads), (Assumption::Uploads, uploads)]
        .into_iter()
        .filter_map(|(choice, is_made)| is_made.then_some(choice))
        .collect()
}
