//! Headers that would change the operation.

use super::Scene;
use super::Who::Alice;

#[test]
fn no_header_makes_another_request_of_it() {
    let mut scene = Scene::set();
    let mut surprises = Vec::new();
    for (methods, header, expected, why) in HEADERS {
        for first_line in methods.iter().flat_map(|method| lines(method)) {
            let request = scene.request(Alice, first_line, &[header], "");
            surprises.extend(scene.surprise(&request, expected, &format!("{why}: {header}")));
        }
    }
    scene.ends(&surprises);
}

/// Requests of Alice that are allowed without the headers.
fn lines(method: &str) -> &'static [&'static str] {
    match method {
        "GET" => &["GET /users/alice/x", "HEAD /users/alice/x", "GET /?list-type=2&prefix=users/alice/"],
        "PUT" => &[
            "PUT /users/alice/new",
            "POST /users/alice/new?uploads",
            "PUT /users/alice/up?partNumber=2&uploadId={alice}",
            "POST /users/alice/up?uploadId={alice}",
        ],
        "DELETE" => &["DELETE /users/alice/x", "DELETE /users/alice/up?uploadId={alice}"],
        other => panic!("{other}"),
    }
}

const ANY: &[&str] = &["GET", "PUT", "DELETE"];
const WRITES: &[&str] = &["PUT", "DELETE"];

#[rustfmt::skip]
const HEADERS: [(&[&str], &str, u16, &str); 59] = [
    (ANY, "x-amz-acl: public-read", 400, "opens it to the world"),
    (ANY, "x-amz-grant-read: uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"", 400, "opens it to the world"),
    (ANY, "x-amz-grant-full-control: id=1", 400, "gives it away"),
    (ANY, "x-amz-grant-write-acp: id=1", 400, "gives it away"),
    (ANY, "x-amz-tagging: a=b", 400, "policies may go by tags"),
    (ANY, "x-amz-tagging-directive: REPLACE", 400, "policies may go by tags"),
    (ANY, "x-amz-metadata-directive: REPLACE", 400, "belongs to a copy"),
    (ANY, "x-amz-storage-class: GLACIER", 400, "costs"),
    (ANY, "x-amz-server-side-encryption: aws:kms", 400, "another key"),
    (ANY, "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:us-east-1:111122223333:key/a", 400, "a key of hers"),
    (ANY, "x-amz-server-side-encryption-customer-algorithm: AES256", 400, "a key that nobody else has"),
    (ANY, "x-amz-server-side-encryption-customer-key: a", 400, "a key that nobody else has"),
    (ANY, "x-amz-server-side-encryption-context: e30=", 400, "a key's context"),
    (ANY, "x-amz-server-side-encryption-bucket-key-enabled: true", 400, "a key's kind"),
    (ANY, "x-amz-website-redirect-location: https://evil.example/", 400, "sends readers elsewhere"),
    (ANY, "x-amz-object-lock-mode: COMPLIANCE", 400, "nobody could delete it"),
    (ANY, "x-amz-object-lock-retain-until-date: 2099-01-01T00:00:00Z", 400, "nobody could delete it"),
    (ANY, "x-amz-object-lock-legal-hold: ON", 400, "nobody could delete it"),
    (ANY, "x-amz-bypass-governance-retention: true", 400, "deletes what is locked"),
    (ANY, "x-amz-mfa: 1 2", 400, "deletes for good"),
    (ANY, "x-amz-request-payer: requester", 400, "who pays"),
    (ANY, "x-amz-expected-bucket-owner: 111122223333", 400, "tells whose the bucket is"),
    (ANY, "x-amz-security-token: a", 400, "somebody's session"),
    (ANY, "x-amz-date: Thu, 01 Jan 2026 00:00:00 GMT", 400, "no time of a signature"),
    (ANY, "x-amz-trailer: x-amz-checksum-crc32", 400, "headers after the body"),
    (ANY, "x-amz-decoded-content-length: 1", 400, "belongs to a wrapped body"),
    (ANY, "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", 400, "wraps the body"),
    (ANY, "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 400, "wraps the body"),
    (ANY, "x-amz-content-sha256: UNSIGNED-PAYLOAD-TRAILER", 400, "no digest"),
    (ANY, "x-amz-content-sha256: 0", 400, "no digest"),
    (ANY, "x-amz-write-offset-bytes: 3", 400, "appends"),
    (ANY, "x-amz-rename-source: users/bob/x", 400, "moves Bob's"),
    (ANY, "x-amz-object-attributes: ETag", 400, "another operation"),
    (ANY, "x-amz-if-match-size: 3", 400, "tells what is stored"),
    (ANY, "x-amz-if-match-last-modified-time: Thu, 01 Jan 2026 00:00:00 GMT", 400, "tells what is stored"),
    (ANY, "x-amz-source-expected-bucket-owner: 111122223333", 400, "belongs to a copy"),
    (ANY, "x-amz-replication-status: REPLICA", 400, "says it is a replica"),
    (ANY, "x-amz-fwd-status: 200", 400, "belongs to Object Lambda"),
    (ANY, "x-amz-yet-to-come: 1", 400, "what S3 may have tomorrow"),
    (ANY, "x-amz-: 1", 400, "the name alone"),
    (ANY, "X-AMZ-ACL: public-read", 400, "in capitals"),
    (ANY, "x-http-method-override: DELETE", 400, "another method"),
    (ANY, "x-http-method: DELETE", 400, "another method"),
    (ANY, "x-method-override: DELETE", 400, "another method"),
    (&["GET", "DELETE"], "x-amz-meta-owner: alice", 400, "metadata on what has none"),
    (&["DELETE"], "x-amz-checksum-crc32: AAAAAA==", 400, "a checksum of nothing"),
    (&["GET", "DELETE"], "x-amz-sdk-checksum-algorithm: CRC32", 400, "a checksum of nothing"),
    (&["GET", "DELETE"], "x-amz-mp-object-size: 1", 400, "a size of nothing"),
    (WRITES, "x-amz-checksum-mode: ENABLED", 400, "belongs to reads"),
    (&["GET"], "x-amz-checksum-mode: disabled", 400, "no word of S3's"),
    (WRITES, "if-match: \"e\"", 400, "tells what is stored"),
    (WRITES, "if-unmodified-since: Thu, 01 Jan 2026 00:00:00 GMT", 400, "not honoured by S3"),
    (WRITES, "content-range: bytes 0-1/9", 400, "not honoured by S3"),
    (&["PUT"], "content-encoding: aws-chunked", 400, "wraps the body"),
    (&["PUT"], "content-encoding: gzip,AWS-Chunked", 400, "wraps the body"),
    (&["PUT"], "x-amz-checksum-crc65: AAAAAA==", 400, "a checksum that S3 does not have"),
    (&["PUT"], "x-amz-checksum-: AAAAAA==", 400, "the beginning of a checksum's name"),
    (&["PUT"], "x-amz-meta-other: 1", 400, "metadata that the rule does not have"),
    (&["PUT"], "x-amz-checksum-crc32: \u{20}\u{e9}", 400, "no checksum"),
];
