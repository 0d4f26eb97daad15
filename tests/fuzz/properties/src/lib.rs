//! Properties of any input from outside: no panic, and the property of each module.
//!
//! A fuzz target calls one of these with the fuzzer's input; the tests of this crate call it with every seed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a property panics where it does not hold"
)]

pub mod answer;
pub mod bundle;
pub mod callback;
pub mod event;
pub mod jwks;
pub mod key;
pub mod pattern;
pub mod policy;
pub mod secret;
mod signing_in;
pub mod token;
pub mod tokens;

use std::path::{Path, PathBuf};

/// The folder of the project.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."))
}

/// The folders with a target's seeds: the project's own inputs of that kind, and seeds written for it.
pub fn seeds(target: &str) -> Vec<PathBuf> {
    let own = format!("tests/fuzz/seeds/{target}");
    let shared: &[&str] = match target {
        "event" => &["fixtures/events", "fixtures/requests/events"],
        "policy" => &["fixtures/policies"],
        _ => &[],
    };
    shared.iter().copied().chain([own.as_str()]).map(|folder| root().join(folder)).collect()
}
