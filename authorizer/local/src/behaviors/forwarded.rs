//! What of a request reaches the origin.
//!
//! Everything in the key of the cache, and what the origin request policy adds; nothing else. AWS's pages say that
//! CloudFront forwards some headers without being asked (`Range`, conditions, `Content-Type`). Nobody here has seen it,
//! so here they must be listed too.

use std::sync::Arc;

use authorizer_core::event::{CloudFrontHeader, CloudFrontRequest, HeaderLines};

use super::{ForwardedHeaders, Selected};

/// What reaches the origin, of headers, cookies and query parameters.
#[derive(Clone)]
pub(crate) enum Forwarded {
    Everything,
    Policy(Arc<ForwardedHeaders>),
    /// What the cache policy has in its key, and what the origin request policy adds.
    Selected(Vec<Selected>),
}

impl std::fmt::Debug for Forwarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("Everything"),
            Self::Policy(_) => f.write_str("Policy"),
            Self::Selected(selected) => f.debug_tuple("Selected").field(selected).finish(),
        }
    }
}

impl Forwarded {
    /// Whether a header of a viewer reaches the origin.
    pub(crate) fn has_header(&self, name: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Policy(headers) => headers().iter().any(|one| one.eq_ignore_ascii_case(name)),
            Self::Selected(all) => all.iter().any(|one| one.headers.has_header(name)),
        }
    }

    /// Whether the viewer's `Host` reaches the origin: S3 then looks for a bucket of that name.
    pub(crate) fn has_host(&self) -> bool {
        match self {
            Self::Everything | Self::Policy(_) => false,
            Self::Selected(_) => self.has_header("host"),
        }
    }

    /// The request for the origin.
    pub(crate) fn request(&self, mut request: CloudFrontRequest<'static>) -> CloudFrontRequest<'static> {
        let selected = match self {
            Self::Everything => return request,
            Self::Policy(headers) => {
                let headers = headers();
                request.headers.retain(|name, _| {
                    is_framing(name) || headers.iter().any(|one| one.eq_ignore_ascii_case(name))
                });
                return request;
            }
            Self::Selected(selected) => selected,
        };
        request.querystring =
            picked(&request.querystring, "&", "&", |name| selected.iter().any(|one| one.query.has(name)))
                .into();
        let cookies = request.headers.remove("cookie");
        request.headers.retain(|name, _| is_framing(name) || self.has_header(name));
        if let Some(kept) = cookies.map(|lines| self.cookies(&lines)).filter(|kept| !kept.is_empty()) {
            request.headers.insert("cookie".into(), CloudFrontHeader::new("cookie", kept).into());
        }
        request
    }

    /// The cookies that reach the origin, as one value.
    fn cookies(&self, lines: &HeaderLines<'_>) -> String {
        let Self::Selected(selected) = self else { return String::new() };
        let kept = lines.iter().map(|line| {
            picked(&line.value, ";", "; ", |name| {
                selected.iter().any(|one| one.cookies.has(name) || one.headers.has_header("cookie"))
            })
        });
        kept.filter(|kept| !kept.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

/// What says how long the body is.
fn is_framing(name: &str) -> bool {
    name == "content-length" || name == "transfer-encoding"
}

/// The parts of a query or a cookie whose names are selected, in their order.
pub(crate) fn picked(text: &str, separator: &str, between: &str, is: impl Fn(&str) -> bool) -> String {
    let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
    let kept = parts.filter(|part| is(part.split('=').next().unwrap_or_default().trim()));
    kept.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_cloudfront::Selection;

    fn these(names: &[&str]) -> Selection {
        Selection::These(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn sent() -> CloudFrontRequest<'static> {
        let mut request = CloudFrontRequest {
            client_ip: "192.0.2.1".into(),
            method: "PUT".into(),
            uri: "/a".into(),
            querystring: "a=1&b=2&&A=3&a=4&c".into(),
            headers: authorizer_core::event::CloudFrontHeaders::new(),
            body: None,
            other: serde_json::Map::new(),
        };
        for (name, value) in [
            ("host", "h"),
            ("content-length", "3"),
            ("content-type", "text/plain"),
            ("cookie", "s=1; t=2;u=3"),
            ("x-amz-meta-a", "1"),
        ] {
            request.headers.insert(name.into(), CloudFrontHeader::new(name, value).into());
        }
        request
    }

    fn names(request: &CloudFrontRequest<'_>) -> Vec<String> {
        request.headers.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_a_policy_selects_reaches_the_origin() {
        let nothing = Forwarded::Selected(vec![Selected::default()]).request(sent());
        assert_eq!((nothing.querystring.as_ref(), names(&nothing)), ("", vec!["content-length".to_owned()]));

        let key = Selected { query: these(&["a"]), ..Selected::default() };
        let added =
            Selected { headers: these(&["Content-Type"]), cookies: these(&["t", "u"]), query: these(&["c"]) };
        let some = Forwarded::Selected(vec![key, added]).request(sent());
        assert_eq!(some.querystring, "a=1&a=4&c");
        assert_eq!(names(&some), ["content-length", "content-type", "cookie"]);
        assert_eq!(some.headers.get("cookie").unwrap()[0].value, "t=2; u=3");

        let all = Selected {
            headers: Selection::AllBut(vec!["Host".to_owned()]),
            cookies: Selection::All,
            query: Selection::AllBut(vec!["a".to_owned()]),
        };
        let all = Forwarded::Selected(vec![all]);
        assert!(!all.has_host());
        let all = all.request(sent());
        assert_eq!(all.querystring, "b=2&A=3&c");
        assert_eq!(names(&all), ["content-length", "content-type", "cookie", "x-amz-meta-a"]);
    }

    #[test]
    fn without_a_distribution_the_list_of_the_policy_decides_and_the_query_is_whole() {
        let list: Arc<[String]> = vec!["Content-Type".to_owned()].into();
        let request = Forwarded::Policy(Arc::new(move || Arc::clone(&list))).request(sent());
        assert_eq!(names(&request), ["content-length", "content-type"]);
        assert_eq!(request.querystring, sent().querystring);
    }
}
