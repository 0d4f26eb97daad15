//! A function that answers each event with the event itself and does nothing else: the time that `lambda_runtime` needs
//! alone. `make bench-peers` measures it beside the function.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // As the function does it: see `src/start.rs`.
    let serving = runtime.spawn(async { Runtime::new(service_fn(echo)).run().await });
    runtime.block_on(serving)?
}

async fn echo(event: LambdaEvent<Box<RawValue>>) -> Result<Box<RawValue>, Error> {
    Ok(event.payload)
}
