//! The code that runs, and the policy in it.

use crate::check::{Check, Severity};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static ANOTHER: Check = Check {
    id: "EA260",
    name: "code-is-not-the-reviewed",
    severity: Severity::High,
    title: "the deployed code is not the reviewed package",
    why: "The package is the function, the policy and the keys. The review of another package says nothing about \
     this one.",
    remedy: "deploy the reviewed package with its `CodeSha256`, and put that version on the behavior",
};

static NOT_COMPARED: Check = Check {
    id: "EA261",
    name: "code-not-compared",
    severity: Severity::Medium,
    title: "the deployed code was not compared with a package",
    why: "A function of this name may be anything, and the policy that this audit describes may not be the one \
     that runs. If the code was compared with a hash only, this audit did not look at the policy inside; \
     that is informational.",
    remedy: "name the reviewed package with `--package`, or its hash with `--code-sha256`",
};

static ANOTHER_POLICY: Check = Check {
    id: "EA262",
    name: "package-has-another-policy",
    severity: Severity::High,
    title: "the package has another policy, or other keys, than the deployment is checked against",
    why: "The function decides by the bundle in its package. So what this audit says about the named policy, and \
     every finding that depends on it, is not about what runs.",
    remedy: "name the policy that the package was made from, or package the policy again, review it and deploy it",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&ANOTHER, &NOT_COMPARED, &ANOTHER_POLICY], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let reviewed = subject.reviewed;
    for one in subject.functions() {
        let spot = one.spot.then("CodeSha256");
        let deployed = one.configuration.code_sha256.escape_debug();
        match &reviewed.code_sha256 {
            None => {
                let message = format!("version {} is `{deployed}`, and no package was named", one.version);
                found.push(spot.found(&NOT_COMPARED, message));
                continue;
            }
            Some(code) if *code != one.configuration.code_sha256 => {
                let message = format!(
                    "version {} is `{deployed}`, and the reviewed package is `{}`",
                    one.version,
                    code.escape_debug()
                );
                found.push(spot.clone().found(&ANOTHER, message));
            }
            Some(_) => {}
        }
        match reviewed.packaged_bundle.as_deref() {
            None => {
                let message = "the policy in the code was not checked: only a hash was named";
                found.push(spot.found(&NOT_COMPARED, message).severity(Severity::Informational));
            }
            Some(packaged) if packaged != reviewed.bundle.sha256() => {
                let message = format!(
                    "the package has the bundle {}, but the named policy makes {}",
                    packaged.escape_debug(),
                    reviewed.bundle.sha256()
                );
                found.push(spot.found(&ANOTHER_POLICY, message));
            }
            Some(_) => {}
        }
    }
}
