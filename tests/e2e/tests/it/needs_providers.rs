//! Other people's identity providers, SDKs and clients, and the clients of `docs/examples`.

mod examples;
mod issuers;
mod sdk;
