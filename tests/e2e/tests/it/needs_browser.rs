//! The tests in Chromium.

mod console;
mod pages;
mod report;
mod sign_in;
mod sign_in_guide;
mod site;
