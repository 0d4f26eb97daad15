//! What the bucket has on the disk: files that a person can open, what a person puts there, what a crash leaves.

use std::sync::Arc;

use authorizer_local::{BucketOptions, Credentials, EmbeddedS3, EmbeddedS3Error, Observer};
use aws_sigv4::http_request::SignableBody;
use http_body_util::BodyExt;
use tempfile::TempDir;

use crate::bucket::{Signing, sign_request};
use crate::support::{Answer, Heard, Stage, client, forward, text};

/// A bucket without a distribution, and how to ask it.
struct Bucket {
    s3: EmbeddedS3,
    credentials: Credentials,
}

impl Bucket {
    async fn start(data: &TempDir, options: BucketOptions) -> Result<Self, EmbeddedS3Error> {
        let credentials = Credentials::random().unwrap();
        let heard = Arc::new(Heard::default()) as Arc<dyn Observer>;
        let s3 =
            EmbeddedS3::start_with(data.path(), "files", &credentials, "us-east-1", heard, options).await?;
        Ok(Self { s3, credentials })
    }

    async fn ask(&self, method: &str, path: &str, body: &'static str) -> Answer {
        let signing = Signing {
            credentials: &self.credentials,
            region: "us-east-1",
            service: "s3",
            time: std::time::SystemTime::now(),
        };
        let url = format!("http://{}/files{path}", self.s3.addr());
        let request = sign_request(&signing, method, &url, SignableBody::UnsignedPayload, text(body));
        let (parts, body) = client().request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into(),
        }
    }
}

fn options(change: impl FnOnce(&mut BucketOptions)) -> BucketOptions {
    let mut options = BucketOptions::default();
    change(&mut options);
    options
}

#[tokio::test]
async fn the_body_of_an_object_is_a_file_with_its_name() {
    let stage = Stage::with(forward()).await;
    stage.ask("PUT", "/users/alice/photo%20(1).jpg", &[], "first").await;
    let first = stage.file("users/alice/photo (1).jpg");
    assert_eq!(std::fs::read_to_string(&first).unwrap(), "first");
    assert_eq!(first.parent().unwrap(), stage.folder("objects/users/alice"));
    let name = first.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("photo (1)~") && name.ends_with(".jpg"), "{name}");
    stage.ask("PUT", "/users/alice/photo%20(1).jpg", &[], "second").await;
    let second = stage.file("users/alice/photo (1).jpg");
    assert!(!first.exists() && second != first);
    assert_eq!(std::fs::read_to_string(&second).unwrap(), "second");
}

