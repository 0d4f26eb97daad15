//! The analysis beside the core's own decisions: on the fixtures, and on every request over small alphabets.
//!
//! `RANDOM_CASES` is how many random cases each test tries, in percent of the usual number.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::path::{Path, PathBuf};

mod brute;
mod fixtures;
mod mutations;
mod near;
mod random;
mod suggested;

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
