//! Single objects.

use serde_json::json;

use super::Scene;

#[test]
fn an_object_is_kept_with_its_headers_its_metadata_and_the_name_of_its_owner() {
    let Some(mut scene) = Scene::set() else { return };
    let put = json!({
        "Key": "users/alice/a.txt", "Body": "hello", "ContentType": "text/plain", "CacheControl": "no-cache",
        "ContentDisposition": "inline", "ContentLanguage": "en", "Metadata": {"label": "letter"},
    });
    let etag = scene.alice("put_object", put).result()["ETag"].clone();
    assert_eq!(
        scene.stage.bucket_log()[0].amz_headers,
        [
            ("x-amz-meta-label".to_owned(), "letter".to_owned()),
            ("x-amz-meta-owner".to_owned(), "alice".to_owned()),
        ]
    );
    let head = scene.alice("head_object", json!({"Key": "users/alice/a.txt"}));
    let head = head.result();
    assert_eq!(head["Metadata"], json!({"label": "letter", "owner": "alice"}));
    assert_eq!((&head["ETag"], &head["ContentLength"]), (&etag, &json!(5)));
    assert_eq!((&head["ContentType"], &head["CacheControl"]), (&json!("text/plain"), &json!("no-cache")));
    let get = scene.alice("get_object", json!({"Key": "users/alice/a.txt"}));
    assert_eq!((&get.result()["Body"], &get.result()["ContentLanguage"]), (&json!("hello"), &json!("en")));

    // Another owner in the metadata is refused, and so is a label that the rule does not allow.
    scene.stage.bucket_log();
    for (metadata, status) in [(json!({"owner": "bob"}), 403), (json!({"mode": "33188"}), 400)] {
        let put = json!({"Key": "users/alice/a.txt", "Body": "again", "Metadata": metadata});
        assert_eq!(scene.alice("put_object", put).refused(), status);
    }
    assert!(scene.stage.bucket_log().is_empty());
}

