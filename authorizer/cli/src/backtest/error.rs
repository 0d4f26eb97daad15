//! Why logs cannot be checked against a policy.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// Why logs cannot be checked against a policy. A line that cannot be read is not an error, unless no line can be read.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum BacktestError {
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name an existing file or folder that you can read"))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A compressed file is not complete.
    #[error("`{path}` is damaged: {source}")]
    #[diagnostic(help("copy the file again"))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The output format of standard logging that is not supported.
    #[error("`{path}` is in the Parquet format, which is not supported")]
    #[diagnostic(help("choose `w3c` or `json` as the output format of the distribution's logs"))]
    Parquet {
        /// The file.
        path: PathBuf,
    },
    /// A file is not a partial result.
    #[error("`{path}` is not a partial result: {problem}")]
    #[diagnostic(help("name files that `authorizer backtest --partial FILE` wrote, whole"))]
    NotPartial {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A partial result is from another version of the format.
    #[error("`{path}` has version {version} of partial results, which is not supported")]
    #[diagnostic(help("make all partial results, and merge them, with the same version of this program"))]
    PartialVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// Partial results do not belong together.
    #[error("`{path}` and `{first}` cannot be merged: {what} differs")]
    #[diagnostic(help("make all partial results with the same policies and options"))]
    Unlike {
        /// The file.
        path: PathBuf,
        /// The first file.
        first: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// The arguments of a merge do not have a file.
    #[error("there is no partial result to merge")]
    #[diagnostic(help("name files that `authorizer backtest --partial FILE` wrote, or folders of them"))]
    NoPartials,
    /// There is nothing to check: that is not the same as no change.
    #[error("the logs do not contain a request")]
    #[diagnostic(help("name access logs, or the log of the function, which has a line for each request"))]
    NoRequests,
    /// No line can be read.
    #[error("none of {count} lines can be read; the first is {file}:{line}: {problem}")]
    #[diagnostic(help("`authorizer help logs` lists the log formats, and says how to export logs"))]
    AllMalformed {
        /// The number of lines.
        count: u64,
        /// The file of the first.
        file: String,
        /// Its line.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
}
