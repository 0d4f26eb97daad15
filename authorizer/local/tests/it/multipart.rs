//! Uploads in parts.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Stage, TestBody, empty, forward};

const MIB: usize = 1024 * 1024;

async fn begin(stage: &Stage, path: &str, headers: &[(&str, &str)]) -> String {
    let started = stage.ask("POST", &format!("{path}?uploads"), headers, "").await;
    assert_eq!(started.status, 200, "{}", started.body);
    assert_eq!(
        (started.elements("Bucket"), started.elements("Key")),
        (vec!["files"], vec![path.trim_start_matches('/')])
    );
    started.elements("UploadId")[0].to_owned()
}

/// Uploads a part and returns its entity tag.
async fn part(stage: &Stage, path: &str, id: &str, number: u32, body: impl Into<Bytes>) -> String {
    let answer = stage.ask("PUT", &format!("{path}?partNumber={number}&uploadId={id}"), &[], body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.header("etag").to_owned()
}

async fn complete(
    stage: &Stage,
    path: &str,
    id: &str,
    headers: &[(&str, &str)],
    parts: &[(u32, &str)],
) -> Answer {
    let parts = parts.iter().map(|(number, etag)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", etag.replace('"', "&quot;"))
    });
    let body = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>());
    stage.ask("POST", &format!("{path}?uploadId={id}"), headers, body).await
}

fn leftovers(stage: &Stage) -> usize {
    stage.files_in("uploads") + stage.files_in("incoming")
}

