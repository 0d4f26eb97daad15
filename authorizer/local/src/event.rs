//! The viewer's HTTP request as CloudFront's event, and the requests that CloudFront refuses before a function runs.

use std::net::SocketAddr;

use authorizer_core::event::{
    CloudFrontConfig, CloudFrontEvent, CloudFrontEventData, CloudFrontHeader, CloudFrontHeaders,
    CloudFrontRecord, CloudFrontRequest,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::Map;

use crate::headers::{is_hidden, is_named_by_connection};

/// The distribution's id in every event and log line.
pub const DISTRIBUTION_ID: &str = "ELOCALDISTRIBUTION";

/// The distribution's domain name in every event.
pub const DISTRIBUTION_DOMAIN_NAME: &str = "dlocaldistribution.cloudfront.net";

/// CloudFront's limits: "The maximum length of this URL is 8192 bytes", "of a request, including the path, the query
/// string (if any), and headers, is 20,480 bytes", and 413 above them: AWS, "Request and response behavior for Amazon
/// S3 origins". The page of the quotas has 32,768 bytes for a request. The smaller one counts here.
const MAX_URL: usize = 8_192;
pub(crate) const MAX_REQUEST: usize = 20_480;

/// What CloudFront's page says of a method that the behavior does not allow.
pub(crate) const METHOD_NOT_ALLOWED: &str = "This distribution is not configured to allow the HTTP request method that was used for this request. The \
     distribution supports only cachable requests.";

/// Why CloudFront answers a request itself, without running the function.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ViewerRefusal {
    /// Not one of the seven methods that a distribution can allow.
    #[error("CloudFront does not accept this method")]
    Method,
    /// A GET with a body.
    #[error("CloudFront does not accept a GET request with a body")]
    GetWithBody,
    /// A request target without a path, or no host.
    #[error("the request must have a path and a host")]
    Target,
    /// A header whose value is not UTF-8. CloudFront's behaviour is not documented, so it is refused here.
    #[error("the request has a header whose value is not UTF-8")]
    HeaderNotText,
    /// A URL that is too long.
    #[error("the URL is longer than CloudFront's 8,192 bytes")]
    UrlTooLong,
    /// Path, query and headers that are too long together.
    #[error(
        "the request without its body is longer than 20,480 bytes, the smaller of the two limits in AWS's pages (the \
         other one is 32,768)"
    )]
    RequestTooLong,
}

