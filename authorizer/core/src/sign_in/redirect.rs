//! Where people with a browser and without a token that is accepted are sent, and what keeps them from going round.

use super::navigation::is_navigation;
use super::set_cookie::SetCookie;
use crate::credential::{CookieName, has_cookie};
use crate::digest::sha256_hex;
use crate::event::CloudFrontRequest;
use crate::origin::Origin;
use crate::query::encode_value;
use crate::request::S3Request;

/// `[sign_in]` with `url`, compiled: one redirect, to a sign-in that sets the cookie.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignInRedirect {
    /// The address of the sign-in page, up to the value of the return parameter.
    before_return: String,
    /// The distribution's own origin.
    origin: String,
    /// Whether that is `https`, so that cookies can be limited to it.
    is_https: bool,
}

/// What a person who opens a page is answered when the request has no token that is accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// They are sent to sign in.
    SignIn {
        /// The address of the sign-in.
        location: String,
        /// The `Set-Cookie` lines: the marker, and those that clear the cookies of the token.
        cookies: Vec<String>,
    },
    /// They come from there, and are told why the request is refused.
    Refuse {
        /// The `Set-Cookie` lines: the marker is cleared, so that whoever tries again is sent to sign in again.
        cookies: Vec<String>,
    },
}

/// How long the marker lives, in seconds: as long as a person may take to sign in.
const MARKER_SECONDS: u64 = 300;

/// The most `Set-Cookie` lines that clear cookies, and their greatest length together, in bytes. A generated response
/// has at most 40 KB.
const MAX_CLEARING: usize = 40;
const MAX_CLEARING_BYTES: usize = 8_192;

/// The longest path that a browser takes in a cookie, in bytes (RFC 6265bis section 5.6).
const MAX_COOKIE_PATH: usize = 1_024;

impl SignInRedirect {
    /// Takes the address of the sign-in page, the distribution's origin, and the name of the parameter with the
    /// address to return to; `None` if one of them is not valid.
    pub(crate) fn new(url: &str, origin: &str, return_parameter: &str) -> Option<Self> {
        Origin::parse(origin)?.is_secure().then_some(())?;
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        Origin::parse(&format!("{scheme}://{authority}"))?.is_secure().then_some(())?;
        // The parameter would become part of a fragment.
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        let is_name = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
        if !is_plain || return_parameter.is_empty() || !return_parameter.chars().all(is_name) {
            return None;
        }
        let joint = if url.contains('?') { '&' } else { '?' };
        Some(Self {
            before_return: format!("{url}{joint}{return_parameter}="),
            origin: origin.to_owned(),
            is_https: origin.starts_with("https://"),
        })
    }

    /// The address of the sign-in page.
    pub fn url(&self) -> &str {
        self.address().0
    }

    /// The parameter of that address that has the address to return to.
    pub fn return_parameter(&self) -> &str {
        self.address().1
    }

    /// The distribution's own origin, where people return to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The name of the parameter contains neither `?` nor `&`.
    fn address(&self) -> (&str, &str) {
        let text = self.before_return.strip_suffix('=').unwrap_or(&self.before_return);
        text.rsplit_once(['?', '&']).unwrap_or((text, ""))
    }

    /// What to answer when a request has no token that is accepted; `None` if the request is not a person who opens a
    /// page. `cookie` is the cookie that may contain a token.
    ///
    /// The address to return to is the distribution's own origin and the recognised request, written anew. So the
    /// request cannot lead the viewer to another site.
    pub(crate) fn next(
        &self,
        request: &CloudFrontRequest<'_>,
        asked: &S3Request,
        cookie: Option<&CookieName>,
    ) -> Option<Next> {
        if !is_navigation(request) {
            return None;
        }
        let back = format!("{}{}", self.origin, asked.to_path_and_query());
        let marker = self.marker(&back);
        if has_cookie(&request.headers, &marker) {
            return Some(Next::Refuse { cookies: vec![self.set_cookie(&marker, "", "/", 0)] });
        }
        let mut cookies = vec![self.set_cookie(&marker, "1", "/", MARKER_SECONDS)];
        if let Some(cookie) = cookie {
            cookies.extend(self.clearing(request, cookie));
        }
        Some(Next::SignIn { location: format!("{}{}", self.before_return, encode_value(&back)), cookies })
    }

