//! What in a policy and in its deployment deserves a second look. Pure: no I/O, no clock.

pub mod deployment;
mod policy;

pub use policy::*;
