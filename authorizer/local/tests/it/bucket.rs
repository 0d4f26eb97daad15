//! The bucket itself: it serves only requests that are signed for it.

use std::time::{Duration, SystemTime};

use authorizer_local::{BucketReport, Credentials};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::Request;
use http_body_util::BodyExt;

use crate::support::{Stage, TestBody, empty, forward, refuse, text};

pub(crate) struct Signing<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) time: SystemTime,
}

fn signed(signing: &Signing<'_>, method: &str, url: &str, body: TestBody) -> Request<TestBody> {
    sign_request(signing, method, url, SignableBody::UnsignedPayload, body)
}

/// A request whose signature covers this body; a test may then send another.
pub(crate) fn signed_payload(
    signing: &Signing<'_>,
    method: &str,
    url: &str,
    claimed: &'static str,
    sent: &'static str,
) -> Request<TestBody> {
    sign_request(signing, method, url, SignableBody::Bytes(claimed.as_bytes()), text(sent))
}

pub(crate) fn sign_request(
    signing: &Signing<'_>,
    method: &str,
    url: &str,
    payload: SignableBody<'_>,
    body: TestBody,
) -> Request<TestBody> {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let identity = aws_credential_types::Credentials::new(
        signing.credentials.access_key(),
        signing.credentials.secret_key(),
        None,
        None,
        "test",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(signing.region)
        .name(signing.service)
        .time(signing.time)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let signable = SignableRequest::new(method, url, std::iter::empty(), payload).unwrap();
    let mut request = Request::builder().method(method).uri(url).body(body).unwrap();
    sign(signable, &params).unwrap().into_parts().0.apply_to_request_http1x(&mut request);
    request
}

#[tokio::test]
async fn only_what_is_signed_with_the_credentials_for_the_region_is_served() {
    let stage = Stage::with(forward()).await;
    let url = |path: &str| format!("http://{}{path}", stage.running.s3_addr());
    let now = SystemTime::now();
    let good = Signing { credentials: &stage.credentials, region: "us-east-1", service: "s3", time: now };

    let put = signed(&good, "PUT", &url("/files/good"), text("x"));
    assert_eq!(stage.send(put).await.status(), 200);
    assert!(stage.file("good").exists());

    let other_secret = Credentials::new(stage.credentials.access_key(), "another");
    let other_key = Credentials::new("ANOTHER", stage.credentials.secret_key());
    let two_hours = Duration::from_secs(2 * 60 * 60);
    for (case, signing) in [
        ("wrong secret", Signing { credentials: &other_secret, ..good }),
        ("unknown key", Signing { credentials: &other_key, ..good }),
        ("wrong region", Signing { region: "eu-west-1", ..good }),
        ("wrong service", Signing { service: "sts", ..good }),
        ("two hours old", Signing { time: now - two_hours, ..good }),
    ] {
        for method in ["PUT", "GET", "DELETE"] {
            let request = signed(
                &signing,
                method,
                &url("/files/good"),
                text(if method == "PUT" { "evil" } else { "" }),
            );
            let response = stage.send(request).await;
            assert_eq!(response.status(), 403, "{case} {method}");
        }
    }
    for method in ["PUT", "GET", "DELETE", "HEAD", "POST"] {
        let unsigned = Request::builder().method(method).uri(url("/files/good")).body(text("evil")).unwrap();
        assert_eq!(stage.send(unsigned).await.status(), 403, "unsigned {method}");
    }
    assert_eq!(std::fs::read(stage.file("good")).unwrap(), b"x");

    let mut moved = signed(&good, "PUT", &url("/files/signed"), text("evil"));
    *moved.uri_mut() = url("/files/moved").parse().unwrap();
    assert_eq!(stage.send(moved).await.status(), 403);
    let mut widened = signed(&good, "GET", &url("/files/good"), empty());
    *widened.uri_mut() = url("/files/good?tagging").parse().unwrap();
    assert_eq!(stage.send(widened).await.status(), 403);
    let mut copied = signed(&good, "PUT", &url("/files/copy"), empty());
    copied.headers_mut().insert("x-amz-copy-source", "/files/good".parse().unwrap());
    assert_eq!(stage.send(copied).await.status(), 403);

    assert_eq!(stage.files_in("objects") + stage.files_in("incoming"), 1, "nothing else was written");
}

#[tokio::test]
async fn a_form_upload_or_a_second_signature_is_no_way_in() {
    let stage = Stage::with(forward()).await;
    let url = |path: &str| format!("http://{}{path}", stage.running.s3_addr());
    let good = Signing {
        credentials: &stage.credentials,
        region: "us-east-1",
        service: "s3",
        time: SystemTime::now(),
    };
    let form = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nevil\r\n\
                --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n";
    let mut post = signed(&good, "POST", &url("/files/"), text(form));
    post.headers_mut().insert("content-type", "multipart/form-data; boundary=b".parse().unwrap());
    assert_eq!(stage.send(post).await.status(), 403);
    let twice = signed(&good, "GET", &url("/files/a?X-Amz-Signature=0"), empty());
    assert_eq!(stage.send(twice).await.status(), 400);
    assert_eq!(stage.files_in("objects") + stage.files_in("incoming"), 0);
}

#[tokio::test]
async fn the_distributions_own_rights_are_those_of_the_bucket_policy() {
    let stage = Stage::with(forward()).await;
    assert_eq!(stage.call("PUT", "/a", text("x")).await.0, 200);
    for (method, path) in [
        ("GET", "/?versioning"),
        ("GET", "/?versions"),
        ("GET", "/?location"),
        ("GET", "/?uploads"),
        ("GET", "/a?acl"),
        ("GET", "/a?tagging"),
        ("GET", "/a?attributes"),
        ("PUT", "/?acl"),
        ("PUT", "/"),
        ("PUT", "/a?tagging"),
        ("DELETE", "/"),
        ("DELETE", "/a?tagging"),
        ("DELETE", "/a?versionId=null"),
        ("DELETE", "/a?version%49d=null"),
    ] {
        assert_eq!(stage.call(method, path, empty()).await.0, 403, "{method} {path}");
    }
    for header in ["x-amz-acl", "x-amz-grant-read", "x-amz-tagging", "x-amz-object-lock-mode"] {
        let put = stage.ask("PUT", "/b", &[(header, "private")], "x").await;
        assert_eq!(put.error(), (403, "AccessDenied"), "{header}");
    }
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/?list-type=2"),
        ("HEAD", "/"),
        ("GET", "/a"),
        ("HEAD", "/a"),
        ("GET", "/a?versionId=null"),
    ] {
        assert_eq!(stage.call(method, path, empty()).await.0, 200, "{method} {path}");
    }
    assert_eq!(std::fs::read(stage.file("a")).unwrap(), b"x");
    assert!(!stage.file("b").exists());
}

