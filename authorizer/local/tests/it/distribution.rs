//! Requests that the function forwards, answers itself, or answers wrongly.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use authorizer_local::{Credentials, Distribution, EmbeddedS3Error, StartError, Violation};
use http::{Request, Version};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Stage, TestBody, empty, forward, function, refuse, settings, text};

#[tokio::test]
async fn an_object_is_written_read_and_deleted_and_lies_in_the_folder() {
    let stage = Stage::with(forward()).await;
    let path = "/users/alice/a%20%C3%A9.txt";
    let put = Request::put(stage.url(path))
        .header("content-type", "text/plain")
        .header("x-amz-meta-color", "red")
        .header("authorization", "Bearer a.b.c")
        .body(text("hello"))
        .unwrap();
    assert_eq!(stage.send(put).await.status(), 200);
    let file = stage.file("users/alice/a é.txt");
    assert_eq!(std::fs::read(&file).unwrap(), b"hello");

    let get = Request::get(stage.url(path)).body(empty()).unwrap();
    let response = stage.send(get).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(response.headers()["x-amz-meta-color"], "red");
    assert_eq!(response.headers()["x-cache"], "Miss from cloudfront");
    let report = stage.last_report();
    assert_eq!(response.headers()["x-amz-cf-id"], report.request_id);
    assert!(report.forwarded && report.violation.is_none() && report.problem.is_none());
    assert_eq!((report.status, report.path.as_str()), (200, path));
    assert_eq!(report.record.unwrap()["request_id"], report.request_id);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");

    let head = Request::head(stage.url(path)).body(empty()).unwrap();
    let response = stage.send(head).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-length"]),
        (200, &"5".parse().unwrap())
    );
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());

    assert_eq!(stage.call("DELETE", path, empty()).await.0, 204);
    assert!(!file.exists());
    let (status, body) = stage.get(path).await;
    assert_eq!(status, 404);
    assert!(String::from_utf8_lossy(&body).contains("NoSuchKey"), "S3's own error passes through");
}

#[tokio::test]
async fn every_spelling_of_a_key_is_signed_as_the_bucket_reads_it() {
    let stage = Stage::with(forward()).await;
    for (path, key) in [
        ("/a%2fb", "a/b"),
        ("/%c3%a9", "é"),
        ("/(@)!$&'*,;=:", "(@)!$&'*,;=:"),
        ("/100%25", "100%"),
        ("/a%2Bb", "a+b"),
        ("/%3Fx%23y", "?x#y"),
        ("/a%252Fb", "a%2Fb"),
    ] {
        assert_eq!(stage.call("PUT", path, text(key)).await.0, 200, "{path}");
        assert_eq!(std::fs::read(stage.file(key)).unwrap(), key.as_bytes(), "{path}");
        assert_eq!(stage.get(&format!("{path}?x=%20&y=a%2Bb&z")).await, (200, key.into()), "{path}");
    }
}

#[tokio::test]
async fn a_range_is_answered_with_206() {
    let stage = Stage::with(forward()).await;
    stage.call("PUT", "/a", text("0123456789")).await;
    let get = Request::get(stage.url("/a")).header("range", "bytes=2-4").body(empty()).unwrap();
    let response = stage.send(get).await;
    assert_eq!(response.status(), 206);
    assert_eq!(response.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "234");
}

#[tokio::test]
async fn the_bucket_sees_the_rewritten_request_and_not_the_viewers() {
    let stage = Stage::with(function(|mut request| {
        request["uri"] = json!("/rewritten%2Fb");
        request["querystring"] = json!("");
        request["headers"].as_object_mut().unwrap().remove("x-amz-meta-secret");
        request["headers"]["content-type"] = json!([{"key": "Content-Type", "value": "text/x-rewritten"}]);
        request
    }))
    .await;
    let put = Request::put(stage.url("/seen?acl"))
        .header("content-type", "text/html")
        .header("x-amz-meta-secret", "1")
        .body(text("x"))
        .unwrap();
    assert_eq!(stage.send(put).await.status(), 200);
    assert!(stage.file("rewritten/b").exists() && !stage.file("seen").exists());
    let response = stage.send(Request::get(stage.url("/any")).body(empty()).unwrap()).await;
    assert_eq!(response.headers()["content-type"], "text/x-rewritten");
    assert!(!response.headers().contains_key("x-amz-meta-secret"));
}

