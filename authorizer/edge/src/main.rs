//! The edge authorizer as a Lambda@Edge function.
//!
//! Lambda@Edge has no custom runtime, so a shim of a few lines (`shims/`) starts under the managed Node or
//! Python runtime and replaces its process by this binary, which speaks the Lambda Runtime API itself.
//! Configuration travels in the zip: `bundle.json` beside this binary.

mod error;
mod function;
mod log;
mod start;

use std::hint::black_box;
use std::process::ExitCode;

use authorizer_core::BuiltWith;

/// What `authorizer package` reads of this binary.
const BUILT_WITH: BuiltWith = BuiltWith { remote_keys: cfg!(feature = "remote-keys") };

fn main() -> ExitCode {
    // Used, so that the linker keeps it.
    black_box(const { BUILT_WITH.marker() });
    match start::start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Lambda reports the exit, CloudFront answers 5xx, and nothing is let through.
            log::start_failed(&error);
            ExitCode::FAILURE
        }
    }
}
