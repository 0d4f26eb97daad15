//! The checksums that the SDK sends, with its defaults and other settings, and the results.

use authorizer_e2e::sdk::{AS_ADVISED, BY_DEFAULT, OVER_HTTP, Set};
use authorizer_e2e::stage::Stage;
use serde_json::{Value, json};

use super::{Scene, digest_of, fill};

#[test]
fn over_https_the_sdk_by_itself_wraps_what_it_uploads_and_that_is_refused() {
    let Some(mut scene) = Scene::set() else { return };
    let put = scene.sdk.call(&scene.alice, BY_DEFAULT, "put_object", put());
    assert_eq!(put.refused(), 400);
    assert_eq!(
        put.sent()[0].telling_headers(),
        [
            "content-encoding",
            "transfer-encoding",
            "x-amz-content-sha256",
            "x-amz-decoded-content-length",
            "x-amz-sdk-checksum-algorithm",
            "x-amz-trailer",
        ]
    );
    let begun = scene.sdk.call(&scene.alice, BY_DEFAULT, "create_multipart_upload", json!({"Key": KEY}));
    let part = json!({"Key": KEY, "UploadId": begun.result()["UploadId"], "PartNumber": 1, "Body": "x"});
    assert_eq!(scene.sdk.call(&scene.alice, BY_DEFAULT, "upload_part", part).refused(), 400);
    let lines = scene.stage.bucket_lines();
    assert_eq!(lines, ["CreateMultipartUpload /users/alice/x 200"], "nothing else reached S3");
    assert!(scene.stage.keys().is_empty());
}

#[test]
fn set_as_advised_the_sdk_sends_nothing_that_a_policy_must_let_through() {
    let Some(mut scene) = Scene::set() else { return };
    for key in [KEY, "pictures/alice/x.png"] {
        let args = json!({"Key": key, "Body": "x", "ContentType": "image/png"});
        let put = scene.alice("put_object", args);
        put.result();
        assert!(put.sent()[0].telling_headers().is_empty(), "{put:?}");
        let get = scene.alice("get_object", json!({"Key": key}));
        assert_eq!(get.result()["Body"], "x");
        assert!(get.sent()[0].telling_headers().is_empty(), "{get:?}");
    }
    assert!(scene.stage.bucket_log().iter().all(|line| line.operation.is_some() && line.status == 200));
}

#[test]
fn a_checksum_that_the_caller_says_goes_in_a_header_and_is_verified() {
    let Some(mut scene) = Scene::set() else { return };
    let sha256_of_x = "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=";
    for (set, key, sum, expected) in [
        (AS_ADVISED, KEY, sha256_of_x, Ok(())),
        (BY_DEFAULT, KEY, sha256_of_x, Ok(())),
        // S3 compares the checksum with the received bytes.
        (AS_ADVISED, KEY, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Err(400)),
        // If the rule does not allow the checksum, the request does not reach S3.
        (AS_ADVISED, "pictures/alice/x.png", sha256_of_x, Err(400)),
    ] {
        scene.stage.bucket_log();
        let args = json!({"Key": key, "Body": "x", "ContentType": "image/png", "ChecksumSHA256": sum});
        let put = scene.sdk.call(&scene.alice, set, "put_object", args);
        assert_eq!(put.sent()[0].telling_headers(), ["x-amz-checksum-sha256"], "{set:?}");
        match expected {
            Ok(()) => assert_eq!(put.result()["ChecksumSHA256"], sum),
            Err(status) => assert_eq!(put.refused(), status, "{key}"),
        }
        let lets_through = key == KEY;
        assert_eq!(scene.stage.bucket_log().len(), usize::from(lets_through), "{key}");
    }
}

#[test]
fn over_plain_http_the_sdk_by_itself_sends_headers_that_a_rule_may_let_through() {
    let Some(mut scene) = Scene::set() else { return };
    let put = scene.sdk.call(&scene.alice, OVER_HTTP, "put_object", put());
    assert_eq!(put.result()["ChecksumCRC32"], "jNwWgw==");
    assert_eq!(put.sent()[0].telling_headers(), ["x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"]);
    let without = json!({"Key": "pictures/alice/x.png", "Body": "x", "ContentType": "image/png"});
    assert_eq!(scene.sdk.call(&scene.alice, OVER_HTTP, "put_object", without).refused(), 400);
}

/// Reads need no setting: the SDK requests the stored checksum from S3, and compares.
#[test]
fn by_itself_the_sdk_reads_lists_and_deletes() {
    let Some(mut scene) = Scene::set() else { return };
    scene.sdk.call(&scene.alice, OVER_HTTP, "put_object", put()).result();
    for set in [BY_DEFAULT, OVER_HTTP] {
        let get = call(&mut scene, set, "get_object", json!({"Key": KEY}));
        assert_eq!((&get["Body"], &get["ChecksumCRC32"]), (&json!("x"), &json!("jNwWgw==")));
        let head = call(&mut scene, set, "head_object", json!({"Key": KEY, "ChecksumMode": "ENABLED"}));
        assert_eq!(head["ChecksumCRC32"], "jNwWgw==");
        let list = call(&mut scene, set, "list_objects_v2", json!({"Prefix": "users/alice/"}));
        assert_eq!(list["KeyCount"], 1);
    }
    call(&mut scene, BY_DEFAULT, "delete_object", json!({"Key": KEY}));
    assert!(scene.stage.keys().is_empty());
}

#[test]
fn a_connection_with_tls_makes_no_other_requests() {
    let Some(mut scene) = Scene::on(Stage::start_https()) else { return };
    let wrapped = scene.sdk.call(&scene.alice, BY_DEFAULT, "put_object", put());
    assert_eq!(wrapped.refused(), 400);
    assert!(wrapped.sent()[0].telling_headers().contains(&"x-amz-trailer"), "{wrapped:?}");
    let file = scene.stage.folder().join("film");
    let sha256 = fill(&file, 20_000_000);
    let (up, down) = (file.to_str().unwrap(), scene.stage.folder().join("copy"));
    let named = |file: &str| json!({"Filename": file, "Key": KEY});
    scene.alice("upload_file", named(up)).result();
    assert_eq!(digest_of(&scene.stage.file(KEY)), sha256);
    scene.alice("download_file", named(down.to_str().unwrap())).result();
    assert_eq!(digest_of(&down), sha256);
    let list = scene.alice("list_objects_v2", json!({"Prefix": "users/alice/"}));
    assert_eq!(list.result()["KeyCount"], 1);
    assert_eq!(scene.bob("get_object", json!({"Key": KEY})).refused(), 403);
    scene.alice("delete_object", json!({"Key": KEY})).result();
    assert!(scene.stage.keys().is_empty());
}

const KEY: &str = "users/alice/x";

fn put() -> Value {
    json!({"Key": KEY, "Body": "x"})
}

fn call(scene: &mut Scene, set: Set, name: &str, args: Value) -> Value {
    scene.sdk.call(&scene.alice, set, name, args).result().clone()
}
