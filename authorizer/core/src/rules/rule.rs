//! A rule, compiled.

use ipnet::IpNet;

use super::condition::Condition;
use super::host::HostPattern;
use super::pattern::KeyPattern;
use super::terms::UploadTerms;
use crate::extra_parameter::ExtraParameter;
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
    pub(crate) hosts: Option<Vec<HostPattern>>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) overrides: Vec<ResponseOverride>,
    pub(crate) parameters: Vec<ExtraParameter>,
    pub(crate) terms: UploadTerms,
}

/// The effect of a rule that matches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// The request may go on, unless a deny rule matches too.
    Allow,
    /// The request is refused, whatever else matches.
    Deny,
}

/// The principals that a rule applies to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrincipalConstraint {
    /// Everyone, with a token or without.
    Everyone,
    /// Everyone whose token verified.
    AnyIssuer,
    /// Everyone whose token is from one of these issuers, by their names in the policy.
    Issuers(Vec<String>),
}

/// When a rule applies.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Period {
    /// From this instant on.
    pub not_before: Option<UnixTime>,
    /// Until just before this instant.
    pub not_after: Option<UnixTime>,
}

impl Period {
    /// Whether the period contains the instant.
    pub fn contains(self, at: UnixTime) -> bool {
        self.not_before.is_none_or(|first| first <= at) && self.not_after.is_none_or(|end| at < end)
    }
}

impl Rule {
    /// The id, unique in the policy.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its effect.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The operations that it applies to.
    pub fn operations(&self) -> OperationSet {
        self.operations
    }

    /// The keys that it applies to.
    pub fn keys(&self) -> &[KeyPattern] {
        &self.keys
    }

    /// The principals that it applies to.
    pub fn principals(&self) -> &PrincipalConstraint {
        &self.principals
    }

    /// When it applies.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The viewers' addresses that it applies to; all when absent.
    pub fn sources(&self) -> Option<&[IpNet]> {
        self.sources.as_deref()
    }

    /// The hosts that it applies to; all when absent. Only an allow rule has them.
    pub fn hosts(&self) -> Option<&[HostPattern]> {
        self.hosts.as_deref()
    }

    /// Its conditions on the claims; all must pass.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The response headers that a download may override.
    pub fn overrides(&self) -> &[ResponseOverride] {
        &self.overrides
    }

    /// The query parameters that it allows in addition to those of each operation.
    pub fn parameters(&self) -> &[ExtraParameter] {
        &self.parameters
    }

    /// Its limits for an upload.
    pub fn terms(&self) -> &UploadTerms {
        &self.terms
    }
}
