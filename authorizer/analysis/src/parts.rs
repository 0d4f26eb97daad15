//! The parts of a rule, each checked separately.
//!
//! The core stops at the first part that does not hold. Coverage has to know of all of them: a part that failed
//! beside others proves nothing of itself.

use std::fmt;

use authorizer_core::checksum::Checksums;
use authorizer_core::request::Resource;
use authorizer_core::rules::{
    Access, Effect, HostPattern, IpNet, KeyPattern, MetadataTerm, PrincipalConstraint, Rule, RulePart,
    UploadTerms,
};
use authorizer_core::token::Principal;

/// A part of a rule that a request may fail, by the name of its field in the policy.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// `keys`: none of the patterns matches.
    Keys,
    /// `methods` and `operations`.
    Operations,
    /// A token, if a rule does not name an issuer.
    Token,
    /// `issuers`.
    Issuers,
    /// `not_before`.
    NotBefore,
    /// `not_after`.
    NotAfter,
    /// `source_ips`.
    SourceIps,
    /// `hosts`.
    Hosts,
    /// `when`, the condition on this claim.
    Condition(String),
    /// `response_overrides`: the request overrides a header that is not in the list.
    Overrides,
    /// `parameters`: the request has a query parameter that is not in the list.
    Parameters,
    /// An S3 header that the rule does not allow.
    Header,
    /// `upload.max_bytes`.
    MaxBytes,
    /// `upload.content_types`.
    ContentTypes,
    /// `upload.metadata`, of this name.
    Metadata(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys => f.write_str("keys"),
            Self::Operations => f.write_str("operations"),
            Self::Token => f.write_str("token"),
            Self::Issuers => f.write_str("issuers"),
            Self::NotBefore => f.write_str("not_before"),
            Self::NotAfter => f.write_str("not_after"),
            Self::SourceIps => f.write_str("source_ips"),
            Self::Hosts => f.write_str("hosts"),
            Self::Condition(claim) => write!(f, "when.{claim}"),
            Self::Overrides => f.write_str("response_overrides"),
            Self::Parameters => f.write_str("parameters"),
            Self::Header => f.write_str("upload"),
            Self::MaxBytes => f.write_str("upload.max_bytes"),
            Self::ContentTypes => f.write_str("upload.content_types"),
            Self::Metadata(name) => write!(f, "upload.metadata.{name}"),
        }
    }
}

