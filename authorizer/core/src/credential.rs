//! Step 4: the credential of a request.

use crate::event::CloudFrontHeaders;
use crate::refusal::Refusal;

/// What the viewer presents to say who they are. Not verified yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credential<'r> {
    /// Nothing.
    None,
    /// A bearer token (RFC 6750 section 2.1).
    Bearer(&'r str),
}

impl<'r> Credential<'r> {
    /// Finds the credential in the `Authorization` header.
    ///
    /// # Errors
    /// [`Refusal::CredentialRepeated`] when the header was sent more than once, and
    /// [`Refusal::CredentialScheme`] when it is not `Bearer` and one token.
    pub fn find(headers: &'r CloudFrontHeaders) -> Result<Self, Refusal> {
        let lines = headers.get("authorization").map(Vec::as_slice).unwrap_or_default();
        let line = match lines {
            [] => return Ok(Self::None),
            [line] => line.value.as_str(),
            _ => return Err(Refusal::CredentialRepeated),
        };
        // RFC 9110 section 11.4: the scheme is case-insensitive, and one or more spaces follow it.
        let (scheme, token) = line.split_once(' ').ok_or(Refusal::CredentialScheme)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::CredentialScheme);
        }
        let token = token.trim_matches(' ');
        // A comma would be a second credential in one line (RFC 9110 section 5.3).
        if token.contains(',') {
            return Err(Refusal::CredentialRepeated);
        }
        if token.is_empty() || !token.bytes().all(is_b64token) {
            return Err(Refusal::CredentialScheme);
        }
        Ok(Self::Bearer(token))
    }
}

/// RFC 6750 section 2.1: `b64token`.
fn is_b64token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CloudFrontHeader;

    fn find(lines: &[&str]) -> Result<Option<String>, Refusal> {
        let lines = lines.iter().map(|value| CloudFrontHeader::new("Authorization", *value)).collect();
        let headers = CloudFrontHeaders::from([("authorization".to_owned(), lines)]);
        Credential::find(&headers).map(|credential| match credential {
            Credential::None => None,
            Credential::Bearer(token) => Some(token.to_owned()),
        })
    }

    #[test]
    fn exactly_one_bearer_token_is_a_credential() {
        for line in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c", "Bearer a.b.c "] {
            assert_eq!(find(&[line]), Ok(Some("a.b.c".into())), "{line}");
        }
        assert_eq!(find(&[]), Ok(None));
        assert_eq!(Credential::find(&CloudFrontHeaders::new()), Ok(Credential::None));
    }

    #[test]
    fn what_is_no_bearer_token_is_refused() {
        for line in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            "a.b.c",
            "Bearer a b",
            "Bearer\ta",
            "Bearer é",
            "Digest username=\"a\", realm=\"b\"",
            "Token a",
        ] {
            assert_eq!(find(&[line]), Err(Refusal::CredentialScheme), "{line}");
        }
    }

    #[test]
    fn two_credentials_are_refused() {
        assert_eq!(find(&["Bearer a", "Bearer a"]), Err(Refusal::CredentialRepeated));
        assert_eq!(find(&["Bearer a", "Basic b"]), Err(Refusal::CredentialRepeated));
        assert_eq!(find(&["Bearer a, Bearer b"]), Err(Refusal::CredentialRepeated));
    }
}
