//! Findings of a deployment that are as they are meant to be. They are in a file of their own: a policy may be deployed
//! more than once, and what holds for one deployment need not hold for the next.

use authorizer_core::policy::Place;
use authorizer_policy::{
    AcceptedFindingDocument, AcceptedFindingsDocument, PolicyFileError, TomlFile, without_reason,
};

use super::finding::DeploymentFinding;

/// The accepted findings: the file that the person wrote.
#[derive(Clone, Debug)]
pub struct AcceptedFindings {
    entries: Vec<AcceptedFinding>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct AcceptedFinding {
    /// The finding, and why it is accepted.
    pub document: AcceptedFindingDocument,
    /// The line of the entry, from 1.
    pub line: usize,
}

impl AcceptedFindings {
    /// Those of a file.
    ///
    /// # Errors
    /// [`PolicyFileError`] if one has no reason.
    pub fn of_file(file: &TomlFile<AcceptedFindingsDocument>) -> Result<Self, PolicyFileError> {
        let documents = &file.document().accepted;
        let problems: Vec<_> = without_reason(documents.iter().map(|entry| entry.reason.as_str())).collect();
        if !problems.is_empty() {
            return Err(file.problems(problems));
        }
        let places = file.places();
        let entries = documents.iter().enumerate().map(|(index, document)| {
            let place = Place::member("accepted").at(index).then("finding");
            let line = places.span(&place).map_or(1, |span| places.position(span.start).line);
            AcceptedFinding { document: document.clone(), line }
        });
        Ok(Self { entries: entries.collect() })
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
    fn is_of(&self, of: &DeploymentFinding) -> bool {
        let AcceptedFindingDocument { finding, file, severity, message, seen, reason: _ } = &self.document;
        finding == of.check.id
            && severity == of.severity.name()
            && *file == of.file
            && *message == of.message
            && *seen == of.seen
    }
}