impl ViewerRefusal {
    /// What CloudFront's page says.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Method => METHOD_NOT_ALLOWED,
            Self::GetWithBody
            | Self::Target
            | Self::HeaderNotText
            | Self::UrlTooLong
            | Self::RequestTooLong => "Bad request.",
        }
    }

    /// Whether CloudFront closes the connection after its answer: "and then terminates the TCP connection to the
    /// viewer".
    pub(crate) fn ends_the_connection(self) -> bool {
        match self {
            Self::UrlTooLong | Self::RequestTooLong => true,
            Self::Method | Self::GetWithBody | Self::Target | Self::HeaderNotText => false,
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            // "This distribution is not configured to allow the HTTP request method that was used".
            Self::Method | Self::GetWithBody => StatusCode::FORBIDDEN,
            Self::Target | Self::HeaderNotText => StatusCode::BAD_REQUEST,
            Self::UrlTooLong | Self::RequestTooLong => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// Writes the event for one request.
pub(crate) fn viewer_request(
    parts: &Parts,
    viewer: SocketAddr,
    request_id: &str,
) -> Result<CloudFrontEvent<'static>, ViewerRefusal> {
    check_method(parts)?;
    let host = host(parts)?;
    let uri = parts.uri.path();
    let query = parts.uri.query();
    // A target of the form `*` or `host:port` does not have a path for the bucket.
    if !uri.starts_with('/') {
        return Err(ViewerRefusal::Target);
    }
    check_length(&parts.headers, host, uri, query)?;
    let request = CloudFrontRequest {
        client_ip: viewer.ip().to_canonical().to_string().into(),
        method: parts.method.to_string().into(),
        uri: uri.to_owned().into(),
        querystring: query.unwrap_or_default().to_owned().into(),
        headers: headers(parts, host)?,
        body: None,
        other: Map::new(),
    };
    let config = CloudFrontConfig {
        distribution_domain_name: DISTRIBUTION_DOMAIN_NAME.into(),
        distribution_id: DISTRIBUTION_ID.into(),
        event_type: "viewer-request".into(),
        request_id: request_id.to_owned().into(),
    };
    let cf = CloudFrontEventData { config, request };
    Ok(CloudFrontEvent { records: vec![CloudFrontRecord { cf }] })
}

fn check_method(parts: &Parts) -> Result<(), ViewerRefusal> {
    match parts.method {
        Method::GET => {
            let length = parts.headers.get(header::CONTENT_LENGTH);
            let has_body = length.is_some_and(|value| value != "0")
                || parts.headers.contains_key(header::TRANSFER_ENCODING);
            if has_body { Err(ViewerRefusal::GetWithBody) } else { Ok(()) }
        }
        Method::HEAD | Method::OPTIONS | Method::PUT | Method::POST | Method::PATCH | Method::DELETE => {
            Ok(())
        }
        _ => Err(ViewerRefusal::Method),
    }
}

/// The host, which is in the URI for HTTP/2 and for an absolute target.
fn host(parts: &Parts) -> Result<&str, ViewerRefusal> {
    let host = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => {
            let mut hosts = parts.headers.get_all(header::HOST).iter();
            let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(ViewerRefusal::Target) };
            host.to_str().map_err(|_| ViewerRefusal::Target)?
        }
    };
    // A name and a password before it are no part of a host, and nothing that the function should see.
    if host.contains('@') { Err(ViewerRefusal::Target) } else { Ok(host) }
}

fn check_length(
    headers: &HeaderMap,
    host: &str,
    uri: &str,
    query: Option<&str>,
) -> Result<(), ViewerRefusal> {
    let query = query.map_or(0, |query| query.len().saturating_add("?".len()));
    let target = uri.len().saturating_add(query);
    if target.saturating_add("https://".len()).saturating_add(host.len()) > MAX_URL {
        return Err(ViewerRefusal::UrlTooLong);
    }
    let line = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        name.as_str().len().saturating_add(value.len()).saturating_add(": \r\n".len())
    };
    if headers.iter().map(line).fold(target, usize::saturating_add) > MAX_REQUEST {
        return Err(ViewerRefusal::RequestTooLong);
    }
    Ok(())
}

