//! What of a request cannot have a secret, and what has the form of a token: for the console, which shows requests, and
//! for recordings.

use authorizer_core::operation::S3Operation;
use authorizer_core::response_override::ResponseOverride;

/// The headers whose values have no secret, beside those with the beginnings below.
const HEADERS: [&str; 44] = [
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
    "range",
    "retry-after",
    "server",
    "te",
    "transfer-encoding",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-cache",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-content-type-options",
    "x-amzn-errortype",
];

const BEGINNINGS: [&str; 15] = [
    "access-control-",
    "sec-ch-ua",
    "sec-fetch-",
    "x-amz-acl",
    "x-amz-checksum-",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-date",
    "x-amz-grant-",
    "x-amz-meta-",
    "x-amz-mp-object-size",
    "x-amz-request-id",
    "x-amz-sdk-checksum-",
    "x-amz-storage-class",
    "x-amz-version-id",
];

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

/// The runs of letters that a token may have, and the texts between them: all of the text, in order.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = &str> {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| is_of_token(c) != is_of_token(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(run)
    })
}

/// The first token in a text.
pub(crate) fn token_in(text: &str) -> Option<&str> {
    runs(text).find(|run| is_token(run))
}

/// A compact JWS (RFC 7515 section 7.1), or its first parts: three long parts, or one that begins as the base64url of
/// a JSON object does.
pub(crate) fn is_token(run: &str) -> bool {
    let is_object = |part: &str| {
        part.len() >= SHORTEST_PART
            && ["eyJ", "eyA", "ewo", "ewk", "ew0"].iter().any(|one| part.starts_with(one))
    };
    run.split('.').any(is_object) || run.split('.').filter(|part| part.len() >= 16).count() >= 3
}
