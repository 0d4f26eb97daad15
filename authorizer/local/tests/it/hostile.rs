//! Functions that break a rule of CloudFront's, one for each rule: the viewer gets CloudFront's page, the observer the
//! reason, and the bucket is not asked.

use std::future::ready;
use std::time::Duration;

use authorizer_local::{Function, InProcess, Invocation, Violation};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::{Answer, Stage, function};

/// Uploads an object through the function, and returns the answer.
async fn upload(stage: &Stage) -> Answer {
    let headers = [("via", "1.1 proxy"), ("cdn-loop", "other"), ("x-kept", "1")];
    let answer = stage.ask("PUT", "/a", &headers, "abc").await;
    assert!(!stage.file("a").exists(), "the bucket was asked");
    assert!(!stage.last_report().forwarded);
    answer
}

/// The function's result is refused with 502 for this reason; CloudFront's page has this sentence.
async fn refused(stage: &Stage, reason: Violation, sentence: &str) {
    let answer = upload(stage).await;
    assert_eq!(answer.status, 502, "{reason}");
    assert_eq!(answer.header("x-cache"), "LambdaValidationError from cloudfront");
    assert_eq!(answer.header("content-type"), "text/html");
    assert!(answer.body.contains(&format!("\n{sentence}\nWe can't connect")), "{}", answer.body);
    let report = stage.last_report();
    assert!(answer.body.contains(&format!("Request ID: {}\n", report.request_id)), "{}", answer.body);
    assert!(reason.rule().starts_with("AWS, "), "{}", reason.rule());
    assert_eq!(report.violation, Some(reason));
}

