//! The name of the cookie of a token, or a pattern for it.

use std::fmt;

use percent_encoding::percent_decode_str;

use super::{
    CredentialError, InCookies, MAX_COOKIES, checked, cookies, has_cookie, in_cookies, names_in_pieces,
};
use crate::event::CloudFrontHeaders;
use crate::media_type::is_token;

/// How the cookies of AWS's Amplify and Cognito libraries begin. The rest is the client's id, the user's name, and
/// what is in the cookie.
const COGNITO: &str = "CognitoIdentityServiceProvider.";

/// The most cookies that fit a pattern and are compared with each other. Beyond it, they count as several.
const MAX_FITTING: usize = 16;

/// The cookie that may contain a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CookieName {
    /// A cookie of this name. It may be split into the pieces `NAME.0`, `NAME.1` and so on.
    Exactly(String),
    /// A cookie with a name of this form, such as `CognitoIdentityServiceProvider.CLIENT.*.accessToken`.
    Fitting(CookiePattern),
}

/// The form of a cookie's name: two texts, and something between them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CookiePattern {
    before: String,
    after: String,
}

impl CookieName {
    /// Reads the name of a cookie, or a pattern with one `*`.
    ///
    /// RFC 6265 section 4.1.1: the name of a cookie is a token.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !is_token(text) {
            return None;
        }
        match text.split_once('*') {
            None => Some(Self::Exactly(text.to_owned())),
            // Without a beginning, any cookie of the domain could fit.
            Some((before, after)) if !before.is_empty() && !after.contains('*') => {
                Some(Self::Fitting(CookiePattern { before: before.to_owned(), after: after.to_owned() }))
            }
            Some(_) => None,
        }
    }

    /// The tokens in a request's cookies of this name.
    pub(super) fn find<'r>(
        &self,
        headers: &'r CloudFrontHeaders<'_>,
    ) -> Result<InCookies<'r>, CredentialError> {
        match self {
            Self::Exactly(name) => in_cookies(headers, name),
            Self::Fitting(pattern) => pattern.find(headers),
        }
    }

    /// The names of the cookies in which this request may have a token.
    pub(crate) fn names_in(&self, headers: &CloudFrontHeaders<'_>) -> Vec<String> {
        match self {
            Self::Exactly(name) => names_in_pieces(name).filter(|name| has_cookie(headers, name)).collect(),
            Self::Fitting(pattern) => {
                let mut names: Vec<String> = Vec::new();
                for (name, _, _) in pattern.fitting(headers).take(MAX_FITTING) {
                    if is_token(name) && !names.iter().any(|known| known == name) {
                        names.push(name.to_owned());
                    }
                }
                names
            }
        }
    }

    /// Whether a cookie of this name may have a token. One that is in pieces has none of these names.
    pub fn is_of(&self, name: &str) -> bool {
        match self {
            Self::Exactly(own) => own == name,
            Self::Fitting(pattern) => pattern.between(name).is_some(),
        }
    }
}

impl fmt::Display for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(name) => f.write_str(name),
            Self::Fitting(CookiePattern { before, after }) => write!(f, "{before}*{after}"),
        }
    }
}

impl CookiePattern {
    /// The cookie that names the user whose cookie is meant, as Cognito's libraries write it.
    fn selector(&self) -> Option<String> {
        let is_cognitos = self.before.starts_with(COGNITO)
            && self.before.len() > COGNITO.len()
            && self.before.ends_with('.')
            && self.after.starts_with('.');
        is_cognitos.then(|| format!("{}LastAuthUser", self.before))
    }

