//! What happens to each request header on its way to S3.

use crate::checksum::ChecksumAlgorithm;
use crate::event::CloudFrontHeader;
use crate::operation::{LengthHeader, S3Operation};

/// What happens to a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It goes to S3, because it belongs to the operation.
    Forward,
    /// It goes to S3 if the rule that allows the request also allows the header: [`crate::upload`] reads it.
    AsRuleSays,
    /// It goes to S3 if the rule that allows the request allows this checksum, and is removed otherwise: the digest of
    /// an upload.
    ForChecksum(ChecksumAlgorithm),
    /// It stays unchanged: the function cannot add, change or remove it.
    LeaveAlone,
    /// It is removed: S3 does not use it, or must not see it.
    Remove,
    /// The request is refused: the header would change the operation.
    Refuse,
    /// The request is refused: the operation has the header, but not with this value.
    RefuseValue,
}

/// What happens to the header `name` (lower case) of a request for `operation`.
// Not inlined: in a loop over headers, LLVM would copy the loop for every operation and take minutes.
#[inline(never)]
pub(crate) fn fate(operation: S3Operation, name: &str, lines: &[CloudFrontHeader<'_>]) -> Fate {
    if is_cloudfronts_own(name) {
        return Fate::LeaveAlone;
    }
    if let Some(name) = name.strip_prefix("x-amz-") {
        return amz_fate(operation, name, lines);
    }
    // S3 decodes a body in this coding, so it would store something else than was sent (AWS: SigV4
    // streaming, `aws-chunked`).
    let is_wrapped = |line: &CloudFrontHeader<'_>| line.value.to_ascii_lowercase().contains("aws-chunked");
    let wraps = operation.is_upload() && name == "content-encoding" && lines.iter().any(is_wrapped);
    if wraps {
        return Fate::RefuseValue;
    }
    if (name.starts_with("x-") && METHOD_OVERRIDES.contains(&name))
        || operation.refused_headers().contains(&name)
    {
        return Fate::Refuse;
    }
    if !operation.forwarded_headers().contains(&name) {
        return Fate::Remove;
    }
    // The only value of this condition that S3 supports for writes (AWS: conditional writes).
    if operation.is_upload() && name == "if-none-match" && lines.iter().any(|line| line.value != "*") {
        return Fate::RefuseValue;
    }
    // A value that a reader could split into two headers. CloudFront does not send one.
    let splits = |line: &CloudFrontHeader<'_>| line.value.chars().any(|c| c.is_control() && c != '\t');
    if lines.iter().any(splits) { Fate::RefuseValue } else { Fate::Forward }
}

/// The `x-amz-` headers of S3, without the `x-amz-`. All others are refused: copy sources, ACLs and grants, tags,
/// storage classes, encryption, object lock, redirects, security tokens, and headers that S3 adds later.
fn amz_fate(operation: S3Operation, name: &str, lines: &[CloudFrontHeader<'_>]) -> Fate {
    match name {
        // AWS's SDKs describe themselves in these.
        "user-agent" => Fate::Remove,
        // What clients write whether they sign or not, and what opens nothing: the time of a signature (MinIO's SDKs for
        // Python and Java), the version of S3's interface (AWS's SDK for C++).
        "date" => removed_if(lines, is_time_of_a_signature),
        "api-version" => removed_if(lines, |value| value == "2006-03-01"),
        // AWS's SDK for Java, version 2, asks for the MD5 behind the object, and reads the object alone if the answer
        // does not announce one.
        "te" if operation.reads_object() => removed_if(lines, |value| value == "append-md5"),
        // The same SDK sends the checksum of the empty body of a read.
        _ if is_checksum(name) && operation.reads_object() => Fate::Remove,
        // Requests the checksum that is stored with the object.
        "checksum-mode" if operation.reads_object() => match lines {
            [] => Fate::Forward,
            [line] if line.value == "ENABLED" => Fate::Forward,
            _ => Fate::RefuseValue,
        },
        // SDKs send it without a signature too. CloudFront writes its own when it signs.
        "content-sha256" => digest_fate(operation, lines),
        "sdk-checksum-algorithm" if operation.is_upload() => Fate::AsRuleSays,
        "mp-object-size" if operation.length() == Some(LengthHeader::ObjectSize) => Fate::AsRuleSays,
        "checksum-algorithm" if operation == S3Operation::CreateMultipartUpload => Fate::AsRuleSays,
        "checksum-type" if operation.uploads_in_parts() && operation != S3Operation::UploadPart => {
            Fate::AsRuleSays
        }
        _ if is_checksum(name) && operation.is_upload() => Fate::AsRuleSays,
        _ if name.starts_with("meta-") && operation.describes_object() => Fate::AsRuleSays,
        _ => Fate::Refuse,
    }
}

/// `x-amz-content-sha256`. Without an upload it says nothing. Any value but a digest and `UNSIGNED-PAYLOAD` announces a
/// body that S3 decodes (AWS: SigV4 streaming).
fn digest_fate(operation: S3Operation, lines: &[CloudFrontHeader<'_>]) -> Fate {
    match lines {
        [] => Fate::Remove,
        [line] if line.value == "UNSIGNED-PAYLOAD" => Fate::Remove,
        [line] if is_sha256(&line.value) => match operation.is_upload() {
            true => Fate::ForChecksum(ChecksumAlgorithm::Sha256),
            false => Fate::Remove,
        },
        _ => Fate::RefuseValue,
    }
}

/// What becomes of a header that says nothing to S3 if it stands once, with a value that it can have.
fn removed_if(lines: &[CloudFrontHeader<'_>], is_value: impl Fn(&str) -> bool) -> Fate {
    match lines {
        [] => Fate::Remove,
        [line] if is_value(&line.value) => Fate::Remove,
        _ => Fate::RefuseValue,
    }
}

/// `20260131T120000Z` (AWS: elements of a request signature).
fn is_time_of_a_signature(text: &str) -> bool {
    let form = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    form.eq(*b"00000000T000000Z")
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a name, without its `x-amz-`, is that of a checksum.
fn is_checksum(name: &str) -> bool {
    name.strip_prefix("checksum-").is_some_and(|word| ChecksumAlgorithm::parse(word).is_some())
}

const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// The headers that a viewer-request function may not touch
/// ([AWS: restrictions on edge functions](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html)):
/// the disallowed ones, which an event should not contain at all, and the read-only ones.
fn is_cloudfronts_own(name: &str) -> bool {
    // By their first letter, because most headers have another one. Every header of a request is looked up.
    let names: &[&str] = match name.as_bytes() {
        [b'c', ..] => &["cdn-loop", "connection", "content-length"],
        [b'e', ..] => &["expect"],
        [b'h', ..] => &["host"],
        [b'k', ..] => &["keep-alive"],
        [b'p', ..] => &["proxy-authenticate", "proxy-authorization", "proxy-connection"],
        [b't', ..] => &["trailer", "transfer-encoding"],
        [b'u', ..] => &["upgrade"],
        [b'v', ..] => &["via"],
        [b'x', ..] => &[
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
        ],
        _ => return false,
    };
    names.contains(&name) || name.starts_with("x-amz-cf-") || name.starts_with("x-edge-")
}

/// Whether a header of this name (in lower case) says nothing to S3, to CloudFront, to HTTP or to the function, so that
/// it can contain a token. It is removed from every request.
pub(crate) fn names_nothing_else(name: &str) -> bool {
    const TAKEN: [&str; 24] = [
        "accept",
        "accept-charset",
        "accept-language",
        "authorization",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "early-data",
        "forwarded",
        "http2-settings",
        "max-forwards",
        "origin",
        "pragma",
        "priority",
        "referer",
        "save-data",
        "set-cookie",
        "te",
        "upgrade-insecure-requests",
        "user-agent",
        "warning",
        "www-authenticate",
        "x-requested-with",
    ];
    const FAMILIES: [&str; 14] = [
        "access-control-",
        "cdn-",
        "client-cert",
        "cloudfront-",
        "content-",
        "if-",
        "proxy-",
        "sec-",
        "x-accel-",
        "x-amz-",
        "x-amzn-",
        "x-cache",
        "x-edge-",
        "x-forwarded-",
    ];
    let is_of_an_operation = |operation: &S3Operation| {
        operation.forwarded_headers().contains(&name) || operation.refused_headers().contains(&name)
    };
    !TAKEN.contains(&name)
        && !METHOD_OVERRIDES.contains(&name)
        && !is_cloudfronts_own(name)
        && !FAMILIES.iter().any(|family| name.starts_with(family))
        && !S3Operation::ALL.iter().any(is_of_an_operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_header_has_one_fate_for_each_operation() {
        use Fate::{AsRuleSays, Forward, LeaveAlone, Refuse, RefuseValue, Remove};
        const DIGEST: Fate = Fate::ForChecksum(ChecksumAlgorithm::Sha256);
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
        let (hex, short) = ("0".repeat(64), "0".repeat(63));
        for (name, value, fates) in [
            ("range", "bytes=0-1", [Forward, Remove, Remove, Remove, Remove, Remove, Remove]),
            ("if-none-match", "*", [Forward, Forward, Remove, Remove, Remove, Remove, Forward]),
            ("if-none-match", "\"e\"", [Forward, RefuseValue, Remove, Remove, Remove, Remove, RefuseValue]),
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
                [Remove, RefuseValue, Remove, Remove, RefuseValue, RefuseValue, RefuseValue],
            ),
            (
                "content-type",
                "a\r\nx-amz-acl: b",
                [Remove, RefuseValue, Remove, Remove, RefuseValue, Remove, Remove],
            ),
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
            ("x-amz-date", "20260101T000000Z", [Remove; 7]),
            ("x-amz-date", "Thu, 01 Jan 2026 00:00:00 GMT", [RefuseValue; 7]),
            ("x-amz-date", "2026010aT000000Z", [RefuseValue; 7]),
            ("x-amz-date", "20260101T000000Z0", [RefuseValue; 7]),
            ("x-amz-date", "", [RefuseValue; 7]),
            ("x-amz-api-version", "2006-03-01", [Remove; 7]),
            ("x-amz-api-version", "2026-01-01", [RefuseValue; 7]),
            ("x-amz-te", "append-md5", [Remove, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse]),
            ("x-amz-te", "trailers", [RefuseValue, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse]),
            ("x-amz-trailer", "x-amz-checksum-crc32", [Refuse; 7]),
            ("x-method-override", "PUT", [Refuse; 7]),
            ("x-amz-meta-a", "b", [Refuse, AsRuleSays, Refuse, Refuse, AsRuleSays, Refuse, Refuse]),
            (
                "x-amz-checksum-crc32",
                "AAAAAA==",
                [Remove, AsRuleSays, Refuse, Refuse, AsRuleSays, AsRuleSays, AsRuleSays],
            ),
            ("x-amz-content-sha256", hex.as_str(), [Remove, DIGEST, Remove, Remove, DIGEST, DIGEST, DIGEST]),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD", [Remove; 7]),
            ("x-amz-content-sha256", "unsigned-payload", [RefuseValue; 7]),
            ("x-amz-content-sha256", "", [RefuseValue; 7]),
            ("x-amz-content-sha256", short.as_str(), [RefuseValue; 7]),
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", [RefuseValue; 7]),
            ("x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", [RefuseValue; 7]),
            (
                "x-amz-checksum-xxhash128",
                "AAAAAA==",
                [Remove, AsRuleSays, Refuse, Refuse, AsRuleSays, AsRuleSays, AsRuleSays],
            ),
            ("x-amz-checksum-crc65", "AAAAAA==", [Refuse; 7]),
            ("x-amz-checksum-", "AAAAAA==", [Refuse; 7]),
            ("x-amz-checksum-crc32-", "AAAAAA==", [Refuse; 7]),
            (
                "x-amz-checksum-algorithm",
                "CRC32",
                [Refuse, Refuse, Refuse, Refuse, AsRuleSays, Refuse, Refuse],
            ),
            (
                "x-amz-checksum-type",
                "FULL_OBJECT",
                [Refuse, Refuse, Refuse, Refuse, AsRuleSays, Refuse, AsRuleSays],
            ),
            ("x-amz-mp-object-size", "1", [Refuse, Refuse, Refuse, Refuse, Refuse, Refuse, AsRuleSays]),
            ("x-amz-checksum-mode", "ENABLED", [Forward, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse]),
            ("x-amz-checksum-mode", "enabled", [RefuseValue, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse]),
        ] {
            let lines = [CloudFrontHeader::new(name, value)];
            for (operation, expected) in OPERATIONS.into_iter().zip(fates) {
                // `checksum-mode` is not a checksum, and a rule cannot allow it on an upload.
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

    #[test]
    fn what_belongs_to_a_signature_and_stands_twice_is_refused_everywhere() {
        let hex = "0".repeat(64);
        for (name, values) in [
            ("x-amz-content-sha256", [hex.as_str(), "UNSIGNED-PAYLOAD"]),
            ("x-amz-date", ["20260101T000000Z"; 2]),
            ("x-amz-api-version", ["2006-03-01"; 2]),
        ] {
            let lines = values.map(|value| CloudFrontHeader::new("a", value.to_owned()));
            for operation in S3Operation::ALL {
                assert_eq!(fate(operation, name, &lines), Fate::RefuseValue, "{name}");
            }
        }
        let lines = ["append-md5"; 2].map(|value| CloudFrontHeader::new("a", value.to_owned()));
        for operation in S3Operation::ALL {
            assert_ne!(fate(operation, "x-amz-te", &lines), Fate::Remove);
        }
    }
}
