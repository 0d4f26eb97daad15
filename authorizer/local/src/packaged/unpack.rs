//! The deployment package on disk, as Lambda unpacks it.

use std::fs::{File, OpenOptions, Permissions};
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

/// Unpacks the zip into a temporary folder, keeping the files' modes.
pub(crate) fn unpack(path: &Path) -> Result<TempDir, UnpackError> {
    let read = |error| UnpackError::Read { path: path.to_owned(), error };
    let damaged = |error| UnpackError::Zip { path: path.to_owned(), error };
    let mut archive = ZipArchive::new(File::open(path).map_err(read)?).map_err(damaged)?;
    let folder = tempfile::Builder::new().prefix("authorizer-").tempdir().map_err(UnpackError::Write)?;
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let target = folder.path().join(relative(&name).ok_or_else(|| UnpackError::Entry(name.clone()))?);
        if entry.is_dir() {
            std::fs::create_dir_all(&target).map_err(UnpackError::Write)?;
            continue;
        }
        if entry.is_symlink() || !entry.is_file() {
            return Err(UnpackError::Entry(name));
        }
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(UnpackError::Write)?;
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
