//! Why keys cannot be fetched or used.

use std::fmt;
use std::time::Duration;

use authorizer_core::FetchUrlError;
use authorizer_core::token::JwkError;
use miette::Diagnostic;
use thiserror::Error;

/// Why keys cannot be fetched or used. Text from a provider is escaped: it must not control the terminal.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum KeysError {
    /// An address that a person gave.
    #[error("`{}` cannot be used: {error}", .text.escape_debug())]
    #[diagnostic(help(
        "write it as the provider does, with `https://`; `http://` is only for loopback addresses"
    ))]
    Address { text: String, error: FetchUrlError },
    /// An issuer with a query, which no issuer has (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
    #[error("`{issuer}` is not an issuer: it has a query")]
    #[diagnostic(help(
        "write the issuer as in the `iss` of its tokens; `authorizer token inspect` shows it"
    ))]
    IssuerQuery { issuer: String },
    /// The library for TLS.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// The async runtime.
    #[error("the async runtime does not start: {0}")]
    Tokio(#[source] std::io::Error),
    /// No connection, or one that cannot be trusted.
    #[error("`{address}` cannot be reached: {message}")]
    #[diagnostic(help(
        "certificates are verified with Mozilla's list, and the environment's proxies are not used; if that is the \
         cause, fetch the file another way and check it with `authorizer keys inspect FILE`"
    ))]
    Unreachable { address: String, message: String },
    /// The answer takes too long.
    #[error("`{address}` did not send a complete answer within {} seconds", .after.as_secs_f64())]
    #[diagnostic(help("try again; nothing was written"))]
    Deadline { address: String, after: Duration },
    /// An answer that is cut off or is not HTTP.
    #[error("the answer of `{address}` is not complete: {message}")]
    #[diagnostic(help("try again; nothing was written"))]
    Broken { address: String, message: String },
    /// A redirect to another address, which nobody chose to trust.
    #[error("`{address}` answers {status}, a redirect to `{}`, and redirects are not followed", .location.escape_debug())]
    #[diagnostic(help("if that address belongs to the provider, use it instead"))]
    Redirect { address: String, status: u16, location: String },
    /// Any other status.
    #[error("`{address}` answers {status}, not 200")]
    #[diagnostic(help("use the `jwks_uri` of the provider; `authorizer keys discover ISSUER` finds it"))]
    Status { address: String, status: u16 },
    /// Longer than keys or metadata can be.
    #[error("the answer of `{address}` is longer than {limit} bytes")]
    #[diagnostic(help("check the address: the keys of a provider take a few kilobytes"))]
    TooLarge { address: String, limit: usize },
    /// Neither of the well-known addresses has metadata.
    #[error("`{issuer}` does not publish metadata: {tried}")]
    #[diagnostic(help(
        "write the issuer as in the `iss` of its tokens (`authorizer token inspect` shows it); if the provider does \
         not have metadata, fetch the keys with `authorizer keys fetch URL --out FILE`"
    ))]
    NoMetadata { issuer: String, tried: String },
    /// An answer that is not the metadata of a provider.
    #[error("the answer of `{address}` is not the metadata of a provider: {message}")]
    #[diagnostic(help(
        "write the issuer as in the `iss` of its tokens; `authorizer token inspect` shows it"
    ))]
    Metadata { address: String, message: String },
    /// The metadata of another issuer (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3).
    #[error("the metadata of `{asked}` names another issuer: `{}`", .says.escape_debug())]
    #[diagnostic(help("{help}"))]
    OtherIssuer { asked: String, says: String, help: String },
    /// A `jwks_uri` that must not be used.
    #[error("the metadata of `{issuer}` has a `jwks_uri` that cannot be used, `{}`: {error}", .text.escape_debug())]
    #[diagnostic(help("the provider must fix this: keys are fetched over `https` only"))]
    JwksUri { issuer: String, text: String, error: FetchUrlError },
    /// An address or a file without a JWK set.
    #[error("`{place}`: {error}")]
    #[diagnostic(help("{}", .error.remedy()))]
    Set { place: String, error: SetError },
    /// Keys that a policy cannot use.
    #[error("`{place}`: {error}")]
    #[diagnostic(help(
        "a policy cannot have these keys; `authorizer keys inspect FILE` shows what is wrong with each"
    ))]
    Unusable { place: String, error: JwkError },
    /// Nobody can sign in at it by the code flow.
    #[error("people cannot sign in at `{issuer}` by the code flow: its metadata does not have {what}")]
    #[diagnostic(help(
        "leave out `--sign-in`, and let a sign-in of your own set the cookie (`[sign_in]` with `url`); or use a provider \
         that has OpenID Connect's code flow"
    ))]
    NoCodeFlow { issuer: String, what: String },
    /// The metadata names algorithms that no key is for.
    #[error("no key of `{issuer}` is for an algorithm that its metadata names ({})", .named.escape_debug())]
    #[diagnostic(help("a policy can name RS256 to RS512, PS256 to PS512, ES256, ES384 and EdDSA"))]
    NoAlgorithm { issuer: String, named: String },
}

/// Why bytes are not a JWK set.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum SetError {
    NoJson(String),
    Twice,
    NoKeys,
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJson(message) => write!(f, "this is not JSON: {message}"),
            Self::Twice => f.write_str("a member appears twice, so two readers could read two sets of keys"),
            Self::NoKeys => f.write_str("this is not a JWK set: it does not have a `keys` array"),
        }
    }
}

impl SetError {
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::NoJson(_) => "use the `jwks_uri` of the provider, or a file with the JWK set from there",
            Self::Twice => "fetch the keys again; if the provider publishes them like this, it must fix it",
            Self::NoKeys => "a JWK set is `{\"keys\": [...]}`; the `jwks_uri` of a provider answers with one",
        }
    }
}
