//! Any bytes as an event: a forwarded request was allowed for the key that S3 will read, and a second decision is the
//! same.
//!
//! Each event is decided by three policies: one that allows everybody nearly everything, so that much is forwarded,
//! and those of the fixtures, for whose events there are valid tokens.

use std::path::Path;
use std::sync::LazyLock;

use authorizer_core::event::CloudFrontRequest;
use authorizer_core::outcome::Outcome;
use authorizer_core::record::{DecisionRecord, Verdict};
use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_policy::PolicyFile;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::root;

/// The instant at which the events of the fixtures are decided.
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

static OPEN: LazyLock<Authorizer> = LazyLock::new(|| {
    let document = serde_json::from_value(json!({
        "version": 1,
        "max_origin_headers": 40,
        "issuers": [{"name": "a", "issuer": "a", "audience": ["a"], "algorithms": ["EdDSA"], "jwks": {"keys": [
            // RFC 8037 appendix A.2.
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
        "credentials": {"header": "X-Token", "cookie": "session", "query": "token"},
        "rules": [
            {"id": "no", "effect": "deny", "methods": ["GET", "PUT"], "keys": ["a/no/**"]},
            {"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["{sub}/**"],
                "when": {"scope": {"has": "files"}, "role": {"any": ["a", 1, true]}, "level": {"present": true}}},
            {"id": "open", "effect": "allow", "methods": ["GET", "PUT", "DELETE"], "keys": ["a/**"],
                "anonymous": true,
                "operations": ["ListObjectsV2", "GetObjectVersion", "HeadObjectVersion", "CreateMultipartUpload",
                    "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts"],
                "upload": {"max_bytes": 9, "content_types": ["a/*"], "create_only": true,
                    "metadata": {"a": "b", "c": "*"}, "checksums": true},
                "response_overrides": ["response-content-type"], "source_ips": ["0.0.0.0/0", "::/0"],
                "not_before": "2020-01-01T00:00:00Z"}
        ],
        "cors": {"origins": ["https://*.a"], "credentials": true, "exposed_headers": ["ETag"]},
        "sign_in": {"url": "https://a", "origin": "https://b"}
    }))
    .unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
});

static FIXTURES: LazyLock<[Authorizer; 2]> = LazyLock::new(|| {
    ["fixtures/policies/cases.toml", "fixtures/requests/policy.toml"].map(|path| {
        let policy = PolicyFile::load(&root().join(Path::new(path))).unwrap();
        Authorizer::new(policy.into_bundle())
    })
});

/// The query parameters of all operations.
const PARAMETERS: [&str; 20] = [
    "versionId",
    "partNumber",
    "uploadId",
    "uploads",
    "max-parts",
    "part-number-marker",
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "continuation-token",
    "start-after",
    "encoding-type",
    "fetch-owner",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

/// Checks the property; panics if it does not hold. Returns which of the policies allow the event.
pub fn check(bytes: &[u8]) -> [bool; 3] {
    let open = decide(&OPEN, bytes);
    if let Some((request, record)) = &open {
        is_what_was_decided(request, record);
        is_open(request, record);
    }
    let [tokens, requests] = FIXTURES.each_ref().map(|authorizer| {
        let forwarded = decide(authorizer, bytes);
        forwarded.inspect(|(request, record)| is_what_was_decided(request, record)).is_some()
    });
    [open.is_some(), tokens, requests]
}

/// The forwarded request, if the event is allowed.
fn decide<'r>(
    authorizer: &'r Authorizer,
    bytes: &'r [u8],
) -> Option<(Box<CloudFrontRequest<'r>>, DecisionRecord<'r>)> {
    let authorized = authorizer.authorize(bytes, NOW);
    // A cached token does not change the decision.
    let again = authorizer.authorize(bytes, NOW);
    assert_eq!(authorized.record, again.record);
    let text = |outcome: &Outcome<'_>| serde_json::to_string(outcome).unwrap();
    assert_eq!(text(&authorized.outcome), text(&again.outcome));

    match authorized.outcome {
        Outcome::Forward(request) => {
            assert_eq!(authorized.record.decision, Verdict::Allow);
            Some((request, authorized.record))
        }
        Outcome::Respond(response) => {
            let status = response.status.parse::<u16>().unwrap();
            match authorized.record.decision {
                Verdict::Allow => panic!("allowed and answered here"),
                Verdict::Preflight => assert_eq!(status, 204),
                Verdict::SignIn => assert!(status == 200 || status == 302 || status == 303),
                Verdict::Refuse => assert!(status >= 400 || status == 302),
            }
            None
        }
    }
}

/// Checks that the path and the query have the key and the operation that the rules checked, and that no header
/// changes the operation.
fn is_what_was_decided(request: &CloudFrontRequest<'_>, record: &DecisionRecord<'_>) {
    let (key, operation) = (record.key.as_deref().unwrap(), record.operation.as_deref().unwrap());
    assert!(request.uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
    let query: Vec<_> = request.querystring.split('&').filter(|pair| !pair.is_empty()).collect();
    if operation == "ListObjectsV2" {
        assert_eq!(request.uri, "/");
        assert_eq!(query[0], "list-type=2");
        assert_eq!(percent_decode_str(query[1]).decode_utf8().unwrap(), format!("prefix={key}"));
    } else {
        let forwarded: Vec<u8> = percent_decode_str(request.uri.strip_prefix('/').unwrap()).collect();
        assert_eq!(key.as_bytes(), forwarded);
        assert!(!request.querystring.contains("list-type"));
    }
    let is_ours = |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| PARAMETERS.contains(&name));
    assert!(query.iter().all(is_ours), "{query:?}");
    for name in ["authorization", "cookie", "x-amz-copy-source", "x-amz-acl", "x-amz-security-token"] {
        assert!(!request.headers.contains_key(name), "{name}");
    }
}

/// Checks that the policy that allows everybody nearly everything allows this.
fn is_open(request: &CloudFrontRequest<'_>, record: &DecisionRecord<'_>) {
    let (key, operation) = (record.key.as_deref().unwrap(), record.operation.as_deref().unwrap());
    // docs/policy.md: the operations that `GET` and `PUT` in a deny rule do not cover.
    let is_left_open =
        ["DeleteObject", "ListObjectsV2", "ListParts", "AbortMultipartUpload"].contains(&operation);
    assert!(key.starts_with("a/") && (!key.starts_with("a/no/") || is_left_open), "{operation} {key}");
    if operation == "PutObject" || operation == "CompleteMultipartUpload" {
        assert_eq!(request.headers.get("if-none-match").unwrap()[0].value, "*");
    }
    let overrides = request.querystring.split('&').filter(|pair| pair.starts_with("response-"));
    // Its one rule with overrides opens this one alone.
    overrides.for_each(|pair| assert!(pair.starts_with("response-content-type="), "{pair}"));
}
