//! Start-up: the bundle is read and compiled once, before the first event is asked for.

use std::{env, fs};

use authorizer_core::{Authorizer, Bundle};
use lambda_runtime::{Runtime, service_fn};
use once_cell::sync::OnceCell;

use crate::error::StartError;
use crate::function::Function;

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
