//! Step 6: from an operation on a key, asked for by a principal, to a decision.

mod condition;
mod pattern;

pub(crate) use condition::is_scope_claim;
pub use condition::{ClaimTest, Condition};
pub use pattern::{KeyPattern, PatternError, Segment};

use crate::key::ObjectKey;
use crate::operation::{OperationSet, S3Operation};
use crate::refusal::NoRule;
use crate::token::Principal;

/// An access rule, compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) effect: Effect,
    pub(crate) operations: OperationSet,
    pub(crate) keys: Vec<KeyPattern>,
    pub(crate) principals: PrincipalConstraint,
    pub(crate) conditions: Vec<Condition>,
}

/// What a rule does where it matches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// The request may go on, unless a deny rule matches too.
    Allow,
    /// The request is refused, whatever else matches.
    Deny,
}

/// Whom a rule speaks of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrincipalConstraint {
    /// Everyone, with a token or without.
    Everyone,
    /// Everyone whose token verified.
    AnyIssuer,
    /// Everyone whose token is from one of these issuers, by the policy's names for them.
    Issuers(Vec<String>),
}

/// What was decided, and by which rule.
#[derive(Clone, Debug)]
pub enum Decision<'p> {
    /// The first allow rule that matches; no deny rule does.
    Allow(&'p Rule),
    /// The first deny rule that matches.
    Deny(&'p Rule),
    /// No allow rule matches.
    Default {
        /// The furthest that one got.
        furthest: NoRule,
        /// The scopes that were all one lacked, with spaces between them.
        lacking_scope: Option<String>,
    },
}

/// Why a rule does not match: the first of its parts that does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mismatch<'p> {
    /// None of the key patterns.
    Key,
    /// The operation.
    Operation,
    /// The issuer of the token, or there is no token.
    Principal,
    /// This condition.
    Condition(&'p Condition),
}

/// Decides. Deny rules win over allow rules; without an allow rule the request is refused.
pub fn decide<'p>(
    rules: &'p [Rule],
    operation: S3Operation,
    key: &ObjectKey,
    principal: &Principal<'_>,
) -> Decision<'p> {
    let mut allowed = None;
    let mut furthest = NoRule::KeyNotAllowed;
    let mut lacking_scope = None;
    for rule in rules {
        match (rule.effect, rule.examine(operation, key, principal)) {
            (Effect::Deny, Ok(())) => return Decision::Deny(rule),
            (Effect::Deny, Err(_)) => {}
            (Effect::Allow, Ok(())) => allowed = allowed.or(Some(rule)),
            (Effect::Allow, Err(mismatch)) => {
                furthest = furthest.max(mismatch.furthest());
                if let Mismatch::Condition(_) = mismatch {
                    lacking_scope = lacking_scope.or_else(|| rule.only_lacks_scope(principal));
                }
            }
        }
    }
    match allowed {
        Some(rule) => Decision::Allow(rule),
        None => Decision::Default { furthest, lacking_scope },
    }
}

impl Rule {
    /// The id, unique in the policy.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it does where it matches.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The operations that it speaks of.
    pub fn operations(&self) -> OperationSet {
        self.operations
    }

    /// The keys that it speaks of.
    pub fn keys(&self) -> &[KeyPattern] {
        &self.keys
    }

    /// Whom it speaks of.
    pub fn principals(&self) -> &PrincipalConstraint {
        &self.principals
    }

    /// What it asks of the claims; all must hold.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether the rule matches a request.
    ///
    /// # Errors
    /// The first part that does not match, in the order of [`Mismatch`].
    pub fn examine(
        &self,
        operation: S3Operation,
        key: &ObjectKey,
        principal: &Principal<'_>,
    ) -> Result<(), Mismatch<'_>> {
        let (claims, issuer) = match principal {
            Principal::Anonymous => (None, None),
            Principal::Verified(verified) => (Some(verified.claims()), Some(verified.issuer().name())),
        };
        if !self.keys.iter().any(|pattern| pattern.matches(key, claims)) {
            return Err(Mismatch::Key);
        }
        if !self.operations.contains(operation) {
            return Err(Mismatch::Operation);
        }
        let speaks_of = match (&self.principals, issuer) {
            (PrincipalConstraint::Everyone, _) | (PrincipalConstraint::AnyIssuer, Some(_)) => true,
            (PrincipalConstraint::Issuers(names), Some(issuer)) => names.iter().any(|name| name == issuer),
            (PrincipalConstraint::AnyIssuer | PrincipalConstraint::Issuers(_), None) => false,
        };
        if !speaks_of {
            return Err(Mismatch::Principal);
        }
        match self.conditions.iter().find(|c| !c.holds(claims.and_then(|claims| claims.get(&c.claim)))) {
            Some(condition) => Err(Mismatch::Condition(condition)),
            None => Ok(()),
        }
    }

    /// The scopes, when the only conditions that do not hold ask for scopes.
    fn only_lacks_scope(&self, principal: &Principal<'_>) -> Option<String> {
        let Principal::Verified(verified) = principal else { return None };
        let lacking = |condition: &&Condition| !condition.holds(verified.claims().get(&condition.claim));
        let scopes: Option<Vec<&str>> =
            self.conditions.iter().filter(lacking).map(Condition::scope).collect();
        scopes.filter(|scopes| !scopes.is_empty()).map(|scopes| scopes.join(" "))
    }
}

impl Mismatch<'_> {
    fn furthest(self) -> NoRule {
        match self {
            Self::Key => NoRule::KeyNotAllowed,
            Self::Operation => NoRule::OperationNotAllowed,
            Self::Principal => NoRule::IssuerNotAllowed,
            Self::Condition(_) => NoRule::ConditionNotMet,
        }
    }
}
