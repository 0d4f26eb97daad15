//! The way of a request into the bucket: its signature is verified, its headers are read as S3 reads them, and then it
//! becomes an operation.
//!
//! `s3s` does both ends. Between them it calls this: it passes every request whose signature it has verified to a
//! route, and the route passes it on to a second `s3s`, which reads the operation. What `s3s` reads more strictly than
//! S3, or not at all, is taken out there: a header that is signed cannot be touched before.

use std::sync::Arc;

use http::header::{AUTHORIZATION, EXPIRES};
use http::{Extensions, HeaderMap, Method, Request, Uri};
use s3s::auth::SimpleAuth;
use s3s::route::S3Route;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use super::conditions::Conditions;
use super::options::CanList;
use super::policy::{BucketPolicy, Signed};
use super::store::{Asked, Operations};
use crate::credentials::Credentials;

/// Verifies requests, and passes them on to the store.
pub(crate) fn service(
    operations: Operations,
    credentials: &Credentials,
    can_list: Arc<CanList>,
) -> S3Service {
    let mut inner = S3ServiceBuilder::new(operations);
    // It knows nobody, so it verifies nothing again, and asks the policy.
    inner.set_auth(SimpleAuth::new());
    inner.set_access(BucketPolicy { can_list });
    let mut outer = S3ServiceBuilder::new(Nothing);
    outer.set_auth(SimpleAuth::from_single(credentials.access_key(), credentials.secret_key()));
    outer.set_route(Verified { operations: inner.build() });
    outer.build()
}

/// Every request takes the route, so nothing is ever asked of this.
struct Nothing;

impl S3 for Nothing {}

/// Where verified requests go.
struct Verified {
    operations: S3Service,
}

#[async_trait::async_trait]
impl S3Route for Verified {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        true
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        match request.credentials {
            Some(_) => Ok(()),
            None => Err(s3_error!(AccessDenied, "Access Denied")),
        }
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let S3Request { input: body, method, uri, mut headers, mut extensions, trailing_headers, .. } =
            request;
        headers.remove(AUTHORIZATION);
        // The body has been decoded.
        headers.remove("x-amz-content-sha256");
        headers.remove("x-amz-decoded-content-length");
        extensions.insert(Signed);
        extensions.insert(Asked {
            conditions: Conditions::take(&mut headers),
            expires: headers.remove(EXPIRES),
            trailers: trailing_headers,
        });
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = without_plus(uri);
        *request.headers_mut() = headers;
        *request.extensions_mut() = extensions;
        let answer = self.operations.call(request).await;
        let answer = answer.map_err(|_| s3_error!(InternalError, "The answer could not be written."))?;
        let (parts, body) = answer.into_parts();
        let mut response = S3Response::new(body);
        response.status = Some(parts.status);
        response.headers = parts.headers;
        response.extensions = parts.extensions;
        Ok(response)
    }
}

/// S3 reads a raw `+` in a path as a space, and `s3s` does not.
fn without_plus(uri: Uri) -> Uri {
    if !uri.path().contains('+') {
        return uri;
    }
    let path = uri.path().replace('+', "%20");
    let target = uri.query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    target.parse().unwrap_or(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_in_a_path_and_stays_what_it_is_in_a_query() {
        for (before, after) in [("/files/a+b?c+d", "/files/a%20b?c+d"), ("/files/a%2Bb", "/files/a%2Bb")] {
            assert_eq!(without_plus(before.parse().unwrap()), *after);
        }
    }
}
