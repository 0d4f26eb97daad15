//! `fixtures/`: recorded events with expected results, written by hand in two [`Suite`]s of cases.
//!
//! [`make`] turns the cases into events with tokens signed by new keys, and records the program's results;
//! [`Seen::disagreements`] compares them with the expected ones.

mod case;
mod event;
mod key;
mod reason;
mod seen;
mod signature;
mod suite;
mod token;

pub use case::{Case, Cases, Expect};
pub use reason::{ANSWERS, reasons_without_a_case};
pub use seen::Seen;
pub use suite::Suite;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::key::TestKeys;
use crate::binaries::root;

/// The error of these modules.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The instant that all cases are decided at: 2027-01-15T08:00:00Z.
pub const NOW: u64 = 1_800_000_000;

/// The folder of fixtures.
pub fn folder() -> PathBuf {
    root().join("fixtures")
}

/// Makes the keys, the events and the recorded results of every suite again. Returns the differences between the
/// program and the cases.
///
/// # Errors
/// If a file cannot be read or written, or a case does not give an event.
pub fn make(authorizer: &Path) -> Result<Vec<String>> {
    sample_key(authorizer)?;
    let suites = Suite::ALL.map(Suite::cases).into_iter().collect::<Result<Vec<_>>>()?;
    let mut disagreements = reasons_without_a_case(&suites);
    for (suite, cases) in Suite::ALL.into_iter().zip(&suites) {
        disagreements.extend(make_suite(suite, cases, authorizer)?);
    }
    Ok(disagreements)
}

/// The keys, the events and the record of one suite.
fn make_suite(suite: Suite, cases: &Cases, authorizer: &Path) -> Result<Vec<String>> {
    let keys = TestKeys::make(cases, authorizer)?;
    let mut events = Vec::new();
    for case in &cases.cases {
        let event = event::text(case, cases, &keys).map_err(|error| format!("{}: {error}", case.name))?;
        events.push((suite.event(&case.name), event));
    }

    keys.publish(&suite.keys())?;
    remove_stale(&suite.events(), events.iter().map(|(path, _)| path.as_path()).collect())?;
    for (path, event) in &events {
        fs::write(path, event)?;
    }
    let expected = replay(authorizer, suite)?;
    fs::write(suite.expected(), &expected)?;

    let seen = expected.lines().map(serde_json::from_str::<Seen>).collect::<Result<Vec<_>, _>>()?;
    let disagreements = cases.cases.iter().flat_map(|case| {
        match seen.iter().find(|seen| seen.source == format!("{}.json", case.name)) {
            Some(seen) => seen.disagreements(case),
            None => vec![format!("{}: was not replayed", case.name)],
        }
    });
    Ok(disagreements.collect())
}

/// Makes the key of `policies/sample.toml`. An existing key is kept, because no event is signed with it.
fn sample_key(authorizer: &Path) -> Result<()> {
    let folder = folder().join("policies/keys");
    if folder.join("sample.jwks.json").exists() {
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    key::keygen(authorizer, "sample", "EdDSA", scratch.path())?;
    fs::copy(scratch.path().join("sample.jwks.json"), folder.join("sample.jwks.json"))?;
    Ok(())
}

/// Removes the events of deleted cases.
fn remove_stale(folder: &Path, wanted: BTreeSet<&Path>) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") && !wanted.contains(path.as_path()) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Runs `authorizer replay`, whose exit status is 1 because some events must be refused.
fn replay(authorizer: &Path, suite: Suite) -> Result<String> {
    let output = Command::new(authorizer)
        .args(["replay", "--now", &NOW.to_string(), "--format", "json", "--policy"])
        .arg(suite.policy())
        .arg(suite.events())
        .output()?;
    match output.status.code() {
        Some(0 | 1) => Ok(String::from_utf8(output.stdout)?),
        _ => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}
