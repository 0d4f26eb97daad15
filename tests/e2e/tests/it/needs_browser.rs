//! The tests in Chromium.

mod console;
mod pages;
mod report;
mod site;
