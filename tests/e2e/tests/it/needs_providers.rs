//! Identity providers, SDKs and clients that nobody here wrote, and the clients of `docs/examples`.

mod examples;
mod issuers;
mod sdk;