#[tokio::test]
async fn objects_and_what_is_known_of_them_outlive_a_restart() {
    let stage = Stage::with(forward()).await;
    let headers = [
        ("content-type", "text/x"),
        ("x-amz-meta-a", "b"),
        ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ];
    assert_eq!(stage.ask("PUT", "/a/b", &headers, "hello").await.status, 200);
    let before = stage.ask("GET", "/a/b", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    let stage = stage.restarted(forward()).await;
    let after = stage.ask("GET", "/a/b", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(after.body, "hello");
    for name in ["etag", "last-modified", "content-type", "x-amz-meta-a", "x-amz-checksum-sha256"] {
        assert_eq!(after.header(name), before.header(name), "{name}");
        assert_ne!(after.header(name), "", "{name}");
    }
}

#[tokio::test]
async fn a_folder_that_was_filled_by_hand_becomes_a_bucket() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("files");
    std::fs::create_dir_all(folder.join("users/alice")).unwrap();
    std::fs::write(folder.join("users/alice/a.txt"), "a").unwrap();
    std::fs::write(folder.join("import"), "a file of this name").unwrap();
    // As an older version stored `users/`.
    std::fs::write(folder.join("users/\u{1}"), "").unwrap();
    std::os::unix::fs::symlink("/etc", folder.join("link")).unwrap();
    let bucket = Bucket::start(&data, BucketOptions::default()).await.unwrap();
    let list = bucket.ask("GET", "/?list-type=2", "").await;
    assert_eq!(list.elements("Key"), ["import", "users/", "users/alice/a.txt"]);
    let get = bucket.ask("GET", "/users/alice/a.txt", "").await;
    assert_eq!((get.body.as_str(), get.header("etag")), ("a", "\"0cc175b9c0f1b6a831c399e269772661\""));
    bucket.s3.stop().await;

    // Later, what is put into `import`.
    let import = folder.join("import/users/bob");
    std::fs::create_dir_all(&import).unwrap();
    std::fs::write(import.join("b.txt"), "b").unwrap();
    std::fs::write(folder.join("import/import"), "newer").unwrap();
    let bucket = Bucket::start(&data, BucketOptions::default()).await.unwrap();
    assert_eq!(bucket.ask("GET", "/users/bob/b.txt", "").await.body, "b");
    assert_eq!(bucket.ask("GET", "/users/alice/a.txt", "").await.body, "a");
    assert_eq!(bucket.ask("GET", "/import", "").await.body, "newer");
    assert!(!import.exists(), "taken in");
    bucket.s3.stop().await;
}

#[tokio::test]
async fn a_bucket_that_lost_its_index_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let bucket = Bucket::start(&data, BucketOptions::default()).await.unwrap();
    let folder = data.path().join("files");
    bucket.s3.stop().await;
    for file in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        let _ = std::fs::remove_file(folder.join(file));
    }
    // Without a body, nothing is lost.
    Bucket::start(&data, BucketOptions::default()).await.unwrap().s3.stop().await;
    std::fs::write(folder.join("objects/a~1-2.txt"), "a").unwrap();
    for file in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        let _ = std::fs::remove_file(folder.join(file));
    }
    let error = Bucket::start(&data, BucketOptions::default()).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, EmbeddedS3Error::NoIndex(_)), "{error}");
    assert!(folder.join("objects/a~1-2.txt").exists());
}

#[tokio::test]
async fn a_bucket_has_one_server_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let bucket = Bucket::start(&data, BucketOptions::default()).await.unwrap();
    let second = Bucket::start(&data, BucketOptions::default()).await;
    let error = second.map(|_| ()).unwrap_err();
    assert!(matches!(error, EmbeddedS3Error::InUse(_)), "{error}");
    assert!(error.to_string().contains("another program serves the bucket"), "{error}");
    bucket.s3.stop().await;
    Bucket::start(&data, BucketOptions::default()).await.unwrap().s3.stop().await;
}

#[tokio::test]
async fn what_a_crash_left_is_swept_and_objects_stay() {
    let data = tempfile::tempdir().unwrap();
    let bucket = Bucket::start(&data, BucketOptions::default()).await.unwrap();
    assert_eq!(bucket.ask("PUT", "/a/b.txt", "b").await.status, 200);
    assert_eq!(bucket.ask("PUT", "/a/c.txt", "c").await.status, 200);
    let upload = bucket.ask("POST", "/up?uploads", "").await.elements("UploadId")[0].to_owned();
    let part = bucket.ask("PUT", &format!("/up?partNumber=1&uploadId={upload}"), "part").await;
    assert_eq!(part.status, 200);
    bucket.s3.stop().await;
    let root = data.path().join("files");
    let orphans = [
        root.join("incoming/~1-63"),
        root.join("objects/a/orphan~1-64.txt"),
        root.join("objects/alone/orphan~1-65.txt"),
        root.join(format!("uploads/{upload}/1~1-66")),
        root.join("uploads/00000000-0000-4000-8000-000000000000/1~1-67"),
    ];
    for orphan in &orphans {
        std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
        std::fs::write(orphan, "half").unwrap();
    }
    let not_ours = root.join("objects/a/notes.txt");
    std::fs::write(&not_ours, "a person's").unwrap();
    let bucket = Bucket::start(&data, BucketOptions::default()).await.unwrap();
    let gone = async {
        while orphans.iter().any(|orphan| orphan.exists()) || root.join("objects/alone").exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone).await.unwrap();
    assert!(not_ours.exists());
    let list = bucket.ask("GET", "/?list-type=2", "").await;
    assert_eq!(list.elements("Key"), ["a/b.txt", "a/c.txt"]);
    assert_eq!(bucket.ask("GET", "/a/b.txt", "").await.body, "b");
    let parts = bucket.ask("GET", &format!("/up?uploadId={upload}"), "").await;
    assert_eq!(parts.elements("PartNumber"), ["1"]);
    bucket.s3.stop().await;
}

