//! What is deployed, held against the policy and the package that were reviewed: every way past the authorizer
//! that the configuration leaves open, and what keeps it from working.
//!
//! An [`Export`] is the folder that `infra/export` fills with what the AWS CLI says. [`audit`] looks at all of it and
//! knows no file system and no clock. What it cannot judge, since a file is not there or not of the form that the
//! AWS CLI writes, is a finding of its own.

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

/// Every finding of a deployment, the gravest first, then by their ids and where they are.
///
/// # Errors
/// There is no distribution's configuration to look at.
pub fn audit(export: &Export, reviewed: &Reviewed<'_>) -> Result<Vec<Finding>, ExportError> {
    let subject = Subject::new(export, reviewed)?;
    let mut findings: Vec<Finding> = Vec::new();
    for family in checks::FAMILIES {
        (family.find)(&subject, &mut findings);
    }
    findings.sort_by(|a, b| {
        (b.severity, a.check.id, &a.file, &a.pointer).cmp(&(a.severity, b.check.id, &b.file, &b.pointer))
    });
    // Two checks that need one file both say that it cannot be judged.
    let mut seen = BTreeSet::new();
    findings.retain(|one| {
        seen.insert((one.check.id, one.file.clone(), one.pointer.clone(), one.message.clone()))
    });
    Ok(findings)
}
