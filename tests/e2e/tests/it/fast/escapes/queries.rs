//! Query parameters that change the operation.

use super::Who::Alice;
use super::{Attempt, Scene};

#[test]
fn no_subresource_of_an_object_or_of_the_bucket_can_be_asked_for() {
    let mut scene = Scene::set();
    let mut surprises = Vec::new();
    let targets = OF_OBJECTS.iter().flat_map(|name| {
        [format!("/users/alice/x?{name}"), format!("/users/alice/x?{name}="), format!("/users/bob/x?{name}")]
    });
    let targets = targets.chain(OF_BUCKETS.iter().map(|name| format!("/?{name}")));
    for target in targets.collect::<Vec<_>>() {
        for method in ["GET", "HEAD", "PUT", "POST", "DELETE"] {
            let request = scene.request(Alice, &format!("{method} {target}"), &[], "");
            surprises.extend(scene.surprise(&request, 400, "a subresource"));
        }
    }
    scene.ends(&surprises);
}

#[test]
fn no_other_query_is_asked_of_s3() {
    Scene::set().refuses(&QUERIES);
}

const OF_OBJECTS: [&str; 12] = [
    "acl",
    "attributes",
    "encryption",
    "legal-hold",
    "renameObject",
    "restore",
    "retention",
    "select&select-type=2",
    "tagging",
    "torrent",
    "%61cl",
    "ACL",
];

const OF_BUCKETS: [&str; 32] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "delete",
    "encryption",
    "events",
    "intelligent-tiering",
    "inventory",
    "lifecycle",
    "list-type=1&prefix=users/alice/",
    "location",
    "logging",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "prefix=users/alice/",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "session",
    "tagging",
    "uploads",
    "uploads&prefix=users/alice/",
    "versioning",
    "versions",
    "versions&prefix=users/alice/",
    "website",
];

const DELETE_BOBS: &str = "<Delete><Object><Key>users/bob/x</Key></Object></Delete>";
const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nusers/bob/x\r\n--b\r\n\
     Content-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nevil\r\n--b--\r\n";
const FORM_TYPE: &[&str] = &["Content-Type: multipart/form-data; boundary=b"];

