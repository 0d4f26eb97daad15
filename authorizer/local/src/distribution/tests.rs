//! What comes out of the cache after its time, and what a broken answer leaves there.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::Way;
use crate::behaviors::OriginHere;
use crate::cache::Cache;
use crate::origin::Origin;
use crate::server::Server;
use crate::{
    Behaviors, BucketOptions, BucketReport, Credentials, Distribution, DistributionConfig, Function,
    InProcess, Invocation, Observer, RequestReport, Running, Settings,
};

#[derive(Default)]
struct Heard {
    reports: Mutex<Vec<RequestReport>>,
    bucket: Mutex<Vec<u16>>,
}

impl Observer for Heard {
    fn request(&self, report: &RequestReport) {
        self.reports.lock().unwrap().push(report.clone());
    }

    fn function_log(&self, _: &str) {}

    fn bucket_request(&self, report: &BucketReport) {
        self.bucket.lock().unwrap().push(report.status);
    }
}

struct Stage {
    running: Running,
    heard: Arc<Heard>,
    _data: TempDir,
}

/// A distribution that caches.
fn config() -> DistributionConfig {
    let config = json!({
        "Enabled": true,
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "o", "DomainName": "files.s3.us-east-1.amazonaws.com", "OriginAccessControlId": "E1",
        }]},
        "CacheBehaviors": {"Quantity": 0},
        "CustomErrorResponses": {"Quantity": 1, "Items": [
            {"ErrorCode": 502, "ErrorCachingMinTTL": 31_536_000},
        ]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "allow-all",
            "AllowedMethods": {"Quantity": 3, "Items": ["GET", "PUT", "DELETE"]},
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            "OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            "LambdaFunctionAssociations": {"Quantity": 1, "Items": [{
                "EventType": "viewer-request", "IncludeBody": false,
                "LambdaFunctionARN": "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:1",
            }]},
        },
    });
    DistributionConfig::read(config.to_string().as_bytes(), &|_| None).unwrap()
}

/// A function that lets everything through.
fn forward() -> Function {
    let forward = |event: Bytes| {
        let event: Value = serde_json::from_slice(&event).unwrap();
        let result = event["Records"][0]["cf"]["request"].to_string().into();
        ready(Invocation { result, record: None, usage: None })
    };
    Function::InProcess(InProcess::new(forward))
}

