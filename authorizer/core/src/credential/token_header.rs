//! A header, besides `Authorization`, that contains a token.

use serde::{Deserialize, Serialize};

use super::CredentialError;
use crate::event::{CloudFrontHeaders, HeaderLines};
use crate::header::names_nothing_else;
use crate::media_type::is_token;

/// The header that may contain a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenHeader {
    name: String,
    set_by: HeaderSetter,
}

/// Who adds the header to a request.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HeaderSetter {
    /// A proxy in front of the distribution, whoever's page makes the request: so pages of other origins are refused as
    /// they are with a cookie.
    #[default]
    Proxy,
    /// The client itself, as with `Authorization`: a page of another origin cannot without a preflight.
    Clients,
}

/// Why a header cannot contain a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TokenHeaderError {
    /// It is not the name of a header.
    Name,
    /// It means something to S3, to CloudFront, to HTTP or to the function.
    Taken,
    /// `x-amzn-oidc-data`.
    LoadBalancer,
}

impl TokenHeader {
    /// Takes a name, in any case.
    pub(crate) fn new(name: &str, set_by: HeaderSetter) -> Result<Self, TokenHeaderError> {
        let name = name.to_ascii_lowercase();
        if !is_token(&name) {
            return Err(TokenHeaderError::Name);
        }
        if name == "x-amzn-oidc-data" {
            return Err(TokenHeaderError::LoadBalancer);
        }
        if !names_nothing_else(&name) {
            return Err(TokenHeaderError::Taken);
        }
        Ok(Self { name, set_by })
    }

    /// The name, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who adds it.
    pub fn set_by(&self) -> HeaderSetter {
        self.set_by
    }

    /// The token in a request's header of this name.
    pub(super) fn find<'r>(
        &self,
        headers: &'r CloudFrontHeaders<'_>,
    ) -> Result<Option<&'r str>, CredentialError> {
        let lines = headers.get(self.name.as_str()).map(HeaderLines::as_slice).unwrap_or_default();
        let token = match lines {
            [] => return Ok(None),
            [line] => line.value.trim_matches([' ', '\t']),
            _ => return Err(CredentialError::Repeated),
        };
        // A comma would be a second header of the name (RFC 9110 section 5.3).
        if token.contains(',') {
            return Err(CredentialError::Repeated);
        }
        match token.is_empty() || !super::is_b64token(token) {
            true => Err(CredentialError::Malformed),
            false => Ok(Some(token)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_means_something_else_holds_no_token() {
        for name in ["Cf-Access-Jwt-Assertion", "X-Goog-Iap-Jwt-Assertion", "x-auth-token", "X-Id-Token"] {
            let header = TokenHeader::new(name, HeaderSetter::Proxy).unwrap();
            assert_eq!(header.name(), name.to_ascii_lowercase());
        }
        for (name, error) in [
            ("", TokenHeaderError::Name),
            ("a b", TokenHeaderError::Name),
            ("a:", TokenHeaderError::Name),
            ("é", TokenHeaderError::Name),
            ("X-Amzn-Oidc-Data", TokenHeaderError::LoadBalancer),
        ] {
            assert_eq!(TokenHeader::new(name, HeaderSetter::Proxy), Err(error), "{name}");
        }
        for name in [
            // S3's, and those of its requests.
            "x-amz-security-token",
            "x-amz-meta-a",
            "Range",
            "If-Match",
            "Content-Type",
            "Content-MD5",
            "Expires",
            "Cache-Control",
            "Date",
            "Content-Foo",
            // CloudFront's.
            "CloudFront-Viewer-Country",
            "X-Edge-Location",
            "x-amz-cf-id",
            "X-Amzn-Trace-Id",
            "Via",
            "Host",
            "X-Forwarded-For",
            "X-Real-IP",
            "X-Cache",
            "X-Accel-Redirect",
            "Client-Cert",
            "CDN-Loop",
            // Hop by hop (RFC 9110 section 7.6.1).
            "Connection",
            "Keep-Alive",
            "Proxy-Authorization",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "Expect",
            // The function's.
            "Authorization",
            "Cookie",
            "Origin",
            "Access-Control-Request-Method",
            "Sec-Fetch-Mode",
            "User-Agent",
            "X-HTTP-Method-Override",
            "Accept",
            "Accept-Encoding",
            "Referer",
            "Set-Cookie",
            // Those that browsers, libraries and HTTP set by themselves.
            "Upgrade-Insecure-Requests",
            "Priority",
            "Save-Data",
            "Pragma",
            "Early-Data",
            "Max-Forwards",
            "HTTP2-Settings",
            "X-Requested-With",
        ] {
            assert_eq!(TokenHeader::new(name, HeaderSetter::Clients), Err(TokenHeaderError::Taken), "{name}");
        }
    }
}
