//! Members that nobody here knows: what is not known is not judged to be safe.

use authorizer_cloudfront::{UnknownMember, unknown_in, unknown_in_distribution};
use serde_json::Value;

use crate::check::{Check, Severity};
use crate::deployment::documents::ContinuousDeploymentFile;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::members::{BUCKET, FUNCTION, Structure};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static UNKNOWN: Check = Check {
    id: "EA208",
    name: "member-not-known",
    severity: Severity::High,
    title: "the configuration has a member that is set and that this release does not know",
    why: "AWS adds members to the structures of CloudFront, Lambda and S3 each year. One of CloudFront's, `GrpcConfig`, \
     opened a way past Lambda@Edge. No check looks at a member that is not known, so nobody has judged what it does.",
    remedy: "look the member up in the service's API reference; use a release that knows it, or turn it off",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&UNKNOWN], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in unknown_in_distribution(subject.exported_config()) {
        found.push(told(subject.config(), &one));
    }
    staging(subject, found);
    functions(subject, found);
    buckets(subject, found);
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

/// The versions that see viewers' requests.
fn functions(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for function in subject.functions() {
        let Some(read) = subject.read::<Value>(function.spot.file_name()) else { continue };
        walk(&FUNCTION, &read, &function.spot, found);
    }
}

/// The settings of the buckets.
fn buckets(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for bucket in subject.buckets() {
        for (name, structure) in BUCKET {
            let file = format!("bucket-{bucket}/{name}");
            // A file that is not there or of another form is a finding of the checks that read it.
            let Some(read) = subject.read::<Value>(&file).filter(|read| read.get("Absent").is_none()) else {
                continue;
            };
            walk(&structure, &read, &Spot::file(file), found);
        }
    }
}

fn walk(structure: &Structure, read: &Value, spot: &Spot, found: &mut Vec<DeploymentFinding>) {
    let mut unknown = Vec::new();
    structure.unknown(read, spot, &mut unknown);
    found.extend(unknown.into_iter().map(|(spot, name)| named(spot, &name)));
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
    named(one.place.iter().fold(root, |spot, step| spot.then(step)), &one.name)
}

/// The finding of a member, in the structure that has it.
fn named(spot: Spot, name: &str) -> DeploymentFinding {
    // A name with a slash, a tilde or a control character is not a step of a pointer: the structure is the place.
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let spot = if is_plain { spot.then(name) } else { spot };
    let message = format!("the member `{}` is set, and is not known", name.escape_debug());
    spot.found(&UNKNOWN, message)
}