impl Stage {
    async fn new() -> Self {
        let (heard, data) = (Arc::new(Heard::default()), tempfile::tempdir().unwrap());
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls: None,
            bucket: "files".to_owned(),
            bucket_options: BucketOptions::default(),
            region: "us-east-1".to_owned(),
            credentials: Credentials::random().unwrap(),
            data_dir: data.path().to_owned(),
            function: forward(),
            response_headers: Arc::new(|_| Vec::new()),
            observer: Arc::clone(&heard) as Arc<dyn Observer>,
        };
        let running =
            Distribution::start_with(settings, Behaviors::Distribution(Box::new(config()))).await.unwrap();
        Self { running, heard, _data: data }
    }

    /// The same distribution, with another bucket at this address.
    async fn before(bucket: SocketAddr) -> Self {
        let (heard, data) = (Arc::new(Heard::default()), tempfile::tempdir().unwrap());
        let site = Behaviors::Distribution(Box::new(config())).into_site("files", "us-east-1");
        let OriginHere::Bucket(here) = site.origins[0].clone() else { panic!() };
        let origin = Origin::new(bucket, here, "us-east-1", &Credentials::random().unwrap()).unwrap();
        let way = Arc::new(Way {
            function: forward(),
            site,
            origins: vec![Ok(origin)],
            cache: Some(Cache::default()),
            is_https: false,
            response_headers: Arc::new(|_| Vec::new()),
            observer: Arc::clone(&heard) as Arc<dyn Observer>,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let served = Arc::clone(&way);
        let handler = move |request, viewer| Arc::clone(&served).serve(request, viewer);
        let server = Server::start(listener, None, handler).unwrap();
        Self { running: Running { server, buckets: Vec::new(), way }, heard, _data: data }
    }

    /// The whole answer to a request.
    async fn ask(&self, method: &str, headers: &str, body: &str) -> String {
        let mut viewer = TcpStream::connect(self.running.addr()).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        viewer.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        viewer.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// The status, `x-cache` and the body of the answer to a GET.
    async fn get(&self, headers: &str) -> (u16, String, String) {
        let answer = self.ask("GET", headers, "").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let x_cache = head.lines().find_map(|line| line.strip_prefix("x-cache: ")).unwrap();
        let x_cache = x_cache.strip_suffix(" from cloudfront").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), x_cache.to_owned(), body.to_owned())
    }

    async fn put(&self, body: &str) {
        let answer = self.ask("PUT", "Content-Type: text/plain\r\n", body).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Makes the time of everything in the cache pass.
    fn expire(&self) {
        self.running.way.cache.as_ref().unwrap().expire();
    }

    /// The last status that the bucket answered.
    fn bucket(&self) -> u16 {
        *self.heard.bucket.lock().unwrap().last().unwrap()
    }
}

fn answer(status: u16, x_cache: &str, body: &str) -> (u16, String, String) {
    (status, x_cache.to_owned(), body.to_owned())
}

#[tokio::test]
async fn an_object_whose_time_has_passed_is_asked_about_and_replaced_only_if_it_is_another_one() {
    let stage = Stage::new().await;
    stage.put("first").await;
    assert_eq!(stage.get("").await, answer(200, "Miss", "first"));
    stage.expire();
    assert_eq!((stage.get("").await, stage.bucket()), (answer(200, "RefreshHit", "first"), 304));
    assert_eq!(stage.get("").await, answer(200, "Hit", "first"));
    // The origin is asked about what is in the cache, and the viewer is answered about what it has.
    stage.expire();
    let other = "If-None-Match: \"other\"\r\n";
    assert_eq!((stage.get(other).await, stage.bucket()), (answer(200, "RefreshHit", "first"), 304));
    stage.expire();
    assert_eq!(stage.get("If-None-Match: *\r\n").await, answer(304, "RefreshHit", ""));
    // The answer to a part says nothing of the whole.
    stage.expire();
    assert_eq!(stage.get("Range: bytes=1-2\r\n").await, answer(206, "Miss", "ir"));
    assert_eq!(stage.get("").await, answer(200, "RefreshHit", "first"));
    stage.put("second").await;
    stage.expire();
    assert_eq!((stage.get("").await, stage.bucket()), (answer(200, "Miss", "second"), 200));
    assert_eq!(stage.get("").await, answer(200, "Hit", "second"));
    stage.ask("DELETE", "", "").await;
    stage.expire();
    let (status, x_cache, _) = stage.get("").await;
    assert_eq!((status, x_cache.as_str()), (404, "Error"));
}

#[tokio::test]
async fn conditions_are_of_the_object_that_the_viewer_would_get() {
    let stage = Stage::new().await;
    stage.put("first").await;
    stage.get("").await;
    let old = "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    for condition in ["If-Match: \"nope\"\r\n", old] {
        let (status, x_cache, body) = stage.get(condition).await;
        assert_eq!((status, x_cache.as_str()), (412, "Error"), "{condition}");
        assert!(body.contains("<Code>PreconditionFailed</Code>"), "{body}");
        // The origin says that it is the same object.
        stage.expire();
        assert_eq!((stage.get(condition).await.0, stage.bucket()), (412, 304), "{condition}");
        assert_eq!(stage.get("").await, answer(200, "Hit", "first"));
    }
    // The origin has another one.
    for condition in ["If-Match: \"nope\"\r\n", old] {
        stage.put("second").await;
        stage.expire();
        assert_eq!((stage.get(condition).await.0, stage.bucket()), (412, 200), "{condition}");
        assert_eq!(stage.get("").await, answer(200, "Miss", "second"));
        stage.put("first").await;
        stage.expire();
        assert_eq!(stage.get("If-Match: *\r\n").await, answer(200, "Miss", "first"));
    }
    stage.put("second").await;
    stage.expire();
    assert_eq!((stage.get("If-None-Match: *\r\n").await, stage.bucket()), (answer(304, "Miss", ""), 200));
}

