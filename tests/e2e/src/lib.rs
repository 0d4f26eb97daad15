//! The code that the end-to-end tests share. They run the real programs, as people start them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at its first failure"
)]

pub mod binaries;
pub mod browser;
pub mod buckets;
pub mod cloudformation;
pub mod docs;
pub mod document;
pub mod fixtures;
pub mod github;
pub mod lambda;
pub mod lambda_api;
pub mod ministack;
pub mod packages;
pub mod pages;
pub mod person;
pub mod providers;
pub mod random;
pub mod runtimes;
pub mod s3_model;
pub mod sdk;
pub mod served;
pub mod site;
pub mod skipped;
pub mod stage;
pub mod tools;
pub mod viewer;