#[tokio::test]
async fn a_key_leads_nowhere_but_into_its_bucket() {
    let stage = Stage::with(forward()).await;
    std::fs::create_dir(stage.data.path().join("other")).unwrap();
    std::fs::write(stage.data.path().join("other/secret"), "secret").unwrap();
    for path in ["/%2e%2e/other/secret", "/a/..%2f..%2fother/secret", "/.%2e/other/secret"] {
        let response = stage.send(Request::get(stage.url(path)).body(empty()).unwrap()).await;
        assert_eq!(response.status(), 404, "{path}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("NoSuchKey"), "{body:?}");
    }
    // To S3 they are keys like all others, and their files are in the folder of the bucket.
    for path in ["/%2e%2e/other/secret", "/.%2e/%2e/a", "//%2fetc/passwd"] {
        assert_eq!(stage.call("PUT", path, text("x")).await.0, 200, "{path}");
        assert_eq!(stage.get(path).await, (200, "x".into()), "{path}");
    }
    assert_eq!(std::fs::read_to_string(stage.data.path().join("other/secret")).unwrap(), "secret");
    assert_eq!(stage.files_in("objects"), 3);
}

#[tokio::test]
async fn the_buckets_log_has_every_request_that_reached_it_and_no_other() {
    let stage = Stage::with(forward()).await;
    stage.call("PUT", "/a%20b?x-id=PutObject", text("x")).await;
    stage.call("GET", "/?list-type=2&prefix=a", empty()).await;
    stage.call("GET", "/none", empty()).await;
    stage.call("GET", "/a%20b?acl", empty()).await;
    stage.call("GET", "/a//b", empty()).await;
    let unsigned = Request::get(format!("http://{}/files/a", stage.running.s3_addr()));
    stage.send(unsigned.body(empty()).unwrap()).await;
    stage.ask("GET", "/a%20b", &[("x-amz-checksum-mode", "ENABLED"), ("range", "bytes=0-0")], "").await;
    let line = |method: &str, path: &str, query: &str, operation: Option<&str>, status| BucketReport {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        amz_headers: Vec::new(),
        operation: operation.map(str::to_owned),
        status,
    };
    let log = stage.heard.bucket.lock().unwrap().clone();
    let expected = [
        line("PUT", "/files/a%20b", "x-id=PutObject", Some("PutObject"), 200),
        line("GET", "/files/", "list-type=2&prefix=a", Some("ListObjectsV2"), 200),
        line("GET", "/files/none", "", Some("GetObject"), 404),
        line("GET", "/files/a%20b", "acl", Some("GetObjectAcl"), 403),
        line("GET", "/files/a//b", "", Some("GetObject"), 404),
        line("GET", "/files/a", "", None, 403),
        BucketReport {
            amz_headers: vec![("x-amz-checksum-mode".to_owned(), "ENABLED".to_owned())],
            ..line("GET", "/files/a%20b", "", Some("GetObject"), 206)
        },
    ];
    assert_eq!(log, expected);

    let stage = Stage::with(refuse()).await;
    stage.call("PUT", "/a", text("x")).await;
    assert!(stage.heard.bucket.lock().unwrap().is_empty(), "the function answered, and S3 was not asked");
}
