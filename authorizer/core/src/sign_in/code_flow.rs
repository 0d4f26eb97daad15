//! OpenID Connect's code flow (OpenID Connect Core 1.0 section 3.1) with PKCE (RFC 7636), as a function of a request, the
//! clock and what the provider answered. Nothing is kept between requests but what the browser keeps: cookies that only
//! this function can make and read.

mod settings;
mod token_request;

pub use settings::{ClientAuthentication, CodeFlow, EndSession, SessionToken};
pub use token_request::{Grant, TokenAnswer, TokenRequest};
