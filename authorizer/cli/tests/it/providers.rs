//! The tokens of well-known providers, each with the policy for it: fixtures/providers.

use std::path::{Path, PathBuf};

use authorizer_core::claim_name;
use authorizer_core::token::Jws;
use authorizer_core::{Authorizer, Supposed, UnixTime};
use authorizer_policy::PolicyFile;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// The instant at which all of them are valid.
const NOW: u64 = 1_800_000_000;

struct Provider {
    name: String,
    authorizer: Authorizer,
    header: Value,
    claims: Map<String, Value>,
}

fn providers() -> Vec<Provider> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/providers/tokens");
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.iter().map(|folder| Provider::read(folder)).collect()
}

impl Provider {
    fn read(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let file = PolicyFile::load(&folder.join("policy.toml"));
        let file = file.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(file.warnings().is_empty(), "{name}: {:?}", file.warnings());
        let token: Value =
            serde_json::from_slice(&std::fs::read(folder.join("token.json")).unwrap()).unwrap();
        assert!(token["source"].as_str().unwrap().starts_with("https://"), "{name}");
        Self {
            name,
            authorizer: Authorizer::new(file.into_bundle()),
            header: token["header"].clone(),
            claims: token["claims"].as_object().unwrap().clone(),
        }
    }

    /// The reason word for a GET of an own object with these claims.
    fn decide(&self, claims: &Map<String, Value>) -> String {
        let rules = self.authorizer.bundle().policy().rules();
        let pattern = rules[0].keys()[0].to_string();
        let mut uri = format!("/{}", pattern.replace("**", "a.txt"));
        if let Some((before, rest)) = uri.clone().split_once('{')
            && let Some((claim, after)) = rest.split_once('}')
        {
            let value = claim_name::find(&self.claims, claim).and_then(Value::as_str).unwrap();
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            uri = format!("{before}{value}{after}");
        }
        let event = json!({"Records": [{"cf": {
            "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
                "eventType": "viewer-request", "requestId": "r1"},
            "request": {"clientIp": "203.0.113.178", "method": "GET", "uri": uri, "querystring": "",
                "headers": {"host": [{"key": "Host", "value": "files.example.com"}]}}
        }}]});
        let token_type = self.header.get("typ").map(|typ| typ.as_str().unwrap().to_owned());
        let supposed = Supposed { token_type, claims: claims.clone() };
        let event = event.to_string();
        let decided =
            self.authorizer.authorize_supposing(event.as_bytes(), &supposed, UnixTime::from_seconds(NOW));
        decided.record.reason.into_owned()
    }
}

#[test]
fn the_token_of_each_provider_is_accepted_by_its_policy() {
    let providers = providers();
    let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    assert_eq!(names.len(), 18, "17 providers, of which Entra ID has two kinds of token: {names:?}");
    for provider in &providers {
        assert_eq!(provider.decide(&provider.claims), "allowed_by_rule", "{}", provider.name);
        // The header is one that is read, and it names one of the policy's algorithms.
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = Value::Object(provider.claims.clone());
        let token = format!("{}.{}.c2ln", encode(&provider.header), encode(&claims));
        let jws = Jws::parse(&token).unwrap_or_else(|error| panic!("{}: {error}", provider.name));
        assert_eq!(jws.claims().unwrap(), provider.claims);
        let issuer = &provider.authorizer.bundle().policy().issuers()[0];
        let refused = issuer.verify_signature(&jws).unwrap_err().to_string();
        assert_eq!(refused, "the signature is not the issuer's", "{}: a key fits", provider.name);
    }
}

#[test]
fn a_token_for_another_service_of_the_provider_is_refused() {
    for provider in &providers() {
        let issuer = &provider.authorizer.bundle().policy().issuers()[0];
        let mut changed = 0;
        let mut refuse = |name: &str, value: Option<Value>| {
            let mut claims = provider.claims.clone();
            match value {
                Some(value) => drop(claims.insert(name.to_owned(), value)),
                None => drop(claims.remove(name)),
            }
            let reason = provider.decide(&claims);
            assert_ne!(reason, "allowed_by_rule", "{}: {name}", provider.name);
            changed += 1;
        };
        refuse("iss", Some("https://other.example.com/".into()));
        refuse("aud", Some("another service".into()));
        refuse("aud", Some(json!(["another service"])));
        refuse("cnf", Some(json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})));
        if !issuer.audience().is_empty() {
            refuse("aud", None);
        }
        if !issuer.client_ids().is_empty() {
            refuse("client_id", Some("another application".into()));
            refuse("client_id", None);
        }
        for name in issuer.required().keys() {
            refuse(name, Some("another value".into()));
            refuse(name, None);
        }
        // What the rule asks for, also of claims within claims.
        for condition in provider.authorizer.bundle().policy().rules()[0].conditions() {
            for value in [json!("another value"), json!({}), json!(null)] {
                let mut claims = provider.claims.clone();
                claim_name::put(&mut claims, &condition.claim, value);
                let reason = provider.decide(&claims);
                assert_ne!(reason, "allowed_by_rule", "{}: {}", provider.name, condition.claim);
            }
        }
        assert!(changed >= 5, "{}", provider.name);
    }
}