/// A function that edits the request.
async fn editing(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Stage {
    Stage::with(function(move |mut request| {
        edit(&mut request);
        request
    }))
    .await
}

/// A function that sets a header.
async fn setting(name: &'static str, value: &'static str) -> Stage {
    editing(move |request| request["headers"][name] = json!([{"key": name, "value": value}])).await
}

/// A function that returns these bytes.
async fn returning(bytes: &'static [u8]) -> Stage {
    let returns =
        move |_: Bytes| ready(Invocation { result: Bytes::from_static(bytes), record: None, usage: None });
    Stage::with(Function::InProcess(InProcess::new(returns))).await
}

const FAILED: &str = "The Lambda function result failed validation.";
const DISALLOWED: &str =
    "The Lambda function result failed validation: The function tried to add a blacklisted header.";
const READ_ONLY: &str = "The Lambda function result failed validation: The function tried to add, delete, or change a \
     read-only header.";
const BODY: &str = "The Lambda function result failed validation: The body is not a string, is not an object, or \
     exceeds the maximum size.";

#[tokio::test]
async fn garbage_is_no_result() {
    let sentence = "The Lambda function returned invalid JSON: The JSON output is not parsable.";
    for bytes in [&b""[..], b"\xff\x00", b"{\"uri\": \"/a\"", b"undefined"] {
        refused(&returning(bytes).await, Violation::NotJson, sentence).await;
    }
}

#[tokio::test]
async fn null_is_no_result() {
    let sentence = "The Lambda function returned invalid JSON: The JSON output must be an object type.";
    refused(&returning(b"null").await, Violation::NotAnObject, sentence).await;
}

#[tokio::test]
async fn a_status_that_is_a_number_or_out_of_range_is_refused() {
    for status in [json!(403), json!("199"), json!("600"), json!("4o3")] {
        let stage = Stage::with(function(move |_| json!({"status": status}))).await;
        refused(&stage, Violation::Status, FAILED).await;
    }
}

#[tokio::test]
async fn a_204_with_a_body_is_refused() {
    let stage = Stage::with(function(|_| json!({"status": "204", "body": "x"}))).await;
    refused(&stage, Violation::BodyOnNoContent, BODY).await;
}

#[tokio::test]
async fn a_response_of_more_than_40_kb_is_refused() {
    let body = "a".repeat(40 * 1024 - "x-a".len());
    let stage = Stage::with(function(
        move |_| json!({"status": "200", "body": body, "headers": {"x-a": [{"key": "X-A", "value": "1"}]}}),
    ))
    .await;
    refused(&stage, Violation::ResponseTooLarge(40 * 1024 + 1), BODY).await;
}

#[tokio::test]
async fn a_read_only_header_that_is_changed_added_or_dropped_is_refused() {
    let read_only = |name: &str| Violation::ReadOnlyHeader(name.to_owned());
    for name in ["cdn-loop", "content-length", "host", "transfer-encoding", "via"] {
        refused(&setting(name, "7").await, read_only(name), READ_ONLY).await;
    }
    for name in ["cdn-loop", "content-length", "host", "via"] {
        let stage = editing(move |request| {
            request["headers"].as_object_mut().unwrap().remove(name);
        })
        .await;
        refused(&stage, read_only(name), READ_ONLY).await;
    }
}

#[tokio::test]
async fn a_read_only_header_of_a_response_is_refused() {
    let stage = Stage::with(function(
        |_| json!({"status": "200", "headers": {"transfer-encoding": [{"value": "chunked"}]}}),
    ))
    .await;
    refused(&stage, Violation::ReadOnlyHeader("transfer-encoding".to_owned()), READ_ONLY).await;
}

#[tokio::test]
async fn a_disallowed_header_is_refused() {
    for name in [
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-redirect",
        "x-amz-cf-id",
        "x-amzn-requestid",
        "x-cache",
        "x-edge-location",
        "x-forwarded-proto",
        "x-real-ip",
        "client-cert",
        "client-cert-chain",
        "cloudfront-viewer-cert-pem",
    ] {
        let reason = Violation::DisallowedHeader(name.to_owned());
        refused(&setting(name, "1").await, reason, DISALLOWED).await;
    }
}

#[tokio::test]
async fn a_header_that_cloudfront_adds_about_the_viewer_is_refused() {
    for name in
        ["cloudfront-viewer-country", "cloudfront-viewer-address", "cloudfront-viewer-ja3-fingerprint"]
    {
        refused(&setting(name, "1").await, Violation::ViewerHeader(name.to_owned()), DISALLOWED).await;
    }
}

#[tokio::test]
async fn another_method_is_refused() {
    refused(&editing(|request| request["method"] = json!("DELETE")).await, Violation::Method, FAILED).await;
}

#[tokio::test]
async fn another_address_of_the_viewer_is_refused() {
    refused(&editing(|request| request["clientIp"] = json!("192.0.2.1")).await, Violation::ClientIp, FAILED)
        .await;
}

#[tokio::test]
async fn a_body_that_the_trigger_does_not_include_is_refused() {
    let body = json!({"action": "replace", "encoding": "base64", "data": "", "inputTruncated": false});
    refused(&editing(move |request| request["body"] = body.clone()).await, Violation::Body, BODY).await;
}

#[tokio::test]
async fn a_uri_that_is_not_a_path_is_refused() {
    for (uri, reason) in [
        ("a", Violation::UriNotRooted),
        ("https://other.example/a", Violation::UriNotRooted),
        ("/a b", Violation::UriCharacter),
        ("/a\nb", Violation::UriCharacter),
        ("/a#b", Violation::UriCharacter),
    ] {
        refused(&editing(move |request| request["uri"] = json!(uri)).await, reason, FAILED).await;
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_sent_is_refused() {
    for query in ["a b", "a#b", "a\tb"] {
        let stage = editing(move |request| request["querystring"] = json!(query)).await;
        refused(&stage, Violation::QueryCharacter, FAILED).await;
    }
}

#[tokio::test]
async fn a_uri_of_8192_characters_is_refused() {
    let uri = format!("/{}", "a".repeat(8_191));
    let stage = editing(move |request| request["uri"] = json!(uri)).await;
    refused(&stage, Violation::UriTooLong, FAILED).await;
}

#[tokio::test]
async fn a_request_that_grows_over_the_smaller_limit_is_refused_and_the_refusal_says_so() {
    let long = "a".repeat(20_480);
    let stage = editing(move |request| {
        request["headers"]["x-long"] = json!([{"key": "X-Long", "value": long}]);
    })
    .await;
    assert_eq!(upload(&stage).await.status, 502);
    let reason = stage.last_report().violation.unwrap();
    assert!(matches!(reason, Violation::RequestTooLarge(_)), "{reason}");
    assert!(reason.to_string().contains("20,480, the smaller of the two limits"), "{reason}");
}

#[tokio::test]
async fn a_viewers_request_over_the_smaller_limit_is_413_and_the_connection_ends() {
    let stage = Stage::with(function(|_| panic!("the function was asked"))).await;
    let answer = stage.ask("GET", "/a", &[("x-a", &"a".repeat(20_480))], "").await;
    assert_eq!((answer.status, answer.header("connection")), (413, "close"));
    assert!(answer.body.contains("<H1>413 ERROR</H1>"), "{}", answer.body);
    let problem = stage.last_report().problem.unwrap();
    assert!(problem.contains("20,480 bytes, the smaller of the two limits"), "{problem}");
}

#[tokio::test]
async fn headers_of_another_form_are_refused() {
    let stage = editing(|request| request["headers"]["x-a"] = json!("1")).await;
    let sentence = "The Lambda function returned an invalid entry in the headers object: Each header entry in the \
         headers object must be an array.";
    refused(&stage, Violation::HeaderForm("x-a".to_owned()), sentence).await;
    refused(&setting("X-A", "1").await, Violation::HeaderName("X-A".to_owned()), FAILED).await;
    refused(&setting("x-a", "1\r\nx-b: 2").await, Violation::HeaderValue("x-a".to_owned()), FAILED).await;
}

/// 503, for a function without a result.
async fn unavailable(stage: &Stage, cause: &str) {
    let answer = upload(stage).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("x-cache"), "LambdaExecutionError from cloudfront");
    assert!(answer.body.contains("<H1>503 ERROR</H1>"), "{}", answer.body);
    assert!(answer.body.contains("is invalid or doesn't have the required permissions."), "{}", answer.body);
    let problem = stage.last_report().problem.unwrap();
    assert!(problem.contains(cause), "{problem}");
}

#[tokio::test]
async fn a_function_that_panics_is_an_execution_error_and_the_next_request_is_served() {
    let stage = Stage::with(function(|request| {
        assert_ne!(request["uri"], "/a", "hostile");
        request
    }))
    .await;
    unavailable(&stage, "panicked").await;
    assert_eq!(stage.get("/b").await.0, 404);
}

#[tokio::test]
async fn a_function_that_hangs_is_an_execution_error_after_its_time() {
    let hangs = InProcess::new(|_| std::future::pending::<Invocation>());
    let stage = Stage::with(Function::InProcess(hangs.with_deadline(Duration::from_millis(50)))).await;
    unavailable(&stage, "took longer than 50 ms").await;
}
