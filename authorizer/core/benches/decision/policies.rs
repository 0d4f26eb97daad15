//! Policies of any size.

use authorizer_core::token::SignatureAlgorithm;
use authorizer_core::{Authorizer, Bundle};
use serde_json::{Value, json};

/// A policy with this many rules: two that every policy has, and one per team.
pub(crate) fn rules(count: usize) -> Vec<Value> {
    let mut rules = vec![
        json!({"id": "sealed", "effect": "deny", "methods": ["GET", "PUT", "DELETE"], "keys": ["**/sealed/**"]}),
        json!({"id": "own", "effect": "allow", "methods": ["GET", "PUT", "DELETE"], "keys": ["users/{sub}/**"],
            "when": {"scope": {"has": "files"}}}),
    ];
    let teams = 1..=count - rules.len();
    rules.extend(teams.map(|n| {
        json!({"id": format!("team-{n}"), "effect": "allow", "methods": ["GET"],
            "keys": [format!("team-{n}/{{sub}}/**")],
            "when": {"scope": {"has": "files"}}})
    }));
    rules
}

/// A policy of one issuer that signs with one key.
pub(crate) fn policy(algorithm: SignatureAlgorithm, jwk: &Value, rules: Vec<Value>) -> Value {
    json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "https://login.example.com/", "audience": ["files-api"],
            "algorithms": [algorithm.name()], "jwks": {"keys": [jwk]}, "token_type": "at+jwt"}],
        "rules": rules
    })
}

/// The bytes that go into the zip.
pub(crate) fn bundle(policy: &Value) -> Vec<u8> {
    Bundle::write(&serde_json::from_value(policy.clone()).unwrap()).unwrap()
}

/// The authorizer that the function creates from them when it starts.
pub(crate) fn read(bundle: &[u8]) -> Authorizer {
    Authorizer::new(Bundle::read(bundle).unwrap())
}

/// Both.
pub(crate) fn authorizer(policy: &Value) -> Authorizer {
    read(&bundle(policy))
}
