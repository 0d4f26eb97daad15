//! Requests that S3 refuses and `s3s` does not: a wrong scope of a signature, unsigned headers, a second signature in
//! the query, a body without a length.

use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::{Body, HttpResponse};

/// The longest key, in bytes of UTF-8.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const LONGEST_KEY: usize = 1_024;

/// The most bytes of the headers of a request.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const MOST_HEADERS: usize = 8 * 1024;

/// The checks before a request reaches the store.
#[derive(Debug)]
pub(crate) struct Gate {
    bucket: String,
    region: String,
}

/// Why the request does not reach the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum GateRefusal {
    NotSigned,
    TwoSignatures,
    WrongRegion,
    WrongService,
    UnsignedHeader,
    Chunked,
    ManyHeaders,
    OtherBucket,
    NotUtf8,
    LongKey,
}

impl Gate {
    pub(crate) fn new(bucket: &str, region: &str) -> Self {
        Self { bucket: bucket.to_owned(), region: region.to_owned() }
    }

    pub(crate) fn check(&self, parts: &Parts) -> Result<(), GateRefusal> {
        self.check_scope(parts)?;
        // S3 needs the length of a body before it reads it.
        if parts.headers.contains_key(http::header::TRANSFER_ENCODING) {
            return Err(GateRefusal::Chunked);
        }
        if length_of(&parts.headers) > MOST_HEADERS {
            return Err(GateRefusal::ManyHeaders);
        }
        self.check_path(parts.uri.path())
    }

    fn check_scope(&self, parts: &Parts) -> Result<(), GateRefusal> {
        if has_query_signature(parts.uri.query().unwrap_or_default()) {
            return Err(GateRefusal::TwoSignatures);
        }
        let authorization = Authorization::parse(&parts.headers).ok_or(GateRefusal::NotSigned)?;
        if authorization.region != self.region {
            return Err(GateRefusal::WrongRegion);
        }
        if authorization.service != "s3" {
            return Err(GateRefusal::WrongService);
        }
        // AWS: the signature must cover `host` and every `x-amz-*` header of the request.
        let must = parts.headers.keys().map(http::HeaderName::as_str).filter(|n| n.starts_with("x-amz-"));
        let signed: Vec<&str> = authorization.signed_headers.split(';').collect();
        if must.chain(["host"]).all(|name| signed.contains(&name)) {
            Ok(())
        } else {
            Err(GateRefusal::UnsignedHeader)
        }
    }

    fn check_path(&self, path: &str) -> Result<(), GateRefusal> {
        let path = path.strip_prefix('/').ok_or(GateRefusal::OtherBucket)?;
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if bucket != self.bucket {
            return Err(GateRefusal::OtherBucket);
        }
        let decoded = percent_decode_str(key).decode_utf8().map_err(|_| GateRefusal::NotUtf8)?;
        if decoded.len() > LONGEST_KEY { Err(GateRefusal::LongKey) } else { Ok(()) }
    }
}

/// The length of the headers as lines: each has a colon, a space and the end of the line.
fn length_of(headers: &HeaderMap) -> usize {
    let lines = headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len()));
    lines.fold(0, |all, line| all.saturating_add(line).saturating_add(4))
}

/// The parts of an `Authorization` header of Signature Version 4.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html>
struct Authorization<'a> {
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(headers: &'a HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let fields = value.to_str().ok()?.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name));
        // From the end: an access key may contain a `/`, but the parts after it may not.
        let mut scope = field("Credential=")?.rsplit('/');
        if scope.next()? != "aws4_request" {
            return None;
        }
        Some(Self { service: scope.next()?, region: scope.next()?, signed_headers: field("SignedHeaders=")? })
    }
}

/// Whether the query has a signature: `s3s` would verify that one and ignore the header's.
fn has_query_signature(query: &str) -> bool {
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
        let name = percent_decode_str(&name).decode_utf8_lossy();
        ["x-amz-signature", "x-amz-credential", "x-amz-algorithm", "signature", "awsaccesskeyid"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    })
}

