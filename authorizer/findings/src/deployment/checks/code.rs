//! The code that runs, and the policy in it.

use crate::deployment::finding::Finding;
use crate::deployment::subject::Subject;
use crate::{Check, Severity};

static ANOTHER: Check = Check::of_deployment(
    ("EA260", "code-is-not-the-reviewed"),
    Severity::High,
    "the code that is deployed is not the package that was reviewed",
    "The package is the function, the policy and the keys. Whatever was found out about the one that was reviewed \
     says nothing of this one.",
    "deploy the reviewed package with its `CodeSha256`, and put that version on the behavior",
);

static NOT_COMPARED: Check = Check::of_deployment(
    ("EA261", "code-not-compared"),
    Severity::Medium,
    "the code that is deployed was held against no package",
    "A function of this name may be anything, and all that is said here of the policy may be of another one. Where \
     the code was held against a hash alone, it is only the policy in it that was not looked at, and this is \
     informational.",
    "name the reviewed package with `--package`, or its hash with `--code-sha256`",
);

static ANOTHER_POLICY: Check = Check::of_deployment(
    ("EA262", "package-has-another-policy"),
    Severity::High,
    "the package has another policy, or other keys, than the one that the deployment is held against",
    "The function decides by the bundle in its package. What is said here of the policy that was named, and every \
     finding that rests on it, is then not about what runs.",
    "name the policy that the package was made of, or package the policy again, review it and deploy it",
);

pub(super) static CHECKS: &[&Check] = &[&ANOTHER, &NOT_COMPARED, &ANOTHER_POLICY];

pub(super) fn find(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let reviewed = subject.reviewed;
    for one in subject.functions(found) {
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
                let message = "the policy in the code was not looked at: a hash was named, and no package";
                found.push(spot.found(&NOT_COMPARED, message).severity(Severity::Informational));
            }
            Some(packaged) if packaged != reviewed.bundle.sha256() => {
                let message = format!(
                    "the package has the bundle {}, and the policy that was named makes {}",
                    packaged.escape_debug(),
                    reviewed.bundle.sha256()
                );
                found.push(spot.found(&ANOTHER_POLICY, message));
            }
            Some(_) => {}
        }
    }
}
