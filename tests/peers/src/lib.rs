//! The function measured beside the viewer-request handlers that people write today.
//!
//! [`contender`] is who is measured; [`stage`] makes the key, the policy and the packages, [`event`] the events;
//! [`api`] is the Lambda Runtime API that all of them ask, [`process`] one process of one of them; [`round`] is
//! what is done with it, [`figure`] what is measured, [`table`] what comes of many rounds, and [`report`] how it
//! is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a measurement stops at the first thing that is not as it should be"
)]

pub mod api;
pub mod budget;
pub mod contender;
pub mod event;
pub mod figure;
pub mod issuer;
pub mod process;
pub mod report;
pub mod round;
pub mod stage;
pub mod table;