    /// The name of the cookie that says that this page has just sent its viewer to sign in. Each page has its own, so
    /// that pages that are opened at once do not take each other's. With the prefix, no other host can set it
    /// (RFC 6265bis section 4.1.3). It opens nothing.
    fn marker(&self, back: &str) -> String {
        let page = sha256_hex(back.as_bytes());
        let page = page.get(..8).unwrap_or_default();
        let prefix = if self.is_https { "__Host-" } else { "" };
        format!("{prefix}authorizer-sign-in-{page}")
    }

    /// The lines that clear the cookies of the token that the request has. A cookie is only cleared by its own path,
    /// and a request does not say which that is. So they name each that it can be: `/`, the parents of the path, in
    /// both spellings, and the path itself. They have no `Domain`: such a cookie belongs to other hosts too.
    fn clearing(&self, request: &CloudFrontRequest<'_>, cookie: &CookieName) -> Vec<String> {
        let names = cookie.names_in(&request.headers);
        let mut left = MAX_CLEARING_BYTES;
        paths(&request.uri)
            .flat_map(|path| names.iter().map(move |name| (name, path)))
            // A browser does not take such a cookie with another path.
            .filter(|(name, path)| *path == "/" || !has_prefix(name, "__Host-"))
            .map(|(name, path)| self.set_cookie(name, "", path, 0))
            .take(MAX_CLEARING)
            .take_while(|line| {
                let rest = left.checked_sub(line.len());
                left = rest.unwrap_or_default();
                rest.is_some()
            })
            .collect()
    }

    fn set_cookie(&self, name: &str, value: &str, path: &str, max_age: u64) -> String {
        let secure = self.is_https || has_prefix(name, "__Host-") || has_prefix(name, "__Secure-");
        SetCookie { name, value, path, max_age, secure }.to_string()
    }
}

