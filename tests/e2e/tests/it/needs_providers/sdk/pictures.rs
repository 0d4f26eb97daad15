//! Uploads under a rule with conditions: a limit, a type, an owner, and no overwriting.

use std::fs;

use serde_json::{Value, json};

use super::{Scene, digest, digest_of, fill};

const MIB: usize = 1024 * 1024;

/// Uploads two parts, and returns the argument that completes them.
fn parts(scene: &mut Scene, key: &str, sizes: &[usize]) -> Value {
    let begun = scene.alice("create_multipart_upload", json!({"Key": key, "ContentType": "image/png"}));
    let id = &begun.result()["UploadId"];
    let mut uploaded = Vec::new();
    for (number, size) in (1..).zip(sizes) {
        let body = number.to_string().repeat(*size);
        let part = json!({"Key": key, "UploadId": id, "PartNumber": number, "Body": body});
        let etag = scene.alice("upload_part", part).result()["ETag"].clone();
        uploaded.push(json!({"PartNumber": number, "ETag": etag}));
    }
    json!({"Key": key, "UploadId": id, "MultipartUpload": {"Parts": uploaded}})
}

fn saying(complete: &Value, size: usize) -> Value {
    let mut complete = complete.clone();
    complete["MpuObjectSize"] = json!(size);
    complete
}

#[test]
fn the_parts_of_an_upload_are_listed_completed_and_given_up() {
    let Some(mut scene) = Scene::set() else { return };
    let key = "users/alice/film";
    let complete = parts(&mut scene, key, &[5 * MIB, 5 * MIB, 3]);
    let id = &complete["UploadId"];
    let listed = scene.alice("list_parts", json!({"Key": key, "UploadId": id, "MaxParts": 2}));
    let sizes = listed.result()["Parts"].as_array().unwrap().iter().map(|part| part["Size"].clone());
    assert_eq!(sizes.collect::<Vec<_>>(), [json!(5 * MIB), json!(5 * MIB)]);
    let next = json!({"Key": key, "UploadId": id, "PartNumberMarker": 2});
    assert_eq!(scene.alice("list_parts", next).result()["Parts"][0]["Size"], 3);
    // Bob knows the id, but cannot use it, for this key or for his own.
    for name in ["list_parts", "abort_multipart_upload"] {
        assert_eq!(scene.bob(name, json!({"Key": key, "UploadId": id})).refused(), 403, "{name}");
        assert_eq!(
            scene.bob(name, json!({"Key": "users/bob/film", "UploadId": id})).refused(),
            404,
            "{name}"
        );
    }
    scene.alice("complete_multipart_upload", complete.clone()).result();
    let mut whole = "1".repeat(5 * MIB) + &"2".repeat(5 * MIB);
    whole += "333";
    assert_eq!(digest_of(&scene.stage.file(key)), digest(whole.as_bytes()));

    let complete = parts(&mut scene, key, &[3]);
    scene.alice("abort_multipart_upload", json!({"Key": key, "UploadId": complete["UploadId"]})).result();
    assert_eq!(scene.alice("complete_multipart_upload", complete.clone()).refused(), 404);
    assert_eq!(
        scene.alice("list_parts", json!({"Key": key, "UploadId": complete["UploadId"]})).refused(),
        404
    );
    assert_eq!(digest_of(&scene.stage.file(key)), digest(whole.as_bytes()), "the object stays");
}

#[test]
fn a_picture_is_uploaded_once_and_bears_its_owners_name() {
    let Some(mut scene) = Scene::set() else { return };
    let key = "pictures/alice/a.png";
    let picture = json!({"Key": key, "Body": "first", "ContentType": "image/png"});
    scene.alice("put_object", picture.clone()).result();
    let head = scene.alice("head_object", json!({"Key": key}));
    assert_eq!(head.result()["Metadata"], json!({"owner": "alice"}));
    assert_eq!(scene.alice("put_object", picture).refused(), 412);
    let complete = parts(&mut scene, key, &[5]);
    assert_eq!(scene.alice("complete_multipart_upload", saying(&complete, 5)).refused(), 412);
    assert_eq!(fs::read_to_string(scene.stage.file(key)).unwrap(), "first");

    scene.stage.bucket_log();
    for (args, status) in [
        (json!({"Key": "pictures/alice/b.png", "Body": "x"}), 415),
        (json!({"Key": "pictures/alice/b.png", "Body": "x", "ContentType": "text/html"}), 415),
        (
            json!({"Key": "pictures/alice/b.png", "Body": "x".repeat(16_000_001), "ContentType": "image/png"}),
            413,
        ),
        (json!({"Key": "pictures/bob/b.png", "Body": "x", "ContentType": "image/png"}), 403),
        (json!({"Key": "pictures/alice/sealed/b.png", "Body": "x", "ContentType": "image/png"}), 403),
    ] {
        assert_eq!(scene.alice("put_object", args).refused(), status);
    }
    assert!(scene.stage.bucket_log().is_empty());
    assert_eq!(scene.stage.keys(), [key]);
}

#[test]
fn a_picture_in_parts_says_its_size_and_is_held_to_it() {
    let Some(mut scene) = Scene::set() else { return };
    let key = "pictures/alice/a.png";
    let complete = parts(&mut scene, key, &[5 * MIB, 3]);
    scene.stage.bucket_log();
    assert_eq!(scene.alice("complete_multipart_upload", complete.clone()).refused(), 411, "says nothing");
    assert_eq!(scene.alice("complete_multipart_upload", saying(&complete, 16_000_001)).refused(), 413);
    assert!(scene.stage.bucket_log().is_empty());
    assert_eq!(scene.alice("complete_multipart_upload", saying(&complete, 5)).refused(), 400, "S3 counts");
    assert_eq!(scene.stage.bucket_log().len(), 1);
    scene.alice("complete_multipart_upload", saying(&complete, 5 * MIB + 3)).result();
    assert_eq!(scene.stage.file(key).metadata().unwrap().len(), 5 * 1024 * 1024 + 3);

    // The transfer manager does not send the size by default, but passes on a given one.
    let file = scene.stage.folder().join("file");
    let sha256 = fill(&file, 12_000_000);
    let mut upload = json!({
        "Filename": file, "Key": "pictures/alice/b.png", "ExtraArgs": {"ContentType": "image/png"},
    });
    assert_eq!(scene.alice("upload_file", upload.clone()).refused(), 411);
    assert_eq!(scene.stage.keys(), [key], "and it gives the parts up itself");
    upload["ExtraArgs"]["MpuObjectSize"] = json!(12_000_000);
    scene.alice("upload_file", upload).result();
    assert_eq!(digest_of(&scene.stage.file("pictures/alice/b.png")), sha256);
}
