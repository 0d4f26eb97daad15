//! The facts that an outcome depends on and that a log does not contain.

use std::collections::BTreeSet;
use std::fmt;

use authorizer_core::policy::Policy;
use authorizer_core::rules::{Rule, RulePart};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fact about a request that the log does not contain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Missing {
    /// The identity: whether the request had a token, and whose.
    Token,
    /// Whether its token would be valid.
    Verification,
    /// The viewer's address.
    Address,
    /// The request's host.
    Host,
    /// The time.
    Instant,
    /// The headers of an upload: length, type, metadata, checksums.
    Upload,
    /// The response headers that a download requests, and the parameters that a rule must allow.
    Overrides,
    /// The query, and with it the operation.
    Query,
    /// The path, and with it the key.
    Path,
    /// The earlier decision.
    Decision,
    /// The reason of the earlier refusal.
    Refusal,
}

impl Missing {
    const ALL: [Self; 11] = [
        Self::Decision,
        Self::Refusal,
        Self::Token,
        Self::Verification,
        Self::Address,
        Self::Host,
        Self::Instant,
        Self::Path,
        Self::Query,
        Self::Overrides,
        Self::Upload,
    ];

    fn bit(self) -> u64 {
        match self {
            Self::Token => 1,
            Self::Verification => 1 << 1,
            Self::Address => 1 << 2,
            Self::Instant => 1 << 3,
            Self::Upload => 1 << 4,
            Self::Overrides => 1 << 5,
            Self::Query => 1 << 6,
            Self::Path => 1 << 7,
            Self::Decision => 1 << 8,
            Self::Refusal => 1 << 9,
            Self::Host => 1 << 10,
        }
    }

    fn what(self) -> MissingWhat {
        match self {
            Self::Token => MissingWhat::Token,
            Self::Verification => MissingWhat::TokenVerification,
            Self::Address => MissingWhat::Address,
            Self::Host => MissingWhat::Host,
            Self::Instant => MissingWhat::Time,
            Self::Upload => MissingWhat::Upload,
            Self::Overrides => MissingWhat::ResponseOverrides,
            Self::Query => MissingWhat::Query,
            Self::Path => MissingWhat::Path,
            Self::Decision => MissingWhat::Decision,
            Self::Refusal => MissingWhat::Refusal,
        }
    }
}

/// The first bit of a claim; the bits below it are those of [`Missing`].
const FIRST_CLAIM: u32 = 11;

/// The number of claims that have their own bit. The others share the last bit.
const MAX_CLAIMS: u32 = 64 - FIRST_CLAIM - 1;

/// A set of missing facts.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct MissingSet(u64);

impl MissingSet {
    /// The set with one member.
    pub(super) fn of(missing: Missing) -> Self {
        Self(missing.bit())
    }

    /// The union of both sets.
    #[must_use]
    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn has(self, bit: u64) -> bool {
        self.0 & bit != 0
    }
}

/// The claims that the rules of some policies use.
#[derive(Clone, Debug, Default)]
pub(super) struct ClaimNames(Vec<String>);

impl ClaimNames {
    /// The claims of these policies.
    pub(super) fn of<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Self {
        let names: BTreeSet<&str> = policies.into_iter().flat_map(Policy::rules).flat_map(names_of).collect();
        Self(names.into_iter().map(str::to_owned).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The claim, as a missing fact.
    pub(super) fn missing(&self, name: &str) -> MissingSet {
        let index = self.0.binary_search_by(|known| known.as_str().cmp(name)).unwrap_or(usize::MAX);
        MissingSet(self.bit(index))
    }

    fn bit(&self, index: usize) -> u64 {
        let index = u32::try_from(index).unwrap_or(MAX_CLAIMS).min(MAX_CLAIMS);
        1u64.checked_shl(FIRST_CLAIM.saturating_add(index)).unwrap_or_default()
    }

    /// The members of a set, as words and by name.
    pub(super) fn describe(&self, set: MissingSet) -> Vec<MissingFact> {
        let fixed = Missing::ALL.into_iter().filter(|missing| set.has(missing.bit()));
        let fixed = fixed.map(|missing| MissingFact { what: missing.what(), claim: None });
        let own = usize::try_from(MAX_CLAIMS).unwrap_or(usize::MAX);
        let claims = self.0.iter().enumerate().take(own).filter(|(index, _)| set.has(self.bit(*index)));
        let claims =
            claims.map(|(_, name)| MissingFact { what: MissingWhat::Claim, claim: Some(name.clone()) });
        let others = set.has(self.bit(usize::MAX));
        let others = others.then_some(MissingFact { what: MissingWhat::FurtherClaims, claim: None });
        fixed.chain(claims).chain(others).collect()
    }
}

/// A kind of fact that would decide the outcome of a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingWhat {
    /// The earlier decision.
    Decision,
    /// The reason of the earlier refusal.
    Refusal,
    /// Whether the request had a token, and whose.
    Token,
    /// Whether its token would be valid.
    TokenVerification,
    /// The viewer's address.
    Address,
    /// The request's host.
    Host,
    /// The time.
    Time,
    /// The path.
    Path,
    /// The query.
    Query,
    /// The requested response headers and parameters.
    ResponseOverrides,
    /// The headers of an upload.
    Upload,
    /// A claim of the token.
    Claim,
    /// Claims of the token that are not counted by their names.
    FurtherClaims,
}

impl MissingWhat {
    fn words(self) -> &'static str {
        match self {
            Self::Decision => "the earlier decision",
            Self::Refusal => "why it was refused",
            Self::Token => "who asked",
            Self::TokenVerification => "whether the token would be valid",
            Self::Address => "the viewer's address",
            Self::Host => "the host",
            Self::Time => "the time",
            Self::Path => "the path",
            Self::Query => "the query",
            Self::ResponseOverrides => "the requested response headers and parameters",
            Self::Upload => "the upload's headers",
            Self::Claim => "the claim",
            Self::FurtherClaims => "further claims",
        }
    }
}

/// A fact that would decide the outcome of a request, and that its log does not contain.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct MissingFact {
    /// Its kind.
    pub what: MissingWhat,
    /// The claim, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
}

impl fmt::Display for MissingFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.what.words();
        match &self.claim {
            Some(claim) => write!(f, "{words} `{claim}`"),
            None => f.write_str(words),
        }
    }
}

/// The claims that a rule uses.
fn names_of(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.parts().into_iter().flat_map(RulePart::claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_beyond_the_last_bit_share_it() {
        let names = ClaimNames((0..80).map(|number| format!("claim{number:02}")).collect());
        let set = names.missing("claim00").with(names.missing("claim51")).with(MissingSet::of(Missing::Path));
        let words: Vec<_> = names.describe(set).iter().map(ToString::to_string).collect();
        assert_eq!(words, ["the path", "the claim `claim00`", "the claim `claim51`"]);
        let set = names.missing("claim52").with(names.missing("claim79"));
        let words: Vec<_> = names.describe(set).iter().map(ToString::to_string).collect();
        assert_eq!(words, ["further claims"]);
    }

    #[test]
    fn each_member_is_described_by_itself() {
        let names = ClaimNames::default();
        for missing in Missing::ALL {
            let words: Vec<_> =
                names.describe(MissingSet::of(missing)).iter().map(|fact| fact.what).collect();
            assert_eq!(words, [missing.what()]);
        }
    }
}
