//! The metadata of an object: headers, versions, checksums.

use std::time::SystemTime;

use crate::bucket::{Signing, signed_payload};
use crate::support::{Stage, forward};

#[tokio::test]
async fn headers_given_on_an_upload_come_back_on_get_and_head() {
    let stage = Stage::with(forward()).await;
    let given = [
        ("content-type", "text/plain; charset=utf-8"),
        ("cache-control", "max-age=60"),
        ("content-disposition", "attachment; filename=\"a.txt\""),
        ("content-encoding", "gzip"),
        ("content-language", "de, en"),
        ("expires", "Wed, 21 Oct 2099 07:28:00 GMT"),
        ("x-amz-meta-color", "red"),
        ("x-amz-meta-two-words", "a b"),
    ];
    assert_eq!(stage.ask("PUT", "/a", &given, "hello").await.status, 200);
    for method in ["GET", "HEAD"] {
        let answer = stage.ask(method, "/a", &[], "").await;
        for (name, value) in given {
            assert_eq!(answer.header(name), value, "{method} {name}");
        }
        assert_eq!((answer.header("accept-ranges"), answer.header("content-length")), ("bytes", "5"));
        assert_eq!(answer.header("x-amz-version-id"), "");
    }
    stage.ask("PUT", "/a", &[], "plain").await;
    let answer = stage.ask("GET", "/a", &[], "").await;
    assert_eq!(answer.header("content-type"), "binary/octet-stream");
    for (name, _) in &given[1..] {
        // The distribution says how its answers are cached where the object does not.
        let expected = if *name == "cache-control" { "private, no-cache" } else { "" };
        assert_eq!(answer.header(name), expected, "{name} was of the object before");
    }
}

#[tokio::test]
async fn response_overrides_replace_the_headers_of_get_and_head() {
    let stage = Stage::with(forward()).await;
    let given = [("content-type", "text/plain"), ("x-amz-meta-a", "b"), ("cache-control", "no-store")];
    stage.ask("PUT", "/a", &given, "hello").await;
    let path = "/a?response-content-type=text%2Fhtml&response-content-language=fr\
        &response-expires=Wed%2C%2021%20Oct%202099%2007%3A28%3A00%20GMT&response-cache-control=max-age%3D1\
        &response-content-disposition=attachment%3B%20filename%3D%22b%22&response-content-encoding=br";
    for method in ["GET", "HEAD"] {
        let answer = stage.ask(method, path, &[], "").await;
        for (name, value) in [
            ("content-type", "text/html"),
            ("content-language", "fr"),
            ("expires", "Wed, 21 Oct 2099 07:28:00 GMT"),
            ("cache-control", "max-age=1"),
            ("content-disposition", "attachment; filename=\"b\""),
            ("content-encoding", "br"),
            ("x-amz-meta-a", "b"),
        ] {
            assert_eq!(answer.header(name), value, "{method} {name}");
        }
        let bad = stage.ask(method, "/a?response-content-type=a%0D%0Ab:c", &[], "").await;
        assert_eq!((bad.status, bad.header("b")), (400, ""), "{method}");
    }
    assert_eq!(stage.ask("GET", "/a", &[], "").await.header("content-type"), "text/plain");
}

#[tokio::test]
async fn the_only_version_is_null() {
    let stage = Stage::with(forward()).await;
    stage.ask("PUT", "/a", &[], "hello").await;
    for method in ["GET", "HEAD"] {
        let answer = stage.ask(method, "/a?versionId=null", &[], "").await;
        assert_eq!((answer.status, answer.header("x-amz-version-id")), (200, "null"));
        for (version, status) in
            [("3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY", 404), ("x", 400), ("", 400), ("Null", 400)]
        {
            let version = version.replace('+', "%2B");
            let answer = stage.ask(method, &format!("/a?versionId={version}"), &[], "").await;
            assert_eq!(answer.status, status, "{method} {version}");
        }
    }
    assert_eq!(stage.ask("GET", "/a?versionId=1", &[], "").await.error(), (400, "InvalidArgument"));
    let unknown = format!("/a?versionId={}", "1".repeat(32));
    assert_eq!(stage.ask("GET", &unknown, &[], "").await.error(), (404, "NoSuchVersion"));
    assert_eq!(stage.ask("GET", "/none?versionId=null", &[], "").await.error(), (404, "NoSuchVersion"));
}

