//! A response that the function generated, which CloudFront sends without a request to the bucket.

use authorizer_core::event::CloudFrontHeaders;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};

use super::request::check_headers;
use super::violation::Violation;
use crate::headers::{is_disallowed, is_read_only};

/// The limit on a response, headers and body: "Viewer request events: 40 KB".
const MAX_RESPONSE: usize = 40 * 1024;

/// A checked response from the function.
#[derive(Debug)]
pub(crate) struct GeneratedResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: CloudFrontHeaders<'static>,
    pub(crate) body: Bytes,
}

pub(super) fn check(mut result: Map<String, Value>) -> Result<GeneratedResponse, Violation> {
    let status = match result.remove("status") {
        Some(Value::String(status)) => parse_status(&status)?,
        _ => return Err(Violation::Status),
    };
    let description = optional_string(&mut result, "statusDescription")?.unwrap_or_default();
    if description.contains(char::is_control) {
        return Err(Violation::ResponseField("statusDescription"));
    }
    let headers = match result.remove("headers") {
        None | Some(Value::Null) => CloudFrontHeaders::new(),
        Some(headers) => check_headers(headers)?,
    };
    for name in headers.keys() {
        if is_disallowed(name) {
            return Err(Violation::DisallowedHeader(name.to_string()));
        }
        // `Host` is a request header, which is allowed in a response.
        if is_read_only(name) && name != "host" {
            return Err(Violation::ReadOnlyHeader(name.to_string()));
        }
    }
    let text = optional_string(&mut result, "body")?.unwrap_or_default();
    let size = size(&headers, &description, &text);
    let body = match optional_string(&mut result, "bodyEncoding")?.as_deref() {
        None | Some("text") => Bytes::from(text),
        Some("base64") => STANDARD.decode(text).map_err(|_| Violation::BodyEncoding)?.into(),
        Some(_) => return Err(Violation::BodyEncoding),
    };
    if status == StatusCode::NO_CONTENT && !body.is_empty() {
        return Err(Violation::BodyOnNoContent);
    }
    if size > MAX_RESPONSE {
        return Err(Violation::ResponseTooLarge(size));
    }
    Ok(GeneratedResponse { status, headers, body })
}

fn parse_status(status: &str) -> Result<StatusCode, Violation> {
    let is_three_digits = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
    let status = is_three_digits.then(|| StatusCode::from_bytes(status.as_bytes()).ok()).flatten();
    status.filter(|status| (200..600).contains(&status.as_u16())).ok_or(Violation::Status)
}

fn optional_string(object: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, Violation> {
    match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Violation::ResponseField(name)),
    }
}

/// The body counts as returned: base64 counts encoded.
fn size(headers: &CloudFrontHeaders<'_>, description: &str, body: &str) -> usize {
    let lines = headers
        .iter()
        .flat_map(|(name, lines)| lines.iter().map(move |line| name.len().saturating_add(line.value.len())));
    lines.fold(body.len().saturating_add(description.len()), usize::saturating_add)
}
