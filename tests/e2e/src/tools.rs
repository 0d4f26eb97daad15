//! Other people's tools, which the installers in `tests` bring into `.tools`.

use std::path::PathBuf;
use std::process::Command;

use crate::binaries::root;
use crate::runtimes::skip;

/// The folder that `tests/NAME/install` fills, if it could be filled on this machine. Where it could not, the
/// test says so and is skipped; with `CI=true` it fails.
pub fn installed(name: &str, what: &str) -> Option<PathBuf> {
    let folder = root().join(".tools").join(name);
    let status = Command::new(root().join(format!("tests/{name}/install"))).status().unwrap();
    let skipped = std::fs::read_to_string(folder.join("SKIPPED")).unwrap_or_default();
    assert!(status.success(), "tests/{name}/install: {status} {skipped}");
    if skipped.is_empty() {
        return Some(folder);
    }
    skip(&format!("{what}: {}", skipped.trim()));
    None
}