#[tokio::test]
async fn a_range_is_cut_at_the_objects_end_as_rfc_9110_has_it() {
    let stage = Stage::with(forward()).await;
    stage.ask("PUT", "/a", &[], "0123456789").await;
    stage.ask("PUT", "/empty", &[], "").await;
    for (path, range, status, body, content_range) in [
        ("/a", "bytes=0-0", 206, "0", "bytes 0-0/10"),
        ("/a", "bytes=8-99", 206, "89", "bytes 8-9/10"),
        ("/a", "bytes=-3", 206, "789", "bytes 7-9/10"),
        ("/a", "bytes=-99", 206, "0123456789", "bytes 0-9/10"),
    ] {
        let answer = stage.ask("GET", path, &[("range", range)], "").await;
        let got = (answer.status, answer.body.as_str(), answer.header("content-range"));
        assert_eq!(got, (status, body, content_range), "{range}");
    }
    for (path, range) in
        [("/a", "bytes=10-"), ("/a", "bytes=-0"), ("/empty", "bytes=0-"), ("/empty", "bytes=-5")]
    {
        let answer = stage.ask("GET", path, &[("range", range)], "").await;
        assert_eq!(answer.error(), (416, "InvalidRange"), "{path} {range}");
    }
}

#[tokio::test]
async fn an_upload_with_a_broken_promise_replaces_nothing() {
    let stage = Stage::with(forward()).await;
    let kept = [
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ];
    for (name, value) in kept {
        let headers = [(name, value), ("x-amz-meta-a", "first")];
        let put = stage.ask("PUT", "/a", &headers, "123456789").await;
        assert_eq!(put.status, 200, "{name}: {}", put.body);
        let headers = [(name, value), ("x-amz-meta-a", "second")];
        assert_eq!(stage.ask("PUT", "/a", &headers, "other").await.error(), (400, "BadDigest"), "{name}");
        let get = stage.ask("GET", "/a", &[("x-amz-checksum-mode", "ENABLED")], "").await;
        assert_eq!((get.body.as_str(), get.header("x-amz-meta-a")), ("123456789", "first"), "{name}");
        let told = if name == "content-md5" { "" } else { value };
        assert_eq!(get.header(name), told, "{name}");
        assert_eq!(stage.ask("GET", "/a", &[], "").await.header(name), "", "only who asks is told");
    }
    assert_eq!(stage.ask("PUT", "/a", &[("content-md5", "x")], "y").await.error(), (400, "InvalidDigest"));
    let bad = stage.ask("PUT", "/a", &[("x-amz-checksum-sha256", "x")], "y").await;
    assert_eq!(bad.error(), (400, "InvalidRequest"));
    assert_eq!(stage.get("/a").await.1, "123456789");
}

#[tokio::test]
async fn a_payload_that_is_not_the_signed_one_replaces_nothing() {
    let stage = Stage::with(forward()).await;
    let signing = Signing {
        credentials: &stage.credentials,
        region: "us-east-1",
        service: "s3",
        time: SystemTime::now(),
    };
    let url = format!("http://{}/files/a", stage.running.s3_addr());
    let send = |claimed: &'static str, sent: &'static str| {
        stage.send(signed_payload(&signing, "PUT", &url, claimed, sent))
    };
    assert_eq!(send("hello", "hello").await.status(), 200);
    let refused = send("hello", "evil!").await;
    assert_eq!(refused.status(), 400);
    let body = http_body_util::BodyExt::collect(refused.into_body()).await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("<Code>XAmzContentSHA256Mismatch</Code>"), "{body:?}");
    assert_eq!(stage.get("/a").await.1, "hello");
}

