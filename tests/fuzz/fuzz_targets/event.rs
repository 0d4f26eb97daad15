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
            {"id": "open", "effect": "allow", "methods": ["GET", "PUT"], "keys": ["a/**"], "anonymous": true}
        ]
    }))
    .unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
});

fuzz_target!(|bytes: &[u8]| {
    let authorized = AUTHORIZER.authorize(bytes, UnixTime::from_seconds(1_800_000_000));
    match authorized.outcome {
        Outcome::Forward(request) => {
            assert_eq!(authorized.record.decision, Verdict::Allow);
            let key: Vec<u8> = percent_decode_str(request.uri.strip_prefix('/').unwrap()).collect();
            assert!(key.starts_with(b"a/") && !key.starts_with(b"a/no/"));
            assert_eq!(authorized.record.key.unwrap().as_bytes(), key);
            assert!(request.querystring.is_empty() && !request.headers.contains_key("authorization"));
        }
        Outcome::Respond(response) => {
            assert_eq!(authorized.record.decision, Verdict::Refuse);
            assert!(response.status.parse::<u16>().unwrap() >= 400);
        }
    }
});
