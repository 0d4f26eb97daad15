//! What is cached, and under which key. The function decides on every request, cache hits included, so that an object
//! is cached for nobody who is not let at it; but what is the same to the cache must be the same to S3.

use crate::deployment::documents::CachePolicyFile;
use crate::deployment::finding::{Finding, Spot};
use crate::deployment::subject::{BehaviorAt, Subject};
use crate::{Check, Severity};

static WITHOUT_QUERY: Check = Check::of_deployment(
    ("EA230", "cache-key-without-query"),
    Severity::High,
    "answers are cached under a key without a query parameter that makes them what they are",
    "The function decides on the listing, the version or the response headers that are asked for, and the cache \
     answers with those that another viewer was given before: it takes the requests for one.",
    "cache nothing (Managed-CachingDisabled), or have every query string in the cache's key",
);

static CACHED: Check = Check::of_deployment(
    ("EA231", "objects-cached"),
    Severity::Low,
    "objects are cached",
    "An object is still served after it was overwritten or deleted. Where `MinTTL` is not 0, that is so even of what \
     S3 says must not be kept; otherwise this is informational. The function decides on each request all the same.",
    "use Managed-CachingDisabled where an object must be gone when it is deleted; make `MinTTL` 0 in any case",
);

static OLDER: Check = Check::of_deployment(
    ("EA232", "older-cache-settings"),
    Severity::Medium,
    "a behavior has the older cache settings in the place of a cache policy",
    "They say at once what is in the key and what goes to the origin, together with every `Cache-Control` of the \
     objects; `authorizer attach` does not take them, and what they cache is not judged here.",
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
        let message = format!("{}: the key of `{name}` has no {}", one.name, lost.join(", "));
        let spot = spot.then("ParametersInCacheKeyAndForwardedToOrigin/QueryStringsConfig");
        found.push(spot.found(&WITHOUT_QUERY, message));
    }
    let severity = if config.min_ttl > 0 { Severity::Low } else { Severity::Informational };
    let message = format!("{}: `{name}` keeps objects {} to {} seconds", one.name, config.min_ttl, config.max_ttl);
    found.push(spot.found(&CACHED, message).severity(severity));
}
