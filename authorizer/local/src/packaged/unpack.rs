//! The deployment package on disk, as Lambda unpacks it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;
use zip::ZipArchive;
use zip::result::ZipError;

/// Lambda's limit on an unpacked package.
const MAX_UNPACKED: u64 = 250 * 1024 * 1024;

/// Why the package could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The file cannot be read.
    #[error("cannot read the package `{path}`: {error}", path = path.display())]
    Read {
        /// The package.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// It is not a zip, or it is damaged.
    #[error("cannot unpack `{path}` as a zip: {error}", path = path.display())]
    Zip {
        /// The package.
        path: PathBuf,
        /// What is wrong with it.
        error: ZipError,
    },
    /// An entry that is outside of the folder, is there twice, or is not a file.
    #[error("the package contains `{0}`, which is not a regular file below the function's folder")]
    Entry(String),
    /// More than Lambda accepts.
    #[error("the unpacked package is larger than Lambda's limit of 250 MB")]
    TooLarge,
    /// The temporary folder cannot be written.
    #[error("cannot write the unpacked package: {0}")]
    Write(io::Error),
}

/// How the temporary folders of packages are named.
const PREFIX: &str = "authorizer-package-";

/// The file that is locked as long as the folder is in use.
const LOCK: &str = "in-use";

/// An unpacked package. Its folder goes with it.
#[derive(Debug)]
pub(crate) struct Unpacked {
    files: PathBuf,
    folder: TempDir,
    _lock: File,
}

impl Unpacked {
    /// An empty folder. Those that a killed process has left are removed.
    fn new() -> io::Result<Self> {
        remove_left_over(&std::env::temp_dir());
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        // Nobody finds the lock before it is locked.
        let (new, lock) = (folder.path().join("new"), folder.path().join(LOCK));
        let file = File::create(&new)?;
        file.lock()?;
        fs::rename(new, lock)?;
        let files = folder.path().join("function");
        fs::create_dir(&files)?;
        Ok(Self { files, folder, _lock: file })
    }

    /// The folder with the files of the package.
    pub(crate) fn path(&self) -> &Path {
        &self.files
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // Whatever the function did to the modes of its folders must not keep them here.
        let _ = fs::set_permissions(&self.files, Permissions::from_mode(0o700));
        let _ = fs::remove_dir_all(self.folder.path());
    }
}

/// Removes the folders whose process was killed. What cannot be removed belongs to another user.
fn remove_left_over(temporary: &Path) {
    let Ok(folders) = fs::read_dir(temporary) else { return };
    for folder in folders.flatten() {
        if !folder.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            || !folder.file_type().is_ok_and(|kind| kind.is_dir())
        {
            continue;
        }
        if let Ok(lock) = File::open(folder.path().join(LOCK))
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

/// Unpacks the zip into a temporary folder, keeping the files' modes.
pub(crate) fn unpack(path: &Path) -> Result<Unpacked, UnpackError> {
    let read = |error| UnpackError::Read { path: path.to_owned(), error };
    let damaged = |error| UnpackError::Zip { path: path.to_owned(), error };
    let mut archive = ZipArchive::new(File::open(path).map_err(read)?).map_err(damaged)?;
    let folder = Unpacked::new().map_err(UnpackError::Write)?;
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let target = folder.path().join(relative(&name).ok_or_else(|| UnpackError::Entry(name.clone()))?);
        if entry.is_dir() {
            fs::create_dir_all(&target).map_err(UnpackError::Write)?;
            continue;
        }
        if entry.is_symlink() || !entry.is_file() {
            return Err(UnpackError::Entry(name));
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(UnpackError::Write)?;
        }
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::AlreadyExists => UnpackError::Entry(name),
                    _ => UnpackError::Write(error),
                }
            })?;
        // The zip's own directory may give a wrong size.
        let mut limited = io::Read::take(&mut entry, left.saturating_add(1));
        let written = io::copy(&mut limited, &mut file).map_err(|error| damaged(error.into()))?;
        left = left.checked_sub(written).ok_or(UnpackError::TooLarge)?;
        file.set_permissions(Permissions::from_mode(mode)).map_err(UnpackError::Write)?;
    }
    Ok(folder)
}

/// The name as a path that stays below the folder it is joined to.
fn relative(name: &str) -> Option<&Path> {
    let path = Path::new(name);
    let stays = path.components().all(|component| matches!(component, Component::Normal(_)));
    (!name.is_empty() && !name.contains(['\\', '\0']) && stays).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn package(entries: &[(&str, u32, &[u8])]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("function.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, mode, data) in entries {
            zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
            zip.write_all(data).unwrap();
        }
        zip.finish().unwrap();
        (folder, path)
    }

    #[test]
    fn files_and_modes_are_kept() {
        let (_keep, zip) = package(&[("bootstrap", 0o755, b"#!/bin/sh"), ("lib/index.py", 0o644, b"1")]);
        let folder = unpack(&zip).unwrap();
        let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("bootstrap"), mode("lib/index.py")), (0o755, 0o644));
        assert_eq!(std::fs::read(folder.path().join("bootstrap")).unwrap(), b"#!/bin/sh");
    }

    #[test]
    fn the_folder_of_a_process_that_was_killed_goes_at_the_next_start_and_one_in_use_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = temporary.path().join(name);
            fs::create_dir_all(folder.join("function")).unwrap();
            let lock = File::create(folder.join(LOCK)).unwrap();
            (folder, lock)
        };
        let (left, _) = folder("authorizer-package-left");
        let (used, lock) = folder("authorizer-package-used");
        lock.lock().unwrap();
        let (other, _) = folder("other");
        let young = temporary.path().join("authorizer-package-young");
        fs::create_dir(&young).unwrap();
        remove_left_over(temporary.path());
        assert_eq!([left, used, other, young].map(|folder| folder.exists()), [false, true, true, true]);
    }

    #[test]
    fn an_entry_that_leads_out_of_the_folder_is_refused() {
        for name in ["../evil", "a/../../evil", "/etc/evil", "a\\..\\evil"] {
            let (_keep, zip) = package(&[(name, 0o644, b"x")]);
            assert!(matches!(unpack(&zip), Err(UnpackError::Entry(_))), "{name}");
        }
    }

    #[test]
    fn a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("function.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        zip.add_symlink("bootstrap", "/bin/sh", SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap();
        assert!(matches!(unpack(&path), Err(UnpackError::Entry(_))));
    }

    #[test]
    fn what_is_no_zip_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("function.zip");
        assert!(matches!(unpack(&path), Err(UnpackError::Read { .. })));
        std::fs::write(&path, b"no zip").unwrap();
        assert!(matches!(unpack(&path), Err(UnpackError::Zip { .. })));
    }
}
