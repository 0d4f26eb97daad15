//! OpenID Connect's code flow (OpenID Connect Core 1.0 section 3.1) with PKCE (RFC 7636), as a function of a request, the
//! clock and what the provider answered. Nothing is kept between requests but what the browser keeps: cookies that only
//! this function can make and read.

mod client_key;
mod settings;
mod token_request;

pub use client_key::{ClientKey, ClientKeyError};
pub use settings::{
    ClientAuthentication, CodeFlow, EndSession, REFRESH_PATH, SESSION_PATH, SIGNED_OUT_PATH, SessionToken,
};
pub use token_request::{Grant, TokenAnswer, TokenRequest};
