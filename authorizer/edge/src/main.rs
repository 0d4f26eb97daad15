//! The edge authorizer as a Lambda@Edge function.
//!
//! Lambda@Edge has no custom runtime, so a shim of a few lines (`shims/`) starts under the managed Node or
//! Python runtime and replaces its process by this binary, which speaks the Lambda Runtime API itself.
//! Configuration travels in the zip: `bundle.json` beside this binary.

mod error;
mod function;
mod log;
mod start;

use std::process::ExitCode;

fn main() -> ExitCode {
    match start::start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Lambda reports the exit, CloudFront answers 5xx, and nothing is let through.
            log::start_failed(&error);
            ExitCode::FAILURE
        }
    }
}