#[tokio::test]
async fn an_origin_that_fails_leaves_what_is_in_the_cache_and_the_reason_is_told() {
    let mut stage = Stage::new().await;
    stage.put("first").await;
    assert_eq!(stage.get("").await, answer(200, "Miss", "first"));
    for bucket in std::mem::take(&mut stage.running.buckets) {
        bucket.s3.stop().await;
    }
    stage.expire();
    // Once the origin has failed, it is not asked again for the time of an error.
    for reason in [Some("cannot be reached"), None] {
        assert_eq!(stage.get("").await, answer(200, "Hit", "first"));
        let report = stage.heard.reports.lock().unwrap().last().unwrap().clone();
        assert!(report.age.is_some() && !report.forwarded);
        match reason {
            Some(reason) => {
                let problem = report.problem.unwrap();
                assert!(problem.contains(reason) && problem.contains("its time has passed"), "{problem}");
            }
            None => assert_eq!(report.problem, None),
        }
    }
    // A part comes from the cache too, and changes nothing there.
    stage.expire();
    assert_eq!(stage.get("Range: bytes=1-2\r\n").await, answer(206, "Hit", "ir"));
    assert_eq!(stage.get("Range: bytes=100-\r\n").await.0, 502);
    assert_eq!(stage.get("If-Match: \"nope\"\r\n").await.0, 412);
    assert_eq!(stage.get("").await, answer(200, "Hit", "first"));
    assert_eq!(stage.get("Range: bytes=100-\r\n").await.0, 502);
    assert_eq!(stage.get("").await, answer(200, "Hit", "first"));
    // What was never there is an error.
    stage.running.invalidator().unwrap().invalidate("/*");
    assert_eq!(stage.get("").await.0, 502);
}

/// A bucket that begins an answer so, and resets the connection when it is told to. It answers every later request with
/// `whole`.
async fn bucket_that_breaks_off(begins: String) -> (SocketAddr, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, now) = (listener.local_addr().unwrap(), Arc::new(Notify::new()));
    let told = Arc::clone(&now);
    tokio::spawn(async move {
        let mut is_first = true;
        'connections: while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { continue 'connections };
                head.push(byte);
            }
            if std::mem::take(&mut is_first) {
                stream.write_all(begins.as_bytes()).await.unwrap();
                told.notified().await;
                // Closing it resets it.
                stream.set_zero_linger().unwrap();
            } else {
                let whole = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole";
                stream.write_all(whole).await.unwrap();
            }
        }
    });
    (addr, now)
}

#[tokio::test]
async fn an_answer_that_the_bucket_breaks_off_is_an_error_to_the_viewer_and_is_not_kept() {
    for (of_length, is_http_2) in [
        ("Content-Length: 10", false),
        ("Transfer-Encoding: chunked", false),
        ("", false),
        ("Content-Length: 10", true),
        ("", true),
    ] {
        for status in ["200 OK", "404 Not Found"] {
            let half = if of_length.contains("chunked") { "4\r\nhalf\r\n" } else { "half" };
            let length = if of_length.is_empty() { String::new() } else { format!("{of_length}\r\n") };
            let (bucket, break_off) =
                bucket_that_breaks_off(format!("HTTP/1.1 {status}\r\n{length}\r\n{half}")).await;
            let stage = Stage::before(bucket).await;
            let viewer = Client::builder(TokioExecutor::new()).http2_only(is_http_2).build_http();
            let url = format!("http://{}/a", stage.running.addr());
            let request = Request::get(url).body(Empty::<Bytes>::new()).unwrap();
            let mut answer = viewer.request(request).await.unwrap();
            assert_eq!(answer.status().as_str(), status.get(..3).unwrap());
            // The viewer has the half before the rest is lost.
            let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(first, "half");
            break_off.notify_one();
            let next = answer.frame().await.expect("the answer is broken off, and does not end");
            assert!(next.is_err(), "{of_length} {status}");
            assert_eq!(stage.get("").await, answer_of("Miss"), "{of_length} {status}");
            assert_eq!(stage.get("").await, answer_of("Hit"));
        }
    }
}

fn answer_of(x_cache: &str) -> (u16, String, String) {
    answer(200, x_cache, "whole")
}
