//! What a check of a policy finds, and where.

use authorizer_analysis::Witness;
use authorizer_core::policy::Place;
use authorizer_core::record::sha256_hex;

use crate::check::{Check, Severity};

/// What a finding is about.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum About {
    /// The policy as a whole.
    Policy,
    /// The rule with this id.
    Rule(String),
    /// The issuer of this name.
    Issuer(String),
    /// A key.
    Key {
        /// The name of its issuer.
        issuer: String,
        /// Its `kid`.
        kid: Option<String>,
    },
}

impl About {
    /// The rule's id.
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Rule(id) => Some(id),
            Self::Policy | Self::Issuer(_) | Self::Key { .. } => None,
        }
    }

    /// The issuer's name.
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Issuer(issuer) | Self::Key { issuer, .. } => Some(issuer),
            Self::Policy | Self::Rule(_) => None,
        }
    }

    /// The key's `kid`.
    pub fn kid(&self) -> Option<&str> {
        match self {
            Self::Key { kid, .. } => kid.as_deref(),
            Self::Policy | Self::Rule(_) | Self::Issuer(_) => None,
        }
    }
}

/// What a check has found.
#[derive(Clone, Debug)]
pub struct PolicyFinding {
    /// The check.
    pub check: &'static Check,
    /// How grave it is here.
    pub severity: Severity,
    /// The place in the document.
    pub place: Place,
    /// What it is about.
    pub about: About,
    /// What was found: lower case, no period, with the rule, the issuer or the value.
    pub message: String,
    /// Requests that the function's own code allows, and that show it.
    pub shown: Vec<Witness>,
    /// The entry of the policy that accepts it.
    pub accepted: Option<Acceptance>,
}

/// Why a finding is accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acceptance {
    /// The place of the entry.
    pub place: Place,
    /// The reason that it gives.
    pub reason: String,
}

impl PolicyFinding {
    pub(crate) fn new(check: &'static Check, seen: Observation) -> Self {
        let Observation { place, about, message, severity, shown } = seen;
        let severity = severity.unwrap_or(check.severity);
        Self { check, severity, place, about, message, shown, accepted: None }
    }

    /// What stays the same when lines are moved and other rules come and go: the check, what it is about, and
    /// what it says.
    pub fn fingerprint(&self) -> String {
        let parts = [
            self.check.id,
            self.about.rule().unwrap_or_default(),
            self.about.issuer().unwrap_or_default(),
            self.about.kid().unwrap_or_default(),
            &self.message,
        ];
        sha256_hex(parts.join("\n").as_bytes())
    }
}

/// What a check has seen, before the check itself is put to it.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    place: Place,
    about: About,
    message: String,
    severity: Option<Severity>,
    shown: Vec<Witness>,
}

impl Observation {
    pub(crate) fn new(about: About, place: Place, message: impl Into<String>) -> Self {
        Self { place, about, message: message.into(), severity: None, shown: Vec::new() }
    }

    /// As grave as this, instead of as the check says.
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Shown by this request, which the function's own code has allowed.
    pub(crate) fn shown(mut self, witness: Witness) -> Self {
        self.shown.push(witness);
        self
    }
}
