//! The part of a policy that decides whether a request reaches the rules: where a token may be, and which issuers
//! are trusted.

use std::collections::HashMap;

use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::policy::document::{IssuerDocument, PolicyDocument, RevokedDocument};
use authorizer_core::record::{SubjectLogging, sha256_hex};
use authorizer_core::request::Resource;
use authorizer_core::rules::{Claims, Rule};
use authorizer_core::{Bundle, BundleError};
use serde::Deserialize;

use super::recorded::Came;

/// A policy that requests are checked against: the new one, or the one that decided.
#[derive(Clone, Debug)]
pub struct BacktestPolicy {
    bundle: Bundle,
    document: PolicyDocument,
    issuers: Vec<String>,
    recognised: OperationSet,
    /// The places of the rules, by their ids.
    places: HashMap<String, usize>,
}

/// The part of a bundle that is compared here.
#[derive(Deserialize)]
struct BundleDocument {
    policy: PolicyDocument,
}

impl BacktestPolicy {
    /// Parses the bytes of a `bundle.json`.
    ///
    /// # Errors
    /// [`BundleError`] if the function would not start with it.
    pub fn read(bundle_json: &[u8]) -> Result<Self, BundleError> {
        let bundle = Bundle::read(bundle_json)?;
        let BundleDocument { policy } =
            serde_json::from_slice(bundle_json).map_err(BundleError::Unreadable)?;
        let rules = bundle.policy().rules().iter().enumerate();
        let places = rules.map(|(place, rule)| (rule.id().to_owned(), place)).collect();
        let issuers = policy.issuers.iter().map(|issuer| issuer.name.clone()).collect();
        // Without a parameter that selects another operation, the rules decide.
        let plain = [
            S3Operation::GetObject,
            S3Operation::HeadObject,
            S3Operation::PutObject,
            S3Operation::DeleteObject,
        ];
        let recognised = bundle.policy().possible().operations.union(plain.into_iter().collect());
        Ok(Self { bundle, document: policy, issuers, recognised, places })
    }

    /// The bundle.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The rule with this id.
    pub(super) fn rule(&self, id: &str) -> Option<&Rule> {
        self.bundle.policy().rules().get(*self.places.get(id)?)
    }

    /// The rules that a request for this resource may match, whatever its token is, in order. If the resource is not
    /// known, all rules.
    pub(super) fn rules_for(&self, resource: Option<&Resource>) -> Vec<&Rule> {
        let policy = self.bundle.policy();
        match resource {
            Some(resource) => policy.rules_for(resource, Claims::Unknown).collect(),
            None => policy.rules().iter().collect(),
        }
    }

    /// The way it logs subjects.
    pub(super) fn subject_logging(&self) -> SubjectLogging {
        self.document.log.subject
    }

    /// The `iss` of the issuer with this name.
    pub(super) fn iss(&self, name: &str) -> Option<&str> {
        self.issuer(name).map(|issuer| issuer.issuer.as_str())
    }

    /// The names of its issuers.
    pub(super) fn issuer_names(&self) -> &[String] {
        &self.issuers
    }

    /// The operations that a request for an object can have been if this policy recognised it.
    pub(super) fn recognised(&self) -> OperationSet {
        self.recognised
    }

    /// Whether it refuses the token of this holder, whatever else the token contains.
    pub(super) fn refuses_holder(&self, came: &Came<'_>) -> bool {
        let Came::Holder { issuer, subject } = came else { return false };
        let Some(trusted) = self.issuer(issuer) else { return true };
        let is_of = |sub: &str, subject: &str| {
            sub == subject
                || sha256_hex(&[trusted.issuer.as_bytes(), b"\n", sub.as_bytes()].concat()) == subject
        };
        self.revoked(issuer).any(|revoked| {
            let RevokedDocument { issuer: _, jti, sub, issued_before } = revoked;
            let is_subject = match (sub, subject) {
                (Some(sub), Some(subject)) => is_of(sub, subject),
                (Some(_), None) => false,
                (None, _) => true,
            };
            is_subject && jti.is_none() && issued_before.is_none()
        })
    }

