//! The outcomes of a part of the logs, to be added to those of other parts.

use serde::{Deserialize, Serialize};

use super::rule::Assumptions;
use super::tally::{Summary, Tally};

/// The version of the format. It changes when a reader of the old one would read the new one wrongly.
const VERSION: u32 = 1;

/// What outcomes depend on, beside the logs. Only outcomes with the same basis can be added.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// The version of this crate: another one may tell more of the same line.
    pub program: String,
    /// The SHA-256 of the bundle of the policy, in hexadecimal.
    pub policy_sha256: String,
    /// The same of the policy that decided before, if it is known.
    pub old_sha256: Option<String>,
    /// The assumptions.
    pub assumptions: Assumptions,
    /// The instant that was decided at, in seconds since 1970, instead of each request's own.
    pub now: Option<u64>,
    /// The number of folders that make a group.
    pub depth: usize,
}

impl Basis {
    /// The first thing in which another basis differs.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        let Self { program, policy_sha256, old_sha256, assumptions, now, depth } = self;
        [
            (*program != other.program, "the version of the program"),
            (*policy_sha256 != other.policy_sha256, "the policy"),
            (*old_sha256 != other.old_sha256, "the policy of --old"),
            (*assumptions != other.assumptions, "--assume"),
            (*now != other.now, "--now"),
            (*depth != other.depth, "--depth"),
        ]
        .into_iter()
        .find_map(|(differs, what)| differs.then_some(what))
    }
}

/// The outcomes of a part of the logs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Partial {
    partial_version: u32,
    basis: Basis,
    summary: Summary,
}

/// The part of a document that each version has.
#[derive(Deserialize)]
struct Versioned {
    partial_version: u32,
}

/// Why a document cannot be read.
#[derive(Debug)]
pub enum PartialError {
    /// It is not a partial result.
    Malformed(serde_json::Error),
    /// It has another version.
    Version(u32),
    /// Its counts contradict each other.
    DoesNotAddUp,
}

impl Partial {
    /// Outcomes on this basis.
    pub fn new(basis: Basis, tally: Tally) -> Self {
        Self { partial_version: VERSION, basis, summary: tally.summary() }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`PartialError`]
    pub fn read(json: &[u8]) -> Result<Self, PartialError> {
        let Versioned { partial_version } = serde_json::from_slice(json).map_err(PartialError::Malformed)?;
        if partial_version != VERSION {
            return Err(PartialError::Version(partial_version));
        }
        let partial: Self = serde_json::from_slice(json).map_err(PartialError::Malformed)?;
        match partial.summary.adds_up() {
            true => Ok(partial),
            false => Err(PartialError::DoesNotAddUp),
        }
    }

    /// What the outcomes depend on.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The outcomes.
    pub fn into_tally(self) -> Tally {
        self.summary.into()
    }
}
