//! The parts of a rule, each asked by itself.
//!
//! The core stops at the first part that does not hold. Coverage has to know of all of them: a part that failed
//! beside others proves nothing of itself.

use std::fmt;

use authorizer_core::request::Resource;
use authorizer_core::rules::{
    Access, Effect, KeyPattern, MetadataTerm, PrincipalConstraint, Rule, UploadTerms,
};
use authorizer_core::token::Principal;

/// A part of a rule that a request may not hold to, by the name of its field in the policy.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// `keys`: none of the patterns matches.
    Keys,
    /// `methods` and `operations`.
    Operations,
    /// That there is a token, where a rule names no issuer.
    Token,
    /// `issuers`.
    Issuers,
    /// `not_before`.
    NotBefore,
    /// `not_after`.
    NotAfter,
    /// `source_ips`.
    SourceIps,
    /// `when`, the condition on this claim.
    Condition(String),
    /// `response_overrides`: one is asked for that is not there.
    Overrides,
    /// A header of S3's that the rule says nothing of.
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
            Self::Condition(claim) => write!(f, "when.{claim}"),
            Self::Overrides => f.write_str("response_overrides"),
            Self::Header => f.write_str("upload"),
            Self::MaxBytes => f.write_str("upload.max_bytes"),
            Self::ContentTypes => f.write_str("upload.content_types"),
            Self::Metadata(name) => write!(f, "upload.metadata.{name}"),
        }
    }
}

/// Every part of the rule that does not hold; none where the rule matches.
pub fn failing(rule: &Rule, access: &Access<'_>) -> Vec<Part> {
    let mut failing = Vec::new();
    if !rule.keys().iter().any(|pattern| pattern_matches(rule, pattern, access)) {
        failing.push(Part::Keys);
    }
    if !rule.operations().contains(access.request.operation()) {
        failing.push(Part::Operations);
    }
    match (rule.principals(), &access.principal) {
        (PrincipalConstraint::Everyone, _) | (PrincipalConstraint::AnyIssuer, Principal::Verified(_)) => {}
        (PrincipalConstraint::AnyIssuer, Principal::Anonymous) => failing.push(Part::Token),
        (PrincipalConstraint::Issuers(_), Principal::Anonymous) => failing.push(Part::Issuers),
        (PrincipalConstraint::Issuers(names), Principal::Verified(claims)) => {
            if !names.iter().any(|name| name == claims.issuer().name()) {
                failing.push(Part::Issuers);
            }
        }
    }
    if rule.period().not_before.is_some_and(|first| access.at < first) {
        failing.push(Part::NotBefore);
    }
    if rule.period().not_after.is_some_and(|end| end <= access.at) {
        failing.push(Part::NotAfter);
    }
    if rule.sources().is_some_and(|networks| !networks.iter().any(|network| network.contains(&access.source)))
    {
        failing.push(Part::SourceIps);
    }
    let conditions = rule.conditions().iter();
    failing.extend(
        conditions
            .filter(|condition| !condition.holds(access.claims().get(&condition.claim)))
            .map(|condition| Part::Condition(condition.claim.clone())),
    );
    if rule.effect() == Effect::Allow {
        failing.extend(failing_terms(rule, access));
    }
    failing
}

/// Whether this one of the rule's patterns matches what is asked for.
pub(crate) fn pattern_matches(rule: &Rule, pattern: &KeyPattern, access: &Access<'_>) -> bool {
    match (access.request.resource(), rule.effect()) {
        (Resource::Object(key), Effect::Allow | Effect::Deny) => pattern.matches(key, access.claims()),
        (Resource::Prefix(prefix), Effect::Allow) => pattern.holds_all(prefix, access.claims()),
        (Resource::Prefix(prefix), Effect::Deny) => pattern.holds_any(prefix, access.claims()),
    }
}

/// What an allow rule asks of downloads and uploads. Each term is asked as the only one there is.
fn failing_terms(rule: &Rule, access: &Access<'_>) -> Vec<Part> {
    let mut failing = Vec::new();
    if access.request.overrides().iter().any(|asked| !rule.overrides().contains(asked)) {
        failing.push(Part::Overrides);
    }
    let Some(upload) = access.request.upload() else { return failing };
    let terms = rule.terms();
    // What may be sent at all: every name of metadata that the rule has, with any value.
    let allowed = UploadTerms {
        metadata: terms.metadata.keys().map(|name| (name.clone(), MetadataTerm::Any)).collect(),
        checksums: terms.checksums,
        ..UploadTerms::default()
    };
    let open = UploadTerms {
        metadata: upload.metadata.keys().map(|name| (name.clone(), MetadataTerm::Any)).collect(),
        checksums: true,
        ..UploadTerms::default()
    };
    let mut metadata = Vec::new();
    for (name, term) in &terms.metadata {
        let mut one = open.clone();
        one.metadata.insert(name.clone(), term.clone());
        metadata.push((Part::Metadata(name.clone()), one));
    }
    let length = UploadTerms { max_bytes: terms.max_bytes, ..open.clone() };
    let types = UploadTerms { content_types: terms.content_types.clone(), ..open };
    let each = [(Part::Header, allowed), (Part::MaxBytes, length), (Part::ContentTypes, types)];
    for (part, terms) in each.into_iter().chain(metadata) {
        if terms.check(access.request.operation(), upload, access.claims()).is_err() {
            failing.push(part);
        }
    }
    failing
}
