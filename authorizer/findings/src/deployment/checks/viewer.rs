//! What is between the viewer and the function.

use authorizer_cloudfront::Target;

use crate::check::{Check, Severity};
use crate::deployment::documents::ContinuousDeploymentFile;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static HTTP: Check = Check {
    id: "EA220",
    name: "viewer-over-http",
    severity: Severity::High,
    title: "a behavior answers viewers over plain HTTP",
    why: "Anyone on the network can read and change tokens and objects. With `redirect-to-https`, the token was \
     already sent in the clear when the redirect comes, so this is a finding too, with medium severity.",
    remedy: "set `ViewerProtocolPolicy` to `https-only`",
};

static TLS: Check = Check {
    id: "EA221",
    name: "old-tls",
    severity: Severity::Medium,
    title: "viewers may use TLS 1.0 or 1.1",
    why: "Both are deprecated (RFC 8996), and an attack on them can win a bearer token. CloudFront's own \
     certificate accepts them, whatever is set. That has low severity, because it is for a distribution \
     without a domain name of its own.",
    remedy: "give the distribution a certificate, and set `MinimumProtocolVersion` to `TLSv1.2_2021` or newer",
};

static ROOT: Check = Check {
    id: "EA222",
    name: "default-root-object",
    severity: Severity::High,
    title: "the policy allows listing, and the distribution has a default root object",
    why: "A listing is a request for `/`. CloudFront requests the default root object instead, whatever the rules \
     say about that object.",
    remedy: "make `DefaultRootObject` empty",
};

static STAGING: Check = Check {
    id: "EA227",
    name: "continuous-deployment",
    severity: Severity::High,
    title: "some requests go to a staging distribution",
    why: "A continuous deployment policy sends some of the requests to a staging distribution with its own \
     configuration, or all requests with a header that any viewer can send. The staging distribution needs \
     everything that this one needs. If its behaviors have the function, this has medium severity; if the policy is \
     not in effect, low.",
    remedy: "end the continuous deployment, or export and audit the staging distribution too",
};

static LOGS: Check = Check {
    id: "EA228",
    name: "tokens-in-access-logs",
    severity: Severity::Medium,
    title: "access logs contain tokens",
    why: "The policy accepts tokens in the query string or in a cookie, and CloudFront writes these into its \
     access logs. A person who reads a log can use a token until it expires.",
    remedy: "turn the older kind of logs (standard logging, legacy) off, or leave cookies out of them, and use logs \
     with chosen fields instead",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&HTTP, &TLS, &ROOT, &STAGING, &LOGS], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in subject.behaviors() {
        let policy = one.behavior.viewer_protocol_policy.as_str();
        let severity = match policy {
            "https-only" => continue,
            "redirect-to-https" => Severity::Medium,
            _ => Severity::High,
        };
        let message = format!("{} has `{}`", one.name, policy.escape_debug());
        found.push(one.spot.then("ViewerProtocolPolicy").found(&HTTP, message).severity(severity));
    }
    let (view, config) = (subject.view(), subject.config());
    let certificate = &view.viewer_certificate;
    let minimum = certificate.minimum_protocol_version.as_deref().unwrap_or_default();
    let is_new = ["TLSv1.2_", "TLSv1.3_"].iter().any(|new| minimum.starts_with(new));
    let spot = config.then("ViewerCertificate");
    if certificate.cloud_front_default_certificate {
        let message = "viewers get CloudFront's own certificate, which accepts TLS 1.0";
        found.push(spot.found(&TLS, message).severity(Severity::Low));
    } else if !is_new {
        let message = format!("`MinimumProtocolVersion` is `{}`", minimum.escape_debug());
        found.push(spot.found(&TLS, message));
    }
    if subject.distribution_needs.lists && !view.default_root_object.is_empty() {
        let message = format!("`DefaultRootObject` is `{}`", view.default_root_object.escape_debug());
        found.push(config.then("DefaultRootObject").found(&ROOT, message));
    }
    let continuous = &view.continuous_deployment_policy_id;
    if !continuous.is_empty() {
        staging(subject, continuous, found);
    }
    if view.staging {
        let message = "this is a staging distribution: viewers reach it through another one, which is not in the export";
        found.push(config.then("Staging").found(&STAGING, message).severity(Severity::Low));
    }
    logs(subject, found);
}

/// What the staging distribution does with the requests that it gets.
fn staging(subject: &DeploymentSubject<'_>, policy: &str, found: &mut Vec<DeploymentFinding>) {
    let spot = subject.config().then("ContinuousDeploymentPolicyId");
    let policy = policy.escape_debug();
    let Some(read) = subject.read::<ContinuousDeploymentFile>("continuous-deployment-policy.json") else {
        let message = format!("continuous deployment policy `{policy}` may divide the requests");
        found.push(spot.found(&STAGING, message).severity(Severity::Medium));
        return;
    };
    if !read.continuous_deployment_policy.continuous_deployment_policy_config.enabled {
        let message = format!("continuous deployment policy `{policy}` is not in effect");
        found.push(spot.found(&STAGING, message).severity(Severity::Low));
        return;
    }
    let message = format!("continuous deployment policy `{policy}` divides the requests");
    found.push(spot.found(&STAGING, message).severity(Severity::Medium));
    let file = "staging-distribution.json";
    let Some(other) = subject.another_distribution(file) else { return };
    let buckets = subject.buckets();
    let ours: Vec<String> = subject
        .behaviors()
        .iter()
        .filter_map(|one| one.behavior.viewer_request().map(|one| one.arn.clone()))
        .collect();
    for (name, behavior) in other.view().behaviors() {
        let targets: Vec<Target> = other.view().origins_of(behavior).into_iter().map(Target::of).collect();
        let reaches = targets.iter().any(|target| {
            target.any_bucket().is_some() || target.bucket().is_some_and(|bucket| buckets.contains(bucket))
        });
        let has_ours = behavior.viewer_request().is_some_and(|one| ours.contains(&one.arn));
        let past = behavior.grpc_config.enabled || behavior.smooth_streaming;
        if reaches && (!has_ours || past) {
            let message =
                format!("{name} of the staging distribution reaches the bucket past the authorizer");
            found.push(Spot::file(file).found(&STAGING, message));
        }
    }
}

fn logs(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let (logging, credentials) = (&subject.view().logging, subject.policy().credentials());
    let spot = subject.config().then("Logging");
    if logging.enabled
        && let Some(name) = &credentials.query
    {
        let message = format!(
            "access logs contain the query string, and its `{}` may contain a token",
            name.escape_debug()
        );
        found.push(spot.then("Enabled").found(&LOGS, message));
    }
    if logging.enabled
        && logging.include_cookies
        && let Some(name) = &credentials.cookie
    {
        let message = format!(
            "access logs contain cookies, and `{}` may contain a token",
            name.to_string().escape_debug()
        );
        found.push(spot.then("IncludeCookies").found(&LOGS, message));
    }
}
