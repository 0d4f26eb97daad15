//! Where people with a browser and without a token are sent.

use crate::event::{CloudFrontHeaders, CloudFrontRequest, HeaderLines};
use crate::origin::Origin;
use crate::query::encode_value;
use crate::request::S3Request;

/// `[sign_in]`, compiled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignIn {
    /// The address of the sign-in page, up to the value of the return parameter.
    before_return: String,
    /// The distribution's own origin.
    origin: String,
}

impl SignIn {
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
        Some(Self { before_return: format!("{url}{joint}{return_parameter}="), origin: origin.to_owned() })
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

    /// Where to send the viewer of a request without a token; `None` if the request is not a person who opens a page.
    ///
    /// The address to return to is the distribution's own origin and the recognised request, written anew. So the
    /// request cannot lead the viewer to another site.
    pub(crate) fn location(&self, request: &CloudFrontRequest<'_>, asked: &S3Request) -> Option<String> {
        is_navigation(request).then(|| {
            let mut back = format!("{}{}", self.origin, asked.to_uri());
            let query = asked.to_querystring();
            if !query.is_empty() {
                back.push('?');
                back.push_str(&query);
            }
            format!("{}{}", self.before_return, encode_value(&back))
        })
    }
}

/// A GET with which a browser opens a page (Fetch Metadata Request Headers, sections 2.1 and 2.2).
fn is_navigation(request: &CloudFrontRequest<'_>) -> bool {
    let headers = &request.headers;
    let is = |name: &str, value: &str| {
        headers.get(name).is_some_and(|lines| matches!(lines.as_slice(), [line] if line.value == value))
    };
    request.method == "GET"
        && is("sec-fetch-mode", "navigate")
        && (is("sec-fetch-dest", "document") || !headers.contains_key("sec-fetch-dest"))
        && accepts_html(headers)
}

fn accepts_html(headers: &CloudFrontHeaders<'_>) -> bool {
    let lines = headers.get("accept").map(HeaderLines::as_slice).unwrap_or_default();
    lines.iter().flat_map(|line| line.value.split(',')).any(|range| {
        let essence = range.split(';').next().unwrap_or_default();
        essence.trim_matches([' ', '\t']).eq_ignore_ascii_case("text/html")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Method, S3Operation};
    use crate::request::Target;
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

    fn location(request: &CloudFrontRequest<'_>) -> Option<String> {
        let sign_in =
            SignIn::new("https://login.example.com/start?client_id=files", "https://files.example.com", "to");
        let target = Target::of("GET", request).ok()?;
        let all = S3Operation::ALL.into_iter().collect();
        let asked = S3Request::asked(target, Method::Get, &request.querystring, all, Some("t")).ok()?;
        sign_in.unwrap().location(request, &asked)
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
    fn what_is_no_page_of_its_own_is_not_sent_anywhere() {
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
            None,
        );
        let sign_in = SignIn::new("https://login.example.com", "https://files.example.com", "to").unwrap();
        assert_eq!(sign_in.location(&post, &asked.unwrap()), None);
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
            let sign_in = SignIn::new(url, ORIGIN, "return_to").unwrap();
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
            assert!(SignIn::new(url, ORIGIN, "return_to").is_none(), "{url}");
        }
        for origin in ["", "https://files.example.com/", "http://files.example.com", "https://*.example.com"]
        {
            assert!(SignIn::new("https://login.example.com", origin, "return_to").is_none(), "{origin}");
        }
        for name in ["", "a b", "a=b", "a&b"] {
            assert!(SignIn::new("https://login.example.com", ORIGIN, name).is_none(), "{name}");
        }
    }
}