/// The headers that a function receives. hyper does not keep the case of a name, so the `key` of each line is in
/// lower case, as for every viewer that speaks HTTP/2.
fn headers(parts: &Parts, host: &str) -> Result<CloudFrontHeaders<'static>, ViewerRefusal> {
    let mut shown = CloudFrontHeaders::new();
    for (name, value) in &parts.headers {
        let hidden =
            name == header::TE || is_hidden(name.as_str()) || is_named_by_connection(&parts.headers, name);
        if hidden || name == header::HOST {
            continue;
        }
        let value = str::from_utf8(value.as_bytes()).map_err(|_| ViewerRefusal::HeaderNotText)?;
        let line = CloudFrontHeader::new(name.to_string(), value.to_owned());
        shown.entry(name.to_string().into()).or_default().push(line);
    }
    shown.insert("host".into(), CloudFrontHeader::new("host", host.to_owned()).into());
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::event::ViewerRequestEvent;
    use http::{HeaderValue, Request};

    fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        request.body(()).unwrap().into_parts().0
    }

    fn request(parts: &Parts) -> Result<CloudFrontRequest<'static>, ViewerRefusal> {
        let event = viewer_request(parts, "[::ffff:192.0.2.7]:5".parse().unwrap(), "id==")?;
        let json = serde_json::to_vec(&event).unwrap();
        let event = ViewerRequestEvent::parse(&json).unwrap();
        assert_eq!(event.config.request_id, "id==");
        Ok(event.request.into_owned())
    }

    #[test]
    fn path_and_query_are_as_the_viewer_sent_them() {
        for (target, uri, query) in [
            ("/a%2Fb/../c//d", "/a%2Fb/../c//d", ""),
            ("/a%zz?x=%20&&y", "/a%zz", "x=%20&&y"),
            ("/é?", "/é", ""),
            ("http://other.example/x?y", "/x", "y"),
        ] {
            let event = request(&parts("GET", target, &[("host", "h")])).unwrap();
            assert_eq!((event.uri.as_ref(), event.querystring.as_ref()), (uri, query));
            assert_eq!((event.client_ip.as_ref(), event.method.as_ref()), ("192.0.2.7", "GET"));
        }
    }

    #[test]
    fn headers_are_grouped_and_those_of_the_connection_hidden() {
        let sent = [
            ("Host", "h:1"),
            ("X-Many", "1"),
            ("cookie", "a=ü"),
            ("x-many", "2"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"),
            ("Expect", "100-continue"),
            ("X-Amz-Cf-Id", "1"),
            ("X-Edge-Location", "1"),
            ("x-real-ip", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
        ];
        let event = request(&parts("PUT", "/a", &sent)).unwrap();
        let names: Vec<_> = event.headers.keys().map(AsRef::as_ref).collect();
        assert_eq!(names, ["cookie", "host", "transfer-encoding", "x-many"]);
        let many: Vec<_> =
            event.headers.get("x-many").unwrap().iter().map(|line| line.value.as_ref()).collect();
        assert_eq!(many, ["1", "2"]);
        assert_eq!(event.headers.get("host").unwrap()[0].value, "h:1");
    }

    #[test]
    fn an_http_2_authority_is_the_host() {
        let event = request(&parts("GET", "http://files.example/a", &[])).unwrap();
        assert_eq!(event.headers.get("host").unwrap()[0].value, "files.example");
    }

    #[test]
    fn what_cloudfront_refuses_itself_never_reaches_the_function() {
        let host = ("host", "h");
        let long = "a".repeat(8_192);
        let fits = format!("/{}", "a".repeat(MAX_URL - "https://h/".len()));
        let header = "a".repeat(20_480);
        let cases = [
            ("GET", fits.as_str(), vec![host], Ok(())),
            ("GET", &format!("{fits}a"), vec![host], Err(ViewerRefusal::UrlTooLong)),
            ("GET", &format!("/?{long}"), vec![host], Err(ViewerRefusal::UrlTooLong)),
            ("GET", "/", vec![host, ("x-a", header.as_str())], Err(ViewerRefusal::RequestTooLong)),
            ("PROPFIND", "/", vec![host], Err(ViewerRefusal::Method)),
            ("TRACE", "/", vec![host], Err(ViewerRefusal::Method)),
            ("GET", "/", vec![host, ("content-length", "3")], Err(ViewerRefusal::GetWithBody)),
            ("GET", "/", vec![host, ("content-length", "0")], Ok(())),
            ("GET", "/", vec![host, ("transfer-encoding", "chunked")], Err(ViewerRefusal::GetWithBody)),
            ("OPTIONS", "*", vec![host], Err(ViewerRefusal::Target)),
            ("GET", "/", vec![], Err(ViewerRefusal::Target)),
            ("GET", "/", vec![host, host], Err(ViewerRefusal::Target)),
            ("GET", "http://alice:pass@h/a", vec![host], Err(ViewerRefusal::Target)),
            ("GET", "http://alice@h/a", vec![], Err(ViewerRefusal::Target)),
            ("GET", "/", vec![("host", "alice:pass@h")], Err(ViewerRefusal::Target)),
        ];
        for (method, uri, headers, expected) in cases {
            assert_eq!(request(&parts(method, uri, &headers)).map(|_| ()), expected, "{method}");
        }
        let mut latin = parts("GET", "/", &[host]);
        latin.headers.insert("x-name", HeaderValue::from_bytes(b"\xe9").unwrap());
        assert_eq!(request(&latin).map(|_| ()), Err(ViewerRefusal::HeaderNotText));
    }
}
