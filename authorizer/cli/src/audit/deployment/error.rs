//! Why a deployment cannot be audited.

use std::io;
use std::path::PathBuf;

use authorizer_findings::deployment::ExportError;
use miette::Diagnostic;
use thiserror::Error;

/// Why a deployment cannot be audited.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum DeploymentError {
    /// The folder cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name the folder that `infra/export DISTRIBUTION_ID FOLDER` wrote"))]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder has more files than an export.
    #[error("`{path}` contains more than {limit} files")]
    #[diagnostic(help(
        "name the folder that `infra/export DISTRIBUTION_ID FOLDER` wrote; it must not contain anything else"
    ))]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// The folder is not an export.
    #[error("`{path}` cannot be audited: {source}")]
    #[diagnostic(help("name the folder that `infra/export DISTRIBUTION_ID FOLDER` wrote"))]
    NoExport {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: ExportError,
    },
    /// The file is not a package.
    #[error("`{path}` is not a package: {message}")]
    #[diagnostic(help("name the zip that `authorizer package` made, or give its hash with `--code-sha256`"))]
    NoPackage {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}
