//! What a browser makes of an answer of S3: what it keeps, guesses and runs.

use crate::check::{Check, Severity};
use crate::deployment::documents::{ResponseHeadersPolicyConfig, ResponseHeadersPolicyFile, has_word};
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static KEPT: Check = Check {
    id: "EA233",
    name: "browsers-keep-objects",
    severity: Severity::Medium,
    title: "answers of S3 do not say that a browser must ask again",
    why: "S3 sends no `Cache-Control`, unless the person who uploaded set one. A browser then keeps an object, and shows \
     it to the next user of the same machine without a request. The function cannot decide on what it does not see.",
    remedy: "add the header `Cache-Control: private, no-cache` to the response headers policy, without override; give \
     keys that everyone may read a behavior of their own, if browsers should keep them",
};

static GUESSED: Check = Check {
    id: "EA234",
    name: "browsers-guess-types",
    severity: Severity::Low,
    title: "answers of S3 let a browser guess the type of an object",
    why: "A browser that guesses may run an uploaded text or image as a page or a script, on the domain of the \
     distribution.",
    remedy: "set `ContentTypeOptions` in the response headers policy (`X-Content-Type-Options: nosniff`)",
};

static UNSANDBOXED: Check = Check {
    id: "EA235",
    name: "uploads-run-as-pages",
    severity: Severity::Informational,
    title: "the policy allows uploads, and a browser may run an uploaded page",
    why: "An uploaded HTML page or SVG image runs on the domain of the distribution, with its cookies, when somebody opens \
     it. `Content-Security-Policy: sandbox` stops that, but also the PDF viewers of browsers.",
    remedy: "set SandboxUploads to yes where browsers open uploads, or limit `content_types` in the rules",
};

static KEY: Check = Check {
    id: "EA236",
    name: "answers-name-the-key",
    severity: Severity::Informational,
    title: "answers of S3 name the KMS key",
    why: "Viewers see the header `x-amz-server-side-encryption-aws-kms-key-id`, with the account and the key. They do not \
     need it.",
    remedy: "remove the header in the response headers policy",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&KEPT, &GUESSED, &UNSANDBOXED, &KEY], find);

const KEY_HEADER: &str = "x-amz-server-side-encryption-aws-kms-key-id";

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let uploads = subject.deployment_needs.uploads;
    for one in subject.behaviors() {
        let id = one.behavior.response_headers_policy_id.as_deref().filter(|id| !id.is_empty());
        let (config, spot) = match id {
            None => (ResponseHeadersPolicyConfig::default(), one.spot.clone()),
            Some(id) => {
                let file = format!("response-headers-policy-{id}.json");
                let Some(read) = subject.read::<ResponseHeadersPolicyFile>(&file) else { continue };
                let spot = Spot::file(file).then("ResponseHeadersPolicy/ResponseHeadersPolicyConfig");
                (read.response_headers_policy.response_headers_policy_config, spot)
            }
        };
        let mut tell = |check, message: String| found.push(spot.clone().found(check, message));
        let name = &one.name;
        let added = &config.custom_headers_config.0;
        match added.iter().find(|one| one.is("cache-control", &["no-cache", "no-store"])) {
            None => tell(&KEPT, format!("{name}: S3's answers get no `Cache-Control` with `no-cache`")),
            // It replaces the header of every answer, the function's own as well.
            Some(one) if one.replaces && !one.is("cache-control", &["no-store"]) => tell(
                &KEPT,
                format!(
                    "{name}: `Cache-Control` has `Override`, so it replaces the `no-store` of the function's answers"
                ),
            ),
            Some(_) => {}
        }
        let security = &config.security_headers_config;
        let custom = |header: &str, words: &[&str]| {
            config.custom_headers_config.0.iter().any(|one| one.is(header, words))
        };
        if security.content_type_options.is_none() && !custom("x-content-type-options", &["nosniff"]) {
            tell(&GUESSED, format!("{name}: S3's answers get no `X-Content-Type-Options`"));
        }
        let sandbox = security.content_security_policy.as_ref();
        let sandbox = sandbox.is_some_and(|one| has_word(&one.content_security_policy, "sandbox"));
        if uploads && !sandbox && !custom("content-security-policy", &["sandbox"]) {
            tell(&UNSANDBOXED, format!("{name}: uploads get no `Content-Security-Policy` with `sandbox`"));
        }
        if !config.remove_headers_config.0.iter().any(|one| one.header.eq_ignore_ascii_case(KEY_HEADER)) {
            tell(&KEY, format!("{name}: `{KEY_HEADER}` is not removed"));
        }
    }
}
