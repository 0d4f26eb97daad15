//! Step 4: the credential of a request.

use std::borrow::Cow;

use thiserror::Error;

use crate::event::{CloudFrontHeaders, HeaderLines};

/// The places of a token besides the `Authorization` header (RFC 6750 section 2.1), which is always read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CredentialPlaces {
    /// The name of a cookie. It may be split into the pieces `NAME.0`, `NAME.1` and so on.
    pub cookie: Option<String>,
    /// The name of a query parameter (RFC 6750 section 2.3).
    pub query: Option<String>,
}

/// The credential that the viewer sent. It is not verified yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Credential<'r> {
    /// The request does not have a token.
    None,
    /// A token.
    Bearer {
        /// The token.
        token: Cow<'r, str>,
        /// The place of the token.
        place: CredentialPlace,
    },
}

/// The place of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialPlace {
    /// In `Authorization`.
    Header,
    /// In the cookie that the policy names.
    Cookie,
    /// In the query parameter that the policy names.
    Query,
}

/// Why a request does not have exactly one credential.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum CredentialError {
    /// More than one was sent (RFC 6750 section 2: at most one method, once).
    #[error("more than one credential was sent")]
    Repeated,
    /// `Authorization` does not contain a bearer token.
    #[error("the Authorization header is not a bearer token")]
    Scheme,
    /// The cookie or the query parameter does not contain a token.
    #[error("the cookie or query parameter does not contain a token")]
    Malformed,
}

/// The largest number of pieces: a browser keeps 4,096 bytes of each cookie, and a token has at most four times that.
const MAX_PIECES: usize = 16;

impl<'r> Credential<'r> {
    /// Finds the one credential of a request. `in_query` is the value of the query parameter that the policy
    /// names, if the request has it.
    ///
    /// # Errors
    /// [`CredentialError::Repeated`] when there is more than one, in any place;
    /// [`CredentialError::Scheme`] or [`CredentialError::Malformed`] when the credential is not a token.
    pub fn find(
        headers: &'r CloudFrontHeaders<'_>,
        in_query: Option<&'r str>,
        places: &CredentialPlaces,
    ) -> Result<Self, CredentialError> {
        let in_header = in_authorization(headers)?;
        let in_cookie = match &places.cookie {
            Some(name) => in_cookie(headers, name)?,
            None => None,
        };
        if in_query.is_some_and(|token| token.is_empty() || !is_b64token(token)) {
            return Err(CredentialError::Malformed);
        }
        let found = [
            in_header.map(|token| (Cow::Borrowed(token), CredentialPlace::Header)),
            in_cookie.map(|token| (token, CredentialPlace::Cookie)),
            in_query.map(|token| (Cow::Borrowed(token), CredentialPlace::Query)),
        ];
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (None, _) => Ok(Self::None),
            (Some((token, place)), None) => Ok(Self::Bearer { token, place }),
            (Some(_), Some(_)) => Err(CredentialError::Repeated),
        }
    }
}

fn in_authorization<'r>(headers: &'r CloudFrontHeaders<'_>) -> Result<Option<&'r str>, CredentialError> {
    let lines = headers.get("authorization").map(HeaderLines::as_slice).unwrap_or_default();
    let line = match lines {
        [] => return Ok(None),
        [line] => line.value.as_ref(),
        _ => return Err(CredentialError::Repeated),
    };
    // RFC 9110 section 11.4: the scheme is case-insensitive, and one or more spaces follow it.
    let (scheme, token) = line.split_once(' ').ok_or(CredentialError::Scheme)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(CredentialError::Scheme);
    }
    let token = token.trim_matches(' ');
    // A comma would be a second credential in one line (RFC 9110 section 5.3).
    if token.contains(',') {
        return Err(CredentialError::Repeated);
    }
    if token.is_empty() || !is_b64token(token) {
        return Err(CredentialError::Scheme);
    }
    Ok(Some(token))
}

/// The cookie of this name (RFC 6265 section 5.4; HTTP/2 may send one line per cookie), whole or in
/// pieces. An empty cookie counts as absent, because applications sign a person out with an empty cookie.
fn in_cookie<'r>(
    headers: &'r CloudFrontHeaders<'_>,
    name: &str,
) -> Result<Option<Cow<'r, str>>, CredentialError> {
    let lines = headers.get("cookie").map(HeaderLines::as_slice).unwrap_or_default();
    let pairs = lines
        .iter()
        .flat_map(|line| line.value.split(';'))
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='));
    let mut whole = None;
    let mut pieces: [Option<&str>; MAX_PIECES] = [None; MAX_PIECES];
    for (key, value) in pairs {
        let slot = match key.strip_prefix(name) {
            Some("") => Some(&mut whole),
            // Only one spelling is accepted: `.0`, not `.00`.
            Some(suffix) => (0..MAX_PIECES)
                .find(|index| suffix.strip_prefix('.') == Some(index.to_string().as_str()))
                .and_then(|index| pieces.get_mut(index)),
            None => None,
        };
        if let Some(slot) = slot
            && slot.replace(value).is_some()
        {
            return Err(CredentialError::Repeated);
        }
    }
    let count = pieces.iter().take_while(|piece| piece.is_some()).count();
    if pieces.iter().skip(count).any(Option::is_some) {
        return Err(CredentialError::Malformed);
    }
    let token = match (whole, count) {
        (Some(_), 1..) => return Err(CredentialError::Repeated),
        (Some(token), 0) => Cow::Borrowed(token),
        (None, _) => pieces.into_iter().flatten().collect::<String>().into(),
    };
    match is_b64token(&token) {
        true => Ok(Some(token).filter(|token| !token.is_empty())),
        false => Err(CredentialError::Malformed),
    }
}

