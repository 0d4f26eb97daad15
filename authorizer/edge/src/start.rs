//! Start-up: the bundle is read and compiled once, before the first event is asked for.

use std::path::PathBuf;
use std::{env, fs, io};

use authorizer_core::{Authorizer, Bundle, BundleError};
use lambda_runtime::{Runtime, service_fn};
use once_cell::sync::OnceCell;
use thiserror::Error;

use crate::function;

/// Why the function does not start.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("the path of this binary is not known: {0}")]
    Place(#[source] io::Error),
    #[error("`{path}` cannot be read: {source}")]
    BundleMissing { path: PathBuf, source: io::Error },
    #[error("`{path}`: {source}")]
    Bundle { path: PathBuf, source: BundleError },
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
            Self::NotInLambda(_) => "not_in_lambda",
            Self::Tokio(_) | Self::Lambda(_) => "runtime_failed",
        }
    }
}

/// Serves events until Lambda ends the process.
pub(crate) fn start() -> Result<(), StartError> {
    let authorizer = authorizer()?;
    require_lambda()?;
    // One event at a time is all that Lambda hands over, so one thread is enough.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Tokio)?;
    runtime
        .block_on(Runtime::new(service_fn(|event| function::handle(authorizer, event))).run())
        .map_err(StartError::Lambda)
}

/// The policy, keys and matchers, built at the first call and shared by every invocation after it.
fn authorizer() -> Result<&'static Authorizer, StartError> {
    static AUTHORIZER: OnceCell<Authorizer> = OnceCell::new();
    AUTHORIZER.get_or_try_init(|| {
        let mut path = env::current_exe().map_err(StartError::Place)?;
        path.set_file_name("bundle.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(StartError::BundleMissing { path, source }),
        };
        let bundle = Bundle::read(&bytes).map_err(|source| StartError::Bundle { path, source })?;
        Ok(Authorizer::new(bundle))
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
