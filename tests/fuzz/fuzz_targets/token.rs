//! Any header and claims, with a signature that no key made: no panic, and never accepted.
#![no_main]

use std::sync::LazyLock;

use authorizer_core::policy::Policy;
use authorizer_core::token::verify;
use authorizer_core::UnixTime;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let document = serde_json::from_value(json!({
        "version": 1,
        "issuers": [{"name": "a", "issuer": "a", "audience": ["a"], "algorithms": ["EdDSA", "ES256"], "jwks": {"keys": [
            // RFC 8037 appendix A.2 and RFC 7515 appendix A.3.1.
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
             "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}}]
    }))
    .unwrap();
    Policy::compile(&document).unwrap()
});

fuzz_target!(|token: &str| {
    assert!(verify(token, POLICY.issuers(), UnixTime::from_seconds(0)).is_err());
});
