//! Why keys cannot be had, or not used.

use std::fmt;
use std::time::Duration;

use authorizer_core::token::{JwkError, KeysUrlError};
use miette::Diagnostic;
use thiserror::Error;

/// Why keys cannot be had, or not used. What a provider said is shown escaped: it must not steer a terminal.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum KeysError {
    /// An address that a person gave.
    #[error("`{}` cannot be asked: {error}", .text.escape_debug())]
    #[diagnostic(help(
        "write it as the provider does, with `https://`; plain `http://` is for loopback addresses"
    ))]
    Address { text: String, error: KeysUrlError },
    /// An issuer with a query, which no issuer has (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
    #[error("`{issuer}` is no issuer: it has a query")]
    #[diagnostic(help(
        "write the issuer as `iss` has it in its tokens; `authorizer token inspect` shows it"
    ))]
    IssuerQuery { issuer: String },
    /// The library for TLS.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// The async runtime.
    #[error("the async runtime does not start: {0}")]
    Tokio(#[source] std::io::Error),
    /// No connection, or none that could be trusted.
    #[error("`{address}` cannot be reached: {message}")]
    #[diagnostic(help(
        "certificates are verified by Mozilla's list, and the environment's proxies are not used: where that is \
         in the way, fetch the file by other means and check it with `authorizer keys inspect FILE`"
    ))]
    Unreachable { address: String, message: String },
    /// Too slow.
    #[error("`{address}` gave no whole answer within {} seconds", .after.as_secs_f64())]
    #[diagnostic(help("try again; nothing was written"))]
    Deadline { address: String, after: Duration },
    /// An answer that was cut off, or is no HTTP.
    #[error("the answer of `{address}` is not whole: {message}")]
    #[diagnostic(help("try again; nothing was written"))]
    Broken { address: String, message: String },
    /// Another address, which nobody asked to trust.
    #[error("`{address}` answers {status}, a redirect to `{}`, and redirects are not followed", .location.escape_debug())]
    #[diagnostic(help("if that address is the provider's own, name it instead"))]
    Redirect { address: String, status: u16, location: String },
    /// Any other status.
    #[error("`{address}` answers {status}, not 200")]
    #[diagnostic(help("name the `jwks_uri` of the provider; `authorizer keys discover ISSUER` finds it"))]
    Status { address: String, status: u16 },
    /// Longer than keys or metadata can be.
    #[error("the answer of `{address}` is longer than {limit} bytes")]
    #[diagnostic(help("a provider's keys take a few kilobytes: is it the address that you meant?"))]
    TooLarge { address: String, limit: usize },
    /// Neither of the well-known addresses answers.
    #[error("`{issuer}` publishes no metadata: {tried}")]
    #[diagnostic(help(
        "write the issuer as `iss` has it in its tokens (`authorizer token inspect` shows it); of a provider \
         without metadata, fetch the keys with `authorizer keys fetch URL --out FILE`"
    ))]
    NoMetadata { issuer: String, tried: String },
    /// Something else than a provider's metadata.
    #[error("what `{address}` answers is no provider's metadata: {message}")]
    #[diagnostic(help(
        "is it the issuer, as `iss` has it in its tokens? `authorizer token inspect` shows it"
    ))]
    Metadata { address: String, message: String },
    /// The metadata of somebody else (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3).
    #[error("`{asked}` says that the issuer is `{}`, which is not the same", .says.escape_debug())]
    #[diagnostic(help("{help}"))]
    OtherIssuer { asked: String, says: String, help: String },
    /// A `jwks_uri` that must not be followed.
    #[error("the metadata of `{issuer}` names the keys' address `{}`: {error}", .text.escape_debug())]
    #[diagnostic(help("this is the provider's to mend: keys are fetched over `https` only"))]
    JwksUri { issuer: String, text: String, error: KeysUrlError },
    /// Something else than a JWK set that can be used, of an address or a file.
    #[error("`{place}`: {error}")]
    #[diagnostic(help("{}", .error.remedy()))]
    Set { place: String, error: SetError },
    /// Keys that no policy could use.
    #[error("`{place}`: {error}")]
    #[diagnostic(help(
        "a policy with these keys would be refused; `authorizer keys inspect FILE` has more on each"
    ))]
    Unusable { place: String, error: JwkError },
    /// The metadata names algorithms that no key is for.
    #[error("the keys of `{issuer}` are for none of the algorithms that its metadata names ({})", .named.escape_debug())]
    #[diagnostic(help("a policy can name RS256 to RS512, PS256 to PS512, ES256, ES384 and EdDSA"))]
    NoAlgorithm { issuer: String, named: String },
}

/// Why bytes are no JWK set.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum SetError {
    NoJson(String),
    NoKeys,
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJson(message) => write!(f, "this is not JSON: {message}"),
            Self::NoKeys => f.write_str("this is no JWK set: it has no `keys` array"),
        }
    }
}

impl SetError {
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::NoJson(_) => "name the `jwks_uri` of the provider, or a file with what it answers",
            Self::NoKeys => "a JWK set is `{\"keys\": [...]}`, and what a provider's `jwks_uri` answers",
        }
    }
}
