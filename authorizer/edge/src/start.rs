//! Start-up: the bundle is read and compiled once, before the first event is asked for.

use std::path::PathBuf;
use std::{env, fs, io};

use authorizer_core::{Authorizer, Bundle, BundleError};
use lambda_runtime::{Runtime, service_fn};
use once_cell::sync::OnceCell;
use thiserror::Error;

use crate::function::Function;

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
    // `authorizer package` looks for these words in the binary.
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

/// Serves events until Lambda ends the process.
pub(crate) fn start() -> Result<(), StartError> {
    let function = function()?;
    require_lambda()?;
    // One event at a time is all that Lambda hands over, so one thread is enough.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Tokio)?;
    runtime
        .block_on(Runtime::new(service_fn(|event| function.handle(event))).run())
        .map_err(StartError::Lambda)
}

/// The policy, keys and matchers, built at the first call and shared by every invocation after it.
fn function() -> Result<&'static Function, StartError> {
    static FUNCTION: OnceCell<Function> = OnceCell::new();
    FUNCTION.get_or_try_init(|| {
        let mut path = env::current_exe().map_err(StartError::Place)?;
        path.set_file_name("bundle.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(StartError::BundleMissing { path, source }),
        };
        let bundle = Bundle::read(&bytes).map_err(|source| StartError::Bundle { path, source })?;
        Function::new(Authorizer::new(bundle))
    })
}

/// `lambda_runtime` panics without these; a person who starts the binary by hand deserves a sentence.
fn require_lambda() -> Result<(), StartError> {
    const RESERVED: [&str; 4] = [
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    ];
    match RESERVED.into_iter().find(|name| env::var(name).is_err()) {
        Some(name) => Err(StartError::NotInLambda(name)),
        None => Ok(()),
    }
}