#[test]
fn keys_of_all_kinds_are_what_the_sdk_says_they_are() {
    let Some(mut scene) = Scene::set() else { return };
    let keys = [
        "a b.txt",
        "a+b.txt",
        "é ü €.txt",
        "100%.txt",
        "%2F",
        "a&b=c?d#e",
        "~'()*!;:@$,",
        "日本/語",
        "folder/",
    ];
    let keys = keys.map(|name| format!("users/alice/{name}"));
    for key in &keys {
        scene.alice("put_object", json!({"Key": key, "Body": key})).result();
    }
    for key in &keys {
        let get = scene.alice("get_object", json!({"Key": key}));
        assert_eq!(get.result()["Body"], json!(key));
        assert_eq!(scene.bob("get_object", json!({"Key": key})).refused(), 403);
        assert_eq!(scene.bob("delete_object", json!({"Key": key})).refused(), 403);
    }
    let listed = scene.alice("list_objects_v2", json!({"Prefix": "users/alice/"}));
    let contents = listed.result()["Contents"].as_array().unwrap().iter();
    let mut expected = keys.clone();
    expected.sort();
    assert_eq!(contents.map(|one| one["Key"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    for key in &keys {
        scene.alice("delete_object", json!({"Key": key})).result();
    }
    assert!(scene.stage.keys().is_empty(), "{:?}", scene.stage.keys());
}

#[test]
fn conditions_ranges_versions_and_response_headers_are_s3s_to_answer() {
    let Some(mut scene) = Scene::set() else { return };
    let key = "users/alice/a.txt";
    let put = scene.alice("put_object", json!({"Key": key, "Body": "0123456789"}));
    let etag = &put.result()["ETag"];
    for (name, more, expected) in [
        ("get_object", json!({"IfMatch": etag}), Ok("0123456789")),
        ("get_object", json!({"IfMatch": "\"other\""}), Err(412)),
        ("get_object", json!({"IfNoneMatch": etag}), Err(304)),
        ("head_object", json!({"IfNoneMatch": etag}), Err(304)),
        ("get_object", json!({"IfModifiedSince": "2099-01-01T00:00:00Z"}), Err(304)),
        ("get_object", json!({"IfUnmodifiedSince": "2001-01-01T00:00:00Z"}), Err(412)),
        ("get_object", json!({"Range": "bytes=2-4"}), Ok("234")),
        ("get_object", json!({"Range": "bytes=-2"}), Ok("89")),
        ("get_object", json!({"Range": "bytes=20-"}), Err(416)),
        ("get_object", json!({"VersionId": "null"}), Ok("0123456789")),
        ("get_object", json!({"VersionId": "null", "Range": "bytes=0-0"}), Ok("0")),
        (
            "get_object",
            json!({"ResponseContentDisposition": "attachment; filename=\"a.txt\""}),
            Ok("0123456789"),
        ),
    ] {
        let mut args = more.clone();
        args["Key"] = json!(key);
        let called = scene.alice(name, args);
        match expected {
            Ok(body) => assert_eq!(called.result()["Body"], body, "{more}"),
            Err(status) => assert_eq!(called.refused(), status, "{more}"),
        }
    }
    let args = json!({"Key": key, "ResponseContentDisposition": "attachment; filename=\"a.txt\""});
    let named = scene.alice("get_object", args);
    assert_eq!(named.result()["ContentDisposition"], "attachment; filename=\"a.txt\"");
    assert_eq!(
        scene.alice("head_object", json!({"Key": key, "VersionId": "null"})).result()["ContentLength"],
        10
    );
    let missing = scene.alice("get_object", json!({"Key": "users/alice/none"}));
    assert_eq!(missing.refused(), 404, "S3's own answer");
}

#[test]
fn what_the_sdk_can_ask_beyond_the_operations_is_refused_and_s3_not_asked() {
    let Some(mut scene) = Scene::set() else { return };
    scene.bob("put_object", json!({"Key": "users/bob/x", "Body": "bobs"})).result();
    scene.alice("put_object", json!({"Key": "users/alice/x", "Body": "hers"})).result();
    let upload = scene.alice("create_multipart_upload", json!({"Key": "users/alice/up"}));
    let upload = &upload.result()["UploadId"];
    let source = json!({"Bucket": "files", "Key": "users/bob/x"});
    scene.stage.bucket_log();
    for (name, args, status) in [
        ("get_object", json!({"Key": "users/bob/x"}), 403),
        ("head_object", json!({"Key": "users/bob/x"}), 403),
        ("put_object", json!({"Key": "users/bob/x", "Body": "evil"}), 403),
        ("delete_object", json!({"Key": "users/bob/x"}), 403),
        ("copy_object", json!({"Key": "users/alice/copy", "CopySource": source}), 400),
        (
            "upload_part_copy",
            json!({
                "Key": "users/alice/up", "UploadId": upload, "PartNumber": 1, "CopySource": source,
            }),
            400,
        ),
        ("delete_objects", json!({"Delete": {"Objects": [{"Key": "users/bob/x"}]}}), 400),
        ("get_object_acl", json!({"Key": "users/alice/x"}), 400),
        ("put_object_acl", json!({"Key": "users/alice/x", "ACL": "public-read"}), 400),
        ("get_object_tagging", json!({"Key": "users/alice/x"}), 400),
        ("get_object_attributes", json!({"Key": "users/alice/x", "ObjectAttributes": ["ETag"]}), 400),
        ("restore_object", json!({"Key": "users/alice/x", "RestoreRequest": {"Days": 1}}), 400),
        ("put_object", json!({"Key": "users/alice/x", "Body": "", "ACL": "public-read"}), 400),
        ("put_object", json!({"Key": "users/alice/x", "Body": "", "Tagging": "a=b"}), 400),
        ("put_object", json!({"Key": "users/alice/x", "Body": "", "StorageClass": "GLACIER"}), 400),
        ("put_object", json!({"Key": "users/alice/x", "Body": "", "ServerSideEncryption": "aws:kms"}), 400),
        ("put_object", json!({"Key": "users/alice/x", "Body": "", "WebsiteRedirectLocation": "/y"}), 400),
        ("put_object", json!({"Key": "users/alice/x", "Body": "", "IfMatch": "\"e\""}), 400),
        ("delete_object", json!({"Key": "users/alice/x", "VersionId": "null"}), 400),
        ("delete_object", json!({"Key": "users/alice/x", "IfMatch": "\"e\""}), 400),
        ("get_object", json!({"Key": "users/alice/x", "PartNumber": 1}), 400),
        ("get_object", json!({"Key": "users/alice/x", "ResponseContentType": "text/html"}), 400),
        ("list_objects", json!({"Prefix": "users/alice/"}), 400),
        ("list_object_versions", json!({"Prefix": "users/alice/"}), 400),
        ("list_multipart_uploads", json!({"Prefix": "users/alice/"}), 400),
        ("get_bucket_policy", json!({}), 400),
        ("get_bucket_acl", json!({}), 400),
        ("head_bucket", json!({}), 400),
    ] {
        assert_eq!(scene.alice(name, args.clone()).refused(), status, "{name} {args}");
        assert!(scene.stage.bucket_log().is_empty(), "{name} {args}");
    }
    assert_eq!(scene.alice("get_object", json!({"Key": "users/alice/x"})).result()["Body"], "hers");
    assert_eq!(scene.stage.bucket_lines(), ["GetObject /users/alice/x 200"]);
    assert_eq!(std::fs::read_to_string(scene.stage.file("users/bob/x")).unwrap(), "bobs");
    assert_eq!(scene.stage.keys(), ["users/alice/x", "users/bob/x"]);
}
