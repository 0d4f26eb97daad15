//! `authorizer` as a person and a program meet it: what it prints, where, what it writes, and its exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is wrong"
)]

mod attach;
mod audit;
mod audit_deployment;
mod audit_reach;
mod backtest;
#[cfg(target_os = "linux")]
mod backtest_million;
mod broken_policy;
mod commands;
mod diff;
mod elf;
mod explain_logged;
mod export;
mod findings;
mod formats;
mod generated;
mod harness;
mod init;
mod keys;
mod logs;
mod mistakes;
mod package;
mod pages;
mod pipes;
mod policy_tests;
mod provider;
mod providers;
mod record;
mod release;
mod replay;
mod report;
mod sarif;
mod schemas;
mod serve_distribution;
mod serve_run;
mod serve_tls;
mod shells;
mod without_secrets;
