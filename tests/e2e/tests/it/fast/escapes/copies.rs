//! Copies: S3 would read anybody's object and write it to a key that Alice may read.

use super::Who::Alice;
use super::{Attempt, Scene};

#[test]
fn nobodys_object_is_copied() {
    Scene::set().refuses(&COPIES);
}

#[rustfmt::skip]
const COPIES: [Attempt; 22] = [
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: files/users/bob/x"], "", 400, "CopyObject"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: /files/users/bob/x"], "", 400, "CopyObject, with a slash"),
    (Alice, "PUT /users/alice/c", &["X-AMZ-COPY-SOURCE: files/users/bob/x"], "", 400, "in capitals"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: files%2Fusers%2Fbob%2Fx"], "", 400, "encoded"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: files/users/bob/x?versionId=null"], "", 400, "a version"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: arn:aws:s3:us-east-1:111122223333:accesspoint/a/object/users/bob/x"], "", 400, "by access point"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: files/users/alice/x"], "", 400, "even her own"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source:"], "", 400, "empty"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: files/users/alice/x", "x-amz-copy-source: files/users/bob/x"], "", 400, "twice"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: files/users/bob/x", "x-amz-metadata-directive: REPLACE"], "", 400, "with new metadata"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source: files/users/bob/x"], "body", 400, "with a body, like an upload"),
    (Alice, "PUT /users/alice/c?x-id=CopyObject", &["x-amz-copy-source: files/users/bob/x"], "", 400, "as SDKs name it"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source-range: bytes=0-1"], "", 400, "a part of it"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source-if-match: *"], "", 400, "its condition alone"),
    (Alice, "PUT /users/alice/c", &["x-amz-copy-source-server-side-encryption-customer-algorithm: AES256"], "", 400, "its key alone"),
    (Alice, "PUT /users/alice/up?partNumber=2&uploadId={alice}", &["x-amz-copy-source: files/users/bob/x"], "", 400, "UploadPartCopy"),
    (Alice, "PUT /users/alice/up?partNumber=2&uploadId={alice}", &["x-amz-copy-source: files/users/bob/x", "x-amz-copy-source-range: bytes=0-1"], "", 400, "UploadPartCopy of a range"),
    (Alice, "PUT /users/alice/up?partNumber=2&uploadId={alice}&x-id=UploadPartCopy", &["x-amz-copy-source: files/users/bob/x"], "", 400, "UploadPartCopy as SDKs name it"),
    (Alice, "POST /users/alice/c?uploads", &["x-amz-copy-source: files/users/bob/x"], "", 400, "on an upload's begin"),
    (Alice, "GET /users/alice/x", &["x-amz-copy-source: files/users/bob/x"], "", 400, "on a read"),
    (Alice, "PUT /users/alice/c?renameObject", &["x-amz-rename-source: users/bob/x"], "", 400, "RenameObject of directory buckets"),
    (Alice, "COPY /users/bob/x", &["Destination: /users/alice/c"], "", 403, "WebDAV's copy"),
];
