//! A policy with a code flow, and what is wrong after a change.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::super::compiled::Policy;
use super::super::super::document::PolicyDocument;

/// Base64url of 32 bytes.
pub(super) fn key(byte: u8) -> Value {
    json!({"value": URL_SAFE_NO_PAD.encode([byte; 32])})
}

pub(super) fn text(text: &str) -> Value {
    json!({"value": URL_SAFE_NO_PAD.encode(text)})
}

pub(super) fn document() -> Value {
    json!({
        "version": 1,
        "issuers": [{
            "name": "staff",
            "issuer": "https://login.example.com/",
            "audience": ["files-api"],
            "algorithms": ["EdDSA"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
        }],
        "credentials": {"cookie": "__Host-session"},
        "sign_in": {
            "issuer": "staff",
            "client_id": "files-web",
            "origin": "https://files.example.com",
            "authorization_endpoint": "https://login.example.com/authorize?tenant=a",
            "token_endpoint": "https://login.example.com/token",
            "cookie_key": key(7)
        },
        "rules": [{"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["users/{sub}/**"]}]
    })
}

pub(super) fn compile(document: &Value) -> Result<Policy, Vec<String>> {
    let document: PolicyDocument = serde_json::from_value(document.clone()).unwrap();
    Policy::compile(&document)
        .map_err(|problems| problems.iter().map(|problem| problem.place.to_string()).collect())
}

/// The places of the problems after some changes, each a pointer and a value.
pub(super) fn problems(changes: &[(&str, Value)]) -> Vec<String> {
    let mut document = document();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    compile(&document).err().unwrap_or_default()
}

/// Each member of `[sign_in]` with this value has a problem at this place, or none at all.
pub(super) fn assert_problems(cases: &[(&str, Value, Option<&str>)]) {
    for (member, value, place) in cases {
        let found = problems(&[(&format!("/sign_in/{member}"), value.clone())]);
        assert_eq!(
            found,
            place.iter().map(|place| (*place).to_owned()).collect::<Vec<_>>(),
            "{member} = {value}"
        );
    }
}
