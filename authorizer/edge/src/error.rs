//! Why the function does not start.

use std::io;
use std::path::PathBuf;

use authorizer_core::BundleError;
use thiserror::Error;

/// Why the function does not start.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("the path of this binary is not known: {0}")]
    Place(#[source] io::Error),
    #[error("`{path}` cannot be read: {source}")]
    BundleMissing { path: PathBuf, source: io::Error },
    #[error("`{path}`: {source}")]
    Bundle { path: PathBuf, source: BundleError },
    #[cfg(feature = "remote-keys")]
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    #[cfg(not(feature = "remote-keys"))]
    #[error("the keys of issuer `{0}` have to be asked for, and this binary was built without that")]
    RemoteKeys(String),
    #[error("the environment variable `{0}` is not set: this binary is started by Lambda")]
    NotInLambda(&'static str),
    #[error("the async runtime does not start: {0}")]
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
