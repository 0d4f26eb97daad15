//! Uploads that a rule does not allow, and other people's uploads.

use super::Who::Alice;
use super::{Attempt, Scene};

#[test]
fn nothing_is_uploaded_beyond_the_rules() {
    Scene::set().refuses(&UPLOADS);
}

const PNG: &str = "Content-Type: image/png";

#[rustfmt::skip]
const UPLOADS: [Attempt; 46] = [
    (Alice, "PUT /users/bob/up?partNumber=2&uploadId={bob}", &[], "evil", 403, "a part into Bob's upload"),
    (Alice, "PUT /users/bob/up?partNumber=1&uploadId={bob}", &[], "evil", 403, "a part in the place of Bob's"),
    (Alice, "PUT /users/bob/up?partNumber=1&uploadId={alice}", &[], "evil", 403, "her upload on Bob's key"),
    (Alice, "GET /users/bob/up?uploadId={bob}", &[], "", 403, "the parts of Bob's"),
    (Alice, "GET /users/bob/up?uploadId={alice}", &[], "", 403, "her upload on Bob's key"),
    (Alice, "DELETE /users/bob/up?uploadId={bob}", &[], "", 403, "gives up Bob's"),
    (Alice, "DELETE /users/bob/up?uploadId={alice}", &[], "", 403, "her upload on Bob's key"),
    (Alice, "POST /users/bob/up?uploadId={bob}", &[], "<CompleteMultipartUpload/>", 403, "completes Bob's"),
    (Alice, "POST /users/bob/up?uploadId={alice}", &[], "<CompleteMultipartUpload/>", 403, "her upload to Bob's key"),
    (Alice, "POST /users/bob/new?uploads", &[], "", 403, "begins one for Bob"),
    (Alice, "POST /users/%62ob/new?uploads", &[], "", 403, "begins one for Bob"),
    (Alice, "POST /users/alice/../bob/up?uploadId={bob}", &[], "<CompleteMultipartUpload/>", 400, "completes Bob's, by another path"),
    (Alice, "PUT /users/alice/sealed/x", &[], "evil", 403, "where a deny rule stands"),
    (Alice, "PUT /users/alice/%73ealed/x", &[], "evil", 403, "encoded"),
    (Alice, "PUT /users/alice%2Fsealed%2Fx", &[], "evil", 403, "encoded"),
    (Alice, "PUT /users/alice/a/sealed/b/x", &[], "evil", 403, "deeper"),
    (Alice, "POST /users/alice/sealed/x?uploads", &[], "", 403, "in parts"),
    (Alice, "PUT /users/alice/sealed/x?partNumber=1&uploadId={alice}", &[], "evil", 403, "a part"),
    (Alice, "POST /users/alice/sealed/x?uploadId={alice}", &[], "<CompleteMultipartUpload/>", 403, "the end of one"),
    (Alice, "PUT /pictures/bob/a", &[PNG], "evil", 403, "another's pictures"),
    (Alice, "PUT /pictures/alice/a", &[], "x", 415, "no type"),
    (Alice, "PUT /pictures/alice/a", &["Content-Type: text/html"], "x", 415, "another type"),
    (Alice, "PUT /pictures/alice/a", &["Content-Type: image/png, text/html"], "x", 415, "two types in one"),
    (Alice, "PUT /pictures/alice/a", &[PNG, "Content-Type: text/html"], "x", 415, "two types"),
    (Alice, "PUT /pictures/alice/a", &["Content-Type: image"], "x", 415, "half a type"),
    (Alice, "PUT /pictures/alice/a", &["Content-Type: image/"], "x", 415, "half a type"),
    (Alice, "PUT /pictures/alice/a", &["Content-Type: text/html; a=image/png"], "x", 415, "a parameter"),
    (Alice, "POST /pictures/alice/a?uploads", &["Content-Type: text/html"], "", 415, "another type, in parts"),
    (Alice, "PUT /pictures/alice/a", &[PNG, "Content-Length: 16000001"], "", 413, "too large by a byte"),
    (Alice, "PUT /pictures/alice/a", &[PNG, "Content-Length: 9223372036854775807"], "", 413, "as large as can be said"),
    (Alice, "PUT /pictures/alice/a", &[PNG, "Transfer-Encoding: chunked"], "1\r\nx\r\n0\r\n\r\n", 411, "of no said length"),
    (Alice, "PUT /pictures/alice/a", &[PNG, "Transfer-Encoding: chunked", "x-amz-decoded-content-length: 1"], "1\r\nx\r\n0\r\n\r\n", 400, "of a length said otherwise"),
    (Alice, "PUT /pictures/alice/up?partNumber=1&uploadId={alice}", &["Content-Length: 16000001"], "", 413, "a part too large"),
    (Alice, "PUT /pictures/alice/up?partNumber=1&uploadId={alice}", &["Transfer-Encoding: chunked"], "0\r\n\r\n", 411, "a part of no said length"),
    (Alice, "POST /pictures/alice/up?uploadId={alice}", &[], "<CompleteMultipartUpload/>", 411, "a whole of no said size"),
    (Alice, "POST /pictures/alice/up?uploadId={alice}", &["x-amz-mp-object-size: 16000001"], "<CompleteMultipartUpload/>", 413, "a whole too large"),
    (Alice, "POST /pictures/alice/up?uploadId={alice}", &["x-amz-mp-object-size: 1", "x-amz-mp-object-size: 2"], "<CompleteMultipartUpload/>", 400, "two sizes"),
    (Alice, "POST /pictures/alice/up?uploadId={alice}", &["x-amz-mp-object-size: -1"], "<CompleteMultipartUpload/>", 400, "no size"),
    (Alice, "PUT /pictures/alice/a", &[PNG, "x-amz-meta-owner: bob"], "x", 403, "in Bob's name"),
    (Alice, "PUT /users/alice/new", &["x-amz-meta-owner: bob"], "x", 403, "in Bob's name"),
    (Alice, "PUT /users/alice/new", &["x-amz-meta-owner: Alice"], "x", 403, "in another spelling"),
    (Alice, "PUT /users/alice/new", &["x-amz-meta-owner: alice", "x-amz-meta-owner: bob"], "x", 400, "in two names"),
    (Alice, "POST /users/alice/new?uploads", &["x-amz-meta-owner: bob"], "", 403, "in Bob's name, in parts"),
    (Alice, "PUT /pictures/alice/a", &[PNG, "if-none-match: \"e\""], "x", 400, "another condition than the rule's"),
    (Alice, "PUT /pictures/alice/a", &[PNG, "x-amz-checksum-crc32: jNwWgw=="], "x", 400, "a checksum that the rule does not let through"),
    (Alice, "DELETE /pictures/alice/a", &[], "", 403, "a rule that deletes nothing"),
];

/// The function cannot know who owns an upload id, and does not need to: at S3, an upload belongs to one key.
#[test]
fn the_id_of_anothers_upload_is_of_no_use_on_her_own_key() {
    let scene = Scene::set();
    for (first_line, operation) in [
        ("GET /users/alice/up?uploadId={bob}", "ListParts"),
        ("PUT /users/alice/up?partNumber=1&uploadId={bob}", "UploadPart"),
        ("POST /users/alice/up?uploadId={bob}", "CompleteMultipartUpload"),
        ("DELETE /users/alice/up?uploadId={bob}", "AbortMultipartUpload"),
    ] {
        let body = if operation == "CompleteMultipartUpload" { COMPLETE } else { "" };
        let answer = scene.stage.viewer.raw(&scene.request(Alice, first_line, &[], body));
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("NoSuchUpload"), "{answer}");
        assert_eq!(scene.stage.bucket_lines(), [format!("{operation} /users/alice/up 404")]);
    }
    scene.ends(&[]);
}

const COMPLETE: &str = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <Part><PartNumber>1</PartNumber><ETag>\"9f9d51bc70ef21ca5c14f307980a29d8\"</ETag></Part></CompleteMultipartUpload>";
