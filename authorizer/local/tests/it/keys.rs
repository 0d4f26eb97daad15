//! Keys: up to 1,024 bytes of UTF-8, each an object of its own.

use crate::bucket::{Signing, signed_payload};
use crate::support::{Stage, forward};

#[tokio::test]
async fn a_key_that_ends_in_a_slash_is_a_key_of_its_own() {
    let stage = Stage::with(forward()).await;
    for (path, body) in [("/folder/", "f"), ("/folder/a", "a"), ("/folder/b/", ""), ("/%C3%A9/", "e")] {
        let headers = [("content-type", "text/x"), ("x-amz-meta-path", path)];
        assert_eq!(stage.ask("PUT", path, &headers, body).await.status, 200, "{path}");
    }
    assert_eq!(stage.ask("GET", "/folder", &[], "").await.error(), (404, "NoSuchKey"));
    assert_eq!(stage.ask("GET", "/folder/b/c/", &[], "").await.error(), (404, "NoSuchKey"));
    let get = stage.ask("GET", "/folder/", &[], "").await;
    assert_eq!((get.status, get.body.as_str(), get.header("x-amz-meta-path")), (200, "f", "/folder/"));
    let head = stage.ask("HEAD", "/folder/b/", &[], "").await;
    assert_eq!(
        (head.status, head.header("content-length"), head.header("content-type")),
        (200, "0", "text/x")
    );

    let list = stage.ask("GET", "/?list-type=2", &[], "").await;
    assert_eq!(list.elements("Key"), ["folder/", "folder/a", "folder/b/", "\u{e9}/"]);
    let list = stage.ask("GET", "/?list-type=2&delimiter=/", &[], "").await;
    assert!(list.elements("Key").is_empty(), "{}", list.body);
    assert_eq!(list.elements("CommonPrefixes"), ["<Prefix>folder/</Prefix>", "<Prefix>\u{e9}/</Prefix>"]);
    let list = stage.ask("GET", "/?list-type=2&delimiter=/&prefix=folder/", &[], "").await;
    assert_eq!(list.elements("Key"), ["folder/", "folder/a"]);
    assert_eq!(list.elements("CommonPrefixes"), ["<Prefix>folder/b/</Prefix>"]);

    let created = [("if-none-match", "*")];
    assert_eq!(stage.ask("PUT", "/folder/", &created, "x").await.status, 412);
    assert_eq!(stage.ask("DELETE", "/folder/", &[], "").await.status, 204);
    assert_eq!(stage.ask("GET", "/folder/", &[], "").await.status, 404);
    assert_eq!(stage.ask("GET", "/folder/a", &[], "").await.body, "a");
}

#[tokio::test]
async fn keys_are_flat_bytes_and_each_is_an_object_of_its_own() {
    let stage = Stage::with(forward()).await;
    let keys = [
        "/a",
        "/a/",
        "/a/b",
        "/a//b",
        "/a//",
        "//a",
        "/./a",
        "/a/..",
        "/..",
        "/%2e%2e/%2e%2e/a",
        "/A",
        "/a%20",
        "/a%2Bb",
        "/a%00b",
        "/a%0Ab",
        "/a%25b",
        "/a~1-2",
        "/%F0%9F%98%80",
        "/e%CC%81",
        "/%C3%A9",
        "/%01",
        "/a%5Cb",
        "/a:b",
        "/a%3Fb",
    ];
    for (number, path) in keys.iter().enumerate() {
        let headers = [("x-amz-meta-number", &*number.to_string())];
        assert_eq!(stage.ask("PUT", path, &headers, *path).await.status, 200, "{path}");
    }
    for (number, path) in keys.iter().enumerate() {
        let get = stage.ask("GET", path, &[], "").await;
        assert_eq!((get.status, get.body.as_str()), (200, *path));
        assert_eq!(get.header("x-amz-meta-number"), number.to_string(), "{path}");
    }
    let list = stage.ask("GET", "/?list-type=2&encoding-type=url", &[], "").await;
    assert_eq!(list.elements("Key").len(), keys.len());
    assert_eq!(stage.files_in("objects"), keys.len());
    for path in keys {
        assert_eq!(stage.ask("DELETE", path, &[], "").await.status, 204, "{path}");
        assert_eq!(stage.ask("GET", path, &[], "").await.error(), (404, "NoSuchKey"), "{path}");
    }
    assert_eq!(std::fs::read_dir(stage.folder("objects")).unwrap().count(), 0, "no folder is left");
}

