//! Every check beside its fixtures: what it finds, what it does not, and its page.
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

mod deployment;
mod leaving;
mod openings;
mod policy;
mod providers;
mod random;
mod sign_in;
mod ten_policies;
mod threat_model;

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
