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

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use authorizer_core::outcome::Outcome;
    use authorizer_core::{Authorizer, Bundle, UnixTime};
    use serde_json::json;

    use super::*;

    /// What the core has and what is here: each has its own list, since the second one judges the first.
    const SOURCES: [&str; 2] = [include_str!("headers.rs"), include_str!("../../core/src/header.rs")];

    /// No event has these, so a function may leave them out of what it returns. The core does.
    const LEFT_OUT: [&str; 3] = ["client-cert", "client-cert-chain", "cloudfront-viewer-cert-pem"];

    /// Whatever is written like the name of a header, or like the beginning of one.
    fn names() -> BTreeSet<&'static str> {
        let is_name = |text: &&str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte))
        };
        let quoted = |line: &'static str| line.split('"').skip(1).step_by(2);
        SOURCES.iter().flat_map(|source| source.lines()).flat_map(quoted).filter(is_name).collect()
    }

    /// A name, and others that are almost the same.
    fn with_neighbours(name: &str) -> BTreeSet<String> {
        let mut all: BTreeSet<String> =
            ["", "x", "-", "-x", "s", "0"].map(|end| format!("{name}{end}")).into();
        all.extend(["x", "x-", "-"].map(|start| format!("{start}{name}")));
        all.extend((0..name.len()).map(|at| [name.get(..at).unwrap(), name.get(at + 1..).unwrap()].concat()));
        all.insert(name.replace('-', "_"));
        all.extend(name.match_indices('-').map(|(at, _)| name.get(..at).unwrap().to_owned()));
        all.remove("");
        all
    }

    /// As a viewer may write a name.
    fn spellings(name: &str) -> [String; 3] {
        let capitals = name.split('-').map(|word| match word.split_at_checked(1) {
            Some((first, rest)) => first.to_ascii_uppercase() + rest,
            None => String::new(),
        });
        [name.to_owned(), capitals.collect::<Vec<_>>().join("-"), name.to_ascii_uppercase()]
    }

    #[test]
    fn the_core_leaves_alone_what_a_function_must_not_touch_and_nothing_else() {
        let rule =
            json!({"id": "r", "effect": "allow", "anonymous": true, "methods": ["DELETE"], "keys": ["**"]});
        let document = serde_json::from_value(json!({"version": 1, "rules": [rule]})).unwrap();
        let authorizer = Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap());
        // A deletion has almost no headers of its own, so whatever else stays was left alone.
        let leaves = |name: &str, key: &str| {
            let mut headers = serde_json::Map::new();
            headers.insert(name.to_owned(), json!([{"key": key, "value": "1"}]));
            let event = json!({"Records": [{"cf": {
                "config": {"distributionDomainName": "d.example", "distributionId": "E", "eventType": "viewer-request",
                    "requestId": "r"},
                "request": {"clientIp": "203.0.113.178", "method": "DELETE", "uri": "/a", "querystring": "",
                    "headers": headers},
            }}]});
            match authorizer.authorize(event.to_string().as_bytes(), UnixTime::from_seconds(0)).outcome {
                Outcome::Forward(request) => name != "accept" && request.headers.contains_key(name),
                Outcome::Respond(_) => false,
            }
        };
        let names = names();
        for list in [&DISALLOWED[..], &READ_ONLY, &HOP_BY_HOP] {
            assert!(list.iter().all(|name| names.contains(name)));
        }
        let tried: BTreeSet<String> = names.iter().flat_map(|name| with_neighbours(name)).collect();
        let mut left_out: BTreeSet<&str> = LEFT_OUT.into();
        for name in &tried {
            let must = is_hidden(name) || is_read_only(name);
            for key in spellings(name) {
                if leaves(name, &key) != must {
                    assert!(
                        must && LEFT_OUT.contains(&name.as_str()),
                        "{key}: the function must not touch it: {must}"
                    );
                    left_out.remove(name.as_str());
                }
            }
        }
        assert!(left_out.is_empty(), "{left_out:?}");
    }
}