#[rustfmt::skip]
const QUERIES: [Attempt; 62] = [
    (Alice, "POST /?delete", &[], DELETE_BOBS, 400, "DeleteObjects names keys in its body"),
    (Alice, "POST /users/alice/?delete", &[], DELETE_BOBS, 400, "DeleteObjects below a key"),
    (Alice, "POST /users/alice/x?delete", &[], DELETE_BOBS, 400, "DeleteObjects on a key"),
    (Alice, "POST /users/alice/x?uploads&delete", &[], DELETE_BOBS, 400, "DeleteObjects with a marker of an upload"),
    (Alice, "POST /", FORM_TYPE, FORM, 400, "a form names its key in its body"),
    (Alice, "POST /users/alice/x", FORM_TYPE, FORM, 400, "a form, on a key of hers"),
    (Alice, "POST /users/alice/", FORM_TYPE, FORM, 400, "a form, on her folder"),
    (Alice, "POST /users/alice/x", &[], "", 400, "a POST of nothing"),
    (Alice, "GET /users/alice/x?versionId=", &[], "", 400, "a version without an id"),
    (Alice, "GET /users/alice/x?versionId", &[], "", 400, "a version without an id"),
    (Alice, "GET /users/alice/x?versionId=a&versionId=b", &[], "", 400, "two versions"),
    (Alice, "GET /users/alice/x?versionId=a&version%49d=b", &[], "", 400, "two versions, one encoded"),
    (Alice, "GET /users/alice/x?versionid=null", &[], "", 400, "no parameter of S3's"),
    (Alice, "GET /users/alice/x?versionId=a%20b", &[], "", 400, "no id"),
    (Alice, "DELETE /users/alice/x?versionId=null", &[], "", 400, "a version is removed for good"),
    (Alice, "PUT /users/alice/x?versionId=null", &[], "evil", 400, "a version on a write"),
    (Alice, "POST /users/alice/x?uploads&versionId=null", &[], "", 400, "a version on an upload"),
    (Alice, "GET /users/alice/x?partNumber=1", &[], "", 400, "a part of an object"),
    (Alice, "GET /users/alice/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=b&X-Amz-Expires=9&X-Amz-SignedHeaders=host&X-Amz-Signature=c", &[], "", 400, "a presigned URL"),
    (Alice, "GET /users/bob/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=c", &[], "", 400, "a presigned URL of Bob's"),
    (Alice, "GET /users/alice/x?x-amz-signature=c", &[], "", 400, "in small letters"),
    (Alice, "GET /users/alice/x?X%2DAmz-Signature=c", &[], "", 400, "encoded"),
    (Alice, "GET /users/alice/x?AWSAccessKeyId=a&Expires=1&Signature=b", &[], "", 400, "a presigned URL of the old kind"),
    (Alice, "GET /users/alice/x?X-Amz-Security-Token=a", &[], "", 400, "somebody's session"),
    (Alice, "PUT /users/alice/x?x-amz-copy-source=files/users/bob/x", &[], "", 400, "a header in the query"),
    (Alice, "PUT /users/alice/x?x-amz-acl=public-read", &[], "", 400, "a header in the query"),
    (Alice, "GET /users/alice/x?_method=DELETE", &[], "", 400, "another method"),
    (Alice, "GET /users/alice/x?X-HTTP-Method-Override=DELETE", &[], "", 400, "another method"),
    (Alice, "GET /users/alice/x?x-id=DeleteObject", &[], "", 400, "another operation's name"),
    (Alice, "PUT /users/alice/x?x-id=CopyObject", &[], "", 400, "another operation's name"),
    (Alice, "GET /users/alice/x?x-id=GetObject&x-id=GetObject", &[], "", 400, "the right name, twice"),
    (Alice, "GET /users/alice/x?list-type=2&prefix=users/bob/", &[], "", 400, "a listing below a key"),
    (Alice, "GET /users/?list-type=2&prefix=users/alice/", &[], "", 400, "a listing below a folder"),
    (Alice, "GET /users/alice/x?prefix=users/bob/", &[], "", 400, "a listing below a key"),
    (Alice, "GET /users/alice/x?response-content-type=text/html", &[], "", 400, "an override that the rule does not have"),
    (Alice, "GET /users/alice/x?response-content-disposition=a&response-content-disposition=b", &[], "", 400, "an override, twice"),
    (Alice, "GET /users/alice/x?response-content-disposition=a%0d%0ab", &[], "", 400, "an override that splits the answer"),
    (Alice, "GET /users/alice/x?response-content-disposition=", &[], "", 400, "an override by nothing"),
    (Alice, "PUT /users/alice/x?response-content-disposition=inline", &[], "", 400, "an override on a write"),
    (Alice, "GET /users/alice/x?uploads", &[], "", 400, "an upload's begin, read"),
    (Alice, "PUT /users/alice/x?uploads", &[], "", 400, "an upload's begin, put"),
    (Alice, "DELETE /users/alice/x?uploads", &[], "", 400, "an upload's begin, deleted"),
    (Alice, "HEAD /users/alice/up?uploadId={alice}", &[], "", 400, "ListParts has no HEAD"),
    (Alice, "POST /users/alice/x?uploads=1", &[], "", 400, "a marker has no value"),
    (Alice, "POST /users/alice/up?uploads&uploadId={alice}", &[], "", 400, "begin and end at once"),
    (Alice, "PUT /users/alice/up?uploadId={alice}", &[], "", 400, "no part"),
    (Alice, "PUT /users/alice/up?partNumber=1", &[], "", 400, "no upload: S3 takes it for a whole object"),
    (Alice, "PUT /users/alice/up?partNumber=0&uploadId={alice}", &[], "", 400, "parts begin with one"),
    (Alice, "PUT /users/alice/up?partNumber=10001&uploadId={alice}", &[], "", 400, "and end with 10,000"),
    (Alice, "PUT /users/alice/up?partNumber=01&uploadId={alice}", &[], "", 400, "a number has one spelling"),
    (Alice, "PUT /users/alice/up?partNumber=1&partNumber=2&uploadId={alice}", &[], "", 400, "two parts"),
    (Alice, "PUT /users/alice/up?partNumber=1&uploadId={alice}&uploadId={bob}", &[], "", 400, "two uploads"),
    (Alice, "GET /users/alice/up?uploadId={alice}&versionId=null", &[], "", 400, "two operations"),
    (Alice, "DELETE /users/alice/up?uploadId={alice}&partNumber=1", &[], "", 400, "no operation"),
    (Alice, "GET /users/alice/up?uploadId={alice}&max-parts=1001", &[], "", 400, "more than a page"),
    (Alice, "GET /users/alice/x?&acl", &[], "", 400, "an empty parameter"),
    (Alice, "GET /users/alice/x?=acl", &[], "", 400, "a nameless parameter"),
    (Alice, "GET /users/alice/x?;acl", &[], "", 400, "another separator"),
    (Alice, "GET /users/alice/x?a%00cl", &[], "", 400, "a control character"),
    (Alice, "GET /users/alice/x?%", &[], "", 400, "no escape"),
    (Alice, "GET /users/alice/x?a+cl", &[], "", 400, "a plus is a space to some"),
    (Alice, "GET /users/alice/x?a?acl", &[], "", 400, "a second question mark"),
];
