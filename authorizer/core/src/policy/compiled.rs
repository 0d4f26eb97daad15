//! A policy that can decide.

use crate::cors::Cors;
use crate::credential::CredentialPlaces;
use crate::logged_claims::ClaimHasher;
use crate::operation::OperationSet;
use crate::record::SubjectLogging;
use crate::request::{OwnParameters, Possible, Resource};
use crate::rules::{Access, Claims, Decision, Effect, Rule, Rules};
use crate::sign_in::SignIn;
use crate::token::Issuer;

/// A policy that was checked completely and can decide.
///
/// INVARIANT: every name that a rule uses exists, ids are unique, every pattern is compiled, every
/// issuer has an audience and has keys, or a URL or a secret instead.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) rules: Rules,
    pub(crate) credentials: CredentialPlaces,
    pub(crate) ignored: Vec<String>,
    pub(crate) cors: Option<Cors>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) subject_logging: SubjectLogging,
    pub(crate) claim_hasher: Option<ClaimHasher>,
    pub(crate) max_origin_headers: u16,
}

impl Policy {
    /// The issuers, in the order of the document.
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// The rules, in the order of the document.
    pub fn rules(&self) -> &[Rule] {
        self.rules.as_slice()
    }

    /// The number of headers that an origin request policy of the account can have.
    pub fn max_origin_headers(&self) -> u16 {
        self.max_origin_headers
    }

    /// The rules with a key pattern that matches this resource with these claims, in the order of the document: for a
    /// listing, the pattern of an allow rule must match every key, and that of a deny rule some key. No other rule can
    /// match.
    pub fn rules_for(&self, resource: &Resource, claims: Claims<'_>) -> impl Iterator<Item = &Rule> {
        self.rules.speaking_of(resource, claims)
    }

    /// The rules that match a request, each with its place, in the order of the document. It costs as much as a
    /// decision, where examining each rule costs as much as there are rules.
    pub fn matching(&self, access: &Access<'_>) -> impl Iterator<Item = (usize, &Rule)> {
        self.rules.matching(access)
    }

    /// Decides on a request.
    pub fn decide(&self, access: &Access<'_>) -> Decision<'_> {
        self.rules.decide(access)
    }

    /// The places of a token.
    pub fn credentials(&self) -> &CredentialPlaces {
        &self.credentials
    }

    /// The names of the query parameters that GetObject and HeadObject drop.
    pub fn ignored_parameters(&self) -> &[String] {
        &self.ignored
    }

    /// The query parameters that do not belong to S3.
    pub fn own_parameters(&self) -> OwnParameters<'_> {
        OwnParameters { token: self.credentials.query.as_deref(), ignored: &self.ignored }
    }

    /// What pages of other origins may do.
    pub fn cors(&self) -> Option<&Cors> {
        self.cors.as_ref()
    }

    /// Where people with a browser and without a token are sent.
    pub fn sign_in(&self) -> Option<&SignIn> {
        self.sign_in.as_ref()
    }

    /// How the decision log writes the subject of a token.
    pub fn subject_logging(&self) -> SubjectLogging {
        self.subject_logging
    }

    /// What makes the digests of claims for the decision log, if they are logged.
    pub fn claim_hasher(&self) -> Option<&ClaimHasher> {
        self.claim_hasher.as_ref()
    }

    /// The requests that some rule could allow.
    pub fn possible(&self) -> Possible {
        let allows = self.rules().iter().filter(|rule| rule.effect == Effect::Allow);
        let operations = allows.fold(OperationSet::default(), |set, rule| set.union(rule.operations));
        Possible { operations, preflights: self.cors.is_some() }
    }

    /// Whether some rule has a condition on the viewer's address.
    pub(crate) fn reads_source(&self) -> bool {
        self.rules().iter().any(|rule| rule.sources.is_some())
    }
}
