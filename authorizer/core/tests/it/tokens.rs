//! The verification of tokens, checked against the work of others: published vectors and worked examples, and a
//! second reading of the policy for random tokens.

mod changed;
mod published;
mod random;
mod wycheproof;

use authorizer_core::policy::Policy;
use authorizer_core::token::{Jws, SignatureAlgorithm, verify};
use authorizer_core::{Refusal, TokenError, UnixTime};
use serde_json::{Value, json};

/// A policy with one issuer, of which only the keys matter: every algorithm is allowed, so the keys decide.
fn issuer_with(keys: &[Value]) -> Result<Policy, String> {
    let document = json!({
        "version": 1,
        "issuers": [{"name": "joe", "issuer": "joe", "audience": ["files"], "algorithms": SignatureAlgorithm::ALL,
            "jwks": {"keys": keys}}]
    });
    Policy::compile(&serde_json::from_value(document).unwrap()).map_err(|problems| {
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].message.clone()
    })
}

/// A policy with one issuer, who shares a secret, in base64url, with this service.
fn issuer_with_secret(secret: &str) -> Result<Policy, String> {
    let document = json!({
        "version": 1,
        "issuers": [{"name": "joe", "issuer": "joe", "audience": ["files"], "algorithms": ["HS256"],
            "secret": {"value": secret}}]
    });
    Policy::compile(&serde_json::from_value(document).unwrap()).map_err(|problems| {
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].message.clone()
    })
}

/// A key that has not signed any of the tokens: RFC 8037 appendix A.2.
fn stand_in() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

/// Whether the one issuer of the policy signed the JWS, or else the word of the log.
fn signature(policy: &Policy, token: &str) -> &'static str {
    let verified = Jws::parse(token).and_then(|jws| policy.issuers()[0].verify_signature(&jws));
    verified.map_or_else(reason, |()| "holds")
}

/// Whether it is a token of that issuer for this service, or else why not.
fn token(policy: &Policy, token: &str, now: u64) -> &'static str {
    verify(token, policy.issuers(), UnixTime::from_seconds(now))
        .map_or_else(|error| Refusal::from(error).reason(), |_| "verifies")
}

fn reason(error: TokenError) -> &'static str {
    Refusal::Token(error).reason()
}
