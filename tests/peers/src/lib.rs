//! Measures the function beside the viewer-request handlers that people write today.
//!
//! [`contender`] has the measured functions. [`stage`] makes the key, the policy and the packages, and [`event`] the
//! events. [`api`] is the Lambda Runtime API for all of them, and [`process`] one process of one of them. [`round`]
//! runs a process, [`figure`] names the measured figures, [`table`] collects the figures of many rounds, and
//! [`report`] writes them. [`starts`] measures starts alone, also in a control group ([`group`]).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a measurement stops at its first failure"
)]

pub mod api;
pub mod budget;
pub mod contender;
pub mod event;
pub mod figure;
pub mod group;
pub mod issuer;
pub mod process;
pub mod report;
pub mod round;
pub mod stage;
pub mod starts;
pub mod table;
