//! The reasons why the function cannot start.

use std::io;
use std::path::PathBuf;

use authorizer_core::BundleError;
use thiserror::Error;

/// Why the function does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The folder of the bundle is not known.
    #[error("cannot find the path of this binary: {0}")]
    Place(#[source] io::Error),
    /// The bundle cannot be read.
    #[error("cannot read `{path}`: {source}")]
    BundleMissing {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The bundle is damaged, or of another version.
    #[error("`{path}`: {source}")]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BundleError,
    },
    /// The TLS of the fetches cannot be set up.
    #[cfg(feature = "remote-keys")]
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The policy needs another build.
    #[cfg(not(feature = "remote-keys"))]
    #[error("the keys of issuer `{0}` must be fetched, but this binary was built without `remote-keys`")]
    RemoteKeys(String),
    /// The binary was started by hand.
    #[error("the environment variable `{0}` is not set: only Lambda can start this binary")]
    NotInLambda(&'static str),
    /// The library was asked a second time.
    #[error("this process has started already, and goes on with the bundle that it has")]
    AlreadyStarted,
    /// The system does not give what the async runtime needs.
    #[error("cannot start the async runtime: {0}")]
    Tokio(#[source] io::Error),
    /// The client of the Runtime API gave up.
    #[error("the Lambda runtime ended: {0}")]
    Lambda(Box<dyn std::error::Error + Send + Sync>),
}

impl StartError {
    /// A stable word for alarms.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Place(_) | Self::BundleMissing { .. } => "bundle_missing",
            Self::Bundle { source: BundleError::CodeFlow, .. } => "code_flow_not_built",
            Self::Bundle { .. } => "bundle_invalid",
            #[cfg(feature = "remote-keys")]
            Self::Tls(_) => "runtime_failed",
            #[cfg(not(feature = "remote-keys"))]
            Self::RemoteKeys(_) => "remote_keys_not_built",
            Self::NotInLambda(_) => "not_in_lambda",
            Self::AlreadyStarted => "already_started",
            Self::Tokio(_) | Self::Lambda(_) => "runtime_failed",
        }
    }
}
