//! Conditional requests, and uploads that race.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Stage, forward};

/// The entity tag of `hello`: its MD5.
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";
const OTHER: &str = "\"00000000000000000000000000000000\"";
const PAST: &str = "Wed, 21 Oct 2015 07:28:00 GMT";
const FUTURE: &str = "Wed, 21 Oct 2099 07:28:00 GMT";

#[tokio::test]
async fn a_conditional_read_is_answered_as_s3_answers_it() {
    let stage = Stage::with(forward()).await;
    let put = stage.ask("PUT", "/a", &[("cache-control", "max-age=60")], "hello").await;
    assert_eq!((put.status, put.header("etag")), (200, HELLO));
    let modified = stage.ask("HEAD", "/a", &[], "").await.header("last-modified").to_owned();
    let modified = modified.as_str();

    let cases: [(&[(&str, &str)], u16); 16] = [
        (&[("if-match", HELLO)], 200),
        (&[("if-match", "*")], 200),
        (&[("if-match", OTHER)], 412),
        (&[("if-none-match", HELLO)], 304),
        (&[("if-none-match", "*")], 304),
        (&[("if-none-match", OTHER)], 200),
        (&[("if-modified-since", PAST)], 200),
        (&[("if-modified-since", modified)], 304),
        (&[("if-unmodified-since", modified)], 200),
        (&[("if-unmodified-since", PAST)], 412),
        (&[("if-match", HELLO), ("if-unmodified-since", PAST)], 200),
        (&[("if-none-match", OTHER), ("if-modified-since", FUTURE)], 200),
        (&[("if-none-match", HELLO), ("if-modified-since", PAST)], 304),
        (&[("if-match", OTHER), ("if-none-match", HELLO)], 412),
        (&[("if-match", OTHER), ("range", "bytes=9-")], 412),
        (&[("if-match", HELLO), ("range", "bytes=9-")], 416),
    ];
    for (headers, status) in cases {
        let get = stage.ask("GET", "/a", headers, "").await;
        assert_eq!(get.status, status, "{headers:?}");
        match status {
            200 => assert_eq!(get.body, "hello", "{headers:?}"),
            304 => {
                assert_eq!(get.body, "", "{headers:?}");
                assert_eq!((get.header("etag"), get.header("last-modified")), (HELLO, modified));
                assert_eq!((get.header("cache-control"), get.header("content-type")), ("max-age=60", ""));
            }
            412 => assert_eq!(get.error(), (412, "PreconditionFailed"), "{headers:?}"),
            _ => assert_eq!(get.error(), (416, "InvalidRange"), "{headers:?}"),
        }
        if status != 416 {
            assert_eq!(stage.ask("HEAD", "/a", headers, "").await.status, status, "HEAD {headers:?}");
        }
        assert_eq!(stage.ask("GET", "/none", headers, "").await.error(), (404, "NoSuchKey"));
    }
}

#[tokio::test]
async fn a_conditional_write_is_done_only_when_its_condition_holds() {
    let stage = Stage::with(forward()).await;
    let none_match = |value| [("if-none-match", value)];
    let matches = |value| [("if-match", value)];
    assert_eq!(stage.ask("PUT", "/a", &matches(HELLO), "x").await.error(), (404, "NoSuchKey"));
    assert!(!stage.file("a").exists());
    assert_eq!(stage.ask("PUT", "/a", &none_match("*"), "hello").await.status, 200);
    assert_eq!(stage.ask("PUT", "/a", &none_match("*"), "x").await.error(), (412, "PreconditionFailed"));
    assert_eq!(stage.ask("PUT", "/a", &none_match(OTHER), "x").await.error(), (501, "NotImplemented"));
    assert_eq!(stage.ask("PUT", "/a", &matches(OTHER), "x").await.error(), (412, "PreconditionFailed"));
    assert_eq!(stage.get("/a").await, (200, "hello".into()));
    assert_eq!(stage.ask("DELETE", "/a", &matches(OTHER), "").await.error(), (412, "PreconditionFailed"));
    assert_eq!(stage.ask("PUT", "/a", &matches(HELLO), "newer").await.status, 200);
    assert_eq!(stage.ask("DELETE", "/a", &matches("*"), "").await.status, 204);
    assert_eq!(stage.ask("DELETE", "/a", &matches("*"), "").await.error(), (404, "NoSuchKey"));
    assert_eq!(
        stage.ask("DELETE", "/a", &[], "").await.status,
        204,
        "without a condition it is gone already"
    );
}

