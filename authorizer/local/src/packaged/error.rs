//! Why a package cannot be run.

use std::path::PathBuf;

use super::unpack::UnpackError;

/// Why a package cannot be run at all.
#[derive(Debug, thiserror::Error)]
pub enum PackagedError {
    /// The zip cannot be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The handler or binary that the runtime starts is missing.
    #[error("the package does not contain `{0}`")]
    NoHandler(String),
    /// The package has no program to start: its Python handler calls a library.
    #[error("the package is for Python alone: it was made with `--hand-over library`")]
    OnlyPython,
    /// The runtime's client is not installed.
    #[error("the runtime client `{path}` does not exist: in a clone of the repository, `make runtimes` installs it; elsewhere, leave out `--runtime`", path = _0.display())]
    NoRuntimeClient(PathBuf),
}