    /// The cookies that fit: the name, what is between, and the value.
    fn fitting<'r>(
        &self,
        headers: &'r CloudFrontHeaders<'_>,
    ) -> impl Iterator<Item = (&'r str, &'r str, &'r str)> {
        cookies(headers).filter_map(|(name, value)| self.between(name).map(|between| (name, between, value)))
    }

    /// What is between the two texts of the pattern, in a name that fits.
    fn between<'n>(&self, name: &'n str) -> Option<&'n str> {
        let between = name.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        (!between.is_empty()).then_some(between)
    }

    /// The one cookie that is meant. Where a cookie names the user, it is that user's; otherwise the only one. Where
    /// cookies name different users, any of those that fit could be meant, also if there is only one: another host of
    /// the domain may have set it. A cookie that is empty counts as absent, unless there is another of its name.
    fn find<'r>(&self, headers: &'r CloudFrontHeaders<'_>) -> Result<InCookies<'r>, CredentialError> {
        let selector = self.selector();
        let mut users = cookies(headers)
            .filter(|(name, user)| Some(*name) == selector.as_deref() && !user.is_empty())
            .map(|(_, user)| decoded(user));
        let user = users.next();
        // All are read: a limit would let the first ones hide the one after it.
        let is_disputed = users.any(|other| Some(&other) != user.as_ref());
        let user = user.filter(|_| !is_disputed);
        let is_meant = |between: &str| user.as_ref().is_none_or(|user| *user == decoded(between));
        let meant: Vec<_> =
            self.fitting(headers).filter(|(_, between, _)| is_meant(between)).take(MAX_FITTING).collect();
        // The libraries do not always write a name in one way: the names are the same if the users are.
        let is_signed_out = |user: &[u8]| {
            meant.iter().all(|(_, between, value)| value.is_empty() || decoded(between) != user)
        };
        let values: Vec<&str> = meant
            .iter()
            .filter(|(_, between, _)| !is_signed_out(&decoded(between)))
            .map(|(_, _, value)| *value)
            .collect();
        match values.as_slice() {
            [] if meant.len() < MAX_FITTING => Ok(InCookies::One(None)),
            [token] if meant.len() < MAX_FITTING && !is_disputed => {
                checked((*token).into()).map(InCookies::One)
            }
            several => {
                let looked_at = several.iter().take(MAX_COOKIES);
                Ok(InCookies::Several(
                    looked_at.filter_map(|token| checked((*token).into()).ok().flatten()).collect(),
                ))
            }
        }
    }
}

