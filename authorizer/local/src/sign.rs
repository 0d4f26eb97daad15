//! Origin Access Control: the distribution signs the request for the bucket.
//!
//! With the signing behaviour `always`, CloudFront replaces the viewer's `Authorization` with its own signature.

use std::time::SystemTime;

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningError, SigningParams,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::credentials::Credentials;

/// Signs requests for one bucket's region.
#[derive(Debug)]
pub(crate) struct Signer {
    credentials: Credentials,
    region: String,
}

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    #[error("the request for the bucket does not have a host")]
    NoHost,
    #[error("the header `{0}` is not text and cannot be signed")]
    HeaderNotText(HeaderName),
    #[error("the request for the bucket cannot be signed: {0}")]
    Signing(#[from] SigningError),
    #[error("the request for the bucket cannot be signed: {0}")]
    Parameters(#[from] v4::signing_params::BuildError),
    #[error("the signature is not a valid header value: {0}")]
    Header(#[from] http::header::InvalidHeaderValue),
}

/// The characters that `UriEncode` encodes in a path: all except the unreserved characters and `/`.
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The headers that a signature sets, in place of the viewer's.
const OVERWRITTEN: [&str; 4] =
    ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"];

impl Signer {
    pub(crate) fn new(credentials: Credentials, region: impl Into<String>) -> Self {
        Self { credentials, region: region.into() }
    }

    /// Signs the request, whose `uri` is absolute. The path is sent unchanged. The signature covers the path as S3
    /// reads it: decoded once, encoded once, and never normalised.
    pub(crate) fn sign(&self, parts: &mut Parts, now: SystemTime) -> Result<(), SignError> {
        for name in OVERWRITTEN {
            parts.headers.remove(name);
        }
        let uri = parts.uri.clone();
        let authority = uri.authority().ok_or(SignError::NoHost)?.as_str();
        parts.headers.insert(http::header::HOST, HeaderValue::from_str(authority)?);

        let signed = {
            let mut headers = Vec::new();
            for (name, value) in &parts.headers {
                if name == http::header::HOST || name.as_str().starts_with("x-amz-") {
                    let value = str::from_utf8(value.as_bytes())
                        .map_err(|_| SignError::HeaderNotText(name.clone()))?;
                    headers.push((name.as_str(), value));
                }
            }
            let request = SignableRequest::new(
                parts.method.as_str(),
                canonical(&parts.uri, authority),
                headers.into_iter(),
                SignableBody::UnsignedPayload,
            )?;
            let mut settings = SigningSettings::default();
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            let identity = AwsCredentials::new(
                self.credentials.access_key(),
                self.credentials.secret_key(),
                None,
                None,
                "the local distribution",
            )
            .into();
            let params: SigningParams<'_> = v4::SigningParams::builder()
                .identity(&identity)
                .region(&self.region)
                .name("s3")
                .time(now)
                .settings(settings)
                .build()?
                .into();
            sign(request, &params)?.into_parts().0
        };
        let (headers, _) = signed.into_parts();
        for header in headers {
            parts.headers.insert(header.name(), HeaderValue::from_str(header.value())?);
        }
        Ok(())
    }
}

/// The URI with its path in the form of S3's canonical request: `UriEncode` of the key, without encoding `/`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
fn canonical(uri: &Uri, authority: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(uri.path()).collect();
    let path = percent_encode(&decoded, RESERVED);
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("http://{authority}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use std::time::Duration;

    fn signed(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method("PUT").uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        let signer = Signer::new(Credentials::new("AK", "SK"), "us-east-1");
        let new_year = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1_767_225_600)).unwrap();
        signer.sign(&mut parts, new_year).unwrap();
        parts
    }

    #[test]
    fn the_viewers_authorization_and_signature_headers_are_overwritten() {
        let parts = signed(
            "http://127.0.0.1:9000/files/a%2Bb?x=1",
            &[("authorization", "Bearer token"), ("x-amz-date", "then"), ("x-amz-content-sha256", "abc")],
        );
        assert_eq!(parts.headers["host"], "127.0.0.1:9000");
        assert_eq!(parts.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
        assert_eq!(parts.headers["x-amz-date"], "20260101T000000Z");
        let authorization = parts.headers["authorization"].to_str().unwrap();
        assert!(
            authorization.starts_with("AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request")
        );
        assert!(
            authorization.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"),
            "{authorization}"
        );
        assert_eq!(parts.headers.get_all("authorization").iter().count(), 1);
    }

    #[test]
    fn every_amz_header_is_signed_and_no_other_is() {
        let parts =
            signed("http://127.0.0.1:9000/files/a", &[("x-amz-meta-a", "1"), ("content-type", "text/plain")]);
        let authorization = parts.headers["authorization"].to_str().unwrap();
        assert!(
            authorization.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a,"),
            "{authorization}"
        );
    }

    #[test]
    fn paths_that_s3_reads_as_one_key_have_one_signature_and_no_others_do() {
        let signature =
            |path: &str| signed(&format!("http://h/b/{path}"), &[]).headers["authorization"].clone();
        for (a, b) in
            [("a%2Fb", "a/b"), ("%c3%a9", "%C3%A9"), ("é", "%C3%A9"), ("(@)", "%28%40%29"), ("%7E", "~")]
        {
            assert_eq!(signature(a), signature(b), "{a} {b}");
        }
        let all = ["a/b", "x/../a/b", "a//b", "a/b/", "./a/b", "a%252Fb", "A/b"];
        for (i, a) in all.iter().enumerate() {
            for b in all.iter().skip(i + 1) {
                assert_ne!(signature(a), signature(b), "{a} {b}");
            }
        }
    }
}
