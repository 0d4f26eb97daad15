//! What CloudFront makes of an error of S3's.

use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::check::{Check, Severity};
use crate::family::Family;

static PAGE: Check = Check {
    id: "EA225",
    name: "custom-error-page",
    severity: Severity::Medium,
    title: "an error is answered with a page",
    why: "CloudFront gets the page from an origin by itself, so viewers are served an object that nobody decided on for \
     them, and a client that looks at the status or reads the problem's document meets something else.",
    remedy: "take `ResponsePagePath` and `ResponseCode` off the error response",
};

static CACHED: Check = Check {
    id: "EA226",
    name: "errors-cached",
    severity: Severity::Low,
    title: "errors of S3's are kept, and served to others",
    why: "CloudFront keeps an error for 10 seconds where nothing else is said, under a key that may have no query string, \
     even where it caches no object. An object that was asked for before it was uploaded stays missing for everybody, \
     and an error for an old version is one for the present one.",
    remedy: "set `ErrorCachingMinTTL` to 0 for 404, 500, 502, 503 and 504, and for whatever else is listed",
};

/// The errors that CloudFront keeps by itself and S3 may give on these operations ([AWS: HTTP 4xx and 5xx status codes
/// that CloudFront caches](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html)).
const KEPT: [u16; 5] = [404, 500, 502, 503, 504];

pub(super) static FAMILY: Family = Family::Deployment(&[&PAGE, &CACHED], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let responses = &subject.view().custom_error_responses.0;
    let spot = subject.config().then("CustomErrorResponses");
    let mut kept: Vec<u16> = KEPT.to_vec();
    kept.retain(|code| responses.iter().all(|one| one.error_code != *code));
    for (index, one) in responses.iter().enumerate() {
        let code = one.error_code;
        if !one.response_page_path.is_empty() {
            let message = format!("{code} is answered with `{}`", one.response_page_path.escape_debug());
            found.push(spot.then("Items").at(index).found(&PAGE, message));
        }
        if one.error_caching_min_ttl != Some(0) {
            kept.push(code);
        }
    }
    kept.sort_unstable();
    if !kept.is_empty() {
        let codes: Vec<_> = kept.iter().map(ToString::to_string).collect();
        found.push(spot.found(&CACHED, format!("{} may be kept", codes.join(", "))));
    }
}
