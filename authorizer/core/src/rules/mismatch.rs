//! Why a rule does not match.

use super::condition::Condition;
use super::terms::TermsMismatch;
use crate::extra_parameter::ExtraParameter;
use crate::response_override::ResponseOverride;

/// Why a rule does not match: the first part that does not match, in this order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mismatch<'p> {
    /// The key matches none of the patterns.
    Key,
    /// The operation.
    Operation,
    /// The request's host.
    Host,
    /// The issuer of the token, or the request does not have a token.
    Principal,
    /// The rule does not apply yet, or no longer applies.
    Period,
    /// The viewer's address.
    Source,
    /// This condition.
    Condition(&'p Condition),
    /// A response header that the request overrides, but the rule does not allow.
    Override(ResponseOverride),
    /// A query parameter that the request has, but the rule does not allow.
    Parameter(ExtraParameter),
    /// A limit of the rule for an upload.
    Terms(TermsMismatch),
}

impl Mismatch<'_> {
    /// Whether only a limit for a download or an upload does not match.
    pub(crate) fn is_of_terms(&self) -> bool {
        matches!(self, Self::Override(_) | Self::Parameter(_) | Self::Terms(_))
    }

    /// How much of the rule matched; more is greater.
    pub(super) fn distance(&self) -> u8 {
        match self {
            Self::Key => 0,
            Self::Operation => 1,
            Self::Host => 2,
            Self::Principal => 3,
            Self::Period => 4,
            Self::Source => 5,
            Self::Condition(_) => 6,
            Self::Override(_) | Self::Parameter(_) | Self::Terms(_) => 7,
        }
    }
}
