//! `fixtures/`: recorded events with what must come of them, written by hand in `fixtures/cases.toml`.
//!
//! [`make`] turns the cases into events with tokens signed by new keys, and records what the program says
//! of them; [`Seen::disagreements`] holds that against what was written by hand.

mod case;
mod event;
mod key;
mod reason;
mod seen;
mod signature;
mod token;

pub use case::{Case, Cases, Expect};
pub use reason::REASONS;
pub use seen::Seen;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::key::TestKeys;
use crate::binaries::root;

/// What these modules say when something is not as it should be.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The instant that all cases are decided at: 2027-01-15T08:00:00Z.
pub const NOW: u64 = 1_800_000_000;

/// The files of `fixtures/`.
#[derive(Clone, Debug)]
pub struct Fixtures(PathBuf);

impl Default for Fixtures {
    fn default() -> Self {
        Self(root().join("fixtures"))
    }
}

impl Fixtures {
    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The cases, written by hand.
    pub fn cases(&self) -> PathBuf {
        self.0.join("cases.toml")
    }

    /// The folder of events, one file each.
    pub fn events(&self) -> PathBuf {
        self.0.join("events")
    }

    /// The event of a case.
    pub fn event(&self, name: &str) -> PathBuf {
        self.events().join(format!("{name}.json"))
    }

    /// What `authorizer replay` said of the events.
    pub fn expected(&self) -> PathBuf {
        self.0.join("expected.jsonl")
    }

    /// The policy of the cases.
    pub fn policy(&self) -> PathBuf {
        self.0.join("policies/cases.toml")
    }

    /// The folder of public keys.
    pub fn keys(&self) -> PathBuf {
        self.0.join("policies/keys")
    }
}

/// Makes the keys, the events and the record of their outcomes anew. What comes back is where the program
/// and the cases disagree.
///
/// # Errors
/// When a file cannot be read or written, or a case makes no event.
pub fn make(authorizer: &Path) -> Result<Vec<String>> {
    let fixtures = Fixtures::default();
    let cases = Cases::read(&fixtures.cases())?;
    let keys = TestKeys::make(&cases, authorizer)?;
    let mut events = Vec::new();
    for case in &cases.cases {
        let event = event::text(case, &cases, &keys).map_err(|error| format!("{}: {error}", case.name))?;
        events.push((fixtures.event(&case.name), event));
    }

    keys.publish(&fixtures.keys())?;
    sample_key(&fixtures.keys(), authorizer)?;
    remove_stale(&fixtures.events(), events.iter().map(|(path, _)| path.as_path()).collect())?;
    for (path, event) in &events {
        fs::write(path, event)?;
    }
    let expected = replay(authorizer, &fixtures)?;
    fs::write(fixtures.expected(), &expected)?;

    let seen = expected.lines().map(serde_json::from_str::<Seen>).collect::<Result<Vec<_>, _>>()?;
    let mut disagreements = cases.reasons_without_a_case();
    for case in &cases.cases {
        match seen.iter().find(|seen| seen.source == format!("{}.json", case.name)) {
            Some(seen) => disagreements.extend(seen.disagreements(case)),
            None => disagreements.push(format!("{}: was not replayed", case.name)),
        }
    }
    Ok(disagreements)
}

/// The key of `policies/sample.toml`. It is kept when it is there: no event is signed with it.
fn sample_key(folder: &Path, authorizer: &Path) -> Result<()> {
    if folder.join("sample.jwks.json").exists() {
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    key::keygen(authorizer, "sample", "EdDSA", scratch.path())?;
    fs::copy(scratch.path().join("sample.jwks.json"), folder.join("sample.jwks.json"))?;
    Ok(())
}

/// Removes the events of cases that are no more.
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

/// `authorizer replay`, whose exit status is 1 because some events are refused, as they should be.
fn replay(authorizer: &Path, fixtures: &Fixtures) -> Result<String> {
    let output = Command::new(authorizer)
        .args(["replay", "--now", &NOW.to_string(), "--format", "json", "--policy"])
        .arg(fixtures.policy())
        .arg(fixtures.events())
        .output()?;
    match output.status.code() {
        Some(0 | 1) => Ok(String::from_utf8(output.stdout)?),
        _ => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}
