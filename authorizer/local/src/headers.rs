//! The headers that a Lambda@Edge function must not change, and the headers of one connection.
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-restrictions.html>

use http::header::CONNECTION;
use http::{HeaderMap, HeaderName};

/// Headers that a function never receives and must not add.
const DISALLOWED: [&str; 27] = [
    "client-cert",
    "client-cert-chain",
    "cloudfront-viewer-cert-pem",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-real-ip",
];

/// Headers that a viewer-request function receives and must not change or drop.
const READ_ONLY: [&str; 5] = ["cdn-loop", "content-length", "host", "transfer-encoding", "via"];

/// Headers of one HTTP/1.1 connection, in addition to the disallowed ones.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a function does not receive the header with this lower-case name.
pub(crate) fn is_hidden(name: &str) -> bool {
    DISALLOWED.contains(&name)
        || name == "x-forwarded-proto"
        || name.starts_with("x-amz-cf-")
        || name.starts_with("x-edge-")
}

/// Whether a function must not add or edit the header with this lower-case name. AWS's page of today names some headers
/// that begin with `X-Amzn-`, an older one has `X-Amzn-*`. This is the stricter of the two.
pub(crate) fn is_disallowed(name: &str) -> bool {
    is_hidden(name) || name.starts_with("x-amzn-")
}

/// Whether a viewer-request function must not add the header with this lower-case name: CloudFront adds these after the
/// function.
pub(crate) fn is_of_viewer(name: &str) -> bool {
    name.starts_with("cloudfront-viewer-")
}

/// Whether a function must return the header with this lower-case name unchanged.
pub(crate) fn is_read_only(name: &str) -> bool {
    READ_ONLY.contains(&name)
}

/// The read-only headers.
pub(crate) fn read_only() -> impl Iterator<Item = &'static str> {
    READ_ONLY.into_iter()
}

/// Whether the header is for one connection only.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(&name.as_str())
}

/// Whether the sender named the header in `Connection`, which makes it valid for this connection only.
pub(crate) fn is_named_by_connection(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|named| named.trim().eq_ignore_ascii_case(name.as_str()))
}
