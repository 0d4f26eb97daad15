//! What a SARIF log must be.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The standard's own schema, which the crate `serde-sarif` comes with.
pub(crate) fn schema() -> Value {
    let cargo = |arguments: &[&str]| {
        Command::new(env!("CARGO")).current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().unwrap()
    };
    let version = String::from_utf8(cargo(&["-vV"]).stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // What this machine has built with is at hand; what others would is not.
    let metadata =
        cargo(&["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host]);
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let package =
        metadata["packages"].as_array().unwrap().iter().find(|one| one["name"] == "serde-sarif").unwrap();
    let folder: PathBuf = package["manifest_path"].as_str().unwrap().into();
    let text = fs::read_to_string(folder.parent().unwrap().join("src/schema.json")).unwrap();
    // As published, one pattern has a `]` too many, which ECMA-262 takes for itself and others for an error.
    let text = text.replace("[a-zA-Z]{2}]?$", r"[a-zA-Z]{2}\\]?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(schema["title"].as_str().unwrap().contains("(SARIF) Version 2.1.0"), "{}", schema["title"]);
    schema
}
