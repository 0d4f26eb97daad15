//! The keys that issuers publish: fetched within limits, when a decision needs them.
//!
//! The core decides with the keys that it has, and says when it needs others. [`LiveAuthorizer`] fetches them and
//! decides again; [`Fetcher`] does the GET. The edge function, the local distribution and the command line all
//! fetch in this way.
//!
//! The server may be slow, broken or hostile, and anybody can cause a fetch. So there is one request at a time, with
//! a deadline and a limit on the length. Redirects are not followed, the environment's proxy is not used, and TLS is
//! verified with Mozilla's list, which is built in. An answer is kept only if it is a JWK set with a usable key. The
//! core decides how often to fetch.

mod connection;
mod fetch;
mod live;

pub use fetch::{FetchError, Fetcher, MAX_ANSWER_BYTES};
pub use live::{AskError, Asked, LiveAuthorizer};
