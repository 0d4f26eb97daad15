//! A file of accepted findings, as it is written.

use serde::Deserialize;

/// The findings of a deployment that are as they are meant to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedFindingsDocument {
    /// Each of them.
    #[serde(default)]
    pub accepted: Vec<AcceptedFindingDocument>,
}

/// One of them. It names all of a finding, because an entry that named less would accept what comes later, too.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct AcceptedFindingDocument {
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
}
