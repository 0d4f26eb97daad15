//! What a check is.

use schemars::JsonSchema;
use serde::Serialize;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// Style: a habit that has cost others dearly, or a part of the policy that does nothing.
    Low,
    /// Legitimate requests are refused, or a limit is weaker than it reads. From here on, a deployment stops.
    Medium,
    /// More is let in than was meant, or something that was meant to protect does not.
    High,
}

impl Severity {
    /// All of them, the gravest first.
    pub const ALL: [Self; 4] = [Self::High, Self::Medium, Self::Low, Self::Informational];

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

/// A check: what is looked for, and why.
#[derive(Debug)]
pub struct Check {
    /// The id, which never changes and is never used again.
    pub id: &'static str,
    /// The name, in words.
    pub name: &'static str,
    /// How grave the gravest of its findings is.
    pub severity: Severity,
    /// What is looked for, in a line.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How it is mended.
    pub remedy: &'static str,
}

impl Check {
    /// Its page, from the root of the repository.
    pub fn page(&self) -> String {
        format!("docs/audit/{}.md", self.id)
    }
}

/// All checks, by their ids.
#[derive(Debug)]
pub struct Catalogue {
    /// Those of a policy.
    pub policy: Vec<&'static Check>,
    /// Those of a deployment.
    pub deployment: Vec<&'static Check>,
}

impl Catalogue {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'static Check> {
        self.policy.iter().chain(&self.deployment).copied()
    }
}
