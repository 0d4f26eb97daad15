//! The decision, from the bytes of an event to the outcome: whole requests, tokens and published keys.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod checksums;
#[cfg(feature = "code-flow")]
mod code_flow;
mod remote_keys;
mod signer;
mod tokens;
mod whole_way;