/// RFC 6750 section 2.1: `b64token`.
fn is_b64token(text: &str) -> bool {
    let is_one = |byte: u8| {
        byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    // The whole text is checked without an early exit: one step checks many bytes, and nearly all texts are valid.
    text.bytes().fold(true, |are_all, byte| are_all & is_one(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CloudFrontHeader;

    fn headers(lines: &[(&'static str, &str)]) -> CloudFrontHeaders<'static> {
        let mut headers = CloudFrontHeaders::new();
        for (name, value) in lines {
            headers.entry((*name).into()).or_default().push(CloudFrontHeader::new(*name, value.to_string()));
        }
        headers
    }

    fn places() -> CredentialPlaces {
        CredentialPlaces { cookie: Some("session".into()), query: Some("access_token".into()) }
    }

    fn find(
        lines: &[(&'static str, &str)],
        in_query: Option<&str>,
    ) -> Result<Option<String>, CredentialError> {
        Credential::find(&headers(lines), in_query, &places()).map(|credential| match credential {
            Credential::None => None,
            Credential::Bearer { token, .. } => Some(token.into_owned()),
        })
    }

    #[test]
    fn exactly_one_bearer_token_is_a_credential() {
        for line in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c", "Bearer a.b.c "] {
            assert_eq!(find(&[("authorization", line)], None), Ok(Some("a.b.c".into())), "{line}");
        }
        assert_eq!(find(&[], None), Ok(None));
        assert_eq!(find(&[], Some("a.b.c")), Ok(Some("a.b.c".into())));
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
            assert_eq!(find(&[("authorization", line)], None), Err(CredentialError::Scheme), "{line}");
        }
        for token in ["", "a b", "a,b", "é"] {
            assert_eq!(find(&[], Some(token)), Err(CredentialError::Malformed), "{token}");
        }
    }

    #[test]
    fn a_cookie_is_a_credential_whole_or_in_pieces() {
        for (lines, token) in [
            (vec!["session=a.b.c"], Some("a.b.c")),
            (vec!["theme=dark; session=a.b.c; x"], Some("a.b.c")),
            (vec!["theme=dark", "session=a.b=="], Some("a.b==")),
            (vec!["session.0=a.; session.1=b.c"], Some("a.b.c")),
            (vec!["session.1=b.c; session.0=a."], Some("a.b.c")),
            (vec!["session="], None),
            (vec!["sessions=a; Session=b; session.x=c; session.00=d; xsession=e; session.16=f"], None),
            (vec![""], None),
        ] {
            let lines: Vec<_> = lines.into_iter().map(|line| ("cookie", line)).collect();
            assert_eq!(find(&lines, None), Ok(token.map(str::to_owned)), "{lines:?}");
        }
        for (line, refusal) in [
            ("session=a; session=a", CredentialError::Repeated),
            ("session=a; session=", CredentialError::Repeated),
            ("session.0=a; session.0=b", CredentialError::Repeated),
            ("session=a; session.0=b", CredentialError::Repeated),
            ("session.1=a", CredentialError::Malformed),
            ("session.0=a; session.2=b", CredentialError::Malformed),
            ("session=\"a.b.c\"", CredentialError::Malformed),
            ("session=a b", CredentialError::Malformed),
            ("session=a,b", CredentialError::Malformed),
        ] {
            assert_eq!(find(&[("cookie", line)], None), Err(refusal), "{line}");
        }
    }

    #[test]
    fn two_credentials_are_refused_whatever_their_places() {
        let bearer = ("authorization", "Bearer a");
        let cookie = ("cookie", "session=a");
        for (lines, in_query) in [
            (vec![bearer, bearer], None),
            (vec![bearer, ("authorization", "Basic b")], None),
            (vec![("authorization", "Bearer a, Bearer b")], None),
            (vec![bearer, cookie], None),
            (vec![bearer], Some("a")),
            (vec![cookie], Some("a")),
        ] {
            assert_eq!(find(&lines, in_query), Err(CredentialError::Repeated), "{lines:?}");
        }
    }

    #[test]
    fn a_place_that_the_policy_does_not_name_is_not_looked_at() {
        let lines = headers(&[("cookie", "session=a; session=b")]);
        assert_eq!(Credential::find(&lines, None, &CredentialPlaces::default()), Ok(Credential::None));
    }
}
