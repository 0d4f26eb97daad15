//! Random requests, made from S3's words, as many as a test has time for. Each request that reaches the bucket must
//! be a plain operation on Alice's objects.

use std::collections::BTreeMap;
use std::thread;

use authorizer_e2e::random::cases;
use authorizer_local::BucketReport;
use percent_encoding::percent_decode_str;

use super::Who::Alice;
use super::{BOBS, HERS, Scene};

const WORKERS: u64 = 4;

/// The number of requests, unless `RANDOM_CASES` sets a percentage of it.
const REQUESTS: usize = 4_000;

/// With this number, every operation occurs.
const ENOUGH: usize = 1_000;

#[test]
fn whatever_reaches_the_bucket_is_an_operation_on_what_is_hers() {
    let scene = Scene::set();
    let requests = cases(REQUESTS);
    thread::scope(|scope| {
        for worker in 1..=WORKERS {
            let scene = &scene;
            scope.spawn(move || {
                let mut dice = Dice(worker);
                for _ in 0..requests / WORKERS as usize {
                    let request = random(&mut dice, scene);
                    let answer = scene.stage.viewer.raw(&request);
                    assert!(answer.starts_with("HTTP/1.1 "), "{request}\n{answer}");
                    assert!(!answer.ends_with("\r\nbob"), "{request}\n{answer}");
                }
            });
        }
    });
    let log = scene.stage.bucket_log();
    let mut seen = BTreeMap::new();
    for report in &log {
        let operation = report.operation.as_deref().unwrap_or("none");
        if let Err(what) = judge(report) {
            panic!("{what}: {report:?}");
        }
        *seen.entry(operation).or_insert(0) += 1;
    }
    eprintln!("{} of {requests} reached the bucket: {seen:?}", log.len());
    // Without this check, a distribution that refuses everything would pass.
    let of_all = RULES.map(|(operation, ..)| operation);
    assert!(requests < ENOUGH || of_all.iter().all(|operation| seen.contains_key(operation)), "{seen:?}");
    assert!(log.len() > requests / 10, "{}", log.len());

    let keys = scene.stage.keys();
    assert!(keys.iter().all(|key| key.starts_with("users/alice/") || key == "users/bob/x"), "{keys:?}");
    assert!(keys.iter().all(|key| !key.contains("sealed")), "{keys:?}");
    assert_eq!(scene.stage.ask(&scene.bob, "GET", BOBS, &[], "").body, "bob");
    let parts = format!("/users/bob/up?uploadId={}", scene.uploads[1]);
    assert_eq!(scene.stage.ask(&scene.bob, "GET", &parts, &[], "").body.matches("<Part>").count(), 1);
}

/// The operations by S3's names, with their method and the parameters and `x-amz-*` headers that docs/policy.md
/// allows for them under this policy.
type Rule = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const READ: &[&str] = &["versionId", "response-content-disposition"];
const KEPT: &[&str] =
    &["x-amz-meta-owner", "x-amz-meta-label", "x-amz-checksum-", "x-amz-sdk-checksum-algorithm"];
const SUMS: &[&str] = &["x-amz-checksum-", "x-amz-sdk-checksum-algorithm"];
const RULES: [Rule; 10] = [
    ("GetObject", "GET", READ, &["x-amz-checksum-mode"]),
    ("HeadObject", "HEAD", READ, &["x-amz-checksum-mode"]),
    ("PutObject", "PUT", &[], KEPT),
    ("DeleteObject", "DELETE", &[], &[]),
    (
        "ListObjectsV2",
        "GET",
        &[
            "list-type",
            "prefix",
            "delimiter",
            "max-keys",
            "continuation-token",
            "start-after",
            "encoding-type",
        ],
        &[],
    ),
    ("CreateMultipartUpload", "POST", &["uploads"], KEPT),
    ("UploadPart", "PUT", &["partNumber", "uploadId"], SUMS),
    (
        "CompleteMultipartUpload",
        "POST",
        &["uploadId"],
        &["x-amz-checksum-", "x-amz-sdk-checksum-algorithm", "x-amz-mp-object-size"],
    ),
    ("AbortMultipartUpload", "DELETE", &["uploadId"], &[]),
    ("ListParts", "GET", &["uploadId", "max-parts", "part-number-marker"], &[]),
];

