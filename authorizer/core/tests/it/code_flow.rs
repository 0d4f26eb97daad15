//! Signing people in: with a browser that keeps cookies as one does, and a provider that gives tokens.

mod browser;
mod escapes;
mod journeys;
mod pages;
mod provider;
mod site;
