//! What a check of a deployment finds, and where.

use authorizer_core::record::sha256_hex;

use crate::check::{Check, Severity};

/// A finding in an export.
#[derive(Clone, Debug)]
pub struct DeploymentFinding {
    /// The check.
    pub check: &'static Check,
    /// How grave it is here.
    pub severity: Severity,
    /// The file, from the export's folder.
    pub file: String,
    /// The place in it, as a JSON pointer (RFC 6901). It goes on into a policy that stands in the file as a text.
    pub pointer: String,
    /// What was found: lower case, no period, with the value.
    pub message: String,
    /// The digest of what it was found in: the behavior, the statement, or the like.
    pub seen: String,
    /// Another file that the finding is about, which the digest then covers.
    pub(crate) beside: Option<String>,
}

impl DeploymentFinding {
    /// What stays the same when behaviors and statements are moved: the check, the file and what it says.
    pub fn fingerprint(&self) -> String {
        sha256_hex([self.check.id, &self.file, &self.message].join("\n").as_bytes())
    }

    /// As grave as this, instead of as the check says.
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// About this file, too.
    pub(crate) fn beside(mut self, file: String) -> Self {
        self.beside = Some(file);
        self
    }
}

/// A place in an export.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Spot {
    file: String,
    pointer: String,
}

impl Spot {
    /// A whole file.
    pub(crate) fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), pointer: String::new() }
    }

    /// What is below it: steps with slashes between them, none of which needs an escape.
    #[must_use]
    pub(crate) fn then(&self, steps: &str) -> Self {
        Self { file: self.file.clone(), pointer: format!("{}/{steps}", self.pointer) }
    }

    /// A member or an element of what is here.
    #[must_use]
    pub(crate) fn at(&self, index: usize) -> Self {
        self.then(&index.to_string())
    }

    /// The file that it is in.
    pub(crate) fn file_name(&self) -> &str {
        &self.file
    }

    /// Whether it is in a file whose name begins so.
    pub(crate) fn is_in(&self, file: &str) -> bool {
        self.file.starts_with(file)
    }

    pub(crate) fn found(self, check: &'static Check, message: impl Into<String>) -> DeploymentFinding {
        let Self { file, pointer } = self;
        let (severity, message) = (check.severity, message.into());
        DeploymentFinding { check, severity, file, pointer, message, seen: String::new(), beside: None }
    }
}