/// A user's name, without the percent-encoding of the library that wrote the cookie. The libraries encode a name and a
/// value of a cookie differently (js-cookie's `write`; amplify-js's `ensureEncodedForJSCookie`), and not always.
fn decoded(text: &str) -> Vec<u8> {
    percent_decode_str(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CloudFrontHeader;

    const AMPLIFY: &str = "CognitoIdentityServiceProvider.c1.*.accessToken";

    fn headers(line: &str) -> CloudFrontHeaders<'static> {
        let mut headers = CloudFrontHeaders::new();
        headers.entry("cookie".into()).or_default().push(CloudFrontHeader::new("cookie", line.to_owned()));
        headers
    }

    /// What is found: a token, several, nothing, or an error.
    fn find(name: &str, line: &str) -> String {
        let line = line.replace("$C", "CognitoIdentityServiceProvider.c1");
        let headers = headers(&line);
        match CookieName::parse(name).unwrap().find(&headers) {
            Ok(InCookies::One(token)) => token.unwrap_or_default().into_owned(),
            Ok(InCookies::Several(tokens)) => format!("several: {}", tokens.join(" ")),
            Ok(InCookies::AllEmpty) => "all empty".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_name_is_a_token_with_at_most_one_star_that_is_not_its_beginning() {
        for (text, is_name) in [
            ("session", true),
            ("sb-*-auth-token", true),
            (AMPLIFY, true),
            ("a*", true),
            ("*", false),
            ("*.accessToken", false),
            ("a*b*c", false),
            ("a b", false),
            ("a;b", false),
            ("", false),
        ] {
            let parsed = CookieName::parse(text);
            assert_eq!(parsed.is_some(), is_name, "{text}");
            if let Some(name) = parsed {
                assert_eq!(name.to_string(), text);
            }
        }
    }

    #[test]
    fn the_user_who_signed_in_last_is_meant() {
        for (line, found) in [
            ("$C.alice.accessToken=a; $C.LastAuthUser=alice", "a"),
            ("$C.alice.accessToken=a; $C.bob.accessToken=b; $C.LastAuthUser=bob", "b"),
            ("$C.LastAuthUser=bob; $C.bob.accessToken=b; $C.bob.idToken=i; $C.bob.refreshToken=r", "b"),
            // js-cookie writes the user's address into the name and into the value each in its own way.
            ("$C.al%40x.org.accessToken=a; $C.LastAuthUser=al@x.org", "a"),
            ("$C.a+b%40x.org.accessToken=a; $C.LastAuthUser=a+b@x.org", "a"),
            ("$C.a%20%28b%29.accessToken=a; $C.LastAuthUser=a%20(b)", "a"),
            ("$C.al@x.org.accessToken=a; $C.LastAuthUser=al%40x.org", "a"),
            // A user who has no token is signed out, whoever else has one.
            ("$C.alice.accessToken=a; $C.LastAuthUser=bob", ""),
            ("$C.alice.accessToken=; $C.LastAuthUser=alice", ""),
            // Who it is is not said, and there is only one.
            ("$C.alice.accessToken=a", "a"),
            ("$C.alice.accessToken=a; $C.LastAuthUser=", "a"),
            ("$C.alice.accessToken=a; $C.bob.accessToken=", "a"),
            // Two could be meant.
            ("$C.alice.accessToken=a; $C.bob.accessToken=b", "several: a b"),
            ("$C.alice.accessToken=a; $C.alice.accessToken=b; $C.LastAuthUser=alice", "several: a b"),
            ("$C.alice.accessToken=a; $C.alice.accessToken=; $C.LastAuthUser=alice", "several: a"),
            ("$C.al%40x.accessToken=a; $C.al@x.accessToken=b; $C.LastAuthUser=al@x", "several: a b"),
            // One user's cookie, written in two ways: the empty one may be the one that counts.
            ("$C.al%40x.accessToken=; $C.al@x.accessToken=b; $C.LastAuthUser=al@x", "several: b"),
            ("$C.al%40x.accessToken=; $C.al@x.accessToken=b", "several: b"),
            ("$C.al%40x.accessToken=; $C.al@x.accessToken=; $C.LastAuthUser=al@x", ""),
            (
                "$C.alice.accessToken=a; $C.bob.accessToken=b; $C.LastAuthUser=alice; $C.LastAuthUser=bob",
                "several: a b",
            ),
            // Different users are named, and so nobody is. Nobody has a token, so there is nothing to choose.
            ("$C.bob.accessToken=b; $C.LastAuthUser=alice; $C.LastAuthUser=bob", "several: b"),
            ("$C.carol.accessToken=c; $C.LastAuthUser=alice; $C.LastAuthUser=bob", "several: c"),
            ("$C.LastAuthUser=alice; $C.LastAuthUser=bob", ""),
            // The same user, named twice.
            ("$C.al@x.accessToken=a; $C.LastAuthUser=al@x; $C.LastAuthUser=al%40x", "a"),
            // Another client's, another kind, and names that only begin alike.
            ("CognitoIdentityServiceProvider.c2.alice.accessToken=a", ""),
            ("$C.alice.idToken=a; $C..accessToken=b; $C.accessToken=c; $C.alice.accessTokens=d", ""),
            ("$C.alice.accessToken=\"a\"", "the cookie does not contain a token"),
        ] {
            assert_eq!(find(AMPLIFY, line), found, "{line}");
        }
    }

    #[test]
    fn no_number_of_cookies_hides_the_name_of_a_user() {
        let tokens = "$C.evil.accessToken=e; $C.alice.accessToken=a";
        for count in [1, 15, 16, 17, 100] {
            let evil = "$C.LastAuthUser=evil; ".repeat(count);
            let found = find(AMPLIFY, &format!("{tokens}; {evil}$C.LastAuthUser=alice"));
            assert_eq!(found, "several: e a", "{count}");
            assert_eq!(find(AMPLIFY, &format!("{tokens}; {evil}")), "e", "{count}");
            let others: String = (0..count).map(|index| format!("$C.LastAuthUser=u{index}; ")).collect();
            let found = find(AMPLIFY, &format!("{tokens}; {others}$C.LastAuthUser=alice"));
            assert_eq!(found, "several: e a", "{count}");
        }
    }

    #[test]
    fn other_patterns_take_the_only_cookie_that_fits() {
        for (line, found) in [
            ("sb-ref-auth-token=a", "a"),
            ("sb-a-auth-token=a; sb-b-auth-token=b", "several: a b"),
            ("sb-a-auth-token=a; sb-LastAuthUser=b", "a"),
            ("sb--auth-token=a; sb-auth-token=b", ""),
        ] {
            assert_eq!(find("sb-*-auth-token", line), found, "{line}");
        }
        let many: String = (0..100).map(|index| format!("sb-{index}-auth-token=t{index}; ")).collect();
        assert_eq!(find("sb-*-auth-token", &many), "several: t0 t1 t2 t3");
        let empty: String = (0..100).map(|index| format!("sb-{index}-auth-token=; ")).collect();
        assert_eq!(find("sb-*-auth-token", &format!("{empty}sb-x-auth-token=a")), "several: ");
        let names =
            CookieName::parse("sb-*-auth-token").unwrap().names_in(&headers("sb-a-auth-token=1; x=2"));
        assert_eq!(names, ["sb-a-auth-token"]);
    }
}
