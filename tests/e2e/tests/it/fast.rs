//! The tests that need only the Rust toolchain: no installer, no network, no other compiler.

mod backtest;
mod bucket;
mod ci;
mod console;
mod crash;
mod distribution;
mod docs;
mod drift;
mod escapes;
mod fixtures;
mod github;
mod github_hostile;
mod https;
mod links;
mod readme;
mod s3_model;
mod summary;
mod tutorial;
