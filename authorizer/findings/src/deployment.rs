//! The deployment, checked against the policy and the package that were reviewed: every way past the authorizer
//! that the configuration leaves open, and every fault that stops it from working.
//!
//! An [`Export`] is the folder that `infra/export` fills with what the AWS CLI says. [`findings`] looks at all of it
//! and knows no file system and no clock. What it cannot judge, since a file is not there or not of the form that the
//! AWS CLI writes, is a finding of its own.

pub(crate) mod accepted;
pub(crate) mod checks;
mod documents;
pub(crate) mod export;
pub(crate) mod finding;
mod iam;
mod members;
mod needs;
mod reach;
mod request;
mod selection;
pub(crate) mod subject;

use std::collections::BTreeSet;

use crate::catalogue::families;
use crate::family::Family;

pub use accepted::{AcceptedFinding, AcceptedFindings};
pub use export::{Export, ExportError, Reviewed};
pub use finding::DeploymentFinding;
pub use reach::{BucketReach, Deployed, Elsewhere, Reach, ReachRow, Through, Undecided, WhyUndecided, reach};
use subject::DeploymentSubject;

/// Every finding of a deployment, the gravest first, then by id and place.
///
/// # Errors
/// The export does not contain the configuration of a distribution.
pub fn findings(export: &Export, reviewed: &Reviewed<'_>) -> Result<Vec<DeploymentFinding>, ExportError> {
    let subject = DeploymentSubject::new(export, reviewed)?;
    let mut findings: Vec<DeploymentFinding> = Vec::new();
    for family in families() {
        match family {
            Family::Deployment(_, look) => look(&subject, &mut findings),
            Family::Policy(_) | Family::AfterPolicy(..) => {}
        }
    }
    findings.sort_by(|a, b| {
        (b.severity, a.check.id, &a.file, &a.pointer).cmp(&(a.severity, b.check.id, &b.file, &b.pointer))
    });
    // Two checks that need the same file both report that it cannot be checked.
    let mut seen = BTreeSet::new();
    findings.retain(|one| {
        seen.insert((one.check.id, one.file.clone(), one.pointer.clone(), one.message.clone()))
    });
    for one in &mut findings {
        one.seen = export.seen(&one.file, &one.pointer, one.beside.as_deref());
    }
    Ok(findings)
}
