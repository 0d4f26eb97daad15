//! The site of the documentation, as `make docs` makes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::binaries::root;
use crate::tools;

/// A site in a folder of its own, which goes with it.
#[derive(Debug)]
pub struct Site {
    /// The folder of the version.
    pub folder: PathBuf,
    out: TempDir,
}

impl Site {
    /// Makes the site, if mdBook could be installed.
    pub fn make() -> Option<Self> {
        tools::installed("docs", "mdBook")?;
        let out = tempfile::tempdir().unwrap();
        let done = Command::new(root().join("docs/build")).arg("--out").arg(out.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let folder = out.path().join(env!("CARGO_PKG_VERSION"));
        Some(Self { folder, out })
    }

    /// The folder of all versions.
    pub fn out(&self) -> &Path {
        self.out.path()
    }

    /// Every file of the version, by its path in it, in their order.
    pub fn files(&self) -> Vec<(String, PathBuf)> {
        let (mut files, mut folders) = (Vec::new(), vec![self.folder.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&self.folder).unwrap().to_str().unwrap().to_owned();
                    files.push((name, path));
                }
            }
        }
        files.sort();
        files
    }
}
