//! A policy file as its author meets it: its bundle, and its errors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first thing that is wrong")]

mod errors;
mod form;
mod schema;
