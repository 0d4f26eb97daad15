//! Any text as a policy file: no panic, and an error is always shown.
#![no_main]

use std::fs;

use authorizer_policy::PolicyFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, bytes).unwrap();
    if let Err(error) = PolicyFile::load(&path) {
        assert!(!error.to_string().is_empty());
    }
});
