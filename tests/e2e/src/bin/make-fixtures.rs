//! Makes the fixtures again from the cases of every suite: `make fixtures`, or
//! `cargo run -p authorizer-e2e --bin make-fixtures [AUTHORIZER]`.
//!
//! Exits 1 if the program's result for an event is not the one that its case expects.

use std::path::PathBuf;
use std::process::ExitCode;

use authorizer_e2e::{binaries, fixtures};

fn main() -> ExitCode {
    let authorizer = std::env::args_os().nth(1).map_or_else(binaries::authorizer, PathBuf::from);
    match fixtures::make(&authorizer) {
        Ok(disagreements) if disagreements.is_empty() => ExitCode::SUCCESS,
        Ok(disagreements) => {
            for disagreement in &disagreements {
                eprintln!("{disagreement}");
            }
            eprintln!("{} disagreements between the cases and the program", disagreements.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cannot make the fixtures: {error}");
            ExitCode::from(2)
        }
    }
}
