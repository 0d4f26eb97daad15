//! What of a request cannot have a secret, and what has the form of a token: for the console, which shows requests, and
//! for recordings.

use authorizer_core::operation::S3Operation;
use authorizer_core::response_override::ResponseOverride;
use percent_encoding::percent_decode_str;

/// The headers whose values have no secret, beside those with the beginnings below.
const HEADERS: [&str; 59] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "allow",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-range",
    "content-security-policy",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "origin",
    "pragma",
    "priority",
    "purpose",
    "range",
    "retry-after",
    "sec-purpose",
    "server",
    "te",
    "transfer-encoding",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-cache",
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-date",
    "x-amz-mp-object-size",
    "x-amz-request-id",
    "x-amz-storage-class",
    "x-amz-version-id",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-content-type-options",
    "x-amzn-errortype",
];

const BEGINNINGS: [&str; 7] = [
    "access-control-",
    "sec-ch-ua",
    "sec-fetch-",
    "x-amz-checksum-",
    "x-amz-grant-",
    "x-amz-meta-",
    "x-amz-sdk-checksum-",
];

/// How often a text may be escaped, one time within the other.
const MOST_ESCAPES: usize = 4;

/// The shortest first part of a token.
const SHORTEST_PART: usize = 12;

/// Whether a header of this name, in lower case, has no secret.
pub(crate) fn is_harmless_header(name: &str) -> bool {
    HEADERS.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether it is one of S3's own parameters.
pub(crate) fn is_harmless_parameter(name: &str) -> bool {
    let is_of_operation = S3Operation::ALL
        .iter()
        .any(|operation| operation.parameters().iter().any(|parameter| parameter.name == name));
    is_of_operation || name == "x-id" || ResponseOverride::ALL.iter().any(|one| one.name() == name)
}

/// The runs of letters that a token may have, escaped or not, and the texts between them: all of the text, in order.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = &str> {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '%');
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| is_of_token(c) != is_of_token(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(run)
    })
}

/// A text without escapes of a URL, however often it was escaped. `None` if it has none.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    let mut plain: Option<String> = None;
    for _ in 0..MOST_ESCAPES {
        let before = plain.as_deref().unwrap_or(text);
        let after = percent_decode_str(before).decode_utf8_lossy();
        if after == before {
            break;
        }
        plain = Some(after.into_owned());
    }
    plain
}

/// Whether a run is a token, or has one behind escapes.
pub(crate) fn is_token(run: &str) -> bool {
    match unescaped(run) {
        None => is_plain_token(run),
        Some(plain) => runs(&plain).any(is_plain_token),
    }
}

/// A compact JWS (RFC 7515 section 7.1), or its first parts: three long parts, or one that begins as the base64url of
/// a JSON object does.
pub(crate) fn is_plain_token(run: &str) -> bool {
    let is_object = |part: &str| {
        part.len() >= SHORTEST_PART
            && ["eyJ", "eyA", "ewo", "ewk", "ew0"].iter().any(|one| part.starts_with(one))
    };
    run.split('.').any(is_object) || run.split('.').filter(|part| part.len() >= 16).count() >= 3
}
