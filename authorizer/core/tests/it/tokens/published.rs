//! The worked examples of the RFCs, each with the expected result: `published.json`.
//!
//! The tokens of the RFCs do not name an audience, so they are not for this service. The one of OpenID Connect does.

use std::collections::BTreeMap;

use authorizer_core::token::SignatureAlgorithm;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{issuer_with, signature};

#[derive(Deserialize)]
struct Published {
    keys: BTreeMap<String, Value>,
    key_sets: Vec<KeySetExample>,
    tokens: Vec<TokenExample>,
}

#[derive(Deserialize)]
struct KeySetExample {
    example: String,
    why: String,
    keys: Vec<String>,
    usable: bool,
}

#[derive(Deserialize)]
struct TokenExample {
    example: String,
    why: String,
    /// The one key of the issuer.
    key: String,
    token: String,
    /// The expected result for the signature alone: `holds`, or the log's word.
    signature: String,
    /// The expected word of the log for a request with this token.
    request: String,
}

fn published() -> Published {
    serde_json::from_str(include_str!("published.json")).unwrap()
}

/// The issuers of the examples, who all sign with the same key, and an object for each of their subjects.
fn authorizer(key: &Value) -> Authorizer {
    let issuer = |name: &str, issuer: &str| {
        json!({"name": name, "issuer": issuer, "audience": ["s6BhdRkqt3"], "algorithms": SignatureAlgorithm::ALL,
            "jwks": {"keys": [key]}})
    };
    let document = json!({
        "version": 1,
        "issuers": [issuer("joe", "joe"), issuer("hobbiton", "hobbiton.example"),
            issuer("openid", "http://server.example.com")],
        "rules": [{"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["a"],
            "when": {"iss": {"present": true}}, "issuers": ["joe", "hobbiton", "openid"]}]
    });
    let document = serde_json::from_value(document).unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}

fn request(authorizer: &Authorizer, token: &str, now: u64) -> String {
    let event = json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": "203.0.113.178", "method": "GET", "uri": "/a", "querystring": "", "headers": {
            "authorization": [{"key": "Authorization", "value": format!("Bearer {token}")}]}}
    }}]});
    authorizer.authorize(event.to_string().as_bytes(), UnixTime::from_seconds(now)).record.reason.into_owned()
}

#[test]
fn every_token_of_the_rfcs_is_answered_as_this_profile_asks() {
    let Published { keys, tokens, .. } = published();
    for TokenExample { example, why, key, token, signature: expected, request: reason } in &tokens {
        let key = &keys[key];
        let seen = issuer_with(std::slice::from_ref(key)).map(|policy| signature(&policy, token));
        match seen {
            Ok(seen) => assert_eq!(seen, expected, "{example}: {why}"),
            Err(problem) => panic!("{example}: {problem}"),
        }
        // Ten seconds before the tokens expire that have an expiry.
        let now = if example.starts_with("OpenID") { 1_311_281_960 } else { 1_300_819_370 };
        let authorizer = authorizer(key);
        assert_eq!(request(&authorizer, token, now), *reason, "{example}: {why}");
        if ["allowed_by_rule", "audience_mismatch"].contains(&reason.as_str()) {
            assert_eq!(request(&authorizer, token, now + 39), *reason, "{example}, within the leeway");
            assert_eq!(request(&authorizer, token, now + 40), "token_expired", "{example}");
        }
    }
    assert!(tokens.len() > 20);
}

/// The library's own decoding, which does not verify here, accepts exactly the signatures that hold.
#[test]
fn another_reader_of_the_same_tokens_agrees() {
    let Published { keys, tokens, .. } = published();
    for TokenExample { example, key, token, signature, .. } in &tokens {
        let Ok(header) = jsonwebtoken::decode_header(token) else {
            assert_ne!(signature, "holds", "{example}");
            continue;
        };
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_aud) = (false, false);
        let key = DecodingKey::from_jwk(&serde_json::from_value(keys[key].clone()).unwrap()).unwrap();
        let decoded = jsonwebtoken::decode::<Value>(token, &key, &validation);
        // The claims are read after the signature is verified.
        let held = decoded.as_ref().map_or_else(|e| matches!(e.kind(), ErrorKind::Json(_)), |_| true);
        assert_eq!(held, signature == "holds", "{example}: {decoded:?}");
    }
}

#[test]
fn every_key_set_of_the_rfcs_is_usable_or_not_as_this_profile_asks() {
    let Published { keys, key_sets, .. } = published();
    for KeySetExample { example, why, keys: names, usable } in &key_sets {
        let set: Vec<Value> = names.iter().map(|name| keys[name].clone()).collect();
        let read = issuer_with(&set);
        let expected = "no key of the JWK set can verify any of the issuer's algorithms";
        let problem = read.err();
        // After it come the reasons of single keys.
        let problem = problem.as_deref().map(|problem| problem.split(';').next().unwrap());
        assert_eq!(problem, (!usable).then_some(expected), "{example}: {why}");
    }
}

/// RFC 7515 A.1 and RFC 7517 A.2, A.3 and C.1. They are here because a key file of the repository must not contain
/// secrets.
#[test]
fn a_key_set_with_a_secret_is_refused_whole() {
    let Published { keys, .. } = published();
    let mut ec = keys["RFC 7517 A.1, EC"].clone();
    ec["d"] = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE".into();
    let mut rsa = keys["RFC 7517 A.1, RSA"].clone();
    rsa["p"] =
        "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCM\
                jOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs"
            .into();
    let hmac = json!({"kty": "oct", "kid": "HMAC key used in JWS spec Appendix A.1 example",
        "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"});
    let wrap = json!({"kty": "oct", "alg": "A128KW", "k": "GawgguFyGrWKav7AX4VKUg"});
    // RFC 9964 section 3: the kind is not used here, and its private half is a secret all the same.
    let akp = json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "priv": "AAAA"});
    for (secret, name) in [(ec, "d"), (rsa, "p"), (hmac, "k"), (wrap, "k"), (akp, "priv")] {
        let good = keys["RFC 7515 A.2"].clone();
        let problem = issuer_with(&[good, secret]).unwrap_err();
        assert_eq!(problem, format!("key 1 of the JWK set contains private key material (`{name}`)"));
    }
}