#[tokio::test]
async fn a_generated_response_reaches_the_viewer_and_the_bucket_is_not_asked() {
    let stage = Stage::with(refuse()).await;
    let put = Request::put(stage.url("/a")).body(text("x")).unwrap();
    let response = stage.send(put).await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["x-cache"], "LambdaGeneratedResponse from cloudfront");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "{}");
    assert!(!stage.file("a").exists());
    assert!(!stage.last_report().forwarded);
}

#[tokio::test]
async fn the_event_the_result_and_what_the_bucket_said_are_for_an_observer_that_wants_them() {
    let stage = Stage::with(forward()).await;
    stage.call("PUT", "/a", text("hello")).await;
    assert!(stage.last_report().details.is_none());
    stage.heard.wants_details.store(true, Ordering::Relaxed);
    stage.get("/a").await;
    let details = stage.last_report().details.unwrap();
    let event: Value = serde_json::from_slice(&details.event).unwrap();
    let request = &event["Records"][0]["cf"]["request"];
    assert_eq!(request["uri"], "/a");
    assert_eq!(serde_json::from_slice::<Value>(&details.result).unwrap(), *request);
    assert!(details.bucket_headers.contains(&("content-length".to_owned(), "5".to_owned())));

    let stage = Stage::with(refuse()).await;
    stage.heard.wants_details.store(true, Ordering::Relaxed);
    stage.get("/a").await;
    let details = stage.last_report().details.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&details.result).unwrap()["status"], "403");
    assert!(details.bucket_headers.is_empty());
}

#[tokio::test]
async fn what_cloudfront_would_not_take_is_502_and_told_to_the_observer() {
    let stage = Stage::with(function(|mut request| {
        match request["querystring"].as_str().unwrap() {
            "disallowed" => request["headers"]["x-edge-x"] = json!([{"key": "X-Edge-X", "value": "1"}]),
            "read-only" => drop(request["headers"].as_object_mut().unwrap().remove("host")),
            "method" => request["method"] = json!("DELETE"),
            "uri" => request["uri"] = json!("no-slash"),
            "status" => return json!({"status": 403}),
            "large" => return json!({"status": "403", "body": "a".repeat(41_000)}),
            other => panic!("{other}"),
        }
        request
    }))
    .await;
    for (case, violation) in [
        ("disallowed", Violation::DisallowedHeader("x-edge-x".to_owned())),
        ("read-only", Violation::ReadOnlyHeader("host".to_owned())),
        ("method", Violation::Method),
        ("uri", Violation::UriNotRooted),
        ("status", Violation::Status),
        ("large", Violation::ResponseTooLarge(41_000)),
    ] {
        let put = Request::put(stage.url(&format!("/a?{case}"))).body(text("x")).unwrap();
        let response = stage.send(put).await;
        assert_eq!(response.status(), 502, "{case}");
        assert_eq!(response.headers()["x-cache"], "LambdaValidationError from cloudfront");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        // The viewer gets CloudFront's own page, and the observer the reason.
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains("<H1>502 ERROR</H1>") && body.contains("The Lambda function "), "{body}");
        assert!(!body.contains(&violation.to_string()), "{body}");
        let report = stage.last_report();
        assert_eq!((report.status, report.violation, report.forwarded), (502, Some(violation), false));
    }
    assert!(!stage.file("a").exists());
}

