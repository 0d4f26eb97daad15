//! The function in `empty.rs`, which also writes a line of the length of a decision: what every function that logs its
//! decisions pays before it decides.

use std::io::{Write as _, stdout};

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;

/// The length of the line of a decision in the measurement.
const LINE: [u8; 512] = {
    let mut line = [b'.'; 512];
    line[511] = b'\n';
    line
};

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // As the function does it: see `src/start.rs`.
    let serving = runtime.spawn(async { Runtime::new(service_fn(echo)).run().await });
    runtime.block_on(serving)?
}

async fn echo(event: LambdaEvent<Box<RawValue>>) -> Result<Box<RawValue>, Error> {
    let mut out = stdout().lock();
    out.write_all(&LINE)?;
    out.flush()?;
    Ok(event.payload)
}
