//! What Chromium makes of it.

mod pages;
mod report;
