//! The distribution from end to end: a viewer on one side, a folder on the other.

#![allow(clippy::arithmetic_side_effects, reason = "tests")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod behaviors;
mod bucket;
mod cache;
mod conditions;
mod distribution;
mod hostile;
mod keys;
mod listing;
mod multipart;
mod objects;
mod packaged;
mod store;
mod streaming;
mod support;
mod tls;
