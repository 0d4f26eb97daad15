//! Other people's tools, which the installers in `tests/tools` install into `.tools`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use crate::binaries::root;
use crate::skipped::skip;

/// The folder that `tests/tools/NAME/install` fills, if the tool could be installed on this machine. Otherwise the
/// test says so and is skipped; with `CI=true` it fails.
pub fn installed(name: &'static str, what: &str) -> Option<&'static Path> {
    let tool = install(name);
    if tool.skipped.is_empty() {
        return Some(&tool.folder);
    }
    skip(&format!("{what}: {}", tool.skipped));
    None
}

/// The result of an installer.
#[derive(Debug)]
pub(crate) struct Tool {
    folder: PathBuf,
    /// What it left out, and why; empty if it installed everything.
    pub(crate) skipped: String,
}

/// Runs an installer, once per process.
pub(crate) fn install(name: &'static str) -> &'static Tool {
    type Installed = Mutex<BTreeMap<&'static str, Arc<OnceLock<&'static Tool>>>>;
    static INSTALLED: Installed = Mutex::new(BTreeMap::new());
    let tool = Arc::clone(INSTALLED.lock().unwrap().entry(name).or_default());
    tool.get_or_init(|| {
        let status = Command::new(root().join(format!("tests/tools/{name}/install"))).status().unwrap();
        let folder = root().join(".tools").join(name);
        let skipped = std::fs::read_to_string(folder.join("SKIPPED")).unwrap_or_default();
        assert!(status.success(), "tests/tools/{name}/install: {status} {skipped}");
        Box::leak(Box::new(Tool { folder, skipped: skipped.trim().to_owned() }))
    })
}