impl GateRefusal {
    fn answer(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotSigned => (StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"),
            Self::TwoSignatures => (
                StatusCode::BAD_REQUEST,
                "InvalidArgument",
                "Only one auth mechanism allowed; the query string must not contain a signature",
            ),
            Self::WrongRegion => (
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "The signature is for another region than the bucket's",
            ),
            Self::WrongService => {
                (StatusCode::FORBIDDEN, "AccessDenied", "The signature is for another service than s3")
            }
            Self::UnsignedHeader => (
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "There were headers present in the request which were not signed",
            ),
            Self::Chunked => (
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented: Transfer-Encoding",
            ),
            Self::ManyHeaders => (
                StatusCode::BAD_REQUEST,
                "RequestHeaderSectionTooLarge",
                "Your request header section exceeds the maximum allowed size.",
            ),
            Self::OtherBucket => {
                (StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist")
            }
            Self::NotUtf8 => (StatusCode::BAD_REQUEST, "InvalidURI", "Couldn't parse the specified URI."),
            Self::LongKey => (StatusCode::BAD_REQUEST, "KeyTooLongError", "Your key is too long"),
        }
    }

    /// The answer in the form of S3's errors.
    pub(crate) fn response(self) -> HttpResponse {
        let (status, code, message) = self.answer();
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        let mut response = Response::new(Body::from(xml));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/xml"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn check(uri: &str, authorization: Option<&str>, more: &[(&str, &str)]) -> Result<(), GateRefusal> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        Gate::new("files", "us-east-1").check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_request_has_at_most_8_kilobytes_of_headers() {
        let put = |more: &[(&str, &str)]| {
            let mut request = Request::put("/files/a");
            let authorization = scope("20260101/us-east-1/s3/aws4_request");
            for (name, value) in more.iter().copied().chain([("authorization", &*authorization)]) {
                request = request.header(name, value);
            }
            Gate::new("files", "us-east-1").check(&request.body(()).unwrap().into_parts().0)
        };
        assert_eq!(put(&[]), Ok(()));
        let long = "x".repeat(MOST_HEADERS - 300);
        assert_eq!(put(&[("content-disposition", &long)]), Ok(()));
        let longer = "x".repeat(MOST_HEADERS);
        let refused = put(&[("content-disposition", &longer)]);
        assert_eq!(refused, Err(GateRefusal::ManyHeaders));
    }

    fn scope(scope: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential=AK/{scope}, SignedHeaders=host;x-amz-date, Signature=00")
    }

    #[test]
    fn only_one_signature_for_this_region_and_service_passes() {
        let good = scope("20260101/us-east-1/s3/aws4_request");
        assert_eq!(check("/files/a", Some(&good), &[]), Ok(()));
        let cases = [
            (None, GateRefusal::NotSigned),
            (Some("Bearer x".to_owned()), GateRefusal::NotSigned),
            (Some("AWS AK:signature".to_owned()), GateRefusal::NotSigned),
            (Some(scope("20260101/us-east-1/s3/aws5_request")), GateRefusal::NotSigned),
            (Some(scope("20260101/eu-west-1/s3/aws4_request")), GateRefusal::WrongRegion),
            (Some(scope("20260101/us-east-1/sts/aws4_request")), GateRefusal::WrongService),
            (Some(good.replace("host;", "")), GateRefusal::UnsignedHeader),
        ];
        for (authorization, refusal) in cases {
            assert_eq!(check("/files/a", authorization.as_deref(), &[]), Err(refusal), "{authorization:?}");
        }
        assert_eq!(
            check("/files/a", Some(&good), &[("x-amz-acl", "public-read")]),
            Err(GateRefusal::UnsignedHeader)
        );
        assert_eq!(check("/files/a", Some(&good), &[("authorization", &good)]), Err(GateRefusal::NotSigned));
        let chunked = [("transfer-encoding", "chunked")];
        assert_eq!(check("/files/a", Some(&good), &chunked), Err(GateRefusal::Chunked));
    }

    #[test]
    fn a_signature_in_the_query_is_refused_however_it_is_spelt() {
        let good = scope("20260101/us-east-1/s3/aws4_request");
        for query in ["X-Amz-Signature=0", "a=b&X%2DAmz-Signature", "Signature=x", "AWSAccessKeyId=AK"] {
            let uri = format!("/files/a?{query}");
            assert_eq!(check(&uri, Some(&good), &[]), Err(GateRefusal::TwoSignatures), "{query}");
        }
        assert_eq!(check("/files/a?versionId=x", Some(&good), &[]), Ok(()));
    }

    #[test]
    fn a_key_is_up_to_1024_bytes_of_utf8_and_nothing_else_about_it_counts() {
        let good = scope("20260101/us-east-1/s3/aws4_request");
        for path in [
            "/files",
            "/files/",
            "/files/a/b",
            "/files/a/",
            "/files//a",
            "/files/a//b",
            "/files/../a",
            "/files/%2e%2E/a",
            "/files/a/.",
            "/files/a+b",
            "/files/a%2F%2Fb",
            "/files/a%00b",
            "/files/%C3%A9",
        ] {
            assert_eq!(check(path, Some(&good), &[]), Ok(()), "{path}");
        }
        assert_eq!(check("/files/%ff", Some(&good), &[]), Err(GateRefusal::NotUtf8));
        let long = |length| check(&format!("/files/{}", "%C3%A9".repeat(length)), Some(&good), &[]);
        assert_eq!((long(512), long(513)), (Ok(()), Err(GateRefusal::LongKey)));
        for path in ["/", "/other/a", "/files2", "/..%2ffiles/a"] {
            assert_eq!(check(path, Some(&good), &[]), Err(GateRefusal::OtherBucket), "{path}");
        }
    }
}
