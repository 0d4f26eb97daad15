//! The headers that the distribution can forward are exactly those that the function allows.

use authorizer_core::outcome::Outcome;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_e2e::binaries::root;
use authorizer_e2e::cloudformation::{linter, parsed, python, template};
use serde_json::{Value, json};

/// A policy under which everybody may do everything, with every header that a rule can allow.
fn open() -> Authorizer {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let rule = |id: &str, operations: &[&str], upload: Value| {
        let mut rule = json!({
            "id": id, "effect": "allow", "operations": operations, "keys": ["**"], "anonymous": true,
        });
        if !upload.is_null() {
            rule["upload"] = upload;
        }
        rule
    };
    let uploads = ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"];
    let others = [
        "GetObject",
        "HeadObject",
        "DeleteObject",
        "GetObjectVersion",
        "HeadObjectVersion",
        "ListObjectsV2",
        "AbortMultipartUpload",
        "ListParts",
    ];
    let policy = json!({
        "version": 1,
        "max_origin_headers": 40,
        "issuers": [{
            "name": "nobody", "issuer": "https://nobody.example/", "audience": ["files"], "algorithms": ["EdDSA"],
            "jwks": {"keys": [key]},
        }],
        "rules": [
            rule("uploads", &uploads, json!({"checksums": true, "metadata": {"owner": "*"}})),
            rule("others", &others, Value::Null),
        ],
    });
    let document = serde_json::from_value(policy).unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}

/// A request for each operation.
const REQUESTS: [(&str, &str, &str); 12] = [
    ("GET", "/a", ""),
    ("HEAD", "/a", ""),
    ("GET", "/a", "versionId=1"),
    ("HEAD", "/a", "versionId=1"),
    ("GET", "/", "list-type=2&prefix=a"),
    ("PUT", "/a", ""),
    ("DELETE", "/a", ""),
    ("POST", "/a", "uploads"),
    ("PUT", "/a", "partNumber=1&uploadId=1"),
    ("POST", "/a", "uploadId=1"),
    ("DELETE", "/a", "uploadId=1"),
    ("GET", "/a", "uploadId=1"),
];

/// Whether the function allows the header on a request for any operation.
fn is_let_through(authorizer: &Authorizer, name: &str, value: &str) -> bool {
    let asks = |(method, uri, query): &(&str, &str, &str)| {
        let event = json!({"Records": [{"cf": {
            "config": {
                "distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
                "eventType": "viewer-request", "requestId": "1",
            },
            "request": {
                "clientIp": "203.0.113.1", "method": method, "uri": uri, "querystring": query,
                "headers": {
                    name.to_ascii_lowercase(): [{"key": name, "value": value}],
                    "content-length": [{"key": "Content-Length", "value": "1"}],
                },
            },
        }}]});
        let event = event.to_string();
        let authorized = authorizer.authorize(event.as_bytes(), UnixTime::from_seconds(1_800_000_000));
        match authorized.outcome {
            Outcome::Forward(request) => {
                request.headers.iter().any(|(kept, _)| *kept == name.to_ascii_lowercase())
            }
            Outcome::Respond(_) => false,
        }
    };
    REQUESTS.iter().any(asks)
}

#[test]
fn the_list_of_forwarded_headers_takes_those_that_the_function_lets_through_and_no_other() {
    let Some(linter) = linter() else { return };
    let parameter = &template(linter, "stack.yaml")["Parameters"]["ForwardedHeaders"];
    let hex = "0".repeat(64);
    let names = [
        ("Content-Type", "image/png"),
        ("Content-Encoding", "gzip"),
        ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("Content-Disposition", "inline"),
        ("Content-Language", "en"),
        ("Content-Range", "bytes 0-1/9"),
        ("Expires", "0"),
        ("Range", "bytes=0-1"),
        ("If-Range", "\"e\""),
        ("If-Match", "\"e\""),
        ("If-None-Match", "*"),
        ("If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("If-Unmodified-Since", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("x-amz-mp-object-size", "1"),
        ("x-amz-checksum-mode", "ENABLED"),
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-checksum-crc32c", "AAAAAA=="),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
        ("x-amz-checksum-sha1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
        ("x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        ("x-amz-checksum-sha512", "AAAA"),
        ("x-amz-checksum-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("x-amz-checksum-xxhash3", "AAAAAAAAAAA="),
        ("x-amz-checksum-xxhash64", "AAAAAAAAAAA="),
        ("x-amz-checksum-xxhash128", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("x-amz-checksum-crc65", "AAAAAA=="),
        ("x-amz-checksum-type", "FULL_OBJECT"),
        ("x-amz-checksum-algorithm", "CRC32"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ("x-amz-meta-owner", "alice"),
        ("x-amz-acl", "public-read"),
        ("x-amz-copy-source", "b/k"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-security-token", "a"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-website-redirect-location", "/"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-user-agent", "sdk"),
        ("x-amz-date", "20260101T000000Z"),
        ("x-http-method-override", "PUT"),
        ("Authorization", "Bearer a"),
        ("Cookie", "a=b"),
        ("Origin", "https://a.example"),
        ("Referer", "https://a.example"),
        ("X-Forwarded-For", "203.0.113.1"),
    ];
    // Not in a list, because CloudFront handles them itself: it refuses Accept-Encoding and x-amz-content-sha256 in
    // a list, and decides on Cache-Control and Accept (docs/deploy.md).
    let in_no_list = [
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip"),
        ("Cache-Control", "no-cache"),
        ("x-amz-content-sha256", hex.as_str()),
        ("Host", "files.example.com"),
    ];
    let script = "import json, re, sys
print(json.dumps([bool(re.fullmatch(sys.argv[1], name)) for name in sys.argv[2:]]))";
    let mut arguments = vec!["-c", script, parameter["AllowedPattern"].as_str().unwrap()];
    arguments.extend(names.iter().chain(&in_no_list).map(|(name, _)| *name));
    let taken = parsed(&python(linter, &arguments));
    let mut taken = taken.as_array().unwrap().iter().map(|taken| taken.as_bool().unwrap());

    let authorizer = open();
    for (name, value) in names {
        assert_eq!(taken.next(), Some(is_let_through(&authorizer, name, value)), "{name}");
    }
    for (name, value) in in_no_list {
        assert!(is_let_through(&authorizer, name, value) || name == "Host", "{name}");
        assert_eq!(taken.next(), Some(false), "{name}");
    }

    let by_default: Vec<_> = parameter["Default"].as_str().unwrap().split(',').collect();
    // CloudFront's quota, "Headers per origin request policy".
    assert_eq!(by_default.len(), 10);
    for name in by_default {
        assert!(names.iter().any(|(known, _)| *known == name), "{name}");
    }
}

#[test]
fn the_terraform_module_takes_and_forwards_the_same_headers() {
    let Some(linter) = linter() else { return };
    let parameter = &template(linter, "stack.yaml")["Parameters"]["ForwardedHeaders"];
    let variables = std::fs::read_to_string(root().join("infra/terraform/variables.tf")).unwrap();
    let (_, variable) = variables.split_once("variable \"forwarded_headers\"").unwrap();
    let (variable, _) = variable.split_once("\nvariable ").unwrap();
    assert!(
        variable.contains(&format!("\"{}\"", parameter["AllowedPattern"].as_str().unwrap())),
        "{variable}"
    );
    let (_, list) = variable.split_once("default = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let by_default: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert_eq!(by_default.join(","), parameter["Default"].as_str().unwrap());
}