#[tokio::test]
async fn of_uploads_that_create_one_key_at_once_one_succeeds() {
    let stage = Arc::new(Stage::with(forward()).await);
    for round in 0..8 {
        let path = format!("/race/{round}");
        let mut uploads = tokio::task::JoinSet::new();
        for upload in 0..8 {
            let (stage, path) = (Arc::clone(&stage), path.clone());
            uploads.spawn(async move {
                let body = upload.to_string().repeat(50_000);
                (upload, stage.ask("PUT", &path, &[("if-none-match", "*")], body).await.status)
            });
        }
        let answers = uploads.join_all().await;
        let won: Vec<_> = answers.iter().filter(|(_, status)| *status == 200).collect();
        let lost = answers.iter().filter(|(_, status)| *status == 412).count();
        assert_eq!((won.len(), lost), (1, 7), "{answers:?}");
        assert_eq!(stage.get(&path).await.1, won[0].0.to_string().repeat(50_000));
    }
}

#[tokio::test]
async fn an_upload_in_vain_is_answered_before_its_body_is_read() {
    let stage = Stage::with(forward()).await;
    assert_eq!(stage.ask("PUT", "/a", &[], "a").await.status, 200);
    // The viewer announces more than it sends, so the test ends only if the answer does not wait for the body.
    let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
    let head = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\nIf-None-Match: *\r\n\r\nbegins";
    viewer.write_all(head).await.unwrap();
    let mut first = [0; 12];
    tokio::time::timeout(Duration::from_secs(20), viewer.read_exact(&mut first)).await.unwrap().unwrap();
    assert_eq!(&first, b"HTTP/1.1 412");
    assert_eq!(stage.get("/a").await, (200, "a".into()));
}

#[tokio::test]
async fn a_condition_with_several_tags_or_without_a_date_is_read_as_rfc_9110_has_it() {
    let stage = Stage::with(forward()).await;
    stage.ask("PUT", "/a", &[], "hello").await;
    let both = format!("{OTHER}, {HELLO}");
    let weak = format!("W/{HELLO}");
    let plain = HELLO.trim_matches('"');
    let cases: [(&[(&str, &str)], u16); 7] = [
        (&[("if-match", &both)], 200),
        (&[("if-match", OTHER), ("if-match", HELLO)], 200),
        (&[("if-none-match", &both)], 304),
        (&[("if-none-match", &weak)], 304),
        (&[("if-match", &weak)], 412),
        (&[("if-match", plain)], 200),
        (&[("if-modified-since", "yesterday"), ("if-unmodified-since", "never")], 200),
    ];
    for (headers, status) in cases {
        assert_eq!(stage.ask("GET", "/a", headers, "").await.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn a_delete_during_a_conditional_upload_is_a_conflict() {
    let stage = Stage::with(forward()).await;
    for (condition, first) in [("If-None-Match: *", None), ("If-Match: *", Some("there"))] {
        if let Some(first) = first {
            stage.ask("PUT", "/a", &[], first).await;
        }
        let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
        let head = format!(
            "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n{condition}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        );
        viewer.write_all(head.as_bytes()).await.unwrap();
        let mut begun = [0; 12];
        viewer.read_exact(&mut begun).await.unwrap();
        assert_eq!(&begun, b"HTTP/1.1 100", "the bucket waits for the body");
        if first.is_none() {
            stage.ask("PUT", "/a", &[], "quick").await;
        }
        assert_eq!(stage.ask("DELETE", "/a", &[], "").await.status, 204);
        viewer.write_all(b"ok").await.unwrap();
        let mut answer = String::new();
        viewer.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("HTTP/1.1 409"), "{answer}");
        assert!(answer.contains("<Code>ConditionalRequestConflict</Code>"), "{answer}");
        assert_eq!(stage.get("/a").await.0, 404);
    }
}
