//! What of a request reaches S3: what the cache's key has, and what the origin request policy adds to it.

use authorizer_cloudfront::{Forwarding, Selection};

use crate::check::{Check, Severity};
use crate::deployment::documents::{CachePolicyFile, OriginRequestPolicyFile, Parts};
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::{BehaviorAt, DeploymentSubject};
use crate::family::Family;

static QUERY_LOST: Check = Check {
    id: "EA240",
    name: "query-not-forwarded",
    severity: Severity::High,
    title: "a query parameter that an operation needs does not reach S3",
    why: "Without it the operation becomes another. A listing becomes one of the whole bucket, \
     AbortMultipartUpload becomes DeleteObject, UploadPart becomes a PutObject that overwrites, and a \
     version becomes the current one. What happens is not what was decided.",
    remedy: "make the origin request policy forward every query string",
};

static HOST: Check = Check {
    id: "EA241",
    name: "host-forwarded",
    severity: Severity::Medium,
    title: "the viewer's `Host` reaches S3",
    why: "S3 finds the bucket by this header. It looks for a bucket with the viewer's domain name, which does not \
     exist or belongs to somebody else.",
    remedy: "choose an origin request policy without `Host`, such as Managed-AllViewerExceptHostHeader",
};

static COOKIES: Check = Check {
    id: "EA242",
    name: "cookies-forwarded",
    severity: Severity::Medium,
    title: "cookies are forwarded to S3",
    why: "S3 does not use cookies, and `If-None-Match` may not be forwarded together with them. Then an object \
     that a `create_only` rule protects is overwritten. Without such a rule this has low severity.",
    remedy: "set `CookieBehavior` to `none`",
};

static HEADERS_LOST: Check = Check {
    id: "EA243",
    name: "header-not-forwarded",
    severity: Severity::High,
    title: "a header that an operation needs does not reach S3",
    why: "Without `If-None-Match`, what is `create_only` is overwritten, and without `x-amz-mp-object-size`, a \
     multipart upload has no limit: both are high. Without a rule's metadata headers, objects are stored \
     without metadata (medium). Without the others, S3 reads or stores something else than was requested \
     (low).",
    remedy: "add the headers to the origin request policy; `infra/parameters` prints those of a policy",
};

static OVERRIDE_LOST: Check = Check {
    id: "EA244",
    name: "response-override-not-forwarded",
    severity: Severity::Low,
    title: "a viewer cannot choose a response header that a rule allows them to choose",
    why: "The parameter does not reach S3, so S3 answers with the stored header. AWS's own origin request \
     policies leave some of these parameters out for a bucket, whatever else of the query string they \
     forward.",
    remedy: "create your own origin request policy that forwards every query string",
};

pub(super) static FAMILY: Family =
    Family::Deployment(&[&QUERY_LOST, &HOST, &COOKIES, &HEADERS_LOST, &OVERRIDE_LOST], find);

/// What goes to the origin, and the place that says so.
struct Forwarded {
    spot: Spot,
    parts: Vec<Parts>,
    is_awss_own: bool,
}

impl Forwarded {
    fn any(&self, choose: impl Fn(&Parts) -> &Selection, has: impl Fn(&Selection) -> bool) -> bool {
        self.parts.iter().any(|parts| has(choose(parts)))
    }

    fn has_query(&self, name: &str) -> bool {
        self.any(|parts| &parts.query_strings_config.0, |chosen| chosen.has(name))
    }

    fn has_header(&self, name: &str) -> bool {
        self.any(|parts| &parts.headers_config.0, |chosen| chosen.has_header(name))
    }
}

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in subject.behaviors() {
        if let Some(forwarded) = forwarded(subject, &one) {
            judge(subject, &one, &forwarded, found);
        }
    }
}

/// None where it cannot be judged, which is found here or by the check of the cache.
fn forwarded(subject: &DeploymentSubject<'_>, one: &BehaviorAt<'_>) -> Option<Forwarded> {
    let chosen = |id: &Option<String>| id.clone().filter(|id| !id.is_empty());
    let cache = chosen(&one.behavior.cache_policy_id)?;
    let cache: CachePolicyFile = subject.read(&format!("cache-policy-{cache}.json"))?;
    let mut parts = vec![cache.cache_policy.cache_policy_config.key];
    let Some(id) = chosen(&one.behavior.origin_request_policy_id) else {
        return Some(Forwarded { spot: one.spot.clone(), parts, is_awss_own: false });
    };
    let file = format!("origin-request-policy-{id}.json");
    let read: OriginRequestPolicyFile = subject.read(&file)?;
    let config = read.origin_request_policy.origin_request_policy_config;
    let is_awss_own = Forwarding::of(&id) != Forwarding::Unknown || config.name.starts_with("Managed-");
    parts.push(config.parts);
    let spot = Spot::file(file).then("OriginRequestPolicy/OriginRequestPolicyConfig");
    Some(Forwarded { spot, parts, is_awss_own })
}

fn judge(
    subject: &DeploymentSubject<'_>,
    one: &BehaviorAt<'_>,
    forwarded: &Forwarded,
    found: &mut Vec<DeploymentFinding>,
) {
    let (needs, name, spot) = (&subject.deployment_needs, &one.name, &forwarded.spot);
    let listed = |names: Vec<&str>| {
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
        names.join(", ")
    };
    let lost: Vec<_> = needs.parameters.iter().copied().filter(|one| !forwarded.has_query(one)).collect();
    if !lost.is_empty() {
        let message = format!("{name} does not forward {}", listed(lost));
        found.push(spot.then_if_policy("QueryStringsConfig").found(&QUERY_LOST, message));
    }
    let dropped = &subject.distribution_needs.dropped_overrides;
    let is_lost = |one: &&str| !forwarded.has_query(one) || (forwarded.is_awss_own && dropped.contains(one));
    let lost: Vec<_> = needs.overrides.iter().copied().filter(is_lost).collect();
    if !lost.is_empty() {
        let message = format!("{name} does not forward {}", listed(lost));
        found.push(spot.then_if_policy("QueryStringsConfig").found(&OVERRIDE_LOST, message));
    }
    let headers = spot.then_if_policy("HeadersConfig");
    if forwarded.has_header("host") {
        found.push(headers.clone().found(&HOST, format!("{name} forwards `Host`")));
    }
    let lost: Vec<_> = needs.headers.iter().filter(|(header, _)| !forwarded.has_header(header)).collect();
    if let Some(severity) = lost.iter().map(|(_, severity)| **severity).max() {
        let lost = lost.iter().map(|(header, _)| header.as_str()).collect();
        let message = format!("{name} does not forward {}", listed(lost));
        found.push(headers.found(&HEADERS_LOST, message).severity(severity));
    }
    if forwarded.any(|parts| &parts.cookies_config.0, |chosen| !chosen.is_empty()) {
        let severity = if needs.create_only { Severity::Medium } else { Severity::Low };
        let spot = spot.then_if_policy("CookiesConfig");
        found.push(spot.found(&COOKIES, format!("{name} forwards cookies")).severity(severity));
    }
}

impl Spot {
    /// A member of the policy; the behavior itself where that has none.
    fn then_if_policy(&self, member: &str) -> Self {
        if self.is_in("origin-request-policy-") { self.then(member) } else { self.clone() }
    }
}
