//! What the token endpoint is asked, and what it answered (RFC 6749 sections 4.1.3 and 6).

use std::fmt;

use crate::fetch_url::FetchUrl;

/// A request to the token endpoint, which the caller sends: a POST of `application/x-www-form-urlencoded`.
#[derive(Clone)]
pub struct TokenRequest<'p> {
    pub(crate) url: &'p FetchUrl,
    pub(crate) issuer: &'p str,
    pub(crate) grant: Grant,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// What is exchanged for tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Grant {
    /// The code of a callback.
    AuthorizationCode,
    /// The refresh token of a session.
    RefreshToken,
}

/// What came back.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum TokenAnswer<'a> {
    /// A whole answer, of any status.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body, at most 256 KiB.
        body: &'a [u8],
    },
    /// None: no connection, too late, or too long.
    Nothing,
}

impl<'p> TokenRequest<'p> {
    /// The token endpoint.
    pub fn url(&self) -> &'p FetchUrl {
        self.url
    }

    /// The policy's name for the issuer.
    pub fn issuer(&self) -> &'p str {
        self.issuer
    }

    /// What is exchanged.
    pub fn grant(&self) -> Grant {
        self.grant
    }

    /// The value of `Authorization`, for a client with `client_secret_basic`. It is a secret.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// The body. It contains secrets.
    pub fn body(&self) -> &str {
        &self.body
    }
}

/// Tokens must not appear in a log.
impl fmt::Debug for TokenAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, .. } => {
                f.debug_struct("Answered").field("status", status).finish_non_exhaustive()
            }
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// Codes and secrets must not appear in a log.
impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("issuer", &self.issuer)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}