#[tokio::test]
async fn what_cloudfront_refuses_itself_is_refused_without_the_function() {
    let stage = Stage::with(function(|_| panic!("the function was asked"))).await;
    assert_eq!(stage.call("PROPFIND", "/a", empty()).await.0, 403);
    assert_eq!(stage.get(&format!("/{}", "a".repeat(8_192))).await.0, 413);
    let get = Request::get(stage.url("/a")).header("x-a", "a".repeat(20_480)).body(empty()).unwrap();
    assert_eq!(stage.send(get).await.status(), 413);
    let report = stage.last_report();
    assert!(report.problem.unwrap().contains("20,480"));
    assert!(report.record.is_none());
}

#[tokio::test]
async fn http_2_without_tls_is_served_too() {
    let stage = Stage::with(function(
        |request| json!({"status": "200", "body": request["headers"]["host"][0]["value"]}),
    ))
    .await;
    let client: Client<_, TestBody> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let get = Request::get(stage.url("/a")).header("x-a", "a".repeat(15_000)).body(empty()).unwrap();
    let response = client.request(get).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, stage.running.addr().to_string());
}

#[tokio::test]
async fn a_path_reaches_the_function_byte_for_byte() {
    let stage = Stage::with(function(
        |request| json!({"status": "200", "body": format!("{} {}", request["uri"], request["querystring"])}),
    ))
    .await;
    let mut viewer = TcpStream::connect(stage.running.addr()).await.unwrap();
    viewer
        .write_all(b"GET //a/%2e%2E/../%2F?x=%20&Y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    viewer.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\"//a/%2e%2E/../%2F\" \"x=%20&Y\""), "{answer}");
}

#[tokio::test]
async fn a_port_in_use_and_an_unusable_folder_or_bucket_are_told_in_one_line() {
    let first = Stage::with(forward()).await;
    let (mut taken, _heard, _data) = settings(forward());
    taken.listen = first.running.addr();
    let error = Distribution::start(taken).await.unwrap_err();
    assert!(matches!(&error, StartError::Listen { addr, .. } if *addr == first.running.addr()), "{error}");

    let (mut unusable, _heard, data) = settings(forward());
    unusable.data_dir = data.path().join("file");
    std::fs::write(&unusable.data_dir, "").unwrap();
    let error = Distribution::start(unusable).await.unwrap_err();
    assert!(matches!(&error, StartError::Bucket(EmbeddedS3Error::DataFolder { .. })), "{error}");
    assert!(!error.to_string().contains('\n'));

    let (mut short, _heard, _data) = settings(forward());
    short.bucket = "ab".to_owned();
    let error = Distribution::start(short).await.unwrap_err();
    assert!(matches!(&error, StartError::Bucket(EmbeddedS3Error::BucketName(_))), "{error}");
}

#[tokio::test]
async fn data_stays_over_a_restart_and_a_stop_frees_the_port() {
    let stage = Stage::with(forward()).await;
    stage.call("PUT", "/a", text("kept")).await;
    let addr = stage.running.addr();
    let Stage { running, data, client, .. } = stage;
    drop(client);
    running.stop().await;
    let (mut again, _heard, _data) = settings(forward());
    again.listen = addr;
    again.data_dir = data.path().to_owned();
    again.credentials = Credentials::random().unwrap();
    let running = Distribution::start(again).await.unwrap();
    let client = crate::support::client();
    let get = Request::get(format!("http://{}/a", running.addr())).body(empty()).unwrap();
    let response = client.request(get).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "kept");
}

#[tokio::test]
async fn many_viewers_at_once_are_all_answered() {
    let stage = Arc::new(Stage::with(forward()).await);
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..50 {
        let stage = Arc::clone(&stage);
        tasks.spawn(async move {
            let path = format!("/many/{i}");
            assert_eq!(stage.call("PUT", &path, text(path.clone())).await.0, 200);
            assert_eq!(stage.get(&path).await, (200, path.into()));
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}
