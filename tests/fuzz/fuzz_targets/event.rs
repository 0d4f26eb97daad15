//! Any bytes as an event: no panic, and what is forwarded was allowed for the key that S3 will read.
#![no_main]

use std::sync::LazyLock;

use authorizer_core::outcome::Outcome;
use authorizer_core::record::Verdict;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use serde_json::json;

static AUTHORIZER: LazyLock<Authorizer> = LazyLock::new(|| {
    let document = serde_json::from_value(json!({
        "version": 1,
        "issuers": [{"name": "a", "issuer": "a", "audience": ["a"], "algorithms": ["EdDSA"], "jwks": {"keys": [
            // RFC 8037 appendix A.2.
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
        "rules": [
            {"id": "no", "effect": "deny", "methods": ["GET", "PUT"], "keys": ["a/no/**"]},
            {"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["{sub}/**"]},
            {"id": "open", "effect": "allow", "methods": ["GET", "PUT"], "keys": ["a/**"], "anonymous": true,
                "operations": ["ListObjectsV2", "GetObjectVersion", "CreateMultipartUpload", "UploadPart",
                    "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts"],
                "upload": {"max_bytes": 9, "content_types": ["a/*"], "create_only": true,
                    "metadata": {"a": "b", "c": "*"}, "checksums": true},
                "response_overrides": ["response-content-type"], "source_ips": ["0.0.0.0/0", "::/0"]}
        ],
        "cors": {"origins": ["https://*.a"]},
        "sign_in": {"url": "https://a", "origin": "https://b"}
    }))
    .unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
});

fuzz_target!(|bytes: &[u8]| {
    let authorized = AUTHORIZER.authorize(bytes, UnixTime::from_seconds(1_800_000_000));
    match authorized.outcome {
        Outcome::Forward(request) => {
            assert_eq!(authorized.record.decision, Verdict::Allow);
            let key = authorized.record.key.unwrap();
            let operation = authorized.record.operation.unwrap();
            assert!(key.starts_with("a/") && (!key.starts_with("a/no/") || operation == "ListParts"
                || operation == "AbortMultipartUpload"));
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
            let is_ours = |name: &str| {
                ["versionId", "partNumber", "uploadId", "uploads", "max-parts", "part-number-marker", "list-type",
                    "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type",
                    "response-content-type"].contains(&name)
            };
            assert!(query.iter().all(|pair| pair.split_once('=').is_some_and(|(name, _)| is_ours(name))));
            assert!(!request.headers.contains_key("authorization"));
            assert!(!request.headers.contains_key("x-amz-copy-source"));
            if operation == "PutObject" || operation == "CompleteMultipartUpload" {
                assert_eq!(request.headers["if-none-match"][0].value, "*");
            }
        }
        Outcome::Respond(response) => {
            let status = response.status.parse::<u16>().unwrap();
            match authorized.record.decision {
                Verdict::Allow => panic!("allowed and answered here"),
                Verdict::Preflight => assert_eq!(status, 204),
                Verdict::Refuse => assert!(status >= 400 || status == 302),
            }
        }
    }
});