#[tokio::test]
async fn parts_become_an_object_with_the_headers_of_its_beginning() {
    let stage = Stage::with(forward()).await;
    let headers = [("content-type", "text/x"), ("x-amz-meta-a", "b"), ("cache-control", "no-store")];
    for path in ["/a/large", "/a/folder/"] {
        stage.ask("PUT", path, &[("x-amz-meta-old", "1"), ("x-amz-checksum-crc32", "/3YxZQ==")], "").await;
        let id = begin(&stage, path, &headers).await;
        // Out of order, with a gap, one replaced and one left out.
        let last = part(&stage, path, &id, 7, "last").await;
        part(&stage, path, &id, 2, "replaced").await;
        let first = part(&stage, path, &id, 2, vec![b'1'; 5 * MIB]).await;
        part(&stage, path, &id, 3, "left out").await;
        let size = (5 * MIB + 4).to_string();
        let done =
            complete(&stage, path, &id, &[("x-amz-mp-object-size", &size)], &[(2, &first), (7, &last)]).await;
        assert_eq!(
            (done.status, done.elements("Key")),
            (200, vec![path.trim_start_matches('/')]),
            "{}",
            done.body
        );

        let get = stage.ask("GET", path, &[], "").await;
        assert_eq!(get.body.len(), 5 * MIB + 4);
        assert!(get.body.starts_with("11") && get.body.ends_with("1last"));
        let told =
            ["content-type", "x-amz-meta-a", "cache-control", "x-amz-meta-old"].map(|name| get.header(name));
        assert_eq!(told, ["text/x", "b", "no-store", ""]);
        // The MD5 of the MD5s of the parts, and their number.
        assert!(get.header("etag").ends_with("-2\""), "{}", get.header("etag"));
        assert!(done.body.contains(get.header("etag").trim_matches('"')), "{}", done.body);
        assert_eq!(leftovers(&stage), 0);
        // A client that did not get the answer asks again, and gets it.
        let again = complete(&stage, path, &id, &[], &[(2, &first), (7, &last)]).await;
        assert_eq!((again.status, again.body), (200, done.body));
        let other_number = [(3, first.as_str()), (7, last.as_str())];
        for parts in [&[(2, first.as_str())][..], &other_number] {
            assert_eq!(complete(&stage, path, &id, &[], parts).await.error(), (404, "NoSuchUpload"));
        }
        let if_absent = [("if-none-match", "*")];
        let refused = complete(&stage, path, &id, &if_absent, &[(2, &first), (7, &last)]).await;
        assert_eq!(refused.error(), (412, "PreconditionFailed"));
    }
    // The object of another upload is not what this one made.
    let id = begin(&stage, "/a/small", &[]).await;
    let only = part(&stage, "/a/small", &id, 1, "small").await;
    assert_eq!(complete(&stage, "/a/small", &id, &[], &[(1, &only)]).await.status, 200);
    stage.ask("PUT", "/a/small", &[], "another").await;
    assert_eq!(complete(&stage, "/a/small", &id, &[], &[(1, &only)]).await.error(), (404, "NoSuchUpload"));
    let id = begin(&stage, "/a/gone", &[]).await;
    let only = part(&stage, "/a/gone", &id, 1, "gone").await;
    assert_eq!(complete(&stage, "/a/gone", &id, &[], &[(1, &only)]).await.status, 200);
    stage.ask("DELETE", "/a/gone", &[], "").await;
    assert_eq!(complete(&stage, "/a/gone", &id, &[], &[(1, &only)]).await.error(), (404, "NoSuchUpload"));
    let checked = stage.ask("GET", "/a/large", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(checked.header("x-amz-checksum-crc32"), "", "that was of the object before");
}

#[tokio::test]
async fn what_cannot_be_completed_is_refused_and_the_upload_stays() {
    let stage = Stage::with(forward()).await;
    let path = "/a";
    let id = begin(&stage, path, &[]).await;
    let small = &*part(&stage, path, &id, 1, "small").await;
    let other = &*part(&stage, path, &id, 2, "other").await;
    type Headers = &'static [(&'static str, &'static str)];
    let none: Headers = &[];
    let cases = [
        (none, vec![], (400, "MalformedXML")),
        (none, vec![(1, small), (2, other)], (400, "EntityTooSmall")),
        (none, vec![(2, other), (1, small)], (400, "InvalidPartOrder")),
        (none, vec![(1, small), (1, small)], (400, "InvalidPartOrder")),
        (none, vec![(3, small)], (400, "InvalidPart")),
        (none, vec![(1, other)], (400, "InvalidPart")),
        (&[("x-amz-mp-object-size", "6")] as Headers, vec![(1, small)], (400, "InvalidRequest")),
        (&[("if-none-match", "\"x\"")], vec![(1, small)], (501, "NotImplemented")),
    ];
    for (headers, parts, error) in cases {
        assert_eq!(
            complete(&stage, path, &id, headers, &parts).await.error(),
            error,
            "{headers:?} {parts:?}"
        );
    }
    let create = [("if-none-match", "*")];
    stage.ask("PUT", path, &[], "first").await;
    let late = complete(&stage, path, &id, &create, &[(1, small)]).await;
    assert_eq!(late.error(), (412, "PreconditionFailed"));
    assert_eq!(stage.ask("GET", path, &[], "").await.body, "first");
    stage.ask("DELETE", path, &[], "").await;
    let create = [("if-none-match", "*"), ("x-amz-mp-object-size", "5")];
    assert_eq!(complete(&stage, path, &id, &create, &[(1, small)]).await.status, 200);
    assert_eq!(stage.ask("GET", path, &[], "").await.body, "small");
}

#[tokio::test]
async fn an_upload_is_of_one_key_and_of_no_other() {
    let stage = Stage::with(forward()).await;
    let id = begin(&stage, "/mine", &[]).await;
    let mine = part(&stage, "/mine", &id, 1, "mine").await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let upper = id.to_uppercase();
    let tries =
        [("/other", id.as_str()), ("/mine/", &id), ("/mine", unknown), ("/mine", "x"), ("/mine", "..%2Fx")];
    for (path, id) in tries.into_iter().chain([("/mine", upper.as_str())]) {
        let no_such = (404, "NoSuchUpload");
        let part = stage.ask("PUT", &format!("{path}?partNumber=2&uploadId={id}"), &[], "evil").await;
        assert_eq!(part.error(), no_such, "{path} {id}");
        assert_eq!(stage.ask("GET", &format!("{path}?uploadId={id}"), &[], "").await.error(), no_such);
        assert_eq!(complete(&stage, path, id, &[], &[(1, &mine)]).await.error(), no_such);
        assert_eq!(stage.ask("DELETE", &format!("{path}?uploadId={id}"), &[], "").await.error(), no_such);
    }
    let copy = [("x-amz-copy-source", "/files/none")];
    let copied = stage.ask("PUT", &format!("/other?partNumber=1&uploadId={id}"), &copy, "").await;
    assert_eq!(copied.error(), (404, "NoSuchUpload"));
    for number in ["0", "10001", "-1"] {
        let part = stage.ask("PUT", &format!("/mine?partNumber={number}&uploadId={id}"), &[], "x").await;
        assert_eq!(part.error(), (400, "InvalidArgument"), "{number}");
    }
    assert_eq!(complete(&stage, "/mine", &id, &[], &[(1, &mine)]).await.status, 200);
    assert_eq!(stage.ask("GET", "/other", &[], "").await.status, 404);
}

#[tokio::test]
async fn parts_are_listed_with_their_sizes_and_entity_tags_page_by_page() {
    let stage = Stage::with(forward()).await;
    let id = begin(&stage, "/a", &[]).await;
    for number in [11, 2, 1] {
        part(&stage, "/a", &id, number, "hello").await;
    }
    let list = |query: &'static str| {
        let (stage, id) = (&stage, &id);
        async move { stage.ask("GET", &format!("/a?uploadId={id}{query}"), &[], "").await }
    };
    let all = list("").await;
    assert_eq!(all.elements("PartNumber"), ["1", "2", "11"], "{}", all.body);
    assert_eq!(all.elements("Size"), ["5", "5", "5"]);
    assert_eq!(all.elements("ETag"), ["\"5d41402abc4b2a76b9719d911017c592\""; 3]);
    assert_eq!((all.elements("Key"), all.elements("IsTruncated")), (vec!["a"], vec!["false"]));
    let page = list("&max-parts=2").await;
    assert_eq!(
        (page.elements("PartNumber"), page.elements("NextPartNumberMarker")),
        (vec!["1", "2"], vec!["2"])
    );
    assert_eq!(page.elements("IsTruncated"), ["true"]);
    let rest = list("&max-parts=2&part-number-marker=2").await;
    assert_eq!((rest.elements("PartNumber"), rest.elements("IsTruncated")), (vec!["11"], vec!["false"]));
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let stage = Stage::with(forward()).await;
    let id = begin(&stage, "/a", &[("x-amz-meta-a", "b")]).await;
    let first = part(&stage, "/a", &id, 1, vec![b'1'; 5 * MIB]).await;
    let stage = stage.restarted(forward()).await;
    let last = part(&stage, "/a", &id, 2, "last").await;
    assert_eq!(complete(&stage, "/a", &id, &[], &[(1, &first), (2, &last)]).await.status, 200);
    let get = stage.ask("GET", "/a", &[], "").await;
    assert_eq!((get.body.len(), get.header("x-amz-meta-a")), (5 * MIB + 4, "b"));
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let stage = Stage::with(forward()).await;
    let id = begin(&stage, "/a", &[("x-amz-meta-a", "b")]).await;
    part(&stage, "/a", &id, 1, "x").await;
    assert_eq!(stage.ask("DELETE", &format!("/a?uploadId={id}"), &[], "").await.status, 204);
    assert_eq!(leftovers(&stage), 0);
    assert_eq!(stage.ask("GET", "/a", &[], "").await.status, 404);
    let again = stage.ask("DELETE", &format!("/a?uploadId={id}"), &[], "").await;
    assert_eq!(again.error(), (404, "NoSuchUpload"));
}

