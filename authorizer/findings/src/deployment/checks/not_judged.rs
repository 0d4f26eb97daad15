//! What could not be judged: silence would look like an answer.

use crate::check::{Check, Severity};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

pub(super) static FAMILY: Family = Family::Deployment(&[&NOT_JUDGED], find);

static NOT_JUDGED: Check = Check {
    id: "EA200",
    name: "not-judged",
    severity: Severity::High,
    title: "a part of the deployment cannot be checked, because the export does not describe it",
    why: "A part that was not checked may be open. A file that is missing, or that the AWS CLI did not write, \
     says nothing about the deployment. An export without that file gives no answer.",
    remedy: "export everything again with `infra/export` into a new folder, with permission to read all of it",
};

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    found.extend(subject.unjudged().into_iter().map(|(spot, why)| spot.found(&NOT_JUDGED, why)));
}
