//! Start-up: reads and compiles the bundle once, before the first event.

use std::time::SystemTime;
use std::{env, fs};

use authorizer_edge::{Function, HandOver, StartError, log};
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use once_cell::sync::OnceCell;
use serde_json::value::{RawValue, to_raw_value};

/// Serves events until Lambda ends the process.
pub(crate) fn start() -> Result<(), StartError> {
    let function = function()?;
    require_lambda()?;
    // Lambda sends one event at a time, so one thread is enough.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Tokio)?;
    // Before the first event, so that the log has it also if the first event fails.
    log::write(&log::started(&HandOver::of_process(), function));
    // As a task of its own, because the connection to the Runtime API is one: tokio asks the kernel for events each time
    // before it goes from a task to the future of `block_on`, twice for each invocation, but not between two tasks.
    let serving = runtime.spawn(Runtime::new(service_fn(|event| handle(function, event))).run());
    runtime.block_on(serving).unwrap_or_else(|ended| Err(ended.into())).map_err(StartError::Lambda)
}

/// Decides on one event. The payload stays raw: the runtime only looks whether it is JSON, and answers with an error of the
/// function, which is 503, where it is not.
async fn handle(function: &Function, event: LambdaEvent<Box<RawValue>>) -> Result<Box<RawValue>, Error> {
    let time_left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let mut lines = Vec::new();
    let outcome = function.decide(event.payload.get().as_bytes(), time_left, &mut lines).await;
    log::write(&lines);
    // Written here because the outcome borrows from the event.
    Ok(to_raw_value(&outcome)?)
}

/// The policy, keys and matchers, built once and shared by all invocations.
fn function() -> Result<&'static Function, StartError> {
    static FUNCTION: OnceCell<Function> = OnceCell::new();
    FUNCTION.get_or_try_init(|| {
        let mut path = env::current_exe().map_err(StartError::Place)?;
        path.set_file_name("bundle.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(StartError::BundleMissing { path, source }),
        };
        Function::new(path, &bytes)
    })
}

/// Checks the environment, because `lambda_runtime` panics without these variables and a person who starts the
/// binary by hand needs a clear error.
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
