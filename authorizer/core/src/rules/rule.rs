//! A rule, compiled.

use ipnet::IpNet;

use super::condition::Condition;
use super::pattern::KeyPattern;
use super::terms::UploadTerms;
use crate::operation::OperationSet;
use crate::response_override::ResponseOverride;
use crate::time::UnixTime;

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
}
