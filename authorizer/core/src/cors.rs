//! Cross-origin requests of browsers (Fetch standard, "CORS protocol"): what pages of other origins may do,
//! and the answer to a preflight.

use crate::event::{CloudFrontHeaders, CloudFrontRequest, HeaderLines};
use crate::header::{Fate, fate};
use crate::media_type::is_token;
use crate::operation::{Method, OperationSet};
use crate::origin::OriginPattern;

/// `[cors]`, compiled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cors {
    pub(crate) origins: AllowedOrigins,
    pub(crate) credentials: bool,
    pub(crate) exposed_headers: Vec<String>,
    pub(crate) max_age_seconds: u32,
}

/// The origins whose pages may use the distribution.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AllowedOrigins {
    /// Every origin, without credentials.
    Any,
    /// The origins in this list.
    Listed(Vec<OriginPattern>),
}

/// The largest number of headers in the answer to a preflight. It is more than any page needs.
const MAX_ASKED_HEADERS: usize = 64;

/// What a browser asks before it sends a request that is not simple.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Preflight<'r> {
    pub(crate) origin: &'r str,
    /// `Access-Control-Request-Method`.
    pub(crate) method: &'r str,
    /// The names in `Access-Control-Request-Headers`, in lower case.
    pub(crate) headers: Vec<String>,
}

/// The answer to a preflight.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PreflightAnswer {
    /// The methods that a rule could allow on that key.
    pub(crate) methods: Vec<Method>,
    /// The requested headers that an operation with the method does not refuse.
    pub(crate) headers: Vec<String>,
    /// Whether this is everything that was requested.
    pub(crate) verdict: PreflightVerdict,
}

/// The result of a preflight. The browser comes to the same result from the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PreflightVerdict {
    Answered,
    MethodNotAllowed,
    HeaderNotAllowed,
}

impl PreflightVerdict {
    /// The word in the decision log.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Answered => "preflight_answered",
            Self::MethodNotAllowed => "preflight_method_not_allowed",
            Self::HeaderNotAllowed => "preflight_header_not_allowed",
        }
    }
}

impl<'r> Preflight<'r> {
    /// Reads a preflight; `None` if the request is not a preflight.
    pub(crate) fn of(request: &'r CloudFrontRequest<'_>) -> Option<Self> {
        if request.method != "OPTIONS" {
            return None;
        }
        let origin = origin_of(&request.headers)?;
        let method = single(&request.headers, "access-control-request-method")?;
        let lines = request.headers.get("access-control-request-headers").map(HeaderLines::as_slice);
        let names = lines.unwrap_or_default().iter().flat_map(|line| line.value.split(','));
        let headers = names
            .map(|name| name.trim_matches([' ', '\t']).to_ascii_lowercase())
            .filter(|name| is_token(name))
            // One more, to show that the answer does not cover all.
            .take(MAX_ASKED_HEADERS.saturating_add(1))
            .collect();
        Some(Self { origin, method, headers })
    }

    /// The answer when the path or the query is not valid. It allows everything, because the request itself is
    /// refused, and the page can read why.
    pub(crate) fn answer_as_asked(self) -> PreflightAnswer {
        let methods = Method::parse(self.method).into_iter().collect();
        let headers = self.headers.into_iter().take(MAX_ASKED_HEADERS).collect();
        PreflightAnswer { methods, headers, verdict: PreflightVerdict::Answered }
    }

    /// The answer when these operations could be allowed.
    pub(crate) fn answer(self, possible: OperationSet) -> PreflightAnswer {
        let methods = possible.methods().collect();
        let of_method = Method::parse(self.method).map(|method| possible.intersection(method.operations()));
        let Some(asked) = of_method.filter(|asked| !asked.is_empty()) else {
            let verdict = PreflightVerdict::MethodNotAllowed;
            return PreflightAnswer { methods, headers: Vec::new(), verdict };
        };
        let count = self.headers.len();
        let is_used = |name: &String| asked.iter().any(|one| fate(one, name, &[]) != Fate::Refuse);
        let headers: Vec<_> = self.headers.into_iter().filter(is_used).take(MAX_ASKED_HEADERS).collect();
        let verdict = match headers.len() == count {
            true => PreflightVerdict::Answered,
            false => PreflightVerdict::HeaderNotAllowed,
        };
        PreflightAnswer { methods, headers, verdict }
    }
}

impl Cors {
    /// The origins whose pages may use the distribution.
    pub fn origins(&self) -> &AllowedOrigins {
        &self.origins
    }

    /// Whether they may send cookies.
    pub fn credentials(&self) -> bool {
        self.credentials
    }

    /// The response headers that they may read.
    pub fn exposed_headers(&self) -> &[String] {
        &self.exposed_headers
    }

    /// How long a browser may remember the answer to a preflight, in seconds.
    pub fn max_age_seconds(&self) -> u32 {
        self.max_age_seconds
    }

    /// Whether the policy names the origin itself, and not only `*`.
    pub(crate) fn names(&self, origin: &str) -> bool {
        self.origins != AllowedOrigins::Any && self.allows(origin)
    }

    pub(crate) fn allows(&self, origin: &str) -> bool {
        match &self.origins {
            AllowedOrigins::Any => true,
            AllowedOrigins::Listed(patterns) => patterns.iter().any(|pattern| pattern.matches(origin)),
        }
    }

