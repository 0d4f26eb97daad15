//! What decides whether a request comes to the rules: where a token is found, and whose is trusted.

use authorizer_core::policy::document::{IssuerDocument, PolicyDocument, RevokedDocument};
use authorizer_core::record::SubjectLogging;
use authorizer_core::request::Resource;
use authorizer_core::rules::Rule;
use authorizer_core::{Bundle, BundleError};
use serde::Deserialize;

use super::candidates::Candidates;

/// A policy that requests are held against, or were.
#[derive(Clone, Debug)]
pub struct BacktestPolicy {
    bundle: Bundle,
    document: PolicyDocument,
    candidates: Candidates,
}

/// The part of a bundle that says what was compiled.
#[derive(Deserialize)]
struct BundleDocument {
    policy: PolicyDocument,
}

impl BacktestPolicy {
    /// Reads the bytes of a `bundle.json`.
    ///
    /// # Errors
    /// [`BundleError`], as the function would not start with it either.
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

    /// The rules that a request for this may match, in order. Where it is not known what for, all may.
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

    /// How it logs subjects.
    pub(super) fn subject_logging(&self) -> SubjectLogging {
        self.document.log.subject
    }

    /// The `iss` of an issuer, by its name.
    pub(super) fn iss(&self, name: &str) -> Option<&str> {
        self.issuer(name).map(|issuer| issuer.issuer.as_str())
    }

    fn issuer(&self, name: &str) -> Option<&IssuerDocument> {
        self.document.issuers.iter().find(|issuer| issuer.name == name)
    }

    fn revoked(&self, name: &str) -> impl Iterator<Item = &RevokedDocument> {
        self.document.revoked.iter().filter(move |revoked| revoked.issuer == name)
    }

    /// Whether both find the same token in the same request.
    pub(super) fn finds_as(&self, other: &Self) -> bool {
        self.document.credentials == other.document.credentials
    }

    /// Whether both let the same pages use a cookie; also where there is none to use.
    pub(super) fn lets_pages_as(&self, other: &Self) -> bool {
        self.document.cors == other.document.cors || self.document.credentials.cookie.is_none()
    }

    /// Whether the token of this issuer that verified by the other verifies by this one.
    pub(super) fn trusts_as(&self, other: &Self, issuer: &str) -> bool {
        self.issuer(issuer).is_some()
            && self.issuer(issuer) == other.issuer(issuer)
            && self.revoked(issuer).all(|one| other.revoked(issuer).any(|known| known == one))
    }

    /// Whether a token verifies by both, by the same name, or by neither.
    pub(super) fn trusts_nobody_else(&self, other: &Self) -> bool {
        let (mine, others) = (&self.document.issuers, &other.document.issuers);
        mine.len() == others.len()
            && mine
                .iter()
                .all(|issuer| self.trusts_as(other, &issuer.name) && other.trusts_as(self, &issuer.name))
    }

    /// Whether a request comes to the rules of both, with the same token, or of neither.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.finds_as(other) && self.lets_pages_as(other) && self.trusts_nobody_else(other)
    }
}
