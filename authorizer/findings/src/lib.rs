//! Findings: what a person should check in a policy and in its deployment. Pure: no I/O, no clock.

pub mod deployment;
mod policy;

pub use policy::*;