    /// Whether it looks at several tokens in cookies, where others refuse the request.
    pub(super) fn looks_at_several(&self) -> bool {
        self.document.sign_in.is_some() && self.document.credentials.cookie.is_some()
    }

    /// Whether it drops each query parameter that the other policy drops.
    pub(super) fn ignores_all_of(&self, other: &Self) -> bool {
        let (mine, others) = (&self.document.query.ignored, &other.document.query.ignored);
        others.iter().all(|name| mine.contains(name))
    }

    /// Whether both policies refuse the same requests with several credentials.
    pub(super) fn refuses_several_as(&self, other: &Self) -> bool {
        self.looks_at_several() == other.looks_at_several()
    }

    fn issuer(&self, name: &str) -> Option<&IssuerDocument> {
        self.document.issuers.iter().find(|issuer| issuer.name == name)
    }

    fn revoked(&self, name: &str) -> impl Iterator<Item = &RevokedDocument> {
        self.document.revoked.iter().filter(move |revoked| revoked.issuer == name)
    }

    /// Whether this policy finds the token that the other one found.
    pub(super) fn finds_as(&self, other: &Self) -> bool {
        self.document.credentials == other.document.credentials
            && (self.looks_at_several() || !other.looks_at_several())
    }

    /// Whether both policies allow the same pages to use a cookie or a proxy's header; also true if neither has one.
    pub(super) fn lets_pages_as(&self, other: &Self) -> bool {
        let places = &self.document.credentials;
        let is_ambient = places.cookie.is_some() || !places.header.eq_ignore_ascii_case("authorization");
        self.document.cors == other.document.cors || !is_ambient
    }

    /// Whether a token of this issuer that the other policy accepted is also accepted by this one.
    pub(super) fn trusts_as(&self, other: &Self, issuer: &str) -> bool {
        self.issuer(issuer).is_some()
            && self.issuer(issuer) == other.issuer(issuer)
            && self.revoked(issuer).all(|one| other.revoked(issuer).any(|known| known == one))
    }

    /// Whether both policies accept the same tokens, with the same issuer names.
    pub(super) fn trusts_nobody_else(&self, other: &Self) -> bool {
        let (mine, others) = (&self.document.issuers, &other.document.issuers);
        mine.len() == others.len()
            && mine
                .iter()
                .all(|issuer| self.trusts_as(other, &issuer.name) && other.trusts_as(self, &issuer.name))
    }

    /// Whether a request that reaches the rules of this policy reaches those of the other one, with the same token.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.finds_as(other)
            && other.ignores_all_of(self)
            && self.refuses_several_as(other)
            && self.lets_pages_as(other)
            && self.trusts_nobody_else(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::key::ObjectKey;
    use serde_json::json;

    #[test]
    fn a_request_meets_only_the_rules_with_a_pattern_for_it_however_many_there_are() {
        // None of these patterns begins with a fixed folder.
        let rules: Vec<_> = (0..2000)
            .map(|number| {
                let keys = [format!("*/p{number}/**"), format!("**/q{number}/*"), format!("*/*/r{number}")];
                json!({"id": format!("r{number}"), "effect": "allow", "anonymous": true, "methods": ["GET"],
                    "keys": keys})
            })
            .collect();
        let document = serde_json::from_value(json!({"version": 1, "rules": rules})).unwrap();
        let policy = BacktestPolicy::read(&Bundle::write(&document).unwrap()).unwrap();
        let ids = |key: &str| {
            let resource = Resource::Object(ObjectKey::new(key.to_owned()).unwrap());
            policy.rules_for(Some(&resource)).into_iter().map(Rule::id).collect::<Vec<_>>()
        };
        assert_eq!(ids("a/p7/x"), ["r7"]);
        assert_eq!(ids("a/q1999/r3"), ["r3", "r1999"]);
        assert!(ids("a/b/c").is_empty());
        assert_eq!(policy.rules_for(None).len(), 2000);
        assert_eq!(policy.rule("r1234").map(Rule::id), Some("r1234"));
    }
}
