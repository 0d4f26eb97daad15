//! Keys that a folder can store, and those that it cannot.

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
async fn a_key_beside_one_that_continues_it_is_refused_and_says_so() {
    let stage = Stage::with(forward()).await;
    stage.ask("PUT", "/a", &[], "a").await;
    stage.ask("PUT", "/b/c", &[], "c").await;
    for path in ["/a/b", "/a/", "/a/b/c/d", "/b"] {
        let put = stage.ask("PUT", path, &[], "x").await;
        assert_eq!(put.error(), (400, "InvalidURI"), "{path}");
        assert!(put.body.contains("cannot store a key beside one that continues it"), "{}", put.body);
        assert_eq!(stage.ask("GET", path, &[], "").await.error(), (404, "NoSuchKey"), "{path}");
        assert_eq!(stage.ask("DELETE", path, &[], "").await.status, 204, "{path}");
    }
    assert_eq!(stage.ask("POST", "/b?uploads", &[], "").await.error(), (400, "InvalidURI"));
    assert_eq!(stage.get("/a").await, (200, "a".into()));
    assert_eq!(stage.get("/b/c").await, (200, "c".into()));
    stage.ask("DELETE", "/b/c", &[], "").await;
    assert_eq!(stage.ask("PUT", "/b", &[], "b").await.status, 200, "an empty folder is in nobody's way");
    assert_eq!(stage.get("/b").await, (200, "b".into()));
}

#[tokio::test]
async fn a_key_too_long_for_the_name_of_a_file_is_refused_and_nothing_is_written() {
    let stage = Stage::with(forward()).await;
    let long = format!("/{}", "a".repeat(164));
    assert_eq!(stage.ask("PUT", &long, &[], "x").await.error(), (400, "KeyTooLongError"));
    let most = format!("/{}", "a".repeat(163));
    assert_eq!(stage.ask("PUT", &most, &[], "x").await.status, 200);
    assert_eq!(
        stage.ask("POST", &format!("{most}?uploads"), &[], "").await.error(),
        (400, "KeyTooLongError")
    );
    assert_eq!(stage.get("/?list-type=2").await.1.windows(5).filter(|w| w == b"<Key>").count(), 1);
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
    std::fs::write(stage.file("a"), "by hand").unwrap();
    let get = stage.ask("GET", "/a", &[], "").await;
    assert_eq!((get.status, get.body.as_str()), (200, "by hand"));
    assert_eq!(get.header("x-amz-meta-secret"), "");
    assert_eq!(get.header("cache-control"), "private, no-cache", "that of the distribution");
    assert_eq!(get.header("content-type"), "binary/octet-stream");
    let leftovers = std::fs::read_dir(stage.data.path()).unwrap().count();
    assert_eq!(leftovers, 1, "the bucket's folder alone");
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
        ("/files/..%2Fother/secret", (400, "InvalidURI")),
        ("/files/none", (404, "NoSuchKey")),
        ("/files/b?versionId=1", (404, "NoSuchVersion")),
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
    assert_eq!(answer.elements("Deleted"), ["<Key>a</Key>", "<Key>b/</Key>"]);
    assert_eq!(answer.elements("Code"), ["InvalidURI", "AccessDenied", "PreconditionFailed"]);
    let list = stage.ask("GET", "/?list-type=2", &[], "").await;
    assert_eq!(list.elements("Key"), ["c", "d"]);
}
