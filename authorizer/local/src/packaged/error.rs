//! Why a package cannot be run.

use std::path::PathBuf;

use super::unpack::UnpackError;

/// Why a package cannot be run at all.
#[derive(Debug, thiserror::Error)]
pub enum PackagedError {
    /// The zip.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The handler or binary that the runtime starts.
    #[error("the package holds no `{0}`")]
    NoHandler(String),
    /// The runtime's client is not installed.
    #[error("no runtime client at `{path}`: install it with `make runtimes`", path = _0.display())]
    NoRuntimeClient(PathBuf),
}
