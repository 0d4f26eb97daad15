//! Step 6: from an operation on a key, asked for by a principal, to a decision.

mod claims;
mod condition;
mod decision;
#[cfg(test)]
mod linear;
mod listing;
mod matcher;
mod part;
mod pattern;
mod terms;

use std::net::IpAddr;

pub use claims::Claims;
pub(crate) use condition::is_scope_claim;
pub use condition::{ClaimTest, Condition};
pub use decision::Decision;
pub(crate) use decision::Rules;
pub use ipnet::IpNet;
pub use part::RulePart;
pub use pattern::{KeyPattern, PatternError, Segment};
pub use terms::{MetadataTerm, TermsMismatch, UploadTerms};

use crate::operation::OperationSet;
use crate::request::{Resource, S3Request};
use crate::response_override::ResponseOverride;
use crate::time::UnixTime;
use crate::token::Principal;

/// An access rule, compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) effect: Effect,
    pub(crate) operations: OperationSet,
    pub(crate) keys: Vec<KeyPattern>,
    pub(crate) principals: PrincipalConstraint,
    pub(crate) period: Period,
    pub(crate) sources: Option<Vec<IpNet>>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) overrides: Vec<ResponseOverride>,
    pub(crate) terms: UploadTerms,
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

impl PrincipalConstraint {
    /// Whether whoever asks is one of those.
    fn include(&self, principal: &Principal<'_>) -> bool {
        let issuer = match principal {
            Principal::Anonymous => None,
            Principal::Verified(verified) => Some(verified.issuer().name()),
        };
        match (self, issuer) {
            (Self::Everyone, _) | (Self::AnyIssuer, Some(_)) => true,
            (Self::Issuers(names), Some(issuer)) => names.iter().any(|name| name == issuer),
            (Self::AnyIssuer | Self::Issuers(_), None) => false,
        }
    }
}

/// When a rule holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Period {
    /// From this instant on.
    pub not_before: Option<UnixTime>,
    /// Until just before this instant.
    pub not_after: Option<UnixTime>,
}

impl Period {
    /// Whether the instant is within.
    pub fn contains(self, at: UnixTime) -> bool {
        self.not_before.is_none_or(|first| first <= at) && self.not_after.is_none_or(|end| at < end)
    }
}

/// What is asked, by whom, from where and when.
#[derive(Clone, Debug)]
pub struct Access<'p> {
    /// The request.
    pub request: S3Request,
    /// Who asks.
    pub principal: Principal<'p>,
    /// The viewer's address.
    pub source: IpAddr,
    /// The instant of the decision.
    pub at: UnixTime,
}

impl Access<'_> {
    /// The claims of whoever asks.
    pub fn claims(&self) -> Claims<'_> {
        match &self.principal {
            Principal::Anonymous => Claims::None,
            Principal::Verified(verified) => Claims::Known(verified.claims()),
        }
    }
}

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
    fn distance(&self) -> u8 {
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

    /// When it holds.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The viewers' addresses that it speaks of; all when absent.
    pub fn sources(&self) -> Option<&[IpNet]> {
        self.sources.as_deref()
    }

    /// What it asks of the claims; all must hold.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The response headers that a download may ask for.
    pub fn overrides(&self) -> &[ResponseOverride] {
        &self.overrides
    }

    /// What it asks of an upload.
    pub fn terms(&self) -> &UploadTerms {
        &self.terms
    }

    /// Whether the rule matches.
    ///
    /// # Errors
    /// The first part that does not match, in the order of [`Mismatch`].
    pub fn examine(&self, access: &Access<'_>) -> Result<(), Mismatch<'_>> {
        if !self.speaks_of(access.request.resource(), access.claims()) {
            return Err(Mismatch::Key);
        }
        self.examine_but_keys(access)
    }

    /// The same, of a rule that is known to speak of the key.
    fn examine_but_keys(&self, access: &Access<'_>) -> Result<(), Mismatch<'_>> {
        // Every part by its name: one that is added does not compile until it is asked here.
        let Self {
            id: _,
            keys: _,
            effect,
            operations,
            principals,
            period: _,
            sources: _,
            conditions,
            overrides,
            terms,
        } = self;
        let request = &access.request;
        if !operations.contains(request.operation()) {
            return Err(Mismatch::Operation);
        }
        if !principals.include(&access.principal) {
            return Err(Mismatch::Principal);
        }
        if !self.holds_at(access.at) {
            return Err(Mismatch::Period);
        }
        if !self.speaks_of_source(access.source) {
            return Err(Mismatch::Source);
        }
        if let Some(condition) = conditions.iter().find(|condition| !condition_holds(condition, access)) {
            return Err(Mismatch::Condition(condition));
        }
        // What only an allow rule has: a deny rule says nothing of overrides and uploads.
        if *effect == Effect::Deny {
            return Ok(());
        }
        if let Some(asked) = request.overrides().iter().find(|asked| !overrides.contains(asked)) {
            return Err(Mismatch::Override(*asked));
        }
        match request.upload() {
            Some(upload) => {
                terms.check(request.operation(), upload, access.claims()).map_err(Mismatch::Terms)
            }
            None => Ok(()),
        }
    }

    /// A listing is of many keys: to allow it all of them must be the pattern's, to deny it any of them.
    fn speaks_of(&self, resource: &Resource, claims: Claims<'_>) -> bool {
        self.keys.iter().any(|pattern| match (resource, self.effect) {
            (Resource::Object(key), Effect::Allow | Effect::Deny) => pattern.matches(key, claims),
            (Resource::Prefix(prefix), Effect::Allow) => pattern.holds_all(prefix, claims),
            (Resource::Prefix(prefix), Effect::Deny) => pattern.holds_any(prefix, claims),
        })
    }

    fn speaks_of_source(&self, source: IpAddr) -> bool {
        self.sources.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(&source)))
    }

    /// Whether all of it matches but keys, operation and who asks, of what a preflight says of the request to come: all
    /// but what is asked of downloads and uploads.
    fn is_in_force(&self, source: IpAddr, at: UnixTime) -> bool {
        // Every part by its name: one that is added does not compile until it is decided on here.
        let Self {
            id: _,
            keys: _,
            effect: _,
            operations: _,
            principals: _,
            conditions: _,
            period: _,
            sources: _,
            overrides: _,
            terms: _,
        } = self;
        self.holds_at(at) && self.speaks_of_source(source)
    }

    /// Whether it holds at this instant. By a clock that says nothing, what is let in for a time is not, and what
    /// is kept out for a time is.
    fn holds_at(&self, at: UnixTime) -> bool {
        match (at.is_unknown() && self.period != Period::default(), self.effect) {
            (true, Effect::Allow) => false,
            (true, Effect::Deny) => true,
            (false, Effect::Allow | Effect::Deny) => self.period.contains(at),
        }
    }

    /// The scopes, when the only conditions that do not hold ask for scopes.
    fn only_lacks_scope(&self, access: &Access<'_>) -> Option<String> {
        let Principal::Verified(_) = access.principal else { return None };
        let lacking = |condition: &&Condition| !condition_holds(condition, access);
        let scopes: Option<Vec<&str>> =
            self.conditions.iter().filter(lacking).map(Condition::scope).collect();
        scopes.filter(|scopes| !scopes.is_empty()).map(|scopes| scopes.join(" "))
    }
}

fn condition_holds(condition: &Condition, access: &Access<'_>) -> bool {
    condition.holds(access.claims().get(&condition.claim))
}
