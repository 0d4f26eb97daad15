//! The part of a policy that decides whether a request reaches the rules: where a token may be, and which issuers
//! are trusted.

use authorizer_core::policy::document::{IssuerDocument, PolicyDocument, RevokedDocument};
use authorizer_core::record::SubjectLogging;
use authorizer_core::request::Resource;
use authorizer_core::rules::Rule;
use authorizer_core::{Bundle, BundleError};
use serde::Deserialize;

use super::candidates::Candidates;

/// A policy that requests are checked against: the new one, or the one that decided.
#[derive(Clone, Debug)]
pub struct BacktestPolicy {
    bundle: Bundle,
    document: PolicyDocument,
    candidates: Candidates,
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
        let candidates = Candidates::of(bundle.policy().rules());
        Ok(Self { bundle, document: policy, candidates })
    }

    /// The bundle.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The rule with this id.
    pub(super) fn rule(&self, id: &str) -> Option<&Rule> {
        self.bundle.policy().rules().get(self.candidates.place_of(id)?)
    }

    /// The rules that a request for this resource may match, in order. If the resource is not known, all rules.
    pub(super) fn rules_for(&self, resource: Option<&Resource>) -> Vec<&Rule> {
        let rules = self.bundle.policy().rules();
        match resource {
            Some(resource) => {
                let places = self.candidates.places_for(resource);
                places.into_iter().filter_map(|place| rules.get(place)).collect()
            }
            None => rules.iter().collect(),
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

    fn issuer(&self, name: &str) -> Option<&IssuerDocument> {
        self.document.issuers.iter().find(|issuer| issuer.name == name)
    }

    fn revoked(&self, name: &str) -> impl Iterator<Item = &RevokedDocument> {
        self.document.revoked.iter().filter(move |revoked| revoked.issuer == name)
    }

    /// Whether both policies find the same token in the same request.
    pub(super) fn finds_as(&self, other: &Self) -> bool {
        self.document.credentials == other.document.credentials
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

    /// Whether a request reaches the rules of both policies with the same token, or of neither.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.finds_as(other) && self.lets_pages_as(other) && self.trusts_nobody_else(other)
    }
}
