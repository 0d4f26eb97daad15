//! What becomes of each request header on its way to S3.

use crate::event::CloudFrontHeader;
use crate::operation::S3Operation;

/// What becomes of a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It reaches S3: it belongs to the operation.
    Forward,
    /// It reaches S3 where the rule that allows the request lets it: [`crate::upload`] reads it.
    AsRuleSays,
    /// It stays as CloudFront has it: the function may not add, change or remove it.
    LeaveAlone,
    /// It is taken out: S3 has no use for it, or must not see it.
    Remove,
    /// The request is refused: the header would change what is done.
    Refuse,
}

/// What becomes of the header `name` (lower case) on a request for `operation`.
// Not inlined: in a loop over headers, LLVM would write the loop out for every operation and take minutes.
#[inline(never)]
pub(crate) fn fate(operation: S3Operation, name: &str, lines: &[CloudFrontHeader<'_>]) -> Fate {
    if is_cloudfronts_own(name) {
        return Fate::LeaveAlone;
    }
    if let Some(name) = name.strip_prefix("x-amz-") {
        return amz_fate(operation, name, lines);
    }
    let (forwarded, refused) = headers_of(operation);
    // A body in this coding is unwrapped by S3: what is stored would not be what was sent (AWS: SigV4
    // streaming, `aws-chunked`).
    let is_wrapped = |line: &CloudFrontHeader<'_>| line.value.to_ascii_lowercase().contains("aws-chunked");
    let wraps = is_upload(operation) && name == "content-encoding" && lines.iter().any(is_wrapped);
    if METHOD_OVERRIDES.contains(&name) || refused.contains(&name) || wraps {
        return Fate::Refuse;
    }
    if !forwarded.contains(&name) {
        return Fate::Remove;
    }
    // The one condition of this name that S3 has on writes (AWS: conditional writes).
    if is_upload(operation) && name == "if-none-match" && lines.iter().any(|line| line.value != "*") {
        return Fate::Refuse;
    }
    // A value that a reader could split into two headers. CloudFront hands none over.
    let splits = |line: &CloudFrontHeader<'_>| line.value.chars().any(|c| c.is_control() && c != '\t');
    if lines.iter().any(splits) { Fate::Refuse } else { Fate::Forward }
}

/// The headers of S3's own, without their `x-amz-`. What is not named here is refused: copy sources, ACLs and
/// grants, tags, storage classes, encryption, object lock, redirects, security tokens, and what is yet to come.
fn amz_fate(operation: S3Operation, name: &str, lines: &[CloudFrontHeader<'_>]) -> Fate {
    use S3Operation::{
        CompleteMultipartUpload, CreateMultipartUpload, GetObject, GetObjectVersion, HeadObject,
        HeadObjectVersion, PutObject,
    };
    match name {
        // What AWS's SDKs say of themselves.
        "user-agent" => Fate::Remove,
        // Asks S3 to say the checksum that is stored with the object.
        "checksum-mode" => {
            let reads = [GetObject, HeadObject, GetObjectVersion, HeadObjectVersion].contains(&operation);
            let asks = lines.len() <= 1 && lines.iter().all(|line| line.value == "ENABLED");
            if reads && asks { Fate::Forward } else { Fate::Refuse }
        }
        "content-sha256" | "sdk-checksum-algorithm" if is_upload(operation) => Fate::AsRuleSays,
        "mp-object-size" if operation == CompleteMultipartUpload => Fate::AsRuleSays,
        _ if name.starts_with("checksum-") && is_upload(operation) => Fate::AsRuleSays,
        _ if name.starts_with("meta-") && [PutObject, CreateMultipartUpload].contains(&operation) => {
            Fate::AsRuleSays
        }
        _ => Fate::Refuse,
    }
}

/// Whether the operation brings something into the bucket.
pub(crate) fn is_upload(operation: S3Operation) -> bool {
    match operation {
        S3Operation::PutObject
        | S3Operation::CreateMultipartUpload
        | S3Operation::UploadPart
        | S3Operation::CompleteMultipartUpload => true,
        S3Operation::GetObject
        | S3Operation::HeadObject
        | S3Operation::DeleteObject
        | S3Operation::GetObjectVersion
        | S3Operation::HeadObjectVersion
        | S3Operation::ListObjectsV2
        | S3Operation::AbortMultipartUpload
        | S3Operation::ListParts => false,
    }
}

/// The operation's headers that are not `x-amz-*`, and those that it refuses.
fn headers_of(operation: S3Operation) -> (&'static [&'static str], &'static [&'static str]) {
    match operation {
        S3Operation::GetObject
        | S3Operation::HeadObject
        | S3Operation::GetObjectVersion
        | S3Operation::HeadObjectVersion => (&READ_HEADERS, &[]),
        S3Operation::ListObjectsV2 | S3Operation::ListParts => (&LIST_HEADERS, &[]),
        S3Operation::PutObject => (&WRITE_HEADERS, &WRITE_CONDITIONS),
        S3Operation::CreateMultipartUpload => (&CREATE_HEADERS, &WRITE_CONDITIONS),
        S3Operation::UploadPart => (&PART_HEADERS, &WRITE_CONDITIONS),
        S3Operation::CompleteMultipartUpload => (&COMPLETE_HEADERS, &WRITE_CONDITIONS),
        S3Operation::DeleteObject | S3Operation::AbortMultipartUpload => (&DELETE_HEADERS, &WRITE_CONDITIONS),
    }
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

/// ListObjectsV2 and ListParts have none of their own.
const LIST_HEADERS: [&str; 2] = ["accept", "accept-encoding"];

/// PutObject's own headers.
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

/// CreateMultipartUpload's: those that are stored with the object.
const CREATE_HEADERS: [&str; 7] = [
    "accept",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// UploadPart's.
const PART_HEADERS: [&str; 2] = ["accept", "content-md5"];

/// CompleteMultipartUpload's, whose body is the list of the parts.
const COMPLETE_HEADERS: [&str; 2] = ["accept", "if-none-match"];

/// DeleteObject and AbortMultipartUpload have none of their own.
const DELETE_HEADERS: [&str; 1] = ["accept"];

/// The headers that a viewer-request function may not touch
/// ([AWS: restrictions on edge functions](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html)):
/// the disallowed ones, which an event should not hold at all, and the read-only ones.
fn is_cloudfronts_own(name: &str) -> bool {
    matches!(
        name,
        "cdn-loop"
            | "connection"
            | "content-length"
            | "expect"
            | "host"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "via"
            | "x-accel-buffering"
            | "x-accel-charset"
            | "x-accel-limit-rate"
            | "x-accel-redirect"
            | "x-amzn-auth"
            | "x-amzn-cf-billing"
            | "x-amzn-cf-id"
            | "x-amzn-cf-xff"
            | "x-amzn-errortype"
            | "x-amzn-fle-profile"
            | "x-amzn-header-count"
            | "x-amzn-header-order"
            | "x-amzn-lambda-integration-tag"
            | "x-amzn-requestid"
            | "x-cache"
            | "x-forwarded-proto"
            | "x-real-ip"
    ) || ["x-amz-cf-", "x-edge-"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_header_has_one_fate_for_each_operation() {
        use Fate::{AsRuleSays, Forward, LeaveAlone, Refuse, Remove};
        use S3Operation as Op;
        const OPERATIONS: [S3Operation; 7] = [
            Op::GetObject,
            Op::PutObject,
            Op::DeleteObject,
            Op::ListObjectsV2,
            Op::CreateMultipartUpload,
            Op::UploadPart,
            Op::CompleteMultipartUpload,
        ];
        let hex = "0".repeat(64);
        for (name, value, fates) in [
            ("range", "bytes=0-1", [Forward, Remove, Remove, Remove, Remove, Remove, Remove]),
            ("if-none-match", "*", [Forward, Forward, Remove, Remove, Remove, Remove, Forward]),
            ("if-none-match", "\"e\"", [Forward, Refuse, Remove, Remove, Remove, Remove, Refuse]),
            ("if-match", "\"e\"", [Forward, Refuse, Refuse, Remove, Refuse, Refuse, Refuse]),
            (
                "if-unmodified-since",
                "Sat, 01 Jan 2000 00:00:00 GMT",
                [Forward, Refuse, Refuse, Remove, Refuse, Refuse, Refuse],
            ),
            ("content-range", "bytes 0-1/9", [Remove, Refuse, Refuse, Remove, Refuse, Refuse, Refuse]),
            ("content-type", "image/png", [Remove, Forward, Remove, Remove, Forward, Remove, Remove]),
            ("content-md5", "x", [Remove, Forward, Remove, Remove, Remove, Forward, Remove]),
            ("content-encoding", "gzip", [Remove, Forward, Remove, Remove, Forward, Remove, Remove]),
            (
                "content-encoding",
                "gzip, AWS-chunked",
                [Remove, Refuse, Remove, Remove, Refuse, Refuse, Refuse],
            ),
            ("content-type", "a\r\nx-amz-acl: b", [Remove, Refuse, Remove, Remove, Refuse, Remove, Remove]),
            ("authorization", "Bearer x", [Remove; 7]),
            ("cookie", "a=b", [Remove; 7]),
            ("origin", "https://a.example", [Remove; 7]),
            ("x-custom", "1", [Remove; 7]),
            ("x-amz-user-agent", "aws-sdk-js/3", [Remove; 7]),
            ("host", "d", [LeaveAlone; 7]),
            ("content-length", "3", [LeaveAlone; 7]),
            ("x-amz-cf-id", "3", [LeaveAlone; 7]),
            ("x-amz-copy-source", "b/k", [Refuse; 7]),
            ("x-amz-security-token", "b", [Refuse; 7]),
            ("x-amz-date", "20260101T000000Z", [Refuse; 7]),
            ("x-amz-trailer", "x-amz-checksum-crc32", [Refuse; 7]),
            ("x-method-override", "PUT", [Refuse; 7]),
            ("x-amz-meta-a", "b", [Refuse, AsRuleSays, Refuse, Refuse, AsRuleSays, Refuse, Refuse]),
            (
                "x-amz-checksum-crc32",
                "AAAAAA==",
                [Refuse, AsRuleSays, Refuse, Refuse, AsRuleSays, AsRuleSays, AsRuleSays],
            ),
            (
                "x-amz-content-sha256",
                hex.as_str(),
                [Refuse, AsRuleSays, Refuse, Refuse, AsRuleSays, AsRuleSays, AsRuleSays],
            ),
            ("x-amz-mp-object-size", "1", [Refuse, Refuse, Refuse, Refuse, Refuse, Refuse, AsRuleSays]),
            ("x-amz-checksum-mode", "ENABLED", [Forward, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse]),
            ("x-amz-checksum-mode", "enabled", [Refuse; 7]),
        ] {
            let lines = [CloudFrontHeader::new(name, value)];
            for (operation, expected) in OPERATIONS.into_iter().zip(fates) {
                // `checksum-mode` is no checksum; on an upload the rule has nothing to say of it.
                assert_eq!(fate(operation, name, &lines), expected, "{} {name}", operation.name());
            }
        }
        for (one, like) in [
            (Op::HeadObject, Op::GetObject),
            (Op::GetObjectVersion, Op::GetObject),
            (Op::HeadObjectVersion, Op::GetObject),
            (Op::ListParts, Op::ListObjectsV2),
            (Op::AbortMultipartUpload, Op::DeleteObject),
        ] {
            for name in ["range", "if-match", "content-type", "x-amz-meta-a", "x-amz-checksum-mode"] {
                assert_eq!(fate(one, name, &[]), fate(like, name, &[]), "{} {name}", one.name());
            }
        }
    }
}
