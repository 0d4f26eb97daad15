//! What CloudFront makes of an error of S3's.

use crate::check::{Check, Severity};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static PAGE: Check = Check {
    id: "EA225",
    name: "custom-error-page",
    severity: Severity::Medium,
    title: "CloudFront answers an error with a page",
    why: "CloudFront itself fetches the page from an origin, so viewers get an object without a decision. A \
     client that reads the status or the problem document gets something else.",
    remedy: "remove `ResponsePagePath` and `ResponseCode` from the error response",
};

static CACHED: Check = Check {
    id: "EA226",
    name: "errors-cached",
    severity: Severity::Low,
    title: "CloudFront caches errors of S3 and serves them to others",
    why: "CloudFront caches an error for 10 seconds by default, even if it caches no object, and the cache key \
     may have no query string. An object that was requested before its upload stays missing for everyone. An \
     error for an old version is also served for the current version.",
    remedy: "set `ErrorCachingMinTTL` to 0 for 404, 414, 500, 501, 502, 503 and 504, and for every other code in the list",
};

/// The errors that CloudFront keeps by itself and S3 may give on these operations ([AWS: HTTP 4xx and 5xx status codes
/// that CloudFront caches](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html)).
const KEPT: [u16; 7] = [404, 414, 500, 501, 502, 503, 504];

pub(super) static FAMILY: Family = Family::Deployment(&[&PAGE, &CACHED], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let responses = &subject.view().custom_error_responses.0;
    let spot = subject.config().then("CustomErrorResponses");
    let mut kept: Vec<u16> = KEPT.to_vec();
    kept.retain(|code| responses.iter().all(|one| one.error_code != *code));
    for (index, one) in responses.iter().enumerate() {
        let code = one.error_code;
        if !one.response_page_path.is_empty() {
            let message =
                format!("CloudFront answers {code} with `{}`", one.response_page_path.escape_debug());
            found.push(spot.then("Items").at(index).found(&PAGE, message));
        }
        if one.error_caching_min_ttl != Some(0) {
            kept.push(code);
        }
    }
    kept.sort_unstable();
    if !kept.is_empty() {
        let codes: Vec<_> = kept.iter().map(ToString::to_string).collect();
        found.push(spot.found(&CACHED, format!("{} may be cached", codes.join(", "))));
    }
}