#[tokio::test]
async fn a_range_that_s3_does_not_read_is_ignored() {
    let stage = Stage::with(forward()).await;
    let put = stage.ask("PUT", "/a", &[], "0123456789").await;
    let etag = put.header("etag").to_owned();
    for range in ["bytes=2-1", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes", "bytes=-"] {
        let answer = stage.ask("GET", "/a", &[("range", range)], "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "0123456789"), "{range}");
        assert_eq!(answer.header("content-range"), "", "{range}");
    }
    for (validator, status) in [(etag.as_str(), 206), ("\"other\"", 200), ("W/\"a\"", 200)] {
        let headers = [("range", "bytes=1-2"), ("if-range", validator)];
        assert_eq!(stage.ask("GET", "/a", &headers, "").await.status, status, "{validator}");
    }
    let head = stage.ask("HEAD", "/a", &[("range", "bytes=1-2")], "").await;
    assert_eq!(
        (head.status, head.header("content-range"), head.header("content-length")),
        (206, "bytes 1-2/10", "2")
    );
}

#[tokio::test]
async fn every_checksum_of_s3_is_verified_stored_and_told_to_who_asks() {
    let stage = Stage::with(forward()).await;
    let nine = [
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-checksum-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        (
            "x-amz-checksum-sha512",
            "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
        ),
        ("x-amz-checksum-xxhash3", "ctyxi2ehff8="),
        ("x-amz-checksum-xxhash64", "jLhB20DmroM="),
        ("x-amz-checksum-xxhash128", "MxGUd+3l3NXpcWQnaB1YYA=="),
    ];
    assert_eq!(nine.len(), authorizer_core::checksum::ChecksumAlgorithm::ALL.len());
    for (name, value) in nine {
        let put = stage.ask("PUT", "/a", &[(name, value)], "123456789").await;
        assert_eq!((put.status, put.header(name)), (200, value), "{name}: {}", put.body);
        assert_eq!(
            stage.ask("PUT", "/a", &[(name, value)], "other").await.error(),
            (400, "BadDigest"),
            "{name}"
        );
        for method in ["GET", "HEAD"] {
            let told = stage.ask(method, "/a", &[("x-amz-checksum-mode", "ENABLED")], "").await;
            assert_eq!((told.header(name), told.header("x-amz-checksum-type")), (value, "FULL_OBJECT"));
            assert_eq!(stage.ask(method, "/a", &[], "").await.header(name), "", "only who asks is told");
            let part = stage
                .ask(method, "/a", &[("x-amz-checksum-mode", "ENABLED"), ("range", "bytes=0-1")], "")
                .await;
            assert_eq!(part.header(name), "", "it is not that of a range");
        }
    }
    // S3 computes one itself where a request has none.
    let put = stage.ask("PUT", "/b", &[], "123456789").await;
    assert_eq!(put.header("x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
    let two = [nine[0], nine[1]];
    assert_eq!(stage.ask("PUT", "/c", &two, "123456789").await.error(), (400, "InvalidRequest"));
    let list = stage.ask("GET", "/?list-type=2", &[], "").await;
    assert_eq!(list.elements("ChecksumAlgorithm"), ["XXHASH128", "CRC64NVME"]);
    assert_eq!(list.elements("ChecksumType"), ["FULL_OBJECT"; 2]);
}

#[tokio::test]
async fn metadata_of_more_than_two_kilobytes_is_refused() {
    let stage = Stage::with(forward()).await;
    // The name counts, without `x-amz-meta-`.
    let most = "v".repeat(2_048 - 4);
    assert_eq!(stage.ask("PUT", "/a", &[("x-amz-meta-name", &most)], "x").await.status, 200);
    let more = format!("{most}v");
    for (method, path) in [("PUT", "/b"), ("POST", "/b?uploads")] {
        let answer = stage.ask(method, path, &[("x-amz-meta-name", &more)], "").await;
        assert_eq!(answer.error(), (400, "MetadataTooLarge"), "{method}");
    }
}

#[tokio::test]
async fn what_s3_stores_without_a_look_comes_back_as_it_was() {
    let stage = Stage::with(forward()).await;
    let headers = [
        ("expires", "tomorrow"),
        ("content-type", "no type at all"),
        ("content-encoding", "aws-chunked,gzip"),
    ];
    assert_eq!(stage.ask("PUT", "/a", &headers, "x").await.status, 200);
    let get = stage.ask("GET", "/a", &[], "").await;
    assert_eq!((get.header("expires"), get.header("content-type")), ("tomorrow", "no type at all"));
    assert_eq!(get.header("content-encoding"), "gzip", "`aws-chunked` is only how a body is sent");
    assert_eq!(stage.ask("PUT", "/a", &[("content-encoding", "deflate, gzip")], "x").await.status, 200);
    assert_eq!(stage.ask("GET", "/a", &[], "").await.header("content-encoding"), "deflate, gzip");
    let long = "x".repeat(8_200);
    let refused = stage.ask("PUT", "/a", &[("content-disposition", &long)], "x").await;
    assert_eq!(refused.error(), (400, "RequestHeaderSectionTooLarge"));
}
