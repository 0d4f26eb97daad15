//! Any header and claims, with a signature that no key made: the token is never accepted.
//!
//! The input is a token, or the unencoded parts of a token, one per line.

use std::sync::LazyLock;

use authorizer_core::UnixTime;
use authorizer_core::policy::Policy;
use authorizer_core::token::verify;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let issuer = |name: &str, algorithms: &[&str], audience: &[&str], rest: serde_json::Value| {
        let mut issuer = json!({
            "name": name, "issuer": format!("https://{name}.example/"), "audience": audience,
            "algorithms": algorithms,
        });
        issuer.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        issuer
    };
    let document = json!({
        "version": 1,
        "issuers": [
            issuer("a", &["EdDSA", "ES256"], &["a", "b"], json!({"jwks": {"keys": [
                // RFC 8037 appendix A.2 and RFC 7515 appendix A.3.1.
                {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
                {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                 "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
            ]}})),
            issuer("b", &["HS256"], &["a"], json!({
                // Nothing here signs with this secret, and a fuzzer cannot find a MAC.
                "secret": {"encoding": "base64", "value": "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k"},
                "token_type": "at+jwt", "required": {"use": "access", "level": 2, "sure": true},
                "leeway_seconds": 5, "max_lifetime_seconds": 60,
            })),
            issuer("c", &["RS256", "PS256"], &[], json!({
                "client_id": ["one", "two"], "jwks": {"url": "https://c.example/keys"},
            })),
        ],
        "revoked": [{"issuer": "a", "jti": "1"}, {"issuer": "a", "sub": "gone"}],
    });
    Policy::compile(&serde_json::from_value(document).unwrap()).unwrap()
});

/// Checks the property; panics if it does not hold.
pub fn check(text: &str) {
    let is_refused = |token: &str| {
        for now in [0, 1_800_000_000] {
            assert!(verify(token, POLICY.issuers(), UnixTime::from_seconds(now)).is_err(), "{token}");
        }
    };
    is_refused(text);
    if text.contains('\n') {
        let parts: Vec<_> = text.split('\n').map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).collect();
        is_refused(&parts.join("."));
    }
}
