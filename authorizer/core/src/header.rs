//! What becomes of each request header on its way to S3.

use crate::event::CloudFrontHeader;
use crate::operation::S3Operation;

/// What becomes of a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It reaches S3: it belongs to the operation.
    Forward,
    /// It stays as CloudFront has it: the function may not add, change or remove it.
    LeaveAlone,
    /// It is taken out: S3 has no use for it, or must not see it.
    Remove,
    /// The request is refused: the header would change what is done.
    Refuse,
}

/// What becomes of the header `name` (lower case) on a request for `operation`.
pub(crate) fn fate(operation: S3Operation, name: &str, lines: &[CloudFrontHeader]) -> Fate {
    if is_cloudfronts_own(name) {
        return Fate::LeaveAlone;
    }
    if name.starts_with("x-amz-") || METHOD_OVERRIDES.contains(&name) {
        return Fate::Refuse;
    }
    let (forwarded, refused): (&[&str], &[&str]) = match operation {
        S3Operation::GetObject | S3Operation::HeadObject => (&READ_HEADERS, &[]),
        S3Operation::PutObject => (&WRITE_HEADERS, &WRITE_CONDITIONS),
        S3Operation::DeleteObject => (&DELETE_HEADERS, &WRITE_CONDITIONS),
    };
    if refused.contains(&name) {
        return Fate::Refuse;
    }
    if !forwarded.contains(&name) {
        return Fate::Remove;
    }
    let is_refused = |line: &CloudFrontHeader| {
        // A value that a reader could split into two headers. CloudFront hands none over.
        line.value.chars().any(|c| c.is_control() && c != '\t')
            // A body in this coding is unwrapped by S3: what is stored would not be what was sent
            // (AWS: SigV4 streaming, `aws-chunked`).
            || (name == "content-encoding" && line.value.to_ascii_lowercase().contains("aws-chunked"))
    };
    if lines.iter().any(is_refused) { Fate::Refuse } else { Fate::Forward }
}

const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// What would make a write another one. A condition on the ETag tells a writer what is stored, and S3 asks
/// for the right to read for it ([AWS: conditional
/// deletes](https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html)), which the
/// distribution has and the viewer may not. S3 knows neither partial uploads nor the condition on a date, and
/// without them the write would go on whole (RFC 9110 sections 13.1.4 and 14.5).
const WRITE_CONDITIONS: [&str; 3] = ["content-range", "if-match", "if-unmodified-since"];

/// GetObject's and HeadObject's own headers, and those that CloudFront negotiates with.
const READ_HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "cache-control",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];

/// PutObject's own headers that are not `x-amz-*`.
const WRITE_HEADERS: [&str; 9] = [
    "accept",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
    "if-none-match",
];

/// DeleteObject has none of its own.
const DELETE_HEADERS: [&str; 1] = ["accept"];

/// The headers that a viewer-request function may not touch
/// ([AWS: restrictions on edge functions](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html)):
/// the disallowed ones, which an event should not hold at all, and the read-only ones.
fn is_cloudfronts_own(name: &str) -> bool {
    const PREFIXES: [&str; 2] = ["x-amz-cf-", "x-edge-"];
    const NAMES: [&str; 30] = [
        "cdn-loop",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
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
        "x-forwarded-proto",
        "x-real-ip",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_header_has_one_fate_for_each_operation() {
        use Fate::{Forward, LeaveAlone, Refuse, Remove};
        for (name, value, get, put, delete) in [
            ("range", "bytes=0-1", Forward, Remove, Remove),
            ("if-none-match", "*", Forward, Forward, Remove),
            ("if-match", "\"e\"", Forward, Refuse, Refuse),
            ("if-unmodified-since", "Sat, 01 Jan 2000 00:00:00 GMT", Forward, Refuse, Refuse),
            ("content-range", "bytes 0-1/9", Remove, Refuse, Refuse),
            ("content-type", "image/png", Remove, Forward, Remove),
            ("content-encoding", "gzip", Remove, Forward, Remove),
            ("content-encoding", "gzip, AWS-chunked", Remove, Refuse, Remove),
            ("content-type", "a\r\nx-amz-acl: b", Remove, Refuse, Remove),
            ("authorization", "Bearer x", Remove, Remove, Remove),
            ("cookie", "a=b", Remove, Remove, Remove),
            ("user-agent", "curl", Remove, Remove, Remove),
            ("x-custom", "1", Remove, Remove, Remove),
            ("host", "d", LeaveAlone, LeaveAlone, LeaveAlone),
            ("content-length", "3", LeaveAlone, LeaveAlone, LeaveAlone),
            ("x-amz-cf-id", "3", LeaveAlone, LeaveAlone, LeaveAlone),
            ("x-amz-copy-source", "b/k", Refuse, Refuse, Refuse),
            ("x-amz-meta-a", "b", Refuse, Refuse, Refuse),
            ("x-amz-security-token", "b", Refuse, Refuse, Refuse),
            ("x-method-override", "PUT", Refuse, Refuse, Refuse),
        ] {
            let lines = [CloudFrontHeader::new(name, value)];
            assert_eq!(fate(S3Operation::GetObject, name, &lines), get, "GET {name}");
            assert_eq!(fate(S3Operation::HeadObject, name, &lines), get, "HEAD {name}");
            assert_eq!(fate(S3Operation::PutObject, name, &lines), put, "PUT {name}");
            assert_eq!(fate(S3Operation::DeleteObject, name, &lines), delete, "DELETE {name}");
        }
    }
}
