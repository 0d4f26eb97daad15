//! The SDK's transfer manager: large files, in parts, by several threads.

use std::collections::BTreeMap;
use std::fs;

use authorizer_e2e::sdk::{AS_ADVISED, OVER_HTTP, Set};
use serde_json::json;

use super::{Scene, digest_of, fill};

const SIZE: usize = 200_000_000;
const PART: usize = 8 * 1024 * 1024;

#[test]
fn two_hundred_megabytes_go_up_in_parts_and_come_down_byte_for_byte() {
    goes_up_and_comes_down(SIZE, AS_ADVISED);
}

#[test]
fn so_does_a_smaller_file_with_the_checksums_that_the_sdk_sends_over_plain_http() {
    goes_up_and_comes_down(3 * PART + 1, OVER_HTTP);
}

fn goes_up_and_comes_down(size: usize, set: Set) {
    let Some(mut scene) = Scene::set() else { return };
    let (up, down) = (scene.stage.folder().join("up"), scene.stage.folder().join("down"));
    let sha256 = fill(&up, size);
    let config = json!({"max_concurrency": 6, "multipart_threshold": PART, "multipart_chunksize": PART});

    let key = "users/alice/films/a film.bin";
    let uploaded = scene.sdk.call(
        &scene.alice,
        set,
        "upload_file",
        json!({
            "Filename": up, "Key": key, "Config": config, "ExtraArgs": {"Metadata": {"label": "200 MB"}},
        }),
    );
    uploaded.result();
    let parts = size.div_ceil(PART);
    let mut operations = BTreeMap::new();
    for report in scene.stage.bucket_log() {
        assert_eq!((report.path.as_str(), report.status), ("/files/users/alice/films/a%20film.bin", 200));
        *operations.entry(report.operation.unwrap()).or_insert(0) += 1;
    }
    let expected = [("CompleteMultipartUpload", 1), ("CreateMultipartUpload", 1), ("UploadPart", parts)];
    assert_eq!(operations, expected.map(|(name, times)| (name.to_owned(), times)).into());
    assert_eq!(digest_of(&scene.stage.file(key)), sha256, "in the bucket");

    scene
        .sdk
        .call(
            &scene.alice,
            set,
            "download_file",
            json!({
                "Filename": down, "Key": key, "Config": config,
            }),
        )
        .result();
    assert_eq!(digest_of(&down), sha256, "and back");
    let reads = scene.stage.bucket_lines();
    let ranges = reads.iter().filter(|line| line.starts_with("GetObject ")).count();
    assert_eq!(ranges, parts, "in ranges: {reads:?}");

    // Another user gets nothing, and no request reaches S3.
    fs::remove_file(&down).unwrap();
    let bob = scene.sdk.call(
        &scene.bob,
        set,
        "download_file",
        json!({
            "Filename": down, "Key": key, "Config": config,
        }),
    );
    assert_eq!(bob.refused(), 403);
    let over = scene.sdk.call(
        &scene.bob,
        set,
        "upload_file",
        json!({
            "Filename": up, "Key": key, "Config": config,
        }),
    );
    assert_eq!(over.refused(), 403);
    assert!(!down.exists() && scene.stage.bucket_lines().is_empty());
    assert_eq!(digest_of(&scene.stage.file(key)), sha256);
}
