//! The bucket behind the distribution: requests that bypass the distribution are refused, and nothing is written.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use authorizer_core::{Authorizer, UnixTime};
use authorizer_e2e::served::Served;
use authorizer_e2e::viewer::Viewer;
use authorizer_local::{
    BucketOptions, Credentials, Distribution, EmbeddedS3, Function, InProcess, Invocation, Observer,
    RequestReport, Settings,
};
use authorizer_policy::PolicyFile;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;

/// A signer: the credentials and the scope.
#[derive(Clone, Copy)]
struct Signer<'a> {
    credentials: &'a Credentials,
    region: &'a str,
    location: SignatureLocation,
}

/// The headers that a signature adds to a request.
struct Signature {
    headers: Vec<(String, String)>,
    query: String,
}

impl Signature {
    fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

impl Signer<'_> {
    /// Signs as any S3 client does.
    fn sign(self, method: &str, url: &str) -> Signature {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.signature_location = self.location;
        if self.location == SignatureLocation::QueryParams {
            settings.expires_in = Some(Duration::from_secs(60));
        }
        let (key, secret) = (self.credentials.access_key(), self.credentials.secret_key());
        let identity = aws_credential_types::Credentials::new(key, secret, None, None, "test").into();
        let params = v4::SigningParams::builder().identity(&identity).region(self.region).name("s3");
        let params = params.time(SystemTime::now()).settings(settings).build().unwrap().into();
        let request = SignableRequest::new(method, url, std::iter::empty(), SignableBody::UnsignedPayload);
        let (instructions, _) = sign(request.unwrap(), &params).unwrap().into_parts();
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let pairs = instructions.params().iter().map(|(name, value)| {
            let value = value.replace('/', "%2F").replace(';', "%3B");
            format!("{name}={value}")
        });
        Signature {
            headers: instructions.headers().map(text).collect(),
            query: pairs.collect::<Vec<_>>().join("&"),
        }
    }
}

const METHODS: [&str; 5] = ["GET", "HEAD", "PUT", "DELETE", "POST"];

#[tokio::test]
async fn what_serve_prints_as_the_buckets_address_answers_nothing_to_strangers() {
    let served = Served::sample();
    let headers = [("authorization", &*served.bearer("alice"))];
    assert_eq!(served.viewer.ask("PUT", "/users/alice/x", &headers, "hers").await.status, 200);
    let before = served.everything();

    let bucket = Viewer::of(served.s3_addr());
    assert_ne!(served.s3_addr(), served.addr());
    let strangers = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let stranger =
        Signer { credentials: &strangers, region: "us-east-1", location: SignatureLocation::Headers };
    for path in ["/local-bucket/users/alice/x", "/local-bucket/new", "/local-bucket?list-type=2", "/"] {
        for method in METHODS {
            let url = bucket.url(path);
            let signature = stranger.sign(method, &url);
            for headers in [&[][..], &headers, &[("authorization", "Basic YTpi")], &signature.headers()] {
                let answer = bucket.ask(method, path, headers, "evil").await;
                assert!([400, 403, 404].contains(&answer.status), "{method} {path}: {}", answer.status);
                assert!(
                    !answer.body.contains("hers") && !answer.body.contains("users/alice"),
                    "{}",
                    answer.body
                );
            }
        }
    }
    for method in METHODS {
        let answer = bucket.ask(method, "/local-bucket/users/alice/x", &[], "evil").await;
        assert_eq!(answer.status, 403, "{method}");
    }
    assert_eq!(served.everything(), before);
}

#[derive(Default)]
struct Heard(Mutex<Vec<RequestReport>>);

impl Observer for Heard {
    fn request(&self, report: &RequestReport) {
        self.0.lock().unwrap().push(report.clone());
    }

    fn function_log(&self, _line: &str) {}
}

