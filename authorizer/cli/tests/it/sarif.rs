//! What a SARIF log must be.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::ROOT;

/// The standard's own schema.
pub(crate) fn schema() -> Value {
    let path = Path::new(ROOT).join("fixtures/schemas/sarif-2.1.0/sarif-schema-2.1.0.json");
    let text = fs::read_to_string(path).unwrap();
    // As published, one pattern has a `]` too many, which ECMA-262 takes for itself and others for an error.
    let text = text.replace("[a-zA-Z]{2}]?$", r"[a-zA-Z]{2}\\]?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(schema["title"].as_str().unwrap().contains("(SARIF) Version 2.1.0"), "{}", schema["title"]);
    schema
}
