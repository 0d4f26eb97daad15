//! The keys that issuers publish: fetched within limits, when a decision needs them.
//!
//! The core decides by the keys at hand, and says when it would need others. [`LiveAuthorizer`] asks for them
//! and lets it decide again; [`Fetcher`] is the one GET that this takes. The edge function, the local
//! distribution and the command line ask the same way.
//!
//! Whoever answers may be slow, broken or hostile, and whoever made us ask may be anybody. So there is one
//! request at a time, with a deadline and a greatest length; no redirect is followed, no proxy is taken from
//! the environment, and TLS is verified by Mozilla's list, which is built in. What came is kept only when it
//! is a JWK set that is of use; how often anybody is asked is the core's to say.

mod connection;
mod fetch;
mod live;

pub use fetch::{FetchError, Fetcher, MAX_ANSWER_BYTES};
pub use live::{AskError, Asked, LiveAuthorizer};