    /// The CORS headers for a request with this `Origin`. With them the page can read the answer, and a cache does
    /// not give the answer to a page of another origin. The function adds them to its own answers. The
    /// distribution's response headers policy adds them to the answers of S3.
    pub fn response_headers(&self, origin: Option<&str>) -> Vec<(&'static str, String)> {
        let mut headers = self.origin_headers(origin);
        if origin.is_some_and(|origin| self.allows(origin)) && !self.exposed_headers.is_empty() {
            headers.push(("Access-Control-Expose-Headers", self.exposed_headers.join(", ")));
        }
        headers
    }

    /// The headers of the answer to a preflight.
    pub(crate) fn preflight_headers(
        &self,
        origin: &str,
        answer: &PreflightAnswer,
    ) -> Vec<(&'static str, String)> {
        let mut headers = self.origin_headers(Some(origin));
        let methods: Vec<_> = answer.methods.iter().map(|method| method.as_str()).collect();
        for (name, value) in [
            ("Access-Control-Allow-Methods", methods.join(", ")),
            ("Access-Control-Allow-Headers", answer.headers.join(", ")),
        ] {
            if !value.is_empty() {
                headers.push((name, value));
            }
        }
        headers.push(("Access-Control-Max-Age", self.max_age_seconds.to_string()));
        headers
    }

    fn origin_headers(&self, origin: Option<&str>) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        match (&self.origins, origin) {
            (AllowedOrigins::Any, Some(_)) => {
                headers.push(("Access-Control-Allow-Origin", "*".to_owned()));
            }
            (AllowedOrigins::Any, None) => {}
            (AllowedOrigins::Listed(_), origin) => {
                headers.push(("Vary", "Origin".to_owned()));
                if let Some(origin) = origin.filter(|origin| self.allows(origin)) {
                    headers.push(("Access-Control-Allow-Origin", origin.to_owned()));
                    if self.credentials {
                        headers.push(("Access-Control-Allow-Credentials", "true".to_owned()));
                    }
                }
            }
        }
        headers
    }
}

/// The `Origin` of a request; `None` if it appears twice.
pub(crate) fn origin_of<'h>(headers: &'h CloudFrontHeaders<'_>) -> Option<&'h str> {
    single(headers, "origin")
}

fn single<'h>(headers: &'h CloudFrontHeaders<'_>, name: &str) -> Option<&'h str> {
    match headers.get(name)?.as_slice() {
        [line] => Some(&line.value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::S3Operation;

    fn cors(credentials: bool) -> Cors {
        Cors {
            origins: AllowedOrigins::Listed(vec![OriginPattern::parse("https://app.example.com").unwrap()]),
            credentials,
            exposed_headers: vec!["ETag".into()],
            max_age_seconds: 600,
        }
    }

    #[test]
    fn only_an_allowed_origin_may_read_and_every_answer_varies_by_origin() {
        let allowed = cors(true).response_headers(Some("https://app.example.com"));
        assert_eq!(
            allowed,
            [
                ("Vary", "Origin".to_owned()),
                ("Access-Control-Allow-Origin", "https://app.example.com".into()),
                ("Access-Control-Allow-Credentials", "true".into()),
                ("Access-Control-Expose-Headers", "ETag".into()),
            ]
        );
        let vary = [("Vary", "Origin".to_owned())];
        for origin in [None, Some("https://evil.example"), Some("null"), Some("https://APP.example.com")] {
            assert_eq!(cors(true).response_headers(origin), vary, "{origin:?}");
        }
        let any = Cors { origins: AllowedOrigins::Any, ..cors(false) };
        assert_eq!(any.response_headers(None), []);
        assert_eq!(any.response_headers(Some("null"))[0], ("Access-Control-Allow-Origin", "*".to_owned()));
    }

    #[test]
    fn a_preflight_is_options_with_an_origin_and_a_method() {
        let request =
            |method: &str, headers: &[(&str, &str)]| CloudFrontRequest::sent(method, "/a", "", headers);
        let headers = [
            ("origin", "https://app.example.com"),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "Authorization,content-type , x-amz-acl,é"),
        ];
        let full = request("OPTIONS", &headers);
        let preflight = Preflight::of(&full).unwrap();
        assert_eq!(preflight.headers, ["authorization", "content-type", "x-amz-acl"]);
        let answer = preflight.answer([S3Operation::PutObject].into_iter().collect());
        assert_eq!(answer.headers, ["authorization", "content-type"]);
        assert_eq!(answer.verdict, PreflightVerdict::HeaderNotAllowed);
        let many = (0..1000).map(|n| format!("h{n}")).collect::<Vec<_>>().join(",");
        let many = request("OPTIONS", &[headers[0], headers[1], ("access-control-request-headers", &many)]);
        let answer = Preflight::of(&many).unwrap().answer([S3Operation::PutObject].into_iter().collect());
        assert_eq!((answer.headers.len(), answer.verdict), (64, PreflightVerdict::HeaderNotAllowed));
        for request in [request("GET", &headers), request("OPTIONS", &headers[..1]), request("OPTIONS", &[])]
        {
            assert_eq!(Preflight::of(&request), None);
        }
    }
}
