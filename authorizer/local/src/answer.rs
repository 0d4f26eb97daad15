//! The answers that CloudFront writes: its own errors, the function's responses, and the headers that it adds to
//! the bucket's answers.

use authorizer_core::event::CloudFrontHeaders;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::body::{ResponseBody, full};
use crate::result::GeneratedResponse;

/// The value of `x-cache`, which shows who answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum XCache {
    Miss,
    Error,
    LambdaGeneratedResponse,
    LambdaValidationError,
    LambdaExecutionError,
}

impl XCache {
    fn value(self) -> &'static str {
        match self {
            Self::Miss => "Miss from cloudfront",
            Self::Error => "Error from cloudfront",
            Self::LambdaGeneratedResponse => "LambdaGeneratedResponse from cloudfront",
            Self::LambdaValidationError => "LambdaValidationError from cloudfront",
            Self::LambdaExecutionError => "LambdaExecutionError from cloudfront",
        }
    }
}

/// An error page of CloudFront. The message is for the engineer at this laptop.
pub(crate) fn error(status: StatusCode, message: &str) -> Response<ResponseBody> {
    let mut response = Response::new(full(format!("{} ERROR\n{message}\n", status.as_u16())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::SERVER, HeaderValue::from_static("CloudFront"));
    response
}

/// The response that the function made.
pub(crate) fn generated(generated: GeneratedResponse) -> Response<ResponseBody> {
    let mut response = Response::new(full(generated.body));
    *response.status_mut() = generated.status;
    *response.headers_mut() = headers(&generated.headers);
    response.headers_mut().entry(header::SERVER).or_insert(HeaderValue::from_static("CloudFront"));
    response
}

/// Writes headers that have been checked: every line is a valid header.
fn headers(lines: &CloudFrontHeaders<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, lines) in lines {
        for line in lines.iter() {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(line.value.as_bytes())) {
                headers.append(name, value);
            }
        }
    }
    headers
}

/// Adds the headers of the response headers policy. A policy contains only valid headers.
pub(crate) fn add(headers: &mut HeaderMap, lines: Vec<(&'static str, String)>) {
    for (name, value) in lines {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

/// Does to an answer of S3's what the stack's response headers policy does, beside the CORS headers: browsers keep and
/// guess nothing, and the key is not named. There is no `Strict-Transport-Security` over plain HTTP.
pub(crate) fn for_browsers(headers: &mut HeaderMap) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.remove("x-amz-server-side-encryption-aws-kms-key-id");
}

/// Adds the headers that CloudFront adds to every answer.
pub(crate) fn stamp(headers: &mut HeaderMap, request_id: &str, x_cache: XCache) {
    headers.insert("x-cache", HeaderValue::from_static(x_cache.value()));
    headers
        .insert(header::VIA, HeaderValue::from_static("1.1 dlocaldistribution.cloudfront.net (CloudFront)"));
    headers.insert("x-amz-cf-pop", HeaderValue::from_static("LOCAL50-C1"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amz-cf-id", id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_keep_and_guess_nothing_unless_the_uploader_said_so() {
        let mut headers = HeaderMap::new();
        headers
            .insert("x-amz-server-side-encryption-aws-kms-key-id", HeaderValue::from_static("arn:aws:kms:k"));
        for_browsers(&mut headers);
        assert_eq!(headers[header::CACHE_CONTROL], "private, no-cache");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers.len(), 2);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        for_browsers(&mut headers);
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=60");
    }
}
