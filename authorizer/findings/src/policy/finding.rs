//! Checks and findings.

use authorizer_core::policy::Place;
use authorizer_core::record::sha256_hex;
use serde::Serialize;

use super::subject::Subject;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// A habit that has harmed others, or a part of the policy that does nothing.
    Low,
    /// Something is open that the policy seems to close.
    Medium,
    /// Somebody gets access that nobody can have meant to give.
    High,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A check: what it looks for, and why.
#[derive(Debug)]
pub struct Check {
    /// The id, which never changes and is never used again.
    pub id: &'static str,
    /// The name, in words.
    pub name: &'static str,
    /// How grave the gravest of its findings is.
    pub severity: Severity,
    /// What it looks for, in one line.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How to fix it.
    pub remedy: &'static str,
    pub(super) run: fn(&Subject<'_>) -> Vec<Found>,
}

impl Check {
    /// A check that the registry of a policy's checks does not run: it is of a deployment.
    pub(crate) const fn of_deployment(
        (id, name): (&'static str, &'static str),
        severity: Severity,
        title: &'static str,
        why: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self { id, name, severity, title, why, remedy, run: |_| Vec::new() }
    }

    /// Its page, from the root of the repository.
    pub fn page(&self) -> String {
        format!("docs/audit/{}.md", self.id)
    }
}

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
pub struct Finding {
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

impl Finding {
    pub(super) fn new(check: &'static Check, found: Found) -> Self {
        let Found { place, about, message, severity } = found;
        Self { check, severity: severity.unwrap_or(check.severity), place, about, message, accepted: None }
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

/// What a check found, before the check itself is put to it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    place: Place,
    about: About,
    message: String,
    severity: Option<Severity>,
}

impl Found {
    pub(super) fn new(about: About, place: Place, message: impl Into<String>) -> Self {
        Self { place, about, message: message.into(), severity: None }
    }

    /// Sets another severity than that of the check.
    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}
