//! Any text as a policy file: every error can be displayed, and an accepted policy gives a bundle that can be read.

use std::fs;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use authorizer_core::Bundle;
use authorizer_policy::PolicyFile;
use miette::{GraphicalReportHandler, GraphicalTheme};
use tempfile::TempDir;

use crate::root;

/// A folder with the keys that the policies of the fixtures name.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    fs::create_dir(&keys).unwrap();
    for entry in fs::read_dir(root().join("fixtures/policies/keys")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, keys.join(path.file_name().unwrap())).unwrap();
    }
    folder
});

/// Checks the property; panics if it does not hold.
pub fn check(bytes: &[u8]) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = FOLDER.path().join(format!("{number}.toml"));
    fs::write(&path, bytes).unwrap();
    let loaded = PolicyFile::load(&path);
    fs::remove_file(&path).unwrap();
    match loaded {
        Ok(policy) => assert!(Bundle::read(policy.bundle_json()).is_ok()),
        Err(error) => {
            // With the source lines that it points to.
            let mut shown = String::new();
            let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
            handler.render_report(&mut shown, &error).unwrap();
            assert!(!error.to_string().is_empty() && !shown.is_empty());
        }
    }
}
