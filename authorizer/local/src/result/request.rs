//! A returned request: only the changes that CloudFront allows a viewer-request function to make.

use authorizer_core::event::{CloudFrontHeaders, CloudFrontRequest, HeaderLines};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::violation::Violation;
use crate::event::MAX_REQUEST;
use crate::headers::{is_disallowed, is_of_viewer, read_only};

/// The limit on a URI that a function returns: "must be less than 8,192 characters".
const URI_LIMIT: usize = 8_192;

pub(super) fn check(
    sent: &CloudFrontRequest<'_>,
    mut result: Map<String, Value>,
) -> Result<CloudFrontRequest<'static>, Violation> {
    let headers = match result.remove("headers") {
        None | Some(Value::Null) => CloudFrontHeaders::new(),
        Some(headers) => check_headers(headers)?,
    };
    let mut request = CloudFrontRequest::deserialize(&Value::Object(result))
        .map_err(|error| Violation::NotARequest(error.to_string()))?
        .into_owned();
    request.headers = headers;

    if request.client_ip != sent.client_ip {
        return Err(Violation::ClientIp);
    }
    if request.method != sent.method {
        return Err(Violation::Method);
    }
    if request.body != sent.body {
        return Err(Violation::Body);
    }
    check_uri(&request.uri, &request.querystring)?;
    check_protected(sent, &request)?;
    let size = size(&request);
    if size > MAX_REQUEST {
        return Err(Violation::RequestTooLarge(size));
    }
    Ok(request)
}

/// Checks the form of headers, for requests and responses.
pub(super) fn check_headers(headers: Value) -> Result<CloudFrontHeaders<'static>, Violation> {
    let Value::Object(headers) = headers else { return Err(Violation::HeaderForm("headers".to_owned())) };
    let mut checked = CloudFrontHeaders::new();
    for (name, lines) in headers {
        // HeaderName changes upper case to lower case, but CloudFront requires lower case.
        if HeaderName::from_lowercase(name.as_bytes()).is_err() {
            return Err(Violation::HeaderName(name));
        }
        let Ok(lines) = HeaderLines::deserialize(&lines) else {
            return Err(Violation::HeaderForm(name));
        };
        for line in lines.iter() {
            if let Some(key) = line.key.as_ref().filter(|key| !key.eq_ignore_ascii_case(&name)) {
                return Err(Violation::HeaderKey { name, key: key.to_string() });
            }
            if HeaderValue::from_bytes(line.value.as_bytes()).is_err() {
                return Err(Violation::HeaderValue(name));
            }
        }
        checked.insert(name.into(), lines.into_owned());
    }
    Ok(checked)
}

fn check_uri(uri: &str, query: &str) -> Result<(), Violation> {
    if !uri.starts_with('/') {
        return Err(Violation::UriNotRooted);
    }
    let query_bytes = if query.is_empty() { 0 } else { query.len().saturating_add("?".len()) };
    if uri.len().saturating_add(query_bytes) >= URI_LIMIT {
        return Err(Violation::UriTooLong);
    }
    let is_illegal = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    if uri.contains(is_illegal) || uri.contains('?') || PathAndQuery::try_from(uri).is_err() {
        return Err(Violation::UriCharacter);
    }
    if query.contains(is_illegal) || PathAndQuery::try_from(format!("/?{query}")).is_err() {
        return Err(Violation::QueryCharacter);
    }
    Ok(())
}

/// The bytes of the request without its body, as those of the viewer's request are counted.
fn size(request: &CloudFrontRequest<'_>) -> usize {
    let lines = request.headers.iter().flat_map(|(name, lines)| {
        lines.iter().map(|line| name.len().saturating_add(line.value.len()).saturating_add(": \r\n".len()))
    });
    lines.fold(request.uri.len().saturating_add(request.querystring.len()), usize::saturating_add)
}

fn check_protected(sent: &CloudFrontRequest<'_>, returned: &CloudFrontRequest<'_>) -> Result<(), Violation> {
    let differs = |name: &str| {
        let values = |request: &CloudFrontRequest<'_>| -> Vec<String> {
            request
                .headers
                .get(name)
                .into_iter()
                .flat_map(|lines| lines.iter())
                .map(|line| line.value.to_string())
                .collect()
        };
        values(sent) != values(returned)
    };
    if let Some(name) = returned.headers.keys().find(|name| is_disallowed(name) && differs(name)) {
        return Err(Violation::DisallowedHeader(name.to_string()));
    }
    if let Some(name) = returned.headers.keys().find(|name| is_of_viewer(name) && differs(name)) {
        return Err(Violation::ViewerHeader(name.to_string()));
    }
    match read_only().find(|name| differs(name)) {
        Some(name) => Err(Violation::ReadOnlyHeader(name.to_owned())),
        None => Ok(()),
    }
}
