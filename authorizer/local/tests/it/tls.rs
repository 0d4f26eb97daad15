//! HTTPS towards viewers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use authorizer_local::{Distribution, Running, Tls};
use bytes::Bytes;
use http::{Request, Version};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Stage, empty, forward, function, refuse, settings, text};

struct Secure {
    running: Running,
    certificate: CertificateDer<'static>,
    _data: TempDir,
}

fn made() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["files.example".to_owned()]).unwrap();
    (cert.der().clone(), PrivateKeyDer::Pkcs8(signing_key.serialize_der().into()))
}

impl Secure {
    async fn with(function: authorizer_local::Function) -> Self {
        let (mut settings, _, data) = settings(function);
        let (certificate, key) = made();
        settings.tls = Some(Tls::new(vec![certificate.clone()], key).unwrap());
        Self { running: Distribution::start(settings).await.unwrap(), certificate, _data: data }
    }

    async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(self.running.addr()).await.unwrap();
        let name = ServerName::try_from("files.example").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }
}

#[tokio::test]
async fn a_viewer_speaks_http_1_1_or_http_2_as_it_asks_by_alpn() {
    let secure = Secure::with(forward()).await;
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&["http/1.1", "h2"], Some("h2")),
        (&[], None),
    ] {
        let stream = secure.connect(offered).await;
        let agreed =
            stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        assert_eq!(agreed.as_deref(), chosen, "{offered:?}");
        let stream = TokioIo::new(stream);
        let put = |uri: &str| Request::put(uri).header("host", "files.example").body(text("hello")).unwrap();
        let answer = if chosen == Some("h2") {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            let mut put = put("https://files.example/a");
            put.headers_mut().remove("host");
            sender.send_request(put).await.unwrap()
        } else {
            let (mut sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(put("/a")).await.unwrap()
        };
        let expected = if chosen == Some("h2") { Version::HTTP_2 } else { Version::HTTP_11 };
        assert_eq!((answer.status().as_u16(), answer.version()), (200, expected), "{offered:?}");
    }
    secure.running.stop().await;
}

/// `CloudFront-Forwarded-Proto` and its like are added after the viewer-request function.
#[tokio::test]
async fn the_function_is_told_the_same_over_https() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let records = |seen: &Arc<Mutex<Vec<Value>>>| {
        let seen = Arc::clone(seen);
        function(move |request| {
            seen.lock().unwrap().push(request);
            json!({"status": "403", "headers": {}, "body": "no"})
        })
    };
    let plain = Stage::with(records(&seen)).await;
    let get = |uri: String| Request::get(uri).header("host", "files.example").body(empty()).unwrap();
    assert_eq!(plain.send(get(plain.url("/a?b"))).await.status(), 403);
    let secure = Secure::with(records(&seen)).await;
    let stream = TokioIo::new(secure.connect(&["http/1.1"]).await);
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(get("/a?b".to_owned())).await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "no");
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_viewer_without_tls_is_told_to_use_https_and_others_are_served() {
    let secure = Secure::with(forward()).await;
    // One that never begins its handshake.
    let _silent = TcpStream::connect(secure.running.addr()).await.unwrap();
    let mut stream = TcpStream::connect(secure.running.addr()).await.unwrap();
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: files.example\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{answer}");
    assert!(body.contains("https://"), "{body}");
    let stream = TokioIo::new(secure.connect(&["http/1.1"]).await);
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let get = Request::get("/a").header("host", "files.example").body(empty()).unwrap();
    assert_eq!(sender.send_request(get).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_connection_that_never_begins_its_handshake_does_not_delay_the_stop() {
    let secure = Secure::with(forward()).await;
    let _silent = TcpStream::connect(secure.running.addr()).await.unwrap();
    let _ready = secure.connect(&["h2"]).await;
    tokio::time::timeout(Duration::from_secs(4), secure.running.stop()).await.unwrap();
}

#[tokio::test]
async fn a_large_refused_upload_over_tls_is_answered_in_both_versions() {
    const SIZE: usize = 32 * 1024 * 1024;
    let secure = Secure::with(refuse()).await;
    // All of it first, without a look at the answer.
    let mut stream = secure.connect(&["http/1.1"]).await;
    let head = format!("PUT /a HTTP/1.1\r\nHost: files.example\r\nContent-Length: {SIZE}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![1; SIZE]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");

    let stream = TokioIo::new(secure.connect(&["h2"]).await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let put = Request::put("https://files.example/a").body(text(vec![1; SIZE])).unwrap();
    let answer = sender.send_request(put).await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "{}");
    // The connection serves on.
    let get = Request::get("https://files.example/a").body(empty()).unwrap();
    assert_eq!(sender.send_request(get).await.unwrap().status(), 403);
}

/// Some clients do not see an answer that comes with the reset of the stream that they still send on.
#[tokio::test]
async fn a_refused_upload_over_http_2_is_taken_to_its_end_and_a_get_has_no_body() {
    const FRAMES: usize = 128;
    let secure = Secure::with(refuse()).await;
    let stream = TokioIo::new(secure.connect(&["h2"]).await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    for expects in [None, Some("100-continue")] {
        // Dropped, and so closed, with the body; sent after its last frame.
        let (end, ended) = tokio::sync::oneshot::channel();
        let mut end = Some(end);
        let frames = (1..=FRAMES).map(move |n| {
            if n == FRAMES {
                end.take().unwrap().send(()).unwrap();
            }
            Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![1; 64 * 1024])))
        });
        let body = StreamBody::new(futures_util::stream::iter(frames)).boxed();
        let mut put = Request::put("https://files.example/a").body(body).unwrap();
        if let Some(expects) = expects {
            put.headers_mut().insert("expect", expects.parse().unwrap());
        }
        assert_eq!(sender.send_request(put).await.unwrap().status(), 403);
        ended.await.unwrap();
    }
    // Neither with a length nor without one.
    let frames = [Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"body")))];
    let body = StreamBody::new(futures_util::stream::iter(frames)).boxed();
    for body in [text("body"), body] {
        let get = Request::get("https://files.example/a").body(body).unwrap();
        let answer = sender.send_request(get).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["x-cache"].as_bytes()),
            (403, &b"Error from cloudfront"[..])
        );
    }
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let (certificate, _) = made();
    let other = PrivateKeyDer::Pkcs8(KeyPair::generate().unwrap().serialize_der().into());
    assert!(Tls::new(vec![certificate], other).is_err());
}