/// Whether the policy allows Alice the request that reached the bucket.
fn judge(report: &BucketReport) -> Result<(), String> {
    let operation = report.operation.as_deref().unwrap_or("none");
    let rule =
        RULES.into_iter().find(|(name, ..)| *name == operation).ok_or("no operation of the policy's")?;
    let (_, method, parameters, headers) = rule;
    if report.method != method {
        return Err("another method".to_owned());
    }
    let decode = |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
    let mut query = BTreeMap::new();
    for pair in report.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("a parameter without a value")?;
        if !parameters.contains(&name) || query.insert(name, decode(value).map_err(|_| "no UTF-8")?).is_some()
        {
            return Err(format!("the parameter {name}"));
        }
    }
    let key = report.path.strip_prefix("/files/").ok_or("another bucket")?;
    let key = decode(key).map_err(|_| "no UTF-8")?;
    let named = match operation {
        "ListObjectsV2" if key.is_empty() => query.get("prefix").cloned().unwrap_or_default(),
        "ListObjectsV2" => return Err("a listing below a key".to_owned()),
        _ => key,
    };
    if !named.starts_with("users/alice/") || named.split('/').any(|segment| [".", ".."].contains(&segment)) {
        return Err(format!("on `{named}`"));
    }
    if named.split('/').any(|segment| segment == "sealed") && ["PUT", "POST"].contains(&method) {
        return Err(format!("a write to `{named}`"));
    }
    for (name, value) in &report.amz_headers {
        let is_allowed = |allowed: &&str| match allowed.strip_suffix('-') {
            Some(_) => name.starts_with(allowed) && name != "x-amz-checksum-mode",
            None => name == allowed,
        };
        if !headers.iter().any(is_allowed) {
            return Err(format!("the header {name}"));
        }
        if name == "x-amz-meta-owner" && value != "alice" {
            return Err(format!("in the name of {value}"));
        }
    }
    let has_owner = report.amz_headers.iter().any(|(name, _)| name == "x-amz-meta-owner");
    if headers.contains(&"x-amz-meta-owner") && !has_owner {
        Err("in nobody's name".to_owned())
    } else {
        Ok(())
    }
}

/// SplitMix64, for the same requests each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Half of the time a request that S3 would understand; then random additions.
fn random(dice: &mut Dice, scene: &Scene) -> String {
    let (mut method, mut target, mut query) = dice.one(&SENSIBLE);
    if dice.below(6) == 0 {
        method = dice.one(&METHODS);
    }
    if dice.below(3) == 0 {
        target = dice.one(&TARGETS);
    }
    if dice.below(6) == 0 {
        query = dice.one(&PARAMETERS);
    }
    let mut parameters: Vec<&str> = query.split('&').filter(|parameter| !parameter.is_empty()).collect();
    for _ in 0..dice.one(&[0, 0, 0, 0, 1, 1, 2]) {
        parameters.insert(dice.below(parameters.len() + 1), dice.one(&PARAMETERS));
    }
    let headers: Vec<&str> = (0..dice.one(&[0, 0, 1, 1, 2, 3])).map(|_| dice.one(&HEADERS)).collect();
    let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
    let body = if ["GET", "HEAD"].contains(&method) { "" } else { dice.one(&["", "hers", "<Delete/>"]) };
    scene.request(Alice, &format!("{method} {target}{query}"), &headers, body)
}

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];

const SENSIBLE: [(&str, &str, &str); 14] = [
    ("GET", HERS, ""),
    ("HEAD", HERS, ""),
    ("PUT", HERS, ""),
    ("PUT", "/users/alice/deep/a%20%C3%A9", ""),
    ("DELETE", "/users/alice/deep/a%20%C3%A9", ""),
    ("GET", HERS, "versionId=null"),
    ("HEAD", HERS, "versionId=null&response-content-disposition=inline"),
    ("GET", "/", "list-type=2&prefix=users/alice/"),
    ("GET", "/", "list-type=2&prefix=users/alice/d&delimiter=/&max-keys=2&encoding-type=url"),
    ("POST", HERS, "uploads"),
    ("PUT", "/users/alice/up", "partNumber=1&uploadId={alice}"),
    ("POST", "/users/alice/up", "uploadId={alice}"),
    ("DELETE", "/users/alice/up", "uploadId={alice}"),
    ("GET", "/users/alice/up", "uploadId={alice}&max-parts=5"),
];

