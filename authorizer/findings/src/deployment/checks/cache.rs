//! What is cached, and under which key. The function decides on every request, cache hits included, so that an object
//! is cached for nobody who is not let at it; but what is the same to the cache must be the same to S3.

use crate::deployment::documents::CachePolicyFile;
use crate::deployment::finding::{Finding, Spot};
use crate::deployment::subject::{BehaviorAt, Subject};
use crate::{Check, Severity};

static WITHOUT_QUERY: Check = Check::of_deployment(
    ("EA230", "cache-key-without-query"),
    Severity::High,
    "the cache key lacks a query parameter that changes the answer",
    "The function decides on the listing, the version or the response headers that a viewer requests. To the \
     cache these requests are the same, so it answers with what another viewer got before.",
    "cache nothing (Managed-CachingDisabled), or put every query string into the cache key",
);

static CACHED: Check = Check::of_deployment(
    ("EA231", "objects-cached"),
    Severity::Low,
    "objects are cached",
    "CloudFront still serves an object after it was overwritten or deleted. If `MinTTL` is not 0, it does so \
     even if S3 says that the object must not be cached; otherwise this is informational. The function still \
     decides on each request.",
    "use Managed-CachingDisabled if a deleted object must disappear at once; set `MinTTL` to 0 in any case",
);

static OLDER: Check = Check::of_deployment(
    ("EA232", "older-cache-settings"),
    Severity::Medium,
    "a behavior has the older cache settings instead of a cache policy",
    "These settings mix what is in the cache key with what goes to the origin, and they use the \
     `Cache-Control` of each object. `authorizer attach` does not accept them, and no check here looks at \
     what they cache.",
    "choose a cache policy and an origin request policy",
);

pub(super) static CHECKS: &[&Check] = &[&WITHOUT_QUERY, &CACHED, &OLDER];

pub(super) fn find(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for one in subject.behaviors() {
        let Some(id) = one.behavior.cache_policy_id.as_deref().filter(|id| !id.is_empty()) else {
            found.push(one.spot.clone().found(&OLDER, format!("{} has no `CachePolicyId`", one.name)));
            continue;
        };
        let file = format!("cache-policy-{id}.json");
        if let Some(read) = subject.read(&file, found) {
            judge(subject, &one, &file, &read, found);
        }
    }
}

fn judge(
    subject: &Subject<'_>,
    one: &BehaviorAt<'_>,
    file: &str,
    read: &CachePolicyFile,
    found: &mut Vec<Finding>,
) {
    let config = &read.cache_policy.cache_policy_config;
    if config.max_ttl == 0 && config.min_ttl == 0 {
        return;
    }
    let spot = Spot::file(file).then("CachePolicy/CachePolicyConfig");
    let name = config.name.escape_debug();
    let in_key = &config.key.query_strings_config.0;
    let lost = subject.demands.read_parameters.iter().filter(|parameter| !in_key.has(parameter));
    let lost: Vec<_> = lost.map(|parameter| format!("`{parameter}`")).collect();
    if !lost.is_empty() {
        let message = format!("{}: the cache key of `{name}` does not have {}", one.name, lost.join(", "));
        let spot = spot.then("ParametersInCacheKeyAndForwardedToOrigin/QueryStringsConfig");
        found.push(spot.found(&WITHOUT_QUERY, message));
    }
    let severity = if config.min_ttl > 0 { Severity::Low } else { Severity::Informational };
    let message = format!("{}: `{name}` caches objects for {} to {} seconds", one.name, config.min_ttl, config.max_ttl);
    found.push(spot.found(&CACHED, message).severity(severity));
}
