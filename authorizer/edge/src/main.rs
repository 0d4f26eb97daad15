//! The edge authorizer as a Lambda@Edge function.
//!
//! Lambda@Edge does not support custom runtimes. So a short shim (`shims/`) starts under the managed Python or Node
//! runtime and replaces its process with this binary, which speaks the Lambda Runtime API itself. The configuration
//! is `bundle.json`, beside this binary in the zip.

mod start;

use std::hint::black_box;
use std::process::ExitCode;

use authorizer_edge::{BUILT_WITH, log};

fn main() -> ExitCode {
    // Used, so that the linker keeps it.
    black_box(const { BUILT_WITH.marker() });
    match start::start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Lambda reports the exit and CloudFront answers 5xx, so no request is allowed.
            log::write(&log::start_failed(&error));
            ExitCode::FAILURE
        }
    }
}
