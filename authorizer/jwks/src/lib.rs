//! What identity providers are asked for: the keys that issuers publish, and the tokens of the code flow. Fetched within
//! limits, when a decision needs them.
//!
//! The core decides with what it has, and says when it needs keys or tokens. [`LiveAuthorizer`] fetches them and decides
//! again; [`Fetcher`] does the GET of keys and the POST for tokens. The edge function, the local distribution and the
//! command line all fetch in this way.
//!
//! The server may be slow, broken or hostile, and anybody can cause a fetch. So each has a deadline and a limit on the
//! length, and one request at a time fetches keys. Redirects are not followed, the environment's proxy is not used, and
//! TLS is verified with Mozilla's list, which is built in. An answer with keys is kept only if it is a JWK set with a
//! usable key, and the core decides how often to fetch. A code or a refresh token is sent once, and no error and no report
//! contains it.

mod connection;
mod fetch;
mod live;

pub use fetch::{Answered, FetchError, Fetcher, Form, MAX_ANSWER_BYTES};
pub use live::{AskError, Asked, LiveAuthorizer, What};
