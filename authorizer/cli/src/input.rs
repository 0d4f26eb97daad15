//! Files that a person names, read up to what they may hold.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::CliError;

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_limited(path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    let unreadable = |source| CliError::Read { path: path.to_owned(), source };
    read_up_to(File::open(path).map_err(unreadable)?, path, limit)
}

/// Reads standard input, of at most `limit` bytes.
pub(crate) fn read_stdin_limited(limit: usize) -> Result<Vec<u8>, CliError> {
    read_up_to(io::stdin(), Path::new("-"), limit)
}

fn read_up_to(from: impl Read, path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    let unreadable = |source| CliError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    from.take(one_more).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(CliError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}
