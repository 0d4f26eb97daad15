//! A file that is there whole or not at all.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::error::CliError;

/// Writes beside the target, then takes its place: whoever reads it meanwhile has the old one, and a full
/// disk costs nobody what was there.
pub(crate) fn replace(target: &Path, bytes: &[u8]) -> Result<(), CliError> {
    // As any new file has: the caller's umask says who else may read it.
    replace_with(target, bytes, 0o666)
}

/// The same for what holds a secret: nobody else may read it.
pub(crate) fn replace_private(target: &Path, bytes: &[u8]) -> Result<(), CliError> {
    replace_with(target, bytes, 0o600)
}

fn replace_with(target: &Path, bytes: &[u8], mode: u32) -> Result<(), CliError> {
    // Renaming over a device would take its place.
    if fs::metadata(target).is_ok_and(|found| !found.is_file()) {
        return Err(CliError::NotFile { path: target.to_owned() });
    }
    // A link stays one, and what it leads to is replaced.
    let resolved = fs::canonicalize(target);
    let target = resolved.as_deref().unwrap_or(target);
    let unwritable = |source| CliError::Write { path: target.to_owned(), source };
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
    file.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(())
}
