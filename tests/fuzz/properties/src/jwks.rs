//! Any bytes as a JWK set: a key that cannot be used does not take a good one with it, and a private key is never used.

use authorizer_core::token::{JwkError, KeySet, SignatureAlgorithm, parse_jwk_set};
use serde_json::{Value, json};

/// The members that only a private or a secret key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Checks the property; panics if it does not hold.
pub fn check(bytes: &[u8]) {
    let Ok(keys) = parse_jwk_set(bytes) else { return };
    let read = |keys: &[Value]| KeySet::from_jwks(keys, &SignatureAlgorithm::ALL);
    let is_private =
        |key: &Value| PRIVATE.iter().any(|name| key.get(name).is_some_and(|value| !value.is_null()));
    let alone = read(&keys);
    // RFC 8037 appendix A.2.
    let good = json!({"kty": "OKP", "crv": "Ed25519", "kid": "good", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let beside = read(&[keys.as_slice(), &[good]].concat());
    match (alone, beside) {
        (Err(JwkError::Private { index, .. }), Err(JwkError::Private { index: same, .. })) => {
            assert!(index == same && is_private(&keys[index]));
        }
        (Err(JwkError::TooMany(_)), _) | (_, Err(JwkError::TooMany(_))) => assert!(keys.len() >= 64),
        (Ok(alone), Ok(beside)) => {
            assert!(!keys.iter().any(is_private));
            assert_eq!(alone.skipped(), beside.skipped());
        }
        (Err(JwkError::NoneUsable(skipped)), Ok(beside)) => {
            assert!(!keys.iter().any(is_private));
            assert_eq!(skipped, beside.skipped());
        }
        (alone, beside) => panic!("{alone:?} {beside:?}"),
    }
}