#[tokio::test]
async fn a_raw_plus_is_a_space_as_s3_reads_it() {
    let stage = Stage::with(forward()).await;
    let signing = Signing {
        credentials: &stage.credentials,
        region: "us-east-1",
        service: "s3",
        time: std::time::SystemTime::now(),
    };
    let url = format!("http://{}/files/a+b", stage.running.s3_addr());
    let put = signed_payload(&signing, "PUT", &url, "x", "x");
    assert_eq!(stage.send(put).await.status(), 200);
    assert_eq!(stage.get("/a%20b").await, (200, "x".into()));
    assert_eq!(stage.get("/a%2Bb").await.0, 404);
}

#[tokio::test]
async fn a_key_has_up_to_1024_bytes_of_utf8() {
    let stage = Stage::with(forward()).await;
    for (letter, most) in [("a", 1_024), ("%C3%A9", 512), ("a/", 512)] {
        let most = format!("/{}", letter.repeat(most));
        assert_eq!(stage.ask("PUT", &most, &[], "x").await.status, 200, "{letter}");
        assert_eq!(stage.get(&most).await, (200, "x".into()), "{letter}");
        assert_eq!(stage.ask("POST", &format!("{most}?uploads"), &[], "").await.status, 200, "{letter}");
        for (method, query) in [("PUT", ""), ("GET", ""), ("POST", "?uploads")] {
            let long = format!("{most}a{query}");
            assert_eq!(stage.ask(method, &long, &[], "").await.error(), (400, "KeyTooLongError"), "{letter}");
        }
    }
    assert_eq!(stage.files_in("objects"), 3);
}

#[tokio::test]
async fn what_a_deleted_object_was_is_not_told_of_the_next_one() {
    let stage = Stage::with(forward()).await;
    let headers =
        [("content-type", "text/x"), ("x-amz-meta-secret", "s"), ("x-amz-checksum-crc32", "8CdyqA==")];
    let put = stage.ask("PUT", "/a", &headers, "x").await;
    assert_eq!(put.status, 400, "not the checksum of x: {}", put.body);
    let headers = [("content-type", "text/x"), ("x-amz-meta-secret", "s"), ("cache-control", "no-store")];
    stage.ask("PUT", "/a", &headers, "x").await;
    stage.ask("DELETE", "/a", &[], "").await;
    assert_eq!(stage.files_in("objects") + stage.files_in("incoming"), 0);
    stage.ask("PUT", "/a", &[], "another").await;
    let get = stage.ask("GET", "/a", &[], "").await;
    assert_eq!((get.status, get.body.as_str()), (200, "another"));
    assert_eq!(get.header("x-amz-meta-secret"), "");
    assert_eq!(get.header("cache-control"), "private, no-cache", "that of the distribution");
    assert_eq!(get.header("content-type"), "binary/octet-stream");
}

#[tokio::test]
async fn a_copy_comes_from_the_bucket_and_leads_nowhere_else() {
    let stage = Stage::with(forward()).await;
    std::fs::create_dir(stage.data.path().join("other")).unwrap();
    std::fs::write(stage.data.path().join("other/secret"), "secret").unwrap();
    stage.ask("PUT", "/a/", &[("content-type", "text/x")], "a").await;
    let copy = |source| [("x-amz-copy-source", source)];
    assert_eq!(
        stage.ask("PUT", "/b", &copy("/files/a/"), "").await.status,
        200,
        "the function's to keep out"
    );
    let get = stage.ask("GET", "/b", &[], "").await;
    assert_eq!((get.body.as_str(), get.header("content-type")), ("a", "text/x"));
    for (source, error) in [
        ("/other/secret", (403, "AccessDenied")),
        ("/files/..%2Fother/secret", (404, "NoSuchKey")),
        ("/files/none", (404, "NoSuchKey")),
        ("/files/b?versionId=1", (400, "InvalidArgument")),
    ] {
        assert_eq!(stage.ask("PUT", "/c", &copy(source), "").await.error(), error, "{source}");
    }
    assert!(!stage.file("c").exists());
}

#[tokio::test]
async fn many_are_deleted_at_once_but_for_those_that_may_not_be() {
    let stage = Stage::with(forward()).await;
    for path in ["/a", "/b/", "/c", "/d"] {
        stage.ask("PUT", path, &[], "x").await;
    }
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>b/</Key></Object>\
        <Object><Key>../other</Key></Object><Object><Key>c</Key><VersionId>null</VersionId></Object>\
        <Object><Key>d</Key><ETag>\"0\"</ETag></Object></Delete>";
    let answer = stage.ask("POST", "/?delete", &[], body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.elements("Deleted"), ["<Key>a</Key>", "<Key>b/</Key>", "<Key>../other</Key>"]);
    assert_eq!(answer.elements("Code"), ["AccessDenied", "PreconditionFailed"]);
    let list = stage.ask("GET", "/?list-type=2", &[], "").await;
    assert_eq!(list.elements("Key"), ["c", "d"]);
}
