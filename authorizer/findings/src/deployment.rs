//! The deployment, checked against the policy and the package that were reviewed: every way past the authorizer
//! that the configuration leaves open, and every fault that stops it from working.
//!
//! An [`Export`] is the folder that `infra/export` fills with the answers of the AWS CLI. [`audit`] checks all of it,
//! without a file system or a clock. If a file is missing, or the AWS CLI did not write it, that is a finding of its
//! own.

mod checks;
mod documents;
mod export;
mod finding;
mod iam;
mod needs;
mod selection;
mod subject;

use std::collections::BTreeSet;

pub use export::{Export, ExportError, Reviewed};
pub use finding::Finding;

use crate::Check;
use subject::Subject;

/// All checks of a deployment, by their ids.
pub fn registry() -> Vec<&'static Check> {
    let mut all: Vec<_> = checks::FAMILIES.iter().flat_map(|family| family.checks.iter()).copied().collect();
    all.sort_by_key(|check| check.id);
    all
}

/// Every finding of a deployment, the gravest first, then by id and place.
///
/// # Errors
/// The export does not contain the configuration of a distribution.
pub fn audit(export: &Export, reviewed: &Reviewed<'_>) -> Result<Vec<Finding>, ExportError> {
    let subject = Subject::new(export, reviewed)?;
    let mut findings: Vec<Finding> = Vec::new();
    for family in checks::FAMILIES {
        (family.find)(&subject, &mut findings);
    }
    findings.sort_by(|a, b| {
        (b.severity, a.check.id, &a.file, &a.pointer).cmp(&(a.severity, b.check.id, &b.file, &b.pointer))
    });
    // Two checks that need the same file both report that it cannot be checked.
    let mut seen = BTreeSet::new();
    findings.retain(|one| {
        seen.insert((one.check.id, one.file.clone(), one.pointer.clone(), one.message.clone()))
    });
    Ok(findings)
}