#[tokio::test]
async fn one_who_knows_the_key_but_signs_another_request_is_refused_and_nothing_is_written() {
    // The same distribution that `serve` starts, with credentials that the test knows.
    let folder = tempfile::tempdir().unwrap();
    let sample = Served::sample();
    let bundle = PolicyFile::load(&sample.policy()).unwrap().into_bundle();
    let authorizer = Authorizer::new(bundle);
    let handler = move |event: Bytes| {
        let authorized = authorizer.authorize(&event, UnixTime::from_system(SystemTime::now()));
        ready(Invocation {
            result: serde_json::to_vec(&authorized.outcome).unwrap().into(),
            record: None,
            usage: None,
        })
    };
    let credentials = Credentials::random().unwrap();
    let heard = Arc::new(Heard::default());
    let running = Distribution::start(Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        bucket: "files".to_owned(),
        bucket_options: BucketOptions::default(),
        region: "us-east-1".to_owned(),
        credentials: credentials.clone(),
        data_dir: folder.path().to_owned(),
        function: Function::InProcess(InProcess::new(handler)),
        response_headers: Arc::new(|_| Vec::new()),
        observer: Arc::clone(&heard) as Arc<dyn Observer>,
    })
    .await
    .unwrap();
    let file = || EmbeddedS3::file(folder.path(), "files", "users/alice/x").unwrap();
    let alice = sample.bearer("alice");
    let viewer = Viewer::of(running.addr());
    let headers = [("authorization", alice.as_str())];
    assert_eq!(viewer.ask("PUT", "/users/alice/x", &headers, "hers").await.status, 200);
    assert!(heard.0.lock().unwrap()[0].forwarded);

    let bucket = Viewer::of(running.s3_addr());
    let good =
        Signer { credentials: &credentials, region: "us-east-1", location: SignatureLocation::Headers };
    let path = "/files/users/alice/x";
    // Without this check, a bucket that refuses everything would pass.
    let signature = good.sign("PUT", &bucket.url(path));
    assert_eq!(bucket.ask("PUT", path, &signature.headers(), "signed").await.status, 200);
    assert_eq!(std::fs::read_to_string(file()).unwrap(), "signed");

    let other_secret = Credentials::new(credentials.access_key(), "another");
    let other_key = Credentials::new("AKIAIOSFODNN7EXAMPLE", credentials.secret_key());
    let wrong = [
        ("wrong secret", Signer { credentials: &other_secret, ..good }),
        ("unknown key", Signer { credentials: &other_key, ..good }),
        ("wrong region", Signer { region: "eu-west-1", ..good }),
    ];
    for (case, signer) in wrong {
        for (method, target) in [("PUT", path), ("PUT", "/files/new"), ("DELETE", path), ("GET", path)] {
            let signature = signer.sign(method, &bucket.url(target));
            let body = if method == "PUT" { "evil" } else { "" };
            let answer = bucket.ask(method, target, &signature.headers(), body).await;
            assert_eq!(answer.status, 403, "{case}: {method} {target}: {}", answer.body);
        }
    }

    // A signature for one request is not valid for another.
    for (signed, sent) in [
        (("GET", "/files/users/alice/x"), ("GET", "/files/users/bob/x")),
        (("GET", path), ("PUT", path)),
        (("GET", path), ("DELETE", path)),
        (("PUT", path), ("PUT", "/files/new")),
        (("PUT", path), ("PUT", "/files/users/alice/x?acl")),
        (("PUT", path), ("PUT", "/files/users/alice%2Fx?partNumber=1&uploadId=1")),
        (("GET", path), ("GET", "/other/users/alice/x")),
    ] {
        let signature = good.sign(signed.0, &bucket.url(signed.1));
        let body = if sent.0 == "PUT" { "evil" } else { "" };
        let answer = bucket.ask(sent.0, sent.1, &signature.headers(), body).await;
        assert!([403, 404].contains(&answer.status), "{signed:?} sent as {sent:?}: {}", answer.status);
    }
    // A header that the signature does not cover.
    let signature = good.sign("PUT", &bucket.url("/files/copy"));
    let mut headers = signature.headers();
    headers.push(("x-amz-copy-source", "/files/users/alice/x"));
    assert_eq!(bucket.ask("PUT", "/files/copy", &headers, "").await.status, 403);

    // A presigned URL: nobody makes them here, so even a valid one is refused.
    let presigned = Signer { location: SignatureLocation::QueryParams, ..good };
    let query = presigned.sign("GET", &bucket.url(path)).query;
    assert!(query.contains("X-Amz-Signature="), "{query}");
    let answer = bucket.ask("GET", &format!("{path}?{query}"), &[], "").await;
    assert!([400, 403].contains(&answer.status), "{}", answer.status);

    assert_eq!(std::fs::read_to_string(file()).unwrap(), "signed");
    let names = |folder: &std::path::Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(&folder.path().join("files/objects")), ["users"]);
    assert_eq!(names(&folder.path().join("files/objects/users/alice")).len(), 1);
    running.stop().await;
}
