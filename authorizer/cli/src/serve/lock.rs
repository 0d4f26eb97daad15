//! One server for each data folder: two would not see each other's uploads as whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process;

use miette::Diagnostic;
use thiserror::Error;

/// The file in the data folder. The system unlocks it when its process ends, in whatever way.
const NAME: &str = "serve.lock";

/// The most that is read of it.
const MAX_BYTES: u64 = 1_024;

/// Why the folder is not ours.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum LockError {
    /// Another server has it.
    #[error("the data folder `{folder}` is in use by {by}")]
    #[diagnostic(help("stop that `authorizer serve`, or name another folder with `--data DIR`"))]
    InUse { folder: PathBuf, by: String },
    /// The file cannot be used.
    #[error("the data folder `{folder}` cannot be locked: {source}")]
    #[diagnostic(help("name a folder that you can write to with `--data DIR`"))]
    Unusable { folder: PathBuf, source: io::Error },
}

/// The right to use a data folder. Its file goes with it.
#[derive(Debug)]
pub(super) struct DataLock {
    file: File,
    path: PathBuf,
}

impl DataLock {
    /// Takes the folder, and makes it if it is missing.
    pub(super) fn take(folder: &Path) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unusable)?;
        let path = folder.join(NAME);
        loop {
            let mut options = OpenOptions::new();
            let mut file =
                options.read(true).write(true).create(true).truncate(false).open(&path).map_err(unusable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    // It says nothing yet if the other one has just begun.
                    let _ = (&mut file).take(MAX_BYTES).read_to_string(&mut text);
                    return Err(LockError::InUse { folder: folder.to_owned(), by: holder(&text) });
                }
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
            // The one before may have removed the file after it was opened here. Then another one may have a new file.
            let (ours, there) = (file.metadata().map_err(unusable)?, fs::metadata(&path));
            if there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
                let mut lock = Self { file, path };
                lock.say("").map_err(unusable)?;
                return Ok(lock);
            }
        }
    }

    /// Writes for whom comes later where this server is.
    pub(super) fn serves(&mut self, url: &str) {
        // Whoever reads it has the id of the process in any case.
        let _ = self.say(url);
    }

    fn say(&mut self, url: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        write!(self.file, "{}\n{url}\n", process::id())
    }
}

impl Drop for DataLock {
    fn drop(&mut self) {
        // Still locked, so that it is this server's.
        let _ = fs::remove_file(&self.path);
    }
}

/// Who holds the lock, by what the file says.
fn holder(text: &str) -> String {
    let mut lines = text.lines();
    let Some(id) = lines.next().and_then(|line| line.parse::<u32>().ok()) else {
        return "another process".to_owned();
    };
    match lines.next().filter(|url| !url.is_empty()) {
        Some(url) => format!("process {id}, which serves {}", url.escape_debug()),
        None => format!("process {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_servers_until_it_ends_and_the_other_is_told_which() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/data");
        let mut lock = DataLock::take(&data).unwrap();
        let told = DataLock::take(&data).unwrap_err().to_string();
        assert!(told.ends_with(&format!("is in use by process {}", process::id())), "{told}");
        lock.serves("http://127.0.0.1:8080");
        let told = DataLock::take(&data).unwrap_err().to_string();
        assert!(told.contains(", which serves http://127.0.0.1:8080"), "{told}");
        drop(lock);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "nothing is left");
        drop(DataLock::take(&data).unwrap());
        // The file that a killed process has left does not stop the next one.
        fs::write(data.join(NAME), "1\n").unwrap();
        drop(DataLock::take(&data).unwrap());
        fs::write(data.join("file"), "").unwrap();
        assert!(matches!(DataLock::take(&data.join("file")), Err(LockError::Unusable { .. })));
    }

    #[test]
    fn what_is_no_id_names_nobody() {
        for text in ["", "x", "\n"] {
            assert_eq!(holder(text), "another process");
        }
    }
}
