//! The parts of a rule.
//!
//! Code that must know all of a rule matches on [`RulePart`] and names every variant. So a new part does not compile
//! until all of this code handles it.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::condition::Condition;
use super::host::HostPattern;
use super::pattern::KeyPattern;
use super::rule::{Effect, Period, PrincipalConstraint, Rule};
use super::terms::{MetadataTerm, UploadTerms};
use crate::checksum::Checksums;
use crate::extra_parameter::ExtraParameter;
use crate::media_type::MediaRange;
use crate::operation::OperationSet;
use crate::response_override::ResponseOverride;

/// A part of a rule. Match on it without `_`.
///
/// ```
/// use authorizer_core::policy::Policy;
/// use authorizer_core::rules::RulePart;
///
/// let document = serde_json::from_value(serde_json::json!({
///     "version": 1,
///     "rules": [{"id": "no", "effect": "deny", "methods": ["GET"], "keys": ["sealed/{sub}/**"],
///         "when": {"role": {"has": "guest"}}}]
/// }))?;
/// let policy = Policy::compile(&document).map_err(|problems| problems[0].to_string())?;
/// let claims: Vec<_> = policy.rules()[0].parts().into_iter().flat_map(RulePart::claims).collect();
/// assert_eq!(claims, ["sub", "role"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum RulePart<'r> {
    /// `effect`.
    Effect(Effect),
    /// `methods` and `operations`.
    Operations(OperationSet),
    /// `issuers` and `anonymous`.
    Principals(&'r PrincipalConstraint),
    /// `keys`: one of the patterns must match.
    Keys(&'r [KeyPattern]),
    /// `not_before` and `not_after`.
    Period(Period),
    /// `source_ips`: one must contain the viewer's address; no address is required when absent.
    Sources(Option<&'r [IpNet]>),
    /// `hosts`: one must be the request's host, or a domain above it; no host is required when absent. For allow rules.
    Hosts(Option<&'r [HostPattern]>),
    /// `when`: all must hold.
    Conditions(&'r [Condition]),
    /// `response_overrides`: those that a download may use. For allow rules.
    Overrides(&'r [ResponseOverride]),
    /// `parameters`: the query parameters that a request may have in addition to those of each operation. For allow
    /// rules.
    Parameters(&'r [ExtraParameter]),
    /// `upload.checksums`: the checksums that may be sent. For allow rules, like all that follow.
    Checksums(Checksums),
    /// `upload.max_bytes`.
    MaxBytes(Option<u64>),
    /// `upload.content_types`.
    ContentTypes(Option<&'r [MediaRange]>),
    /// `upload.metadata`: the metadata that may be sent, its required values, and what is added.
    Metadata(&'r BTreeMap<String, MetadataTerm>),
    /// `upload.create_only`: it does not refuse a request, but adds a condition for S3.
    CreateOnly(bool),
}

impl<'r> RulePart<'r> {
    /// The claims that it reads.
    pub fn claims(self) -> Vec<&'r str> {
        match self {
            Self::Keys(patterns) => patterns.iter().flat_map(KeyPattern::claims).collect(),
            Self::Conditions(conditions) => conditions.iter().map(|one| one.claim.as_str()).collect(),
            Self::Metadata(metadata) => metadata.values().filter_map(MetadataTerm::claim).collect(),
            Self::Effect(_)
            | Self::Operations(_)
            | Self::Principals(_)
            | Self::Period(_)
            | Self::Sources(_)
            | Self::Hosts(_)
            | Self::Overrides(_)
            | Self::Parameters(_)
            | Self::Checksums(_)
            | Self::MaxBytes(_)
            | Self::ContentTypes(_)
            | Self::CreateOnly(_) => Vec::new(),
        }
    }
}

impl Rule {
    /// All its parts, the cheapest to check first. The id is not a part: no decision depends on it.
    pub fn parts(&self) -> [RulePart<'_>; 15] {
        let Self {
            id: _,
            effect,
            operations,
            keys,
            principals,
            period,
            sources,
            hosts,
            conditions,
            overrides,
            parameters,
            terms,
        } = self;
        let UploadTerms { max_bytes, content_types, create_only, metadata, checksums } = terms;
        [
            RulePart::Effect(*effect),
            RulePart::Operations(*operations),
            RulePart::Principals(principals),
            RulePart::Keys(keys),
            RulePart::Period(*period),
            RulePart::Sources(sources.as_deref()),
            RulePart::Hosts(hosts.as_deref()),
            RulePart::Conditions(conditions),
            RulePart::Overrides(overrides),
            RulePart::Parameters(parameters),
            RulePart::Checksums(*checksums),
            RulePart::MaxBytes(*max_bytes),
            RulePart::ContentTypes(content_types.as_deref()),
            RulePart::Metadata(metadata),
            RulePart::CreateOnly(*create_only),
        ]
    }

    /// The same rule with another part. For questions about one part of a rule; a policy is made only of rules that
    /// were checked.
    ///
    /// ```
    /// use authorizer_core::policy::Policy;
    /// use authorizer_core::rules::RulePart;
    ///
    /// let document = serde_json::from_value(serde_json::json!({
    ///     "version": 1,
    ///     "rules": [{"id": "a", "effect": "allow", "methods": ["PUT"], "keys": ["a", "b"], "anonymous": true}]
    /// }))?;
    /// let policy = Policy::compile(&document).map_err(|problems| problems[0].to_string())?;
    /// let rule = &policy.rules()[0];
    /// assert_eq!(rule.with(RulePart::MaxBytes(Some(7))).terms().max_bytes, Some(7));
    /// assert_eq!(rule.with(RulePart::Keys(&rule.keys()[1..])).keys(), &rule.keys()[1..]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with(&self, part: RulePart<'_>) -> Self {
        let mut rule = self.clone();
        match part {
            RulePart::Effect(effect) => rule.effect = effect,
            RulePart::Operations(operations) => rule.operations = operations,
            RulePart::Principals(principals) => rule.principals = principals.clone(),
            RulePart::Keys(keys) => rule.keys = keys.to_vec(),
            RulePart::Period(period) => rule.period = period,
            RulePart::Sources(sources) => rule.sources = sources.map(<[IpNet]>::to_vec),
            RulePart::Hosts(hosts) => rule.hosts = hosts.map(<[HostPattern]>::to_vec),
            RulePart::Conditions(conditions) => rule.conditions = conditions.to_vec(),
            RulePart::Overrides(overrides) => rule.overrides = overrides.to_vec(),
            RulePart::Parameters(parameters) => rule.parameters = parameters.to_vec(),
            RulePart::Checksums(checksums) => rule.terms.checksums = checksums,
            RulePart::MaxBytes(most) => rule.terms.max_bytes = most,
            RulePart::ContentTypes(types) => rule.terms.content_types = types.map(<[MediaRange]>::to_vec),
            RulePart::Metadata(metadata) => rule.terms.metadata = metadata.clone(),
            RulePart::CreateOnly(create_only) => rule.terms.create_only = create_only,
        }
        rule
    }
}
