//! Headers that do not lead to a refusal, because the function removes them.

use super::Scene;
use super::Who::Alice;

#[test]
fn what_s3_has_no_use_for_does_not_reach_it() {
    let scene = Scene::set();
    for headers in [
        &["x_amz_copy_source: files/users/bob/x"][..],
        &["Connection: x-amz-copy-source", "x-amz-copy-source: files/users/bob/x"],
        &["Connection: x-amz-acl, x-amz-grant-read", "x-amz-acl: public-read", "x-amz-grant-read: id=1"],
        &["x-amz-user-agent: aws-sdk-js/3", "x-amz-cf-id: a"],
        &["x-amz-date: 20260101T000000Z", "x-amz-api-version: 2006-03-01"],
        &["Cookie: a=b", "Forwarded: for=192.0.2.1", "X-Forwarded-Host: b", "X-Original-URL: /users/bob/x"],
        &["TE: trailers", "Range: bytes=0-1", "Origin: https://evil.example"],
    ] {
        let request = scene.request(Alice, "PUT /users/alice/new", headers, "hers");
        let answer = scene.stage.viewer.raw(&request);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{headers:?}: {answer}");
        let log = scene.stage.bucket_log();
        let [line] = log.as_slice() else { panic!("{headers:?}: {log:?}") };
        assert_eq!((line.path.as_str(), line.query.as_str()), ("/files/users/alice/new", ""), "{headers:?}");
        assert_eq!(line.operation.as_deref(), Some("PutObject"), "{headers:?}");
        assert_eq!(line.amz_headers, [("x-amz-meta-owner".to_owned(), "alice".to_owned())], "{headers:?}");
        assert_eq!(std::fs::read_to_string(scene.stage.file("users/alice/new")).unwrap(), "hers");
        assert_eq!(scene.stage.ask(&scene.alice, "DELETE", "/users/alice/new", &[], "").status, 204);
        scene.stage.bucket_log();
    }
    scene.ends(&[]);
}
