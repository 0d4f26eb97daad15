//! Findings of a deployment that are as they are meant to be. They are in a file of their own: a policy may be deployed
//! more than once, and what holds for one deployment need not hold for the next.

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use super::finding::DeploymentFinding;

/// The accepted findings: the file that the person wrote.
#[derive(Clone, Debug)]
pub struct AcceptedFindings {
    entries: Vec<AcceptedFinding>,
}

/// One of them. It names all of a finding, because an entry that named less would accept what comes later, too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AcceptedFinding {
    /// The finding's id, such as `EA297`.
    pub finding: String,
    /// The file of the export.
    pub file: String,
    /// How grave it was.
    pub severity: String,
    /// The finding's message.
    pub message: String,
    /// The digest of what it was found in: many messages do not change when what they are about gets graver.
    pub seen: String,
    /// Why it is accepted.
    pub reason: String,
    /// The line of the entry.
    pub line: usize,
}

/// Why a file of accepted findings cannot be used.
#[derive(Debug, Error)]
pub enum AcceptedError {
    /// Not TOML, or of another form.
    #[error("{0}")]
    Form(String),
    /// An entry without a reason.
    #[error("the entry in line {0} has no `reason`")]
    NoReason(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    accepted: Vec<WrittenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    finding: Spanned<String>,
    severity: String,
    file: String,
    message: String,
    seen: String,
    reason: String,
}

impl AcceptedFindings {
    /// Reads the file: `[[accepted]]` with `finding`, `severity`, `file`, `message`, `seen` and `reason`.
    ///
    /// # Errors
    /// [`AcceptedError`] if it is anything else.
    pub fn read(text: &str) -> Result<Self, AcceptedError> {
        let written: Written =
            toml::from_str(text).map_err(|error| AcceptedError::Form(error.message().to_owned()))?;
        let mut entries = Vec::new();
        for entry in written.accepted {
            let before = text.get(..entry.finding.span().start).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            if entry.reason.trim().is_empty() {
                return Err(AcceptedError::NoReason(line));
            }
            let WrittenEntry { finding, severity, file, message, seen, reason } = entry;
            let finding = finding.into_inner();
            entries.push(AcceptedFinding { finding, file, severity, message, seen, reason, line });
        }
        Ok(Self { entries })
    }

    /// The entry that accepts a finding.
    pub fn of(&self, finding: &DeploymentFinding) -> Option<&AcceptedFinding> {
        self.entries.iter().find(|entry| entry.is_of(finding))
    }

    /// The entries that accept none of these.
    pub fn unused<'a>(
        &'a self,
        findings: &'a [DeploymentFinding],
    ) -> impl Iterator<Item = &'a AcceptedFinding> {
        self.entries.iter().filter(|entry| !findings.iter().any(|finding| entry.is_of(finding)))
    }
}

impl AcceptedFinding {
    fn is_of(&self, finding: &DeploymentFinding) -> bool {
        self.finding == finding.check.id
            && self.severity == finding.severity.name()
            && self.file == finding.file
            && self.message == finding.message
            && self.seen == finding.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_all_of_a_finding_and_why_it_is_accepted() {
        let entry = "[[accepted]]\nfinding = \"EA297\"\nseverity = \"medium\"\nfile = \"distributions.json\"\nmessage = \"m\"\nseen = \"d\"\n";
        let read = AcceptedFindings::read(&format!("# why\n{entry}reason = \"audited too\"\n")).unwrap();
        assert_eq!((read.entries[0].line, read.entries[0].reason.as_str()), (3, "audited too"));
        for (text, said) in [
            (entry.to_owned(), "missing field `reason`"),
            (format!("{}reason = \"r\"\n", entry.replace("seen", "# seen")), "missing field `seen`"),
            (format!("{}reason = \"r\"\n", entry.replace("severity", "# ")), "missing field `severity`"),
            (format!("{entry}reason = \" \"\n"), "the entry in line 2 has no `reason`"),
            (format!("{entry}reason = \"r\"\nuntil = \"2027\"\n"), "unknown field `until`"),
            ("accepted = 1".to_owned(), "invalid type"),
        ] {
            let error = AcceptedFindings::read(&text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
