//! Tests that cannot run on this machine.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::thread;

/// The environment variable with the file to which each skipped test adds a line.
const FILE: &str = "AUTHORIZER_SKIPPED";

/// Reports that this test is skipped, and why: on standard error, and as a line `module::test: reason` in the file
/// that `AUTHORIZER_SKIPPED` names. With `CI=true` the test fails instead.
pub fn skip(reason: &str) {
    assert!(!std::env::var("CI").is_ok_and(|value| value == "true"), "not tested: {reason}");
    eprintln!("*** SKIPPED: {reason} ***");
    if let Some(file) = std::env::var_os(FILE) {
        // The harness gives a test's thread the test's name.
        let thread = thread::current();
        let line = format!("{}: {}\n", thread.name().unwrap_or("a test"), reason.replace('\n', "; "));
        // One write per line, because test processes may run in parallel.
        let file = OpenOptions::new().create(true).append(true).open(file);
        file.and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
    }
}
