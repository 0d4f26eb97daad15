//! The reasons why the function cannot start.

use std::io;
use std::path::PathBuf;

use authorizer_core::BundleError;
use thiserror::Error;

/// Why the function does not start.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("cannot find the path of this binary: {0}")]
    Place(#[source] io::Error),
    #[error("cannot read `{path}`: {source}")]
    BundleMissing { path: PathBuf, source: io::Error },
    #[error("`{path}`: {source}")]
    Bundle { path: PathBuf, source: BundleError },
    #[cfg(feature = "remote-keys")]
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    #[cfg(not(feature = "remote-keys"))]
    #[error("the keys of issuer `{0}` must be fetched, but this binary was built without `remote-keys`")]
    RemoteKeys(String),
    #[error("the environment variable `{0}` is not set: only Lambda can start this binary")]
    NotInLambda(&'static str),
    #[error("cannot start the async runtime: {0}")]
    Tokio(#[source] io::Error),
    #[error("the Lambda runtime ended: {0}")]
    Lambda(lambda_runtime::Error),
}

impl StartError {
    /// A stable word for alarms.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Place(_) | Self::BundleMissing { .. } => "bundle_missing",
            Self::Bundle { .. } => "bundle_invalid",
            #[cfg(feature = "remote-keys")]
            Self::Tls(_) => "runtime_failed",
            #[cfg(not(feature = "remote-keys"))]
            Self::RemoteKeys(_) => "remote_keys_not_built",
            Self::NotInLambda(_) => "not_in_lambda",
            Self::Tokio(_) | Self::Lambda(_) => "runtime_failed",
        }
    }
}
