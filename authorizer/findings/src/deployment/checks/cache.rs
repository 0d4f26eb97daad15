//! What is cached, and under which key. The function decides on every request, cache hits included, so that an object
//! is cached for nobody who is not let at it; but what is the same to the cache must be the same to S3.

use crate::check::{Check, Severity};
use crate::deployment::documents::CachePolicyFile;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::{BehaviorAt, DeploymentSubject};
use crate::family::Family;

static WITHOUT_QUERY: Check = Check {
    id: "EA230",
    name: "cache-key-without-query",
    severity: Severity::High,
    title: "the cache key lacks a query parameter that changes the answer",
    why: "The function decides on the listing, the version or the response headers that a viewer requests. To the \
     cache these requests are the same, so it answers with what another viewer got before.",
    remedy: "cache nothing (Managed-CachingDisabled), or put every query string into the cache key",
};

static CACHED: Check = Check {
    id: "EA231",
    name: "objects-cached",
    severity: Severity::Low,
    title: "objects are cached",
    why: "CloudFront still serves an object after it was overwritten or deleted. If `MinTTL` is not 0, it does so \
     even if S3 says that the object must not be cached; otherwise this is informational. The function still \
     decides on each request.",
    remedy: "use Managed-CachingDisabled if a deleted object must disappear at once; set `MinTTL` to 0 in any case",
};

static OLDER: Check = Check {
    id: "EA232",
    name: "older-cache-settings",
    severity: Severity::Medium,
    title: "a behavior has the older cache settings instead of a cache policy",
    why: "These settings mix what is in the cache key with what goes to the origin, and they use the \
     `Cache-Control` of each object. `authorizer attach` does not accept them, and no check here looks at \
     what they cache.",
    remedy: "choose a cache policy and an origin request policy",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&WITHOUT_QUERY, &CACHED, &OLDER], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in subject.behaviors() {
        let Some(id) = one.behavior.cache_policy_id.as_deref().filter(|id| !id.is_empty()) else {
            found.push(one.spot.clone().found(&OLDER, format!("{} has no `CachePolicyId`", one.name)));
            continue;
        };
        let file = format!("cache-policy-{id}.json");
        if let Some(read) = subject.read(&file) {
            judge(subject, &one, &file, &read, found);
        }
    }
}

fn judge(
    subject: &DeploymentSubject<'_>,
    one: &BehaviorAt<'_>,
    file: &str,
    read: &CachePolicyFile,
    found: &mut Vec<DeploymentFinding>,
) {
    let config = &read.cache_policy.cache_policy_config;
    if config.max_ttl == 0 && config.min_ttl == 0 {
        return;
    }
    let spot = Spot::file(file).then("CachePolicy/CachePolicyConfig");
    let name = config.name.escape_debug();
    let in_key = &config.key.query_strings_config.0;
    let lost = subject.deployment_needs.read_parameters.iter().filter(|parameter| !in_key.has(parameter));
    let lost: Vec<_> = lost.map(|parameter| format!("`{parameter}`")).collect();
    if !lost.is_empty() {
        let message = format!("{}: the cache key of `{name}` does not have {}", one.name, lost.join(", "));
        let spot = spot.then("ParametersInCacheKeyAndForwardedToOrigin/QueryStringsConfig");
        found.push(spot.found(&WITHOUT_QUERY, message));
    }
    let severity = if config.min_ttl > 0 { Severity::Low } else { Severity::Informational };
    let message =
        format!("{}: `{name}` caches objects for {} to {} seconds", one.name, config.min_ttl, config.max_ttl);
    found.push(spot.found(&CACHED, message).severity(severity));
}
