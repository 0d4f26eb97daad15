//! The claims of a line of the decision log: digests, which whoever has the salt can compare with a value.

use authorizer_core::Scalar;
use authorizer_core::logged_claims::{ClaimDigest, ClaimHasher, LoggedClaims};
use authorizer_core::rules::{ClaimTest, Condition};

/// The digests of a line, and the salt that they were made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashedClaims<'l> {
    pub(super) logged: &'l LoggedClaims,
    pub(super) hasher: &'l ClaimHasher,
}

/// Which of some texts a claim has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Among {
    /// It is one text: this one, or none of them.
    One(Option<String>),
    /// It is an array with these of them, and further texts that are none of them.
    Some(Vec<String>),
    /// It is an array with at least these of them.
    AtLeast(Vec<String>),
    /// It has no text.
    NoText,
}

impl HashedClaims<'_> {
    /// Whether a condition holds; `None` if the line does not tell.
    pub(super) fn holds(&self, condition: &Condition) -> Option<bool> {
        let claim = &condition.claim;
        let digest = self.logged.get(claim)?;
        if *digest == ClaimDigest::Other(false) {
            return None;
        }
        let is = |scalar: &Scalar| match digest {
            ClaimDigest::One(whole) | ClaimDigest::Words { whole, .. } => {
                self.hasher.digest(claim, scalar) == *whole
            }
            ClaimDigest::Absent | ClaimDigest::Members(_) | ClaimDigest::Other(_) => false,
        };
        match &condition.test {
            ClaimTest::Present(expected) => Some(*expected == (*digest != ClaimDigest::Absent)),
            ClaimTest::Equals(scalar) => Some(is(scalar)),
            ClaimTest::Any(scalars) => Some(scalars.iter().any(is)),
            ClaimTest::Has(word) => match digest {
                ClaimDigest::One(whole) => Some(self.hasher.of_text(claim, word) == *whole),
                ClaimDigest::Words { words: members, .. } | ClaimDigest::Members(members) => {
                    let word = self.hasher.of_text(claim, word);
                    let has = members.iter().flatten().any(|member| *member == word);
                    // What is over the limit is not in the line.
                    (has || members.iter().all(Option::is_some)).then_some(has)
                }
                ClaimDigest::Absent | ClaimDigest::Other(_) => Some(false),
            },
            // A digest does not tell how its text begins.
            ClaimTest::StartsWith(_) => match digest {
                ClaimDigest::One(_) | ClaimDigest::Words { .. } => None,
                ClaimDigest::Absent | ClaimDigest::Members(_) | ClaimDigest::Other(_) => Some(false),
            },
        }
    }

    /// Which of these texts a claim has; `None` if the line does not tell.
    pub(super) fn among(&self, claim: &str, texts: &[String]) -> Option<Among> {
        let is = |text: &str, digest: &str| self.hasher.of_text(claim, text) == digest;
        match self.logged.get(claim)? {
            ClaimDigest::Absent | ClaimDigest::Other(true) => Some(Among::NoText),
            ClaimDigest::Other(false) => None,
            ClaimDigest::One(whole) | ClaimDigest::Words { whole, .. } => {
                Some(Among::One(texts.iter().find(|text| is(text, whole)).cloned()))
            }
            ClaimDigest::Members(members) => {
                let has = |text: &&String| members.iter().flatten().any(|member| is(text, member));
                let found = texts.iter().filter(has).cloned().collect();
                let is_all = members.iter().all(Option::is_some);
                Some(if is_all { Among::Some(found) } else { Among::AtLeast(found) })
            }
        }
    }
}
