//! Why a rule does not match.

use super::condition::Condition;
use super::terms::TermsMismatch;
use crate::response_override::ResponseOverride;

/// Why a rule does not match: the first of its parts that does not, in this order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mismatch<'p> {
    /// None of the key patterns.
    Key,
    /// The operation.
    Operation,
    /// The issuer of the token, or there is no token.
    Principal,
    /// It does not hold yet, or no more.
    Period,
    /// The viewer's address.
    Source,
    /// This condition.
    Condition(&'p Condition),
    /// A response header that the request asks for, and the rule does not open.
    Override(ResponseOverride),
    /// What it asks of an upload.
    Terms(TermsMismatch),
}

impl Mismatch<'_> {
    /// Whether all of the rule matches but what it asks of a download or an upload.
    pub(crate) fn is_of_terms(&self) -> bool {
        matches!(self, Self::Override(_) | Self::Terms(_))
    }

    /// How far the rule got: the more of it matched, the greater.
    pub(super) fn distance(&self) -> u8 {
        match self {
            Self::Key => 0,
            Self::Operation => 1,
            Self::Principal => 2,
            Self::Period => 3,
            Self::Source => 4,
            Self::Condition(_) => 5,
            Self::Override(_) | Self::Terms(_) => 6,
        }
    }
}
