//! Other people's identity providers, SDKs and clients, and the clients of `docs/examples`.

mod bucket;
mod clients;
mod compiled;
mod examples;
mod issuers;
mod sdk;