/// Browsers compare the prefixes of names without case (RFC 6265bis section 5.7).
fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The paths that a cookie of this request can have (RFC 6265 section 5.1.4), the shortest first, as the viewer spells
/// them. A path with a character that could end the attribute is left out.
fn paths(uri: &str) -> impl Iterator<Item = &str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && ![b';', b',', b'"', b'\\'].contains(&byte);
    let length = uri.bytes().take(MAX_COOKIE_PATH).take_while(|byte| is_plain(*byte)).count();
    let ends = (1..=length).filter(move |&end| {
        let is_slash = |at: usize| uri.as_bytes().get(at) == Some(&b'/');
        end == 1 || end == uri.len() || is_slash(end) || end.checked_sub(1).is_some_and(is_slash)
    });
    ends.filter_map(|end| uri.get(..end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Method, S3Operation};
    use crate::request::{OwnParameters, Target};
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    const NAVIGATION: [(&str, &str); 4] = [
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
        ("host", "evil.example"),
    ];

    fn request(uri: &str, query: &str, headers: &[(&str, &str)]) -> CloudFrontRequest<'static> {
        CloudFrontRequest::sent("GET", uri, query, headers)
    }

    fn next(request: &CloudFrontRequest<'_>) -> Option<Next> {
        let sign_in = SignInRedirect::new(
            "https://login.example.com/start?client_id=files",
            "https://files.example.com",
            "to",
        );
        let target = Target::of("GET", request).ok()?;
        let all = S3Operation::ALL.into_iter().collect();
        let own = OwnParameters { token: Some("t"), ignored: &[] };
        let asked = S3Request::asked(target, Method::Get, &request.querystring, all, own).ok()?;
        sign_in.unwrap().next(request, &asked, CookieName::parse("session").as_ref())
    }

    fn location(request: &CloudFrontRequest<'_>) -> Option<String> {
        match next(request)? {
            Next::SignIn { location, .. } => Some(location),
            Next::Refuse { .. } => None,
        }
    }

    fn lines(request: &CloudFrontRequest<'_>) -> Vec<String> {
        match next(request).unwrap() {
            Next::SignIn { cookies, .. } | Next::Refuse { cookies } => cookies,
        }
    }

    #[test]
    fn whoever_comes_back_is_told_why_and_not_sent_again() {
        let mut page = request("/users/alice/a.html", "", &NAVIGATION);
        let cookies = lines(&page);
        let (marker, attributes) = cookies[0].split_once("=1; ").unwrap();
        assert!(marker.starts_with("__Host-authorizer-sign-in-"), "{marker}");
        assert_eq!(attributes, "Path=/; Max-Age=300; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(cookies.len(), 1, "no cookie of the token came");

        let cookie = |value: String| crate::event::CloudFrontHeader::new("Cookie", value).into();
        page.headers.insert("cookie".into(), cookie(format!("session=a; {marker}=1")));
        let cleared = format!("{marker}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(next(&page), Some(Next::Refuse { cookies: vec![cleared] }));
        // Another page that was opened at the same time.
        page.uri = "/users/alice/b.html".into();
        assert!(location(&page).is_some());
        // A browser that only loads the page beforehand is not sent, and gets no marker.
        for (name, value) in [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")] {
            let mut early = page.clone();
            early
                .headers
                .insert(name.into(), crate::event::CloudFrontHeader::new(name, value.to_owned()).into());
            assert_eq!(next(&early), None, "{name}");
        }
        // Nothing but a page of its own is told anything else.
        page.headers.remove("sec-fetch-mode");
        assert_eq!(next(&page), None);
    }

    #[test]
    fn the_cookies_of_the_token_are_cleared_at_every_path_that_they_can_have() {
        let cleared = |uri: &str, cookie: &str| {
            let page = request(uri, "", &[&NAVIGATION[..], &[("cookie", cookie)]].concat());
            lines(&page).split_off(1)
        };
        let line = |name: &str, path: &str| {
            format!("{name}=; Path={path}; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
        };
        assert_eq!(
            cleared("/users/alice/a.html", "session=x; theme=y"),
            ["/", "/users", "/users/", "/users/alice", "/users/alice/", "/users/alice/a.html"]
                .map(|path| line("session", path))
        );
        assert_eq!(
            cleared("/a", "session.1=x; session.0=y"),
            [
                line("session.0", "/"),
                line("session.1", "/"),
                line("session.0", "/a"),
                line("session.1", "/a")
            ]
        );
        assert_eq!(cleared("/a/b", "theme=y"), Vec::<String>::new());
        // What could end the attribute, or add another, is in no line.
        for uri in ["/a/;Domain=example.com/b", "/a/,b/c", "/a/é/c"] {
            let paths = ["/", "/a", "/a/"].map(|path| line("session", path));
            assert_eq!(cleared(uri, "session=x"), paths, "{uri}");
        }
        let pieces: String = (0..16).map(|index| format!("session.{index}=x; ")).collect();
        for uri in [format!("/{}a", "b/".repeat(400)), format!("/{}/a", "b".repeat(900)), "/a".repeat(9)] {
            for cookie in ["session=x", &pieces] {
                let lines = cleared(&uri, cookie);
                assert!(lines.len() <= MAX_CLEARING, "{}", lines.len());
                assert!(lines.iter().map(String::len).sum::<usize>() <= MAX_CLEARING_BYTES);
                assert!(lines[0].contains("Path=/;"));
            }
        }
    }

    #[test]
    fn a_cookie_with_a_prefix_is_cleared_as_a_browser_takes_it() {
        let clear = |origin: &str, cookie: &str| {
            let sign_in = SignInRedirect::new("https://login.example.com", origin, "to").unwrap();
            let sent = format!("{cookie}=x");
            let page = request("/a/b", "", &[("cookie", sent.as_str())]);
            sign_in.clearing(&page, &CookieName::parse(cookie).unwrap())
        };
        let attributes = "Max-Age=0; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(
            clear("https://files.example.com", "__Host-session"),
            [format!("__Host-session=; Path=/; {attributes}")]
        );
        assert_eq!(
            clear("http://localhost:8080", "__Secure-s")[1],
            format!("__Secure-s=; Path=/a; {attributes}")
        );
        assert_eq!(
            clear("http://localhost:8080", "session")[0],
            "session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_person_is_sent_to_sign_in_and_told_the_way_back() {
        assert_eq!(
            location(&request("/a b".replace(' ', "%20").as_str(), "versionId=v%2F", &NAVIGATION)).as_deref(),
            Some(
                "https://login.example.com/start?client_id=files&to=\
                 https%3A%2F%2Ffiles.example.com%2Fa%2520b%3FversionId%3Dv%252F"
            )
        );
        assert!(location(&request("/a", "", &[NAVIGATION[0], NAVIGATION[2]])).is_some());
        // The token is not included.
        let with_token = location(&request("/a", "t=a.b.c", &NAVIGATION)).unwrap();
        assert!(with_token.ends_with("com%2Fa"), "{with_token}");
    }

    #[test]
    fn a_request_that_does_not_open_a_page_is_not_redirected() {
        for headers in [
            vec![NAVIGATION[0], NAVIGATION[1]],
            vec![NAVIGATION[1], NAVIGATION[2]],
            vec![NAVIGATION[0], ("sec-fetch-dest", "iframe"), NAVIGATION[2]],
            vec![("sec-fetch-mode", "cors"), NAVIGATION[1], NAVIGATION[2]],
            vec![NAVIGATION[0], NAVIGATION[1], ("accept", "application/json, text/htmlx")],
        ] {
            assert_eq!(location(&request("/a", "", &headers)), None, "{headers:?}");
        }
        let mut post = request("/a", "", &NAVIGATION);
        post.method = "POST".into();
        let asked = S3Request::asked(
            Target::of("GET", &post).unwrap(),
            Method::Get,
            "",
            S3Operation::ALL.into_iter().collect(),
            OwnParameters::default(),
        );
        let sign_in =
            SignInRedirect::new("https://login.example.com", "https://files.example.com", "to").unwrap();
        assert_eq!(sign_in.next(&post, &asked.unwrap(), None), None);
    }

    proptest! {
        #[test]
        fn nothing_in_a_request_makes_the_way_back_lead_elsewhere(uri in "/\\PC{0,30}", query in "[a-zA-Z0-9=&%@:/.-]{0,20}") {
            if let Some(location) = location(&request(&uri, &query, &NAVIGATION)) {
                let before = "https://login.example.com/start?client_id=files&to=";
                let back = location.strip_prefix(before).unwrap();
                prop_assert!(!back.contains(['&', '#', '/', ':', '@', ' ']));
                let back = percent_decode_str(back).decode_utf8().unwrap();
                let path = back.strip_prefix("https://files.example.com/").unwrap();
                prop_assert!(!path.starts_with('/') && !path.contains(['\\', '@', '#']));
            }
        }
    }

    #[test]
    fn what_is_no_address_to_sign_in_at_is_refused() {
        const ORIGIN: &str = "https://files.example.com";
        for url in ["https://login.example.com", "https://login.example.com/x?y=1", "http://localhost:9000/"]
        {
            let sign_in = SignInRedirect::new(url, ORIGIN, "return_to").unwrap();
            assert_eq!(
                (sign_in.url(), sign_in.return_parameter(), sign_in.origin()),
                (url, "return_to", ORIGIN)
            );
        }
        for url in [
            "",
            "/login",
            "//login.example.com",
            "http://login.example.com",
            "javascript:alert(1)",
            "https://a b/",
            "https://login.example.com/#x",
            "https://user@login.example.com/",
        ] {
            assert!(SignInRedirect::new(url, ORIGIN, "return_to").is_none(), "{url}");
        }
        for origin in ["", "https://files.example.com/", "http://files.example.com", "https://*.example.com"]
        {
            assert!(
                SignInRedirect::new("https://login.example.com", origin, "return_to").is_none(),
                "{origin}"
            );
        }
        for name in ["", "a b", "a=b", "a&b"] {
            assert!(SignInRedirect::new("https://login.example.com", ORIGIN, name).is_none(), "{name}");
        }
    }
}
