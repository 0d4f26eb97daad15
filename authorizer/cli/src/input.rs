//! Files that a person names, read up to what they may hold.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::error::CliError;

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_limited(path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    let unreadable = |source| CliError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).and_then(|file| file.take(one_more).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(CliError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}
