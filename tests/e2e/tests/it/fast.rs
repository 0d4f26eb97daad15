//! What needs nothing but the Rust toolchain: no installer, no network, no other compiler.

mod bucket;
mod distribution;
mod docs;
mod escapes;
mod fixtures;
mod summary;
