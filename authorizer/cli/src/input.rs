//! Files that a person names, read up to a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// Why a file cannot be read.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum InputError {
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name an existing file that you can read"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is a folder.
    #[error("`{path}` is a folder, not a file")]
    #[diagnostic(help("name a file in it"))]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A file is larger than its kind can be.
    #[error("`{path}` is larger than {limit} bytes")]
    #[diagnostic(help("check that this is the right file"))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Two arguments are `-`.
    #[error("two arguments are `-`, and standard input can be read only once")]
    #[diagnostic(help("write one of the two to a file, and name the file"))]
    StdinTwice,
}

/// Reads a file of at most `limit` bytes; `-` is standard input.
pub(crate) fn read_limited(path: &Path, limit: usize) -> Result<Vec<u8>, InputError> {
    if path == Path::new("-") {
        return read_stdin_limited(limit);
    }
    let unreadable = |source| InputError::Unreadable { path: path.to_owned(), source };
    read_up_to(File::open(path).map_err(unreadable)?, path, limit)
}

/// Reads standard input, of at most `limit` bytes.
pub(crate) fn read_stdin_limited(limit: usize) -> Result<Vec<u8>, InputError> {
    read_up_to(io::stdin(), Path::new("-"), limit)
}

fn read_up_to(from: impl Read, path: &Path, limit: usize) -> Result<Vec<u8>, InputError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::IsADirectory => InputError::Folder { path: path.to_owned() },
        _ => InputError::Unreadable { path: path.to_owned(), source },
    };
    let mut bytes = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    from.take(one_more).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(InputError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}
