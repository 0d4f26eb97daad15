//! The schema of a SARIF log.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::ROOT;

/// The schema of the standard.
pub(crate) fn schema() -> Value {
    let path = Path::new(ROOT).join("fixtures/schemas/sarif-2.1.0/sarif-schema-2.1.0.json");
    let text = fs::read_to_string(path).unwrap();
    // In the published schema, one pattern has a `]` too many. ECMA-262 reads it as a character, others as an error.
    let text = text.replace("[a-zA-Z]{2}]?$", r"[a-zA-Z]{2}\\]?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(schema["title"].as_str().unwrap().contains("(SARIF) Version 2.1.0"), "{}", schema["title"]);
    schema
}