const TARGETS: [&str; 24] = [
    HERS,
    HERS,
    "/users/alice%2Fx",
    "/%75sers/alice/y",
    "/users/alice/a~b!c'd(e)",
    "/users/alice/%252e%252e/bob/x",
    "/users/alice/folder/",
    "/users/alice/sealed/x",
    "/users/alice/%73ealed/x",
    "/",
    "/",
    "/?",
    "/users/alice",
    "/users/alice/",
    "/users/alice2/x",
    "/users/",
    BOBS,
    "/users/%62ob/x",
    "/users/bob/up",
    "/users/alice/../bob/x",
    "/users/alice/%2e%2e/bob/x",
    "/users/alice/..%5cbob",
    "//users/bob/x",
    "/files/users/bob/x",
];

const PARAMETERS: [&str; 56] = [
    "acl",
    "attributes",
    "continuation-token=dXNlcnMvYm9iLw",
    "cors",
    "delete",
    "delimiter=%2F",
    "encoding-type=url",
    "fetch-owner=true",
    "legal-hold",
    "lifecycle",
    "list-type=1",
    "list-type=2",
    "location",
    "marker=users/bob/",
    "max-keys=1000",
    "max-parts=2",
    "max-uploads=2",
    "notification",
    "object-lock",
    "partNumber=1",
    "partNumber=2",
    "part-number-marker=0",
    "policy",
    "prefix=",
    "prefix=users/",
    "prefix=users/alice",
    "prefix=users/alice/",
    "prefix=users/alice/deep",
    "prefix=users/bob/",
    "prefix=users/alice/../bob/",
    "renameObject",
    "response-cache-control=no-store",
    "response-content-disposition=inline",
    "response-content-type=text%2Fhtml",
    "restore",
    "retention",
    "select",
    "start-after=users/bob/",
    "tagging",
    "torrent",
    "uploadId={alice}",
    "uploadId={bob}",
    "uploadId=none",
    "uploads",
    "uploads=",
    "versionId=null",
    "versionId=",
    "versioning",
    "versions",
    "website",
    "x-id=GetObject",
    "x-id=PutObject",
    "x-id=UploadPart",
    "X-Amz-Signature=0",
    "x-amz-acl=public-read",
    "%61cl",
];

const HEADERS: [&str; 47] = [
    "Accept: */*",
    "Cache-Control: no-cache",
    "Connection: x-amz-meta-owner",
    "Content-Disposition: inline",
    "Content-Encoding: aws-chunked",
    "Content-Encoding: gzip",
    "Content-MD5: XrY7u+Ae7tCTyyK7j1rNww==",
    "Content-Type: text/plain",
    "Cookie: a=b",
    "Expires: Thu, 01 Jan 2099 00:00:00 GMT",
    "If-Match: *",
    "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT",
    "If-None-Match: *",
    "If-None-Match: \"e\"",
    "Origin: https://app.example.com",
    "Range: bytes=0-1",
    "x-amz-acl: public-read",
    "x-amz-cf-id: a",
    "x-amz-checksum-algorithm: CRC32",
    "x-amz-checksum-crc32: jNwWgw==",
    "x-amz-checksum-mode: ENABLED",
    "x-amz-checksum-type: FULL_OBJECT",
    "x-amz-content-sha256: UNSIGNED-PAYLOAD",
    "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-amz-copy-source: files/users/bob/x",
    "x-amz-copy-source-range: bytes=0-1",
    "x-amz-date: 20260101T000000Z",
    "x-amz-expected-bucket-owner: 111122223333",
    "x-amz-grant-read: id=1",
    "x-amz-meta-label: a b",
    "x-amz-meta-other: 1",
    "x-amz-meta-owner: alice",
    "x-amz-meta-owner: bob",
    "x-amz-metadata-directive: REPLACE",
    "x-amz-mp-object-size: 4",
    "x-amz-object-lock-mode: COMPLIANCE",
    "x-amz-request-payer: requester",
    "x-amz-sdk-checksum-algorithm: CRC32",
    "x-amz-security-token: a",
    "x-amz-server-side-encryption: aws:kms",
    "x-amz-storage-class: GLACIER",
    "x-amz-tagging: a=b",
    "x-amz-trailer: x-amz-checksum-crc32",
    "x-amz-user-agent: aws-sdk-js/3",
    "x-amz-website-redirect-location: /",
    "x-http-method-override: DELETE",
    "x_amz_copy_source: files/users/bob/x",
];
