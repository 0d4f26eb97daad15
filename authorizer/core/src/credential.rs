//! Step 4: the credential of a request.

mod cookie_name;
mod token_header;

use std::borrow::Cow;

use serde::Serialize;
use thiserror::Error;

pub use cookie_name::{CookieName, CookiePattern};
pub(crate) use token_header::TokenHeaderError;
pub use token_header::{HeaderSetter, TokenHeader};

use crate::event::{CloudFrontHeaders, HeaderLines};

/// The places of a token besides the `Authorization` header (RFC 6750 section 2.1), which is always read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CredentialPlaces {
    /// Another header, which contains nothing but the token.
    pub header: Option<TokenHeader>,
    /// A cookie.
    pub cookie: Option<CookieName>,
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
    /// Several cookies of the policy's name, as of several paths (RFC 6265 section 5.4). These are the tokens of the
    /// first of them, in the order of the request. Only for reads: another page of the domain may have set one.
    Cookies(Vec<Cow<'r, str>>),
}

/// Whether a request may have several cookies of the policy's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Several {
    /// They are refused.
    Refused,
    /// At most [`MAX_COOKIES`] of them are looked at.
    LookedAt,
}

/// The place of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub enum CredentialPlace {
    /// In `Authorization`.
    Header,
    /// In the header that the policy names.
    NamedHeader,
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
    /// The query parameter, or the header that the policy names, does not contain a token.
    #[error("the header or the query parameter does not contain a token")]
    Malformed,
    /// The cookie does not contain a token.
    #[error("the cookie does not contain a token")]
    CookieMalformed,
}

/// The largest number of cookies of one name that are looked at. Each costs the verification of a token.
pub const MAX_COOKIES: usize = 4;

/// The largest number of pieces: a browser keeps 4,096 bytes of each cookie, and a token has at most four times that.
pub(crate) const MAX_PIECES: usize = 16;

impl CredentialPlaces {
    /// Whether a token in this place comes with a request whoever's page makes it: a browser sends cookies by itself,
    /// and a proxy adds its header.
    pub(crate) fn is_ambient(&self, place: CredentialPlace) -> bool {
        match place {
            CredentialPlace::Cookie => true,
            CredentialPlace::NamedHeader => self.proxy_header().is_some(),
            CredentialPlace::Header | CredentialPlace::Query => false,
        }
    }

    /// Whether any place is like that.
    pub fn has_ambient(&self) -> bool {
        self.cookie.is_some() || self.proxy_header().is_some()
    }

    /// The header that a proxy adds, in lower case: pages do not send it.
    pub(crate) fn proxy_header(&self) -> Option<&str> {
        self.header.as_ref().filter(|header| header.set_by() == HeaderSetter::Proxy).map(TokenHeader::name)
    }
}

impl CredentialPlace {
    /// The place, in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Header => "the Authorization header",
            Self::NamedHeader => "the header that the policy names",
            Self::Cookie => "the cookie",
            Self::Query => "the query parameter",
        }
    }
}

