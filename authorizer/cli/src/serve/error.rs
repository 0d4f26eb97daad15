//! Why the distribution cannot be served.

use std::net::SocketAddr;
use std::path::PathBuf;

use authorizer_local::{FunctionError, PackagedError, RandomError, StartError};
use miette::Diagnostic;
use thiserror::Error;

/// Why the distribution cannot be served.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum ServeError {
    /// The address is taken or may not be used.
    #[error("cannot listen on {addr}: {error}")]
    #[diagnostic(help(
        "another `authorizer serve` may be running; choose another port with `--listen 127.0.0.1:8081`"
    ))]
    Listen { addr: SocketAddr, error: std::io::Error },
    /// The policy is standard input.
    #[error("`serve` does not take a policy from standard input")]
    #[diagnostic(help("write the policy to a file and name it: `serve` reads it again when it changes"))]
    PolicyFromStdin,
    /// The bucket.
    #[error(transparent)]
    #[diagnostic(help("name a folder that you can write to with `--data DIR`"))]
    Bucket(StartError),
    /// The package.
    #[error(transparent)]
    #[diagnostic(help("make the package with `make package`"))]
    Package(PackagedError),
    /// A package for another runtime.
    #[error(transparent)]
    #[diagnostic(help("write `--runtime python`, or package without `--hand-over library`"))]
    OtherRuntime(PackagedError),
    /// The runtime that should start the package; the message says how to install it.
    #[error(transparent)]
    NoRuntime(PackagedError),
    /// No credentials for the embedded bucket.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The async runtime.
    #[error("the async runtime does not start: {0}")]
    Tokio(std::io::Error),
    /// The signals that stop it.
    #[error("signals cannot be received: {0}")]
    Signals(std::io::Error),
    /// The library for TLS.
    #[error("TLS cannot be set up: {0}")]
    Tls(rustls::Error),
    /// The policy cannot be watched.
    #[error("`{path}` cannot be watched for changes: {error}")]
    Watch { path: PathBuf, error: notify::Error },
    /// The function does not start.
    #[error(transparent)]
    #[diagnostic(help("the lines of the function above say why"))]
    Function(FunctionError),
}

impl From<PackagedError> for ServeError {
    fn from(error: PackagedError) -> Self {
        match error {
            PackagedError::NoRuntimeClient(_) => Self::NoRuntime(error),
            PackagedError::OnlyPython => Self::OtherRuntime(error),
            PackagedError::Unpack(_) | PackagedError::NoHandler(_) => Self::Package(error),
        }
    }
}

impl From<StartError> for ServeError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Listen { addr, error } => Self::Listen { addr, error },
            StartError::Function(error) => Self::Function(error),
            StartError::Bucket(_) | StartError::BucketAddress(_) => Self::Bucket(error),
        }
    }
}