/// Every part of the rule that fails; empty if the rule matches.
pub fn failing(rule: &Rule, access: &Access<'_>) -> Vec<Part> {
    let mut failing = Vec::new();
    let is_allow = rule.effect() == Effect::Allow;
    for part in rule.parts() {
        match part {
            // They change a request that matches.
            RulePart::Effect(_) | RulePart::CreateOnly(_) => {}
            RulePart::Operations(operations) => {
                if !operations.contains(access.request.operation()) {
                    failing.push(Part::Operations);
                }
            }
            RulePart::Principals(principals) => failing.extend(failing_principal(principals, access)),
            RulePart::Keys(patterns) => {
                if !patterns.iter().any(|pattern| pattern_matches(rule, pattern, access)) {
                    failing.push(Part::Keys);
                }
            }
            RulePart::Period(period) => {
                // By a clock that is not usable, an allow rule with a period does not apply, and a deny rule does.
                let is_known = access.at.as_seconds() != u64::MAX;
                let fails = |before: bool| if is_known { before } else { is_allow };
                if period.not_before.is_some_and(|first| fails(access.at < first)) {
                    failing.push(Part::NotBefore);
                }
                if period.not_after.is_some_and(|end| fails(end <= access.at)) {
                    failing.push(Part::NotAfter);
                }
            }
            RulePart::Sources(sources) => {
                let holds = |networks: &[IpNet]| networks.iter().any(|one| one.contains(&access.source));
                if sources.is_some_and(|networks| !holds(networks)) {
                    failing.push(Part::SourceIps);
                }
            }
            RulePart::Hosts(hosts) => {
                let host = access.host.as_deref();
                let holds = |hosts: &[HostPattern]| {
                    host.is_some_and(|host| hosts.iter().any(|one| one.matches(host)))
                };
                if hosts.is_some_and(|hosts| !holds(hosts)) {
                    failing.push(Part::Hosts);
                }
            }
            RulePart::Conditions(conditions) => failing.extend(
                conditions
                    .iter()
                    .filter(|condition| !condition.holds(access.claims().get(&condition.claim)))
                    .map(|condition| Part::Condition(condition.claim.clone())),
            ),
            RulePart::Overrides(overrides) => {
                let asked = access.request.overrides();
                if is_allow && asked.iter().any(|asked| !overrides.contains(asked)) {
                    failing.push(Part::Overrides);
                }
            }
            RulePart::Parameters(parameters) => {
                let asked = access.request.extras();
                if is_allow && asked.iter().any(|asked| !parameters.contains(asked)) {
                    failing.push(Part::Parameters);
                }
            }
            RulePart::Checksums(checksums) => {
                // What may be sent at all: every name of metadata that the rule has, with any value.
                let metadata =
                    rule.terms().metadata.keys().map(|name| (name.clone(), MetadataTerm::Any)).collect();
                let allowed = UploadTerms { metadata, checksums, ..UploadTerms::default() };
                if is_allow && !keeps_to(access, |_| allowed) {
                    failing.push(Part::Header);
                }
            }
            RulePart::MaxBytes(max_bytes) => {
                if is_allow && !keeps_to(access, |open| UploadTerms { max_bytes, ..open }) {
                    failing.push(Part::MaxBytes);
                }
            }
            RulePart::ContentTypes(types) => {
                let content_types = types.map(<[_]>::to_vec);
                if is_allow && !keeps_to(access, |open| UploadTerms { content_types, ..open }) {
                    failing.push(Part::ContentTypes);
                }
            }
            RulePart::Metadata(metadata) => {
                for (name, term) in metadata.iter().filter(|_| is_allow) {
                    let with = |mut open: UploadTerms| {
                        open.metadata.insert(name.clone(), term.clone());
                        open
                    };
                    if !keeps_to(access, with) {
                        failing.push(Part::Metadata(name.clone()));
                    }
                }
            }
        }
    }
    failing
}

/// The condition of the rule on the principal, if it fails.
fn failing_principal(principals: &PrincipalConstraint, access: &Access<'_>) -> Option<Part> {
    match (principals, &access.principal) {
        (PrincipalConstraint::Everyone, _) | (PrincipalConstraint::AnyIssuer, Principal::Verified(_)) => None,
        (PrincipalConstraint::AnyIssuer, Principal::Anonymous) => Some(Part::Token),
        (PrincipalConstraint::Issuers(_), Principal::Anonymous) => Some(Part::Issuers),
        (PrincipalConstraint::Issuers(names), Principal::Verified(claims)) => {
            (!names.iter().any(|name| name == claims.issuer().name())).then_some(Part::Issuers)
        }
    }
}

/// Whether this pattern of the rule matches the target.
pub(crate) fn pattern_matches(rule: &Rule, pattern: &KeyPattern, access: &Access<'_>) -> bool {
    match (access.request.resource(), rule.effect()) {
        (Resource::Object(key), Effect::Allow | Effect::Deny) => pattern.matches(key, access.claims()),
        (Resource::Prefix(prefix), Effect::Allow) => pattern.holds_all(prefix, access.claims()),
        (Resource::Prefix(prefix), Effect::Deny) => pattern.holds_any(prefix, access.claims()),
    }
}

/// Whether the upload, if there is one, keeps to one term, which is made from terms that ask for nothing.
fn keeps_to(access: &Access<'_>, term: impl FnOnce(UploadTerms) -> UploadTerms) -> bool {
    let Some(upload) = access.request.upload() else { return true };
    let open = UploadTerms {
        metadata: upload.metadata.keys().map(|name| (name.clone(), MetadataTerm::Any)).collect(),
        checksums: Checksums::all(),
        ..UploadTerms::default()
    };
    term(open).check(access.request.operation(), upload, access.claims()).is_ok()
}