impl<'r> Credential<'r> {
    /// Finds the one credential of a request. `in_query` is the value of the query parameter that the policy
    /// names, if the request has it.
    ///
    /// # Errors
    /// [`CredentialError::Repeated`] when there is more than one, in any place, apart from cookies that may be several;
    /// the others when the credential is not a token.
    pub fn find(
        headers: &'r CloudFrontHeaders<'_>,
        in_query: Option<&'r str>,
        places: &CredentialPlaces,
        several: Several,
    ) -> Result<Self, CredentialError> {
        let in_header = in_authorization(headers)?;
        let in_named = places.header.as_ref().map_or(Ok(None), |header| header.find(headers))?;
        let in_cookie = match &places.cookie {
            Some(name) => match name.find(headers)? {
                InCookies::One(token) => token,
                InCookies::Several(_) | InCookies::AllEmpty if several == Several::Refused => {
                    return Err(CredentialError::Repeated);
                }
                InCookies::AllEmpty => None,
                InCookies::Several(tokens) => {
                    return match (in_header, in_named, in_query) {
                        (None, None, None) => Ok(Self::Cookies(tokens)),
                        _ => Err(CredentialError::Repeated),
                    };
                }
            },
            None => None,
        };
        if in_query.is_some_and(|token| token.is_empty() || !is_b64token(token)) {
            return Err(CredentialError::Malformed);
        }
        let found = [
            in_header.map(|token| (Cow::Borrowed(token), CredentialPlace::Header)),
            in_named.map(|token| (Cow::Borrowed(token), CredentialPlace::NamedHeader)),
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
    if !token.is_empty() && is_b64token(token) {
        return Ok(Some(token));
    }
    // A comma would be a second credential in one line (RFC 9110 section 5.3). No token contains one.
    Err(if token.contains(',') { CredentialError::Repeated } else { CredentialError::Scheme })
}

/// The tokens in the cookies of one name.
enum InCookies<'r> {
    /// At most one cookie, whole or in pieces. An empty cookie counts as absent, because applications sign a person
    /// out with an empty cookie.
    One(Option<Cow<'r, str>>),
    /// Several, of which these are tokens.
    Several(Vec<Cow<'r, str>>),
    /// Several, and each is empty.
    AllEmpty,
}

/// The values of one cookie, or of one piece of it. Those beyond [`MAX_COOKIES`] are only counted.
#[derive(Clone, Copy, Default)]
struct Values<'r> {
    first: [Option<&'r str>; MAX_COOKIES],
    count: usize,
}

impl<'r> Values<'r> {
    fn push(&mut self, value: &'r str) {
        if let Some(slot) = self.first.get_mut(self.count) {
            *slot = Some(value);
        }
        self.count = self.count.saturating_add(1);
    }

    fn get(&self, index: usize) -> Option<&'r str> {
        self.first.get(index).copied().flatten()
    }
}

/// The name and the value of every cookie (RFC 6265 section 5.4; HTTP/2 may send one line per cookie).
pub(crate) fn cookies<'r>(headers: &'r CloudFrontHeaders<'_>) -> impl Iterator<Item = (&'r str, &'r str)> {
    let lines = headers.get("cookie").map(HeaderLines::as_slice).unwrap_or_default();
    lines
        .iter()
        .flat_map(|line| line.value.split(';'))
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
}

/// Whether the request has a cookie of this name.
pub(crate) fn has_cookie(headers: &CloudFrontHeaders<'_>, name: &str) -> bool {
    cookies(headers).any(|(key, _)| key == name)
}

/// The name of a cookie, and those of its pieces.
fn names_in_pieces(name: &str) -> impl Iterator<Item = String> {
    let pieces = (0..MAX_PIECES).map(move |index| format!("{name}.{index}"));
    std::iter::once(name.to_owned()).chain(pieces)
}

/// The cookies of this name, whole or in pieces.
fn in_cookies<'r>(headers: &'r CloudFrontHeaders<'_>, name: &str) -> Result<InCookies<'r>, CredentialError> {
    let mut whole = Values::default();
    let mut pieces: [Values<'r>; MAX_PIECES] = [Values::default(); MAX_PIECES];
    for (key, value) in cookies(headers) {
        let slot = match key.strip_prefix(name) {
            Some("") => Some(&mut whole),
            // Only one spelling is accepted: `.0`, not `.00`.
            Some(suffix) => (0..MAX_PIECES)
                .find(|index| suffix.strip_prefix('.') == Some(index.to_string().as_str()))
                .and_then(|index| pieces.get_mut(index)),
            None => None,
        };
        if let Some(slot) = slot {
            slot.push(value);
        }
    }
    // A browser sends the cookies of one path together and in order, so the nth of each piece are one token, if both
    // have as many pieces. If they have not, neither verifies, and both are cleared.
    let in_pieces = pieces.iter().map(|piece| piece.count).max().unwrap_or_default();
    let nth_in_pieces = |nth| joined(pieces.iter().map(move |piece: &Values<'r>| piece.get(nth)));
    match (whole.count, in_pieces) {
        (0, 0) => Ok(InCookies::One(None)),
        (1, 0) => whole.get(0).map_or(Ok(None), |token| checked(token.into())).map(InCookies::One),
        (0, 1) => nth_in_pieces(0).and_then(checked).map(InCookies::One),
        (whole_count, in_pieces) => {
            let of_whole = (0..whole_count.min(MAX_COOKIES)).filter_map(|nth| whole.get(nth)).map(Cow::from);
            let of_pieces = (0..in_pieces.min(MAX_COOKIES)).filter_map(|nth| nth_in_pieces(nth).ok());
            let is_empty = |values: &Values<'_>| {
                values.count <= MAX_COOKIES && values.first.iter().flatten().all(|value| value.is_empty())
            };
            if is_empty(&whole) && pieces.iter().all(is_empty) {
                return Ok(InCookies::AllEmpty);
            }
            let looked_at = of_whole.chain(of_pieces).take(MAX_COOKIES);
            Ok(InCookies::Several(looked_at.filter_map(|token| checked(token).ok().flatten()).collect()))
        }
    }
}

/// The value of the one cookie of this name, whole or in pieces, if it has the form of a token.
#[cfg(feature = "code-flow")]
pub(crate) fn value_in_pieces<'r>(headers: &'r CloudFrontHeaders<'_>, name: &str) -> Option<Cow<'r, str>> {
    match in_cookies(headers, name) {
        Ok(InCookies::One(value)) => value,
        Ok(InCookies::Several(_) | InCookies::AllEmpty) | Err(_) => None,
    }
}

/// The token that these pieces are of. None may be missing before the last.
fn joined<'r>(
    pieces: impl Iterator<Item = Option<&'r str>> + Clone,
) -> Result<Cow<'r, str>, CredentialError> {
    let count = pieces.clone().take_while(Option::is_some).count();
    match pieces.clone().skip(count).any(|piece| piece.is_some()) {
        true => Err(CredentialError::CookieMalformed),
        false => Ok(pieces.flatten().collect::<String>().into()),
    }
}

fn checked(token: Cow<'_, str>) -> Result<Option<Cow<'_, str>>, CredentialError> {
    match is_b64token(&token) {
        true => Ok(Some(token).filter(|token| !token.is_empty())),
        false => Err(CredentialError::CookieMalformed),
    }
}

/// RFC 6750 section 2.1: `b64token`.
pub(crate) fn is_b64token(text: &str) -> bool {
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
        let header = TokenHeader::new("X-Token", HeaderSetter::Proxy).unwrap();
        CredentialPlaces {
            header: Some(header),
            cookie: CookieName::parse("session"),
            query: Some("access_token".into()),
        }
    }

    fn find(
        lines: &[(&'static str, &str)],
        in_query: Option<&str>,
    ) -> Result<Option<String>, CredentialError> {
        let headers = headers(lines);
        let found = Credential::find(&headers, in_query, &places(), Several::Refused);
        found.map(|credential| match credential {
            Credential::None => None,
            Credential::Bearer { token, .. } => Some(token.into_owned()),
            Credential::Cookies(tokens) => panic!("{tokens:?}"),
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
    fn the_header_that_the_policy_names_contains_nothing_but_the_token() {
        for line in ["a.b.c", " a.b.c "] {
            assert_eq!(find(&[("x-token", line)], None), Ok(Some("a.b.c".into())), "{line}");
        }
        for line in ["", " ", "Bearer a.b.c", "a b", "é", "\"a\""] {
            assert_eq!(find(&[("x-token", line)], None), Err(CredentialError::Malformed), "{line}");
        }
        assert_eq!(find(&[("x-other-token", "a.b.c")], None), Ok(None));
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
            ("session.1=a", CredentialError::CookieMalformed),
            ("session.0=a; session.2=b", CredentialError::CookieMalformed),
            ("session=\"a.b.c\"", CredentialError::CookieMalformed),
            ("session=a b", CredentialError::CookieMalformed),
            ("session=a,b", CredentialError::CookieMalformed),
        ] {
            assert_eq!(find(&[("cookie", line)], None), Err(refusal), "{line}");
        }
    }

    #[test]
    fn two_credentials_are_refused_whatever_their_places() {
        let bearer = ("authorization", "Bearer a");
        let cookie = ("cookie", "session=a");
        let named = ("x-token", "a");
        for (lines, in_query) in [
            (vec![named, named], None),
            (vec![("x-token", "a, b")], None),
            (vec![named, bearer], None),
            (vec![named, cookie], None),
            (vec![named], Some("a")),
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
        for several in [Several::Refused, Several::LookedAt] {
            let found = Credential::find(&lines, None, &CredentialPlaces::default(), several);
            assert_eq!(found, Ok(Credential::None));
        }
    }

    #[test]
    fn of_several_cookies_the_first_are_looked_at() {
        let find = |line: &str| {
            let lines = headers(&[("cookie", line)]);
            match Credential::find(&lines, None, &places(), Several::LookedAt) {
                Ok(Credential::Cookies(tokens)) => tokens.iter().map(|token| token.to_string()).collect(),
                other => vec![format!("{other:?}")],
            }
        };
        for (line, tokens) in [
            ("session=a; session=b", vec!["a", "b"]),
            ("session=a; x=y; session=a", vec!["a", "a"]),
            ("session=a; session=", vec!["a"]),
            ("session=; session=", vec!["Ok(None)"]),
            ("session=; session=\"", vec![]),
            ("session=; session=; session=; session=; session=", vec![]),
            ("session=\"a\"; session=b", vec!["b"]),
            ("session=a; session.0=b; session.1=c", vec!["a", "bc"]),
            ("session.0=a; session.1=b; session.0=c; session.1=d", vec!["ab", "cd"]),
            ("session.0=a; session.1=b; session.1=c", vec!["ab"]),
            ("session=1; session=2; session=3; session=4; session=5", vec!["1", "2", "3", "4"]),
            ("session=\"; session=\"; session=\"; session=\"; session=5", vec![]),
        ] {
            assert_eq!(find(line), tokens, "{line}");
        }
        for (lines, in_query) in [
            (vec![("cookie", "session=a; session=b"), ("authorization", "Bearer a")], None),
            (vec![("cookie", "session=a; session=b")], Some("a")),
        ] {
            let headers = headers(&lines);
            let found = Credential::find(&headers, in_query, &places(), Several::LookedAt);
            assert_eq!(found, Err(CredentialError::Repeated));
        }
    }

    #[test]
    fn the_cookies_that_a_token_is_in_are_named() {
        let session = CookieName::parse("session").unwrap();
        let names = |line: &str| session.names_in(&headers(&[("cookie", line)]));
        assert_eq!(names("session=a; theme=b; session=c"), ["session"]);
        assert_eq!(names("session.1=a; session.0=; session.16=c; sessions=d"), ["session.0", "session.1"]);
        assert!(names("theme=b").is_empty());
    }
}
