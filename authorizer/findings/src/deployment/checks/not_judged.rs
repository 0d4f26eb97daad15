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
    title: "a part of the deployment that cannot be judged, since the export does not say what it is",
    why: "What was not looked at may be open. A file that is missing, or that is not what the AWS CLI writes, says \
     nothing; an export without it is no answer.",
    remedy: "export once more with `infra/export`, whole, into a new folder, with the permission to read all of it",
};

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    found.extend(subject.unjudged().into_iter().map(|(spot, why)| spot.found(&NOT_JUDGED, why)));
}
