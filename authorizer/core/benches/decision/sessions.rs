//! A request with a session of the sign-in, beside one with the same token in `Authorization`.

use authorizer_core::token::SignatureAlgorithm;
use criterion::Criterion;
use serde_json::{Value, json};

use crate::policies::{authorizer, policy, rules};
use crate::requests::{claims, event, event_with};
use crate::signer::Signer;
use crate::{decide, reason};

/// A policy with ten rules and a sign-in.
fn with_sign_in(jwk: &Value) -> Value {
    let mut policy = policy(SignatureAlgorithm::Rs256, jwk, rules(10));
    policy["credentials"] = json!({"cookie": "__Host-session"});
    policy["sign_in"] = json!({
        "issuer": "staff", "client_id": "web", "origin": "https://files.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
        "refresh": true,
        "cookie_key": {"value": "A".repeat(43)},
    });
    policy
}

/// A request with a session of the sign-in, beside one with the same token in `Authorization`.
pub(crate) fn beside_bearer(criterion: &mut Criterion) {
    let signer = Signer::new(SignatureAlgorithm::Rs256);
    let authorizer = authorizer(&with_sign_in(&signer.jwk("k1")));
    let token = signer.sign("k1", "at+jwt", &claims("alice", 0));
    let uri = "/users/alice/photos/a.jpg";
    // What is sealed has a refresh token of 600 bytes. A request that is allowed does not open it.
    let cookies = format!("__Host-session={token}; __Host-session-sealed={}", "A".repeat(900));
    let mut group = criterion.benchmark_group("session");
    for (name, event) in [
        ("bearer", event("GET", uri, Some(&token))),
        ("cookies", event_with("GET", uri, "", None, &[("Cookie", &cookies)])),
    ] {
        assert_eq!(reason(&authorizer, &event), "allowed_by_rule", "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| decide(&authorizer, &event)));
    }
    let told = event_with("GET", "/.auth/session", "", None, &[("Cookie", &cookies)]);
    assert_eq!(reason(&authorizer, &told), "session_told");
    group.bench_function("told", |bencher| bencher.iter(|| decide(&authorizer, &told)));
}
