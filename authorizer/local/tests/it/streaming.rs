//! Large bodies are streamed and never held in memory; refused ones are not read.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Stage, TestBody, empty, forward, refuse};

const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 1024;

/// 64 MB that are never in memory as a whole.
fn large() -> TestBody {
    let chunks = (0..CHUNKS).map(|i| Ok::<_, Infallible>(Frame::data(chunk(i))));
    StreamBody::new(stream::iter(chunks)).map_err(|never| match never {}).boxed()
}

fn chunk(i: usize) -> Bytes {
    let mut chunk = vec![u8::try_from(i % 251).unwrap(); CHUNK];
    chunk[0] = u8::try_from(i / 251).unwrap();
    chunk.into()
}

#[tokio::test]
async fn sixty_four_megabytes_are_uploaded_and_downloaded_unchanged() {
    let stage = Stage::with(forward()).await;
    let mut expected = Sha256::new();
    (0..CHUNKS).for_each(|i| expected.update(chunk(i)));
    let expected = expected.finalize();

    let put =
        Request::put(stage.url("/large")).header("content-length", CHUNK * CHUNKS).body(large()).unwrap();
    assert_eq!(stage.send(put).await.status(), 200);
    assert_eq!(stage.file("large").metadata().unwrap().len(), u64::try_from(CHUNK * CHUNKS).unwrap());

    let response = stage.send(Request::get(stage.url("/large")).body(empty()).unwrap()).await;
    assert_eq!(response.headers()["content-length"], (CHUNK * CHUNKS).to_string());
    let (mut body, mut read) = (response.into_body(), Sha256::new());
    while let Some(frame) = body.frame().await {
        read.update(frame.unwrap().into_data().unwrap());
    }
    assert_eq!(read.finalize(), expected);
}

#[tokio::test]
async fn an_upload_without_a_length_is_refused_by_the_bucket() {
    let stage = Stage::with(forward()).await;
    let put = Request::put(stage.url("/a")).body(large()).unwrap();
    // As S3: it knows no `Transfer-Encoding`.
    assert_eq!(stage.send(put).await.status(), 501);
    assert!(!stage.file("a").exists());
}

#[tokio::test]
async fn a_refused_upload_is_answered_before_its_body_is_read() {
    let stage = Stage::with(refuse()).await;
    // The viewer announces more than it sends, so the test ends only if the answer does not wait for the body.
    let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
    viewer
        .write_all(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\nbegins")
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(20), viewer.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_viewer_that_sends_a_large_refused_upload_reads_its_answer() {
    let stage = Stage::with(refuse()).await;
    let put = Request::put(stage.url("/a")).header("content-length", CHUNK * CHUNKS).body(large()).unwrap();
    assert_eq!(stage.send(put).await.status(), 403);
}

/// As many libraries do: the whole body first, and only then a look at the answer.
#[tokio::test]
async fn a_viewer_that_sends_all_of_a_refused_upload_before_it_reads_gets_its_answer() {
    let stage = Stage::with(refuse()).await;
    for expects in ["", "Expect: 100-continue\r\n"] {
        let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
        let size = 32 * 1024 * 1024;
        let head = format!("PUT /a HTTP/1.1\r\nHost: h\r\n{expects}Content-Length: {size}\r\n\r\n");
        viewer.write_all(head.as_bytes()).await.unwrap();
        viewer.write_all(&vec![1; size]).await.unwrap();
        let mut answer = String::new();
        viewer.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn a_refused_upload_without_end_is_ended() {
    let stage = Stage::with(refuse()).await;
    let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
    viewer.write_all(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000000\r\n\r\n").await.unwrap();
    let chunk = vec![1; 1024 * 1024];
    let sends = async {
        let mut sent = 0;
        while viewer.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
        }
        sent
    };
    let sent = tokio::time::timeout(Duration::from_secs(60), sends).await.unwrap();
    assert!(sent < 200 * 1024 * 1024, "{sent} bytes were taken");
}

#[tokio::test]
async fn connections_without_a_request_do_not_delay_the_stop() {
    let Stage { running, client, data: _data, .. } = Stage::with(forward()).await;
    drop(client);
    let _silent = TcpStream::connect(running.addr()).await.unwrap();
    let mut used = TcpStream::connect(running.addr()).await.unwrap();
    used.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    used.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 404");
    tokio::time::timeout(Duration::from_secs(4), running.stop()).await.unwrap();
}

#[tokio::test]
async fn a_viewer_that_expects_100_continue_is_told_before_it_sends() {
    let stage = Stage::with(forward()).await;
    let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
    let head = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    viewer.write_all(head).await.unwrap();
    let mut first = [0; 12];
    viewer.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 100");
    viewer.write_all(b"ok").await.unwrap();
    let mut answer = String::new();
    viewer.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
    assert_eq!(std::fs::read(stage.file("a")).unwrap(), b"ok");
}

#[tokio::test]
async fn a_refused_viewer_that_expects_100_continue_is_never_told_to_send() {
    let stage = Stage::with(refuse()).await;
    let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
    viewer
        .write_all(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    viewer.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_no_object() {
    let stage = Stage::with(forward()).await;
    let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
    viewer
        .write_all(b"PUT /broken HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    viewer.read_exact(&mut first).await.unwrap();
    viewer.write_all(b"only this").await.unwrap();
    drop(viewer);
    // The bucket has dropped the upload when its temporary file is gone.
    let leftover = || stage.files_in("incoming") > 0;
    let gone = async {
        while leftover() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
    assert!(!stage.file("broken").exists());
    assert_eq!(stage.get("/broken").await.0, 404, "and the distribution serves on");
}
