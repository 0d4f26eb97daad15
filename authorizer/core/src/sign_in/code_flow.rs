//! OpenID Connect's code flow (OpenID Connect Core 1.0 section 3.1) with PKCE (RFC 7636), as a function of a request, the
//! clock, random bytes and what the provider answered. Nothing is kept between requests but what the browser keeps:
//! cookies that only this function can make and read.
//!
//! ```text
//! start -> (the provider) -> callback -> session -> ... -> sign_out
//!                                           ^  |
//!                                           +--+ renewal
//! ```
//!
//! `own_paths` is the function's own paths, and `start` a page that a person opens without a session. `step` is what all
//! of them have in common, and `exchange` asks the token endpoint.

mod callback;
mod client;
mod client_key;
mod cookies;
mod exchange;
mod kept;
mod own_paths;
mod random;
mod renewal;
mod reply;
mod sealed;
mod session;
mod settings;
mod sign_out;
mod start;
mod status;
mod step;
mod token_request;
mod tokens;
mod word;

pub use client_key::{ClientKey, ClientKeyError};
pub use random::RandomSource;
pub use reply::OTHER_HOST;
pub use settings::{
    ClientAuthentication, CodeFlow, EndSession, NOT_HERE, REFRESH_PATH, SESSION_PATH, SIGNED_OUT_PATH,
    SessionToken, is_client_id, is_origin,
};
pub use token_request::{Grant, TokenAnswer, TokenRequest};
pub use word::SignInWord;

pub(crate) use random::Random;
pub(crate) use reply::{AskedTokens, Logged, Reply};
pub(crate) use step::{Answered, Step};
