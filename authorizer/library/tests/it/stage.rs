//! The bundle and the events of the tests.

use std::fs;
use std::path::{Path, PathBuf};

use authorizer_core::Bundle;
use serde_json::{Value, json};

/// A bundle without issuers, in which anyone reads `public/`.
pub(crate) fn bundle() -> Vec<u8> {
    let policy = json!({
        "version": 1,
        "rules": [{"id": "public", "effect": "allow", "anonymous": true, "methods": ["GET"], "keys": ["public/**"]}]
    });
    Bundle::write(&serde_json::from_value(policy).unwrap()).unwrap()
}

/// The event of a GET.
pub(crate) fn event(uri: &str) -> Vec<u8> {
    json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": "203.0.113.9", "method": "GET", "uri": uri, "querystring": "", "headers": {}}
    }}]})
    .to_string()
    .into_bytes()
}

/// The recorded events of `fixtures`, by name.
pub(crate) fn recorded() -> Vec<(String, Vec<u8>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut paths: Vec<PathBuf> = ["events", "requests/events"]
        .iter()
        .flat_map(|folder| fs::read_dir(fixtures.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() > 100, "{}", paths.len());
    paths.iter().map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

/// A value without what differs from call to call.
pub(crate) fn timeless(line: &[u8]) -> Value {
    let mut line: Value = serde_json::from_slice(line).unwrap();
    assert!(line["micros"].take().is_u64() && line["time"].take().is_u64(), "{line}");
    line
}
