//! A request for each reason that a viewer can get.

use authorizer_core::Authorizer;
use authorizer_core::token::SignatureAlgorithm;
use serde_json::{Value, json};

use crate::policies::{authorizer, policy};
use crate::requests::{NOW, claims, event, event_with};
use crate::signer::Signer;

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("alice", 0);
    claims[name] = value;
    claims
}

/// An authorizer, and one event for each reason that a viewer can get.
pub(crate) fn of_each_outcome() -> (Authorizer, Vec<(&'static str, Vec<u8>)>) {
    let (signer, stranger) = (Signer::new(SignatureAlgorithm::Rs256), Signer::new(SignatureAlgorithm::Rs256));
    let document = policy(
        SignatureAlgorithm::Rs256,
        &signer.jwk("k1"),
        vec![
            json!({"id": "sealed", "effect": "deny", "methods": ["GET"], "keys": ["**/sealed/**"]}),
            json!({"id": "own", "effect": "allow", "methods": ["GET", "PUT"], "keys": ["users/{sub}/**"],
                "upload": {"max_bytes": "1MB", "content_types": ["image/*"]}}),
            json!({"id": "scoped", "effect": "allow", "methods": ["GET"], "keys": ["scoped/**"],
                "when": {"scope": {"has": "more"}}}),
            json!({"id": "role", "effect": "allow", "methods": ["GET"], "keys": ["role/**"],
                "when": {"role": {"equals": "admin"}}}),
            json!({"id": "public", "effect": "allow", "methods": ["GET"], "keys": ["public/**"], "anonymous": true}),
        ],
    );
    let sign = |claims: &Value| signer.sign("k1", "at+jwt", claims);
    let good = sign(&claims("alice", 0));
    let own = "/users/alice/a.jpg";
    let get = |uri: &str, token: &str| event("GET", uri, Some(token));
    let put = |more: &[(&str, &str)]| event_with("PUT", own, "", Some(&good), more);
    let unsigned = |header: Value| signer.sign_bytes(header.to_string().as_bytes(), b"{}");
    let events = vec![
        ("allowed_by_rule", get(own, &good)),
        ("denied_by_rule", get("/users/alice/sealed/a", &good)),
        ("key_not_allowed", get("/elsewhere/a", &good)),
        ("operation_not_allowed", event("PUT", "/scoped/a", Some(&good))),
        ("condition_not_met", get("/role/a", &good)),
        ("insufficient_scope", get("/scoped/a", &good)),
        ("token_missing", event("GET", own, None)),
        ("token_expired", get(own, &sign(&with("exp", json!(NOW - 600))))),
        ("token_not_yet_valid", get(own, &sign(&with("nbf", json!(NOW + 600))))),
        ("audience_mismatch", get(own, &sign(&with("aud", json!("other"))))),
        ("issuer_unknown", get(own, &sign(&with("iss", json!("https://other.example.com/"))))),
        ("signature_invalid", get(own, &stranger.sign("k1", "at+jwt", &claims("alice", 0)))),
        ("signing_key_unknown", get(own, &signer.sign("k2", "at+jwt", &claims("alice", 0)))),
        ("token_type_mismatch", get(own, &signer.sign("k1", "JWT", &claims("alice", 0)))),
        ("token_malformed", get(own, "eyJhbGciOiJSUzI1NiJ9.e30")),
        ("token_critical_header", get(own, &unsigned(json!({"alg": "RS256", "crit": ["exp"]})))),
        ("credential_scheme", event_with("GET", own, "", None, &[("Authorization", "Basic YTpi")])),
        (
            "credential_repeated",
            event_with("GET", own, "", Some(&good), &[("Authorization", "Bearer a.b.c")]),
        ),
        ("method_not_allowed", event("PATCH", own, Some(&good))),
        ("query_not_allowed", event_with("GET", own, "acl", Some(&good), &[])),
        ("header_not_allowed", event_with("GET", own, "", Some(&good), &[("X-Amz-Acl", "public-read")])),
        ("key_dot_segment", get("/users/alice/../bob/a", &good)),
        ("too_large", put(&[("Content-Length", "2000000"), ("Content-Type", "image/png")])),
        ("content_type_not_allowed", put(&[("Content-Length", "2000"), ("Content-Type", "text/html")])),
        ("event_malformed", b"{\"Records\":[]}".to_vec()),
    ];
    (authorizer(&document), events)
}
