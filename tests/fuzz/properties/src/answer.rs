//! Any bytes as the answer of an issuer's URL: with it, a token that no key made is never accepted, and no answer of
//! another form than a JWK set is taken.

use std::sync::LazyLock;

use authorizer_core::token::parse_jwk_set;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let document = json!({
        "version": 1,
        "issuers": [{"name": "a", "issuer": "https://a.example/", "audience": ["a"],
            "algorithms": ["RS256", "ES256", "EdDSA"], "jwks": {"url": "https://a.example/keys"}}],
        "rules": [{"id": "r", "effect": "allow", "methods": ["GET"], "keys": ["**"]}],
    });
    Bundle::write(&serde_json::from_value(document).unwrap()).unwrap()
});

/// An event with a token of a form that would do, if its signature were valid. For a point of small order, this
/// signature of zeros and a one is valid for any message.
static EVENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let claims = json!({"iss": "https://a.example/", "aud": "a", "exp": 1_800_000_060});
    let mut signature = [0; 64];
    signature[0] = 1;
    let token = format!(
        "{}.{}.{}",
        encode(br#"{"alg":"EdDSA"}"#),
        encode(claims.to_string().as_bytes()),
        encode(&signature)
    );
    let event = json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": "203.0.113.178", "method": "GET", "uri": "/a", "querystring": "", "headers": {
            "authorization": [{"key": "Authorization", "value": format!("Bearer {token}")}]}}
    }}]});
    event.to_string().into_bytes()
});

/// Checks the property; panics if it does not hold.
pub fn check(bytes: &[u8]) {
    let authorizer = Authorizer::new(Bundle::read(&BUNDLE).unwrap());
    let needed = authorizer.authorize_or_ask(&EVENT, NOW).unwrap_err().keys().unwrap();
    let taken = authorizer.take_keys(&needed, Some(bytes), NOW);
    assert!(taken.is_err() || parse_jwk_set(bytes).is_ok());
    let decided = authorizer.authorize(&EVENT, NOW);
    let reason = decided.record.reason;
    let expected: &[&str] = match taken {
        Ok(()) => &["signing_key_unknown", "signature_invalid"],
        Err(_) => &["keys_unavailable"],
    };
    assert!(expected.contains(&&*reason), "{reason}");
}