#[tokio::test]
async fn without_the_right_to_list_a_missing_object_is_403() {
    let data = tempfile::tempdir().unwrap();
    let bucket =
        Bucket::start(&data, options(|options| options.can_list = Arc::new(|| false))).await.unwrap();
    assert_eq!(bucket.ask("PUT", "/a", "a").await.status, 200);
    assert_eq!(bucket.ask("GET", "/a", "").await.body, "a");
    for path in [
        "/none",
        "/none?versionId=null",
        "/a?versionId=0123456789abcdef0123456789abcdef",
        "/",
        "/?list-type=2",
    ] {
        assert_eq!(bucket.ask("GET", path, "").await.error(), (403, "AccessDenied"), "{path}");
    }
    assert_eq!(bucket.ask("HEAD", "/none", "").await.status, 403);
    assert_eq!(bucket.ask("DELETE", "/none", "").await.status, 204);
    bucket.s3.stop().await;
}

#[tokio::test]
async fn a_bucket_with_versions_keeps_what_is_replaced_and_deleted() {
    let data = tempfile::tempdir().unwrap();
    let plain = Bucket::start(&data, BucketOptions::default()).await.unwrap();
    assert_eq!(plain.ask("PUT", "/a", "zero").await.header("x-amz-version-id"), "");
    plain.s3.stop().await;

    let bucket = Bucket::start(&data, options(|options| options.versions = true)).await.unwrap();
    let mut versions = vec![("null".to_owned(), "zero")];
    for body in ["one", "two"] {
        let put = bucket.ask("PUT", "/a", body).await;
        versions.push((put.header("x-amz-version-id").to_owned(), body));
    }
    let get = bucket.ask("GET", "/a", "").await;
    assert_eq!((get.body.as_str(), get.header("x-amz-version-id")), ("two", versions[2].0.as_str()));
    let deleted = bucket.ask("DELETE", "/a", "").await;
    assert_eq!((deleted.status, deleted.header("x-amz-delete-marker")), (204, "true"));
    let marker = deleted.header("x-amz-version-id").to_owned();
    for (version, body) in &versions {
        let get = bucket.ask("GET", &format!("/a?versionId={version}"), "").await;
        assert_eq!((get.body.as_str(), get.header("x-amz-version-id")), (*body, version.as_str()));
    }
    let gone = bucket.ask("GET", "/a", "").await;
    assert_eq!((gone.error(), gone.header("x-amz-delete-marker")), ((404, "NoSuchKey"), "true"));
    let of_marker = bucket.ask("GET", &format!("/a?versionId={marker}"), "").await;
    assert_eq!(of_marker.error(), (405, "MethodNotAllowed"));
    assert_eq!(of_marker.header("x-amz-delete-marker"), "true");
    assert!(bucket.ask("GET", "/?list-type=2", "").await.elements("Key").is_empty());
    let one = versions[1].0.clone();
    assert_eq!(bucket.ask("DELETE", &format!("/a?versionId={one}"), "").await.status, 403);
    bucket.s3.stop().await;

    // Without versions again, it is suspended: the version `null` is replaced, and the others stay.
    let bucket = Bucket::start(&data, BucketOptions::default()).await.unwrap();
    assert_eq!(bucket.ask("PUT", "/a", "three").await.header("x-amz-version-id"), "null");
    assert_eq!(bucket.ask("PUT", "/a", "four").await.header("x-amz-version-id"), "null");
    assert_eq!(bucket.ask("GET", "/a?versionId=null", "").await.body, "four");
    assert_eq!(bucket.ask("GET", &format!("/a?versionId={one}"), "").await.body, "one");
    assert_eq!(bucket.ask("DELETE", "/a", "").await.header("x-amz-version-id"), "null");
    assert_eq!(bucket.ask("GET", "/a?versionId=null", "").await.error(), (405, "MethodNotAllowed"));
    bucket.s3.stop().await;
}
