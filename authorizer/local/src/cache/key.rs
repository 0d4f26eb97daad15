//! What of a request distinguishes it for the cache: the path, and what the cache policy says. What the policy leaves out
//! makes no difference, even if it changes the answer: then one viewer gets what another asked for.

use std::fmt::Write as _;

use authorizer_cloudfront::CachePolicy;
use authorizer_core::event::CloudFrontRequest;

use crate::behaviors::picked;

/// The key of an answer.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Key {
    origin: usize,
    method: &'static str,
    path: String,
    /// The selected parts, each on its line.
    selected: String,
}

impl Key {
    /// The key of a request that the function returned. A HEAD has that of a GET.
    pub(crate) fn new(request: &CloudFrontRequest<'_>, policy: &CachePolicy, origin: usize) -> Self {
        let mut selected = String::new();
        let mut line = |kind: &str, name: &str, value: &str| {
            // A string always takes what is written.
            let _ = writeln!(selected, "{kind} {name} {value:?}");
        };
        let query = picked(&request.querystring, "&", "&", |name| policy.query.has(name));
        line("query", "", &query);
        for (name, lines) in &request.headers {
            let values = || lines.iter().map(|line| line.value.as_ref()).collect::<Vec<_>>().join(",");
            match name.as_ref() {
                "cookie" if !policy.headers.has_header("cookie") => {
                    let value = lines.iter().map(|line| line.value.as_ref()).collect::<Vec<_>>().join("; ");
                    line("cookie", "", &picked(&value, ";", "; ", |name| policy.cookies.has(name)));
                }
                "accept-encoding" if policy.gzip || policy.brotli => {
                    line("header", name, &encodings(&values(), policy));
                }
                _ if policy.headers.has_header(name) => line("header", name, &values()),
                _ => {}
            }
        }
        let method = if request.method == "OPTIONS" { "OPTIONS" } else { "GET" };
        Self { origin, method, path: request.uri.to_string(), selected }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn size(&self) -> usize {
        self.path.len().saturating_add(self.selected.len())
    }

    #[cfg(test)]
    pub(crate) fn of_path(path: &str) -> Self {
        Self { origin: 0, method: "GET", path: path.to_owned(), selected: String::new() }
    }
}

/// `Accept-Encoding` as CloudFront normalises it: `br,gzip`, as far as the viewer has them and the policy keeps them
/// ([AWS: compression support](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cache-key-understand-cache-policy.html)).
fn encodings(value: &str, policy: &CachePolicy) -> String {
    let has = |name: &str| {
        value.split(',').any(|one| {
            let mut parts = one.split(';').map(str::trim);
            let is_named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name));
            is_named && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    let kept =
        [("br", policy.brotli), ("gzip", policy.gzip)].into_iter().filter(|(name, on)| *on && has(name));
    kept.map(|(name, _)| name).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_cloudfront::Selection;
    use authorizer_core::event::{CloudFrontHeader, CloudFrontHeaders};

    fn request(method: &str, uri: &str, query: &str, headers: &[(&str, &str)]) -> CloudFrontRequest<'static> {
        let mut all = CloudFrontHeaders::new();
        for (name, value) in headers {
            let line = CloudFrontHeader::new((*name).to_owned(), (*value).to_owned());
            all.entry((*name).to_owned().into()).or_default().push(line);
        }
        CloudFrontRequest {
            client_ip: "".into(),
            method: method.to_owned().into(),
            uri: uri.to_owned().into(),
            querystring: query.to_owned().into(),
            headers: all,
            body: None,
            other: serde_json::Map::new(),
        }
    }

    #[test]
    fn only_what_the_policy_selects_distinguishes_requests() {
        let these = |name: &str| Selection::These(vec![name.to_owned()]);
        let policy = CachePolicy {
            headers: these("Origin"),
            cookies: these("s"),
            query: these("v"),
            gzip: true,
            ..CachePolicy::default()
        };
        let first = request("GET", "/a", "v=1&w=1", &[("cookie", "s=1; t=1"), ("origin", "o")]);
        let key = |request: &CloudFrontRequest<'_>| Key::new(request, &policy, 0);
        let same = [
            request("HEAD", "/a", "v=1&w=2", &[("cookie", "s=1"), ("origin", "o"), ("authorization", "x")]),
            request("GET", "/a", "x&v=1", &[("cookie", "t=7"), ("cookie", "s=1"), ("origin", "o")]),
        ];
        for other in &same {
            assert_eq!(key(&first), key(other));
        }
        let different = [
            request("GET", "/b", "v=1", &[("cookie", "s=1"), ("origin", "o")]),
            request("GET", "/a", "v=2", &[("cookie", "s=1"), ("origin", "o")]),
            request("GET", "/a", "V=1", &[("cookie", "s=1"), ("origin", "o")]),
            request("GET", "/a", "v=1", &[("cookie", "s=2"), ("origin", "o")]),
            request("GET", "/a", "v=1", &[("cookie", "s=1"), ("origin", "p")]),
            request("GET", "/a", "v=1", &[("cookie", "s=1")]),
            request("OPTIONS", "/a", "v=1", &[("cookie", "s=1"), ("origin", "o")]),
        ];
        for other in &different {
            assert_ne!(key(&first), key(other));
        }
        assert_ne!(Key::new(&first, &policy, 0), Key::new(&first, &policy, 1));
    }

    #[test]
    fn accept_encoding_is_normalised() {
        let policy = |gzip, brotli| CachePolicy { gzip, brotli, ..CachePolicy::default() };
        for (value, gzip, brotli, kept) in [
            ("gzip, deflate, br", true, true, "br,gzip"),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", true, false, "gzip"),
            ("GZIP", true, true, "gzip"),
            ("gzip;q=0", true, true, ""),
            ("identity", true, true, ""),
        ] {
            assert_eq!(encodings(value, &policy(gzip, brotli)), kept, "{value}");
        }
    }
}