#[tokio::test]
async fn a_part_with_a_broken_promise_is_no_part() {
    let stage = Stage::with(forward()).await;
    let id = begin(&stage, "/a", &[]).await;
    let url = format!("/a?partNumber=1&uploadId={id}");
    let md5 = [("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")];
    assert_eq!(stage.ask("PUT", &url, &md5, "x").await.error(), (400, "BadDigest"));
    let crc = [("x-amz-checksum-crc32", "AAAAAA==")];
    assert_eq!(stage.ask("PUT", &url, &crc, "x").await.error(), (400, "BadDigest"));
    let list = stage.ask("GET", &format!("/a?uploadId={id}"), &[], "").await;
    assert!(list.elements("PartNumber").is_empty(), "{}", list.body);
    let good = [("x-amz-checksum-crc32", "y/Q5Jg==")];
    let answer = stage.ask("PUT", &url, &good, "123456789").await;
    assert_eq!((answer.status, answer.header("x-amz-checksum-crc32")), (200, "y/Q5Jg=="));
}

const CHUNK: usize = 64 * 1024;
const PARTS: u8 = 4;
const PART: usize = 50 * MIB;

/// 50 MB that are never in memory as a whole.
fn large(seed: u8) -> TestBody {
    let chunk = Bytes::from(vec![seed; CHUNK]);
    let chunks = (0..PART / CHUNK).map(move |_| Ok::<_, Infallible>(Frame::data(chunk.clone())));
    StreamBody::new(stream::iter(chunks)).map_err(|never| match never {}).boxed()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_megabytes_in_parts_become_one_object() {
    let stage = Stage::with(forward()).await;
    let id = begin(&stage, "/large", &[]).await;
    let (mut tags, mut expected) = (Vec::new(), Sha256::new());
    for number in 1..=PARTS {
        let url = stage.url(&format!("/large?partNumber={number}&uploadId={id}"));
        let put = Request::put(url).header("content-length", PART).body(large(number)).unwrap();
        let answer = stage.send(put).await;
        assert_eq!(answer.status(), 200);
        tags.push((u32::from(number), answer.headers()["etag"].to_str().unwrap().to_owned()));
        (0..PART / CHUNK).for_each(|_| expected.update(vec![number; CHUNK]));
    }
    let tags: Vec<(u32, &str)> = tags.iter().map(|(number, tag)| (*number, tag.as_str())).collect();
    assert_eq!(complete(&stage, "/large", &id, &[], &tags).await.status, 200);

    let response = stage.send(Request::get(stage.url("/large")).body(empty()).unwrap()).await;
    assert_eq!(response.headers()["content-length"], (PART * usize::from(PARTS)).to_string());
    let (mut body, mut read) = (response.into_body(), Sha256::new());
    while let Some(frame) = body.frame().await {
        read.update(frame.unwrap().into_data().unwrap());
    }
    assert_eq!(read.finalize(), expected.finalize());
}

#[tokio::test]
async fn a_part_of_an_object_is_read_by_its_number() {
    let stage = Stage::with(forward()).await;
    let id = begin(&stage, "/a", &[]).await;
    let first = part(&stage, "/a", &id, 1, vec![b'1'; 5 * MIB]).await;
    let last = part(&stage, "/a", &id, 2, "last").await;
    assert_eq!(complete(&stage, "/a", &id, &[], &[(1, &first), (2, &last)]).await.status, 200);
    for method in ["GET", "HEAD"] {
        let answer = stage.ask(method, "/a?partNumber=2", &[], "").await;
        let told = ["content-range", "x-amz-mp-parts-count"].map(|name| answer.header(name));
        assert_eq!((answer.status, told), (206, ["bytes 5242880-5242883/5242884", "2"]), "{method}");
        assert_eq!(answer.header("content-length"), "4");
        assert_eq!(stage.ask(method, "/a", &[], "").await.header("x-amz-mp-parts-count"), "");
    }
    assert_eq!(stage.ask("GET", "/a?partNumber=2", &[], "").await.body, "last");
    assert_eq!(stage.ask("GET", "/a?partNumber=3", &[], "").await.error(), (416, "InvalidPartNumber"));
    let both = stage.ask("GET", "/a?partNumber=1", &[("range", "bytes=0-1")], "").await;
    assert_eq!(both.error(), (400, "InvalidRequest"));
    stage.ask("PUT", "/whole", &[], "whole").await;
    let whole = stage.ask("GET", "/whole?partNumber=1", &[], "").await;
    assert_eq!((whole.status, whole.body.as_str(), whole.header("x-amz-mp-parts-count")), (206, "whole", ""));
    assert_eq!(stage.ask("GET", "/whole?partNumber=2", &[], "").await.error(), (416, "InvalidPartNumber"));
}

#[tokio::test]
async fn an_upload_in_parts_has_the_checksum_that_it_was_begun_with() {
    let stage = Stage::with(forward()).await;
    let ask = |path: &'static str, algorithm: &'static str, kind: &'static str| {
        let headers = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)];
        let headers: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let stage = &stage;
        async move { stage.ask("POST", &format!("{path}?uploads"), &headers, "").await }
    };
    for (algorithm, kind) in [
        ("CRC65", ""),
        ("", "COMPOSITE"),
        ("SHA256", "FULL_OBJECT"),
        ("XXHASH128", "FULL_OBJECT"),
        ("CRC64NVME", "COMPOSITE"),
        ("CRC32", "BOTH"),
    ] {
        let refused = ask("/a", algorithm, kind).await;
        assert_eq!(refused.error(), (400, "InvalidRequest"), "{algorithm} {kind}");
    }

    // Of the whole object: what its bytes have, however they were cut.
    let whole = "123456789";
    for (algorithm, header, sum) in [
        ("CRC32", "x-amz-checksum-crc32", "y/Q5Jg=="),
        ("CRC64NVME", "x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
    ] {
        let begun = ask("/full", algorithm, "FULL_OBJECT").await;
        assert_eq!(begun.header("x-amz-checksum-type"), "FULL_OBJECT");
        let id = begun.elements("UploadId")[0].to_owned();
        let only = part(&stage, "/full", &id, 1, whole).await;
        let wrong = complete(&stage, "/full", &id, &[(header, "AAAAAAAAAAA=")], &[(1, &only)]).await;
        assert_eq!(wrong.error(), (400, "BadDigest"), "{algorithm}");
        let other =
            complete(&stage, "/full", &id, &[("x-amz-checksum-type", "COMPOSITE")], &[(1, &only)]).await;
        assert_eq!(other.error(), (400, "InvalidRequest"), "{algorithm}");
        let done = complete(&stage, "/full", &id, &[(header, sum)], &[(1, &only)]).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let told = stage.ask("HEAD", "/full", &[("x-amz-checksum-mode", "ENABLED")], "").await;
        assert_eq!((told.header(header), told.header("x-amz-checksum-type")), (sum, "FULL_OBJECT"));
    }

    // Of the parts: they must have theirs, and the completion must name them.
    let header = "x-amz-checksum-sha256";
    let sum = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";
    let id = ask("/parts", "SHA256", "").await.elements("UploadId")[0].to_owned();
    let url = format!("/parts?partNumber=1&uploadId={id}");
    assert_eq!(stage.ask("PUT", &url, &[], whole).await.error(), (400, "InvalidRequest"));
    let other = [("x-amz-checksum-crc32", "y/Q5Jg==")];
    assert_eq!(stage.ask("PUT", &url, &other, whole).await.error(), (400, "InvalidRequest"));
    let put = stage.ask("PUT", &url, &[(header, sum)], whole).await;
    assert_eq!((put.status, put.header(header)), (200, sum));
    let etag = put.header("etag").to_owned();
    let unnamed = complete(&stage, "/parts", &id, &[], &[(1, &etag)]).await;
    assert_eq!(unnamed.error(), (400, "InvalidRequest"));
    let body = |sum: &str| {
        format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>\
             <ChecksumSHA256>{sum}</ChecksumSHA256></Part></CompleteMultipartUpload>"
        )
    };
    let url = format!("/parts?uploadId={id}");
    let wrong = stage.ask("POST", &url, &[], body("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")).await;
    assert_eq!(wrong.error(), (400, "InvalidPart"));
    assert_eq!(stage.ask("POST", &url, &[], body(sum)).await.status, 200);
    // The SHA-256 of the one SHA-256, and the number of the parts.
    let of_sum = {
        use base64::Engine;
        let engine = base64::engine::general_purpose::STANDARD;
        format!("{}-1", engine.encode(Sha256::digest(engine.decode(sum).unwrap())))
    };
    let told = stage.ask("HEAD", "/parts", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!((told.header(header), told.header("x-amz-checksum-type")), (of_sum.as_str(), "COMPOSITE"));
}

#[tokio::test]
async fn an_upload_goes_to_its_end_without_its_client() {
    use tokio::io::AsyncWriteExt;
    let stage = Stage::with(forward()).await;
    let id = begin(&stage, "/a", &[]).await;
    let first = part(&stage, "/a", &id, 1, vec![b'1'; 5 * MIB]).await;
    let last = part(&stage, "/a", &id, 2, vec![b'2'; 20 * MIB]).await;
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{first}</ETag></Part>\
         <Part><PartNumber>2</PartNumber><ETag>{last}</ETag></Part></CompleteMultipartUpload>"
    );
    let mut viewer = tokio::net::TcpStream::connect(stage.running.addr()).await.unwrap();
    let head =
        format!("POST /a?uploadId={id} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    viewer.write_all(head.as_bytes()).await.unwrap();
    // The bucket has begun when it joins the parts.
    let begun = async {
        while stage.files_in("incoming") == 0 && !stage.file("a").exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), begun).await.unwrap();
    drop(viewer);
    let done = async {
        while stage.ask("HEAD", "/a", &[], "").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), done).await.unwrap();
    assert_eq!(stage.ask("HEAD", "/a", &[], "").await.header("content-length"), (25 * MIB).to_string());
}
