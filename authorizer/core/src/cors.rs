//! Cross-origin requests of browsers (Fetch standard, "CORS protocol"): what pages of other origins may do,
//! and the answer to a preflight.

use crate::event::{CloudFrontHeaders, CloudFrontRequest, HeaderLines};
use crate::header::{Fate, fate};
use crate::media_type::is_token;
use crate::operation::{Method, OperationSet, S3Operation};
use crate::origin::OriginPattern;
use crate::rules::UploadTerms;

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
    /// The requested headers that one rule could let in together, with an operation of the method.
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
    pub(crate) const ALL: [Self; 3] = [Self::Answered, Self::MethodNotAllowed, Self::HeaderNotAllowed];

    /// The word in the decision log.
    pub(crate) const fn reason(self) -> &'static str {
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

    /// The answer when these openings are all that there could be.
    ///
    /// A browser sends all of the headers or nothing. So of the openings, the answer is the one that takes most of
    /// them, and not what several take together. `withheld` is a header that pages must not send: a proxy adds it.
    pub(crate) fn answer(self, openings: &[Opening<'_>], withheld: Option<&str>) -> PreflightAnswer {
        let possible: OperationSet = openings.iter().map(|opening| opening.operation).collect();
        let methods = possible.methods().collect();
        let method = Method::parse(self.method);
        let of_method = openings.iter().filter(|opening| Some(opening.operation.method()) == method);
        let is_taken = |opening: &Opening<'_>, name: &str| Some(name) != withheld && opening.takes(name);
        let taken =
            of_method.map(|opening| self.headers.iter().filter(|name| is_taken(opening, name)).collect());
        let most =
            taken.reduce(|most: Vec<_>, taken: Vec<_>| if taken.len() > most.len() { taken } else { most });
        let Some(taken) = most else {
            let verdict = PreflightVerdict::MethodNotAllowed;
            return PreflightAnswer { methods, headers: Vec::new(), verdict };
        };
        let count = self.headers.len();
        let headers: Vec<_> = taken.into_iter().take(MAX_ASKED_HEADERS).cloned().collect();
        let verdict = match headers.len() == count {
            true => PreflightVerdict::Answered,
            false => PreflightVerdict::HeaderNotAllowed,
        };
        PreflightAnswer { methods, headers, verdict }
    }
}

/// An operation that a rule could allow, and what the rule says of uploads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'p> {
    pub(crate) operation: S3Operation,
    pub(crate) terms: &'p UploadTerms,
}

impl Opening<'_> {
    /// Whether such a request may have this header, with some value.
    fn takes(&self, name: &str) -> bool {
        match fate(self.operation, name, &[]) {
            Fate::AsRuleSays => self.terms.take_header(name),
            Fate::Forward | Fate::ForChecksum(_) | Fate::LeaveAlone | Fate::Remove => true,
            Fate::Refuse | Fate::RefuseValue => false,
        }
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
    use crate::checksum::{ChecksumAlgorithm, Checksums};
    use crate::rules::MetadataTerm;

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
        let terms = UploadTerms::default();
        let put = [Opening { operation: S3Operation::PutObject, terms: &terms }];
        let withheld = preflight.clone().answer(&put, Some("authorization"));
        assert_eq!(withheld.headers, ["content-type"]);
        let answer = preflight.answer(&put, None);
        assert_eq!(answer.headers, ["authorization", "content-type"]);
        assert_eq!(answer.verdict, PreflightVerdict::HeaderNotAllowed);
        let many = (0..1000).map(|n| format!("h{n}")).collect::<Vec<_>>().join(",");
        let many = request("OPTIONS", &[headers[0], headers[1], ("access-control-request-headers", &many)]);
        let answer = Preflight::of(&many).unwrap().answer(&put, None);
        assert_eq!((answer.headers.len(), answer.verdict), (64, PreflightVerdict::HeaderNotAllowed));
        for request in [request("GET", &headers), request("OPTIONS", &headers[..1]), request("OPTIONS", &[])]
        {
            assert_eq!(Preflight::of(&request), None);
        }
    }

    #[test]
    fn what_is_promised_is_what_one_rule_takes() {
        let sums = UploadTerms { checksums: Checksums::all(), ..UploadTerms::default() };
        let digest = [ChecksumAlgorithm::Sha256].into_iter().collect();
        let digest = UploadTerms { checksums: digest, ..UploadTerms::default() };
        let owner = [("owner".to_owned(), MetadataTerm::Any)].into();
        let names = UploadTerms { metadata: owner, ..UploadTerms::default() };
        let plain = UploadTerms::default();
        let put = |terms| Opening { operation: S3Operation::PutObject, terms };
        let part = |terms| Opening { operation: S3Operation::UploadPart, terms };
        let all = ["authorization", "x-amz-checksum-crc32", "x-amz-meta-owner"];
        for (openings, asked, promised) in [
            (vec![put(&plain)], &all[..], &all[..1]),
            (vec![put(&sums)], &all, &all[..2]),
            (vec![put(&sums), put(&names)], &all, &all[..2]),
            (vec![put(&sums), put(&names)], &[all[0], all[2]], &[all[0], all[2]]),
            (vec![part(&names)], &all, &all[..1]),
            (vec![put(&sums)], &["x-amz-checksum-crc65", "x-amz-checksum-algorithm"], &[]),
            (vec![put(&sums)], &["x-amz-sdk-checksum-algorithm"], &["x-amz-sdk-checksum-algorithm"]),
            (vec![put(&plain)], &["x-amz-sdk-checksum-algorithm", "x-amz-meta-other"], &[]),
            (
                vec![put(&digest)],
                &["x-amz-checksum-sha256", "x-amz-checksum-crc32"],
                &["x-amz-checksum-sha256"],
            ),
            (vec![put(&digest)], &["x-amz-sdk-checksum-algorithm"], &["x-amz-sdk-checksum-algorithm"]),
            (vec![put(&plain)], &["x-amz-content-sha256"], &["x-amz-content-sha256"]),
        ] {
            let asked = Preflight {
                origin: "https://app.example.com",
                method: "PUT",
                headers: asked.iter().map(|&name| name.to_owned()).collect(),
            };
            let complete = asked.headers.len() == promised.len();
            let answer = asked.answer(&openings, None);
            assert_eq!(answer.headers, promised);
            assert_eq!(answer.verdict == PreflightVerdict::Answered, complete);
        }
    }
}
