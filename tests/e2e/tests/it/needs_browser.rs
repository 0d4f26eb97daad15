//! The tests in Chromium.

mod pages;
mod report;
