//! Members that nobody here knows: what is not known is not judged to be safe.

use authorizer_cloudfront::{UnknownMember, unknown_in, unknown_in_distribution};
use serde_json::Value;

use crate::check::{Check, Severity};
use crate::deployment::documents::ContinuousDeploymentFile;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static UNKNOWN: Check = Check {
    id: "EA208",
    name: "member-not-known",
    severity: Severity::High,
    title: "the configuration has a member that is set and that this release does not know",
    why: "CloudFront gets new members each year. One of them, `GrpcConfig`, opened a way past Lambda@Edge. No check \
     looks at a member that is not known, so nobody has judged what it does.",
    remedy: "look the member up in CloudFront's API reference; use a release that knows it, or turn it off",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&UNKNOWN], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in unknown_in_distribution(subject.exported_config()) {
        found.push(told(subject.config(), &one));
    }
    staging(subject, found);
    let behaviors = subject.behaviors();
    let ids = |id: fn(&authorizer_cloudfront::view::Behavior) -> Option<&str>| -> Vec<String> {
        let mut ids: Vec<String> = behaviors
            .iter()
            .filter_map(|one| id(one.behavior))
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect();
        ids.sort();
        ids.dedup();
        ids
    };
    let mut controls: Vec<String> =
        subject.origins().iter().map(|one| one.origin.origin_access_control_id.clone()).collect();
    controls.retain(|id| !id.is_empty());
    controls.sort();
    controls.dedup();
    for (kind, ids, holder) in [
        ("cache-policy", ids(|one| one.cache_policy_id.as_deref()), "CachePolicy"),
        ("origin-request-policy", ids(|one| one.origin_request_policy_id.as_deref()), "OriginRequestPolicy"),
        (
            "response-headers-policy",
            ids(|one| one.response_headers_policy_id.as_deref()),
            "ResponseHeadersPolicy",
        ),
        ("origin-access-control", controls, "OriginAccessControl"),
    ] {
        let config = format!("{holder}Config");
        for file in ids.into_iter().map(|id| format!("{kind}-{id}.json")) {
            // A file that is not there or of another form is a finding of the checks that read it.
            let Some(read) = subject.read::<Value>(&file) else { continue };
            let Some(value) = read.get(holder).and_then(|one| one.get(&config)) else { continue };
            let spot = Spot::file(file).then(holder).then(&config);
            found.extend(unknown_in(&config, value).iter().map(|one| told(spot.clone(), one)));
        }
    }
}

/// The staging distribution gets some of the requests.
fn staging(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    if subject.view().continuous_deployment_policy_id.is_empty() {
        return;
    }
    // Where a file is missing, that is found with the policy that divides the requests.
    let Some(read) = subject.read::<ContinuousDeploymentFile>("continuous-deployment-policy.json") else {
        return;
    };
    if !read.continuous_deployment_policy.continuous_deployment_policy_config.enabled {
        return;
    }
    let file = "staging-distribution.json";
    let Some(other) = subject.another_distribution(file) else { return };
    let spot = Spot::file(file).then("DistributionConfig");
    found.extend(unknown_in_distribution(other.config()).iter().map(|one| told(spot.clone(), one)));
}

fn told(root: Spot, one: &UnknownMember) -> DeploymentFinding {
    let spot = one.place.iter().fold(root, |spot, step| spot.then(step));
    // A name with a slash, a tilde or a control character is not a step of a pointer: the structure is the place.
    let is_plain = one.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let spot = if is_plain { spot.then(&one.name) } else { spot };
    let message = format!("the member `{}` is set, and is not known", one.name.escape_debug());
    spot.found(&UNKNOWN, message)
}
