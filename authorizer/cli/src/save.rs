//! Writes a file completely or not at all.

use std::fs::{self, FileType, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// Why a file is not written.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum SaveError {
    /// A file already exists, and must not be overwritten.
    #[error("`{path}` already exists, and is not overwritten")]
    #[diagnostic(help("choose another name, or remove the file"))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("`{path}` cannot be written: {source}")]
    #[diagnostic(help("check that the disk has free space, and that you can write to this folder"))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else wrote the file since it was read.
    #[error("`{path}` was changed at this moment, and is not overwritten")]
    #[diagnostic(help("do it again"))]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The path is not a file.
    #[error("`{path}` is not a file")]
    #[diagnostic(help("name the file itself, not a folder or a device"))]
    NotFile {
        /// The path.
        path: PathBuf,
    },
}

impl SaveError {
    /// Whether the target is a pipe whose reader stopped.
    pub(crate) fn is_reader_left(&self) -> bool {
        matches!(self, Self::Unwritable { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Writes a new file beside the target, then renames it to the target. A reader sees the old file or the new one, and a
/// full disk does not destroy the old one.
pub(crate) fn replace(target: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    // The mode of any new file: the umask decides who else can read it.
    replace_with(target, bytes, 0o666)
}

/// The same for a file that a person owns, which keeps its mode. It is not written if its text is another one than what
/// was read (`None`: there was no file), because somebody saved it meanwhile.
pub(crate) fn replace_edited(target: &Path, before: Option<&str>, bytes: &[u8]) -> Result<(), SaveError> {
    let unwritable = |source| SaveError::Unwritable { path: target.to_owned(), source };
    let found = match fs::read(target) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(unwritable(error)),
    };
    if found.as_deref() != before.map(str::as_bytes) {
        return Err(SaveError::Changed { path: target.to_owned() });
    }
    let kept = fs::metadata(target).ok().map(|found| found.permissions().mode() & 0o7777);
    write_beside(target, bytes, kept.unwrap_or(0o666), kept)
}

/// The same for what people read: it may also go to a device or a pipe, such as `/dev/null` or `/dev/stdout`.
pub(crate) fn replace_or_send(target: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    let goes_through = |kind: FileType| kind.is_char_device() || kind.is_fifo();
    if !fs::metadata(target).is_ok_and(|found| goes_through(found.file_type())) {
        return replace(target, bytes);
    }
    let sent = OpenOptions::new().write(true).open(target).and_then(|mut file| file.write_all(bytes));
    sent.map_err(|source| SaveError::Unwritable { path: target.to_owned(), source })
}

/// The same for a file with a secret: only its owner can read it.
pub(crate) fn replace_private(target: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    replace_with(target, bytes, 0o600)
}

pub(crate) fn replace_with(target: &Path, bytes: &[u8], mode: u32) -> Result<(), SaveError> {
    write_beside(target, bytes, mode, None)
}

/// With the mode less the umask, or with exactly this one.
fn write_beside(target: &Path, bytes: &[u8], mode: u32, exactly: Option<u32>) -> Result<(), SaveError> {
    // A rename would replace a device.
    if fs::metadata(target).is_ok_and(|found| !found.is_file()) {
        return Err(SaveError::NotFile { path: target.to_owned() });
    }
    // A link stays a link, and its target is replaced.
    let resolved = fs::canonicalize(target);
    let target = resolved.as_deref().unwrap_or(target);
    let unwritable = |source| SaveError::Unwritable { path: target.to_owned(), source };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let mut file = tempfile::Builder::new()
        .prefix(".authorizer-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(unwritable)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
    if let Some(mode) = exactly {
        file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(unwritable)?;
    }
    file.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_a_person_owns_keeps_its_mode_and_what_was_saved_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        replace_edited(&file, None, b"one").unwrap();
        for mode in [0o600, 0o640, 0o666] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let before = fs::read_to_string(&file).unwrap();
            replace_edited(&file, Some(&before), format!("{mode:o}").as_bytes()).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, mode);
            assert_eq!(fs::read_to_string(&file).unwrap(), format!("{mode:o}"));
        }
        for before in [None, Some("one")] {
            let refused = replace_edited(&file, before, b"two");
            assert!(matches!(refused, Err(SaveError::Changed { .. })), "{refused:?}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "666");
    }
}
