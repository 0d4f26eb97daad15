use super::*;
use authorizer_core::event::CloudFrontHeader;
use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::json;

fn sent() -> CloudFrontRequest<'static> {
    let sent = json!({
        "clientIp": "192.0.2.1",
        "method": "PUT",
        "uri": "/users/alice/a.txt",
        "querystring": "a=b",
        "headers": {
            "host": [{"key": "Host", "value": "d.cloudfront.net"}],
            "content-length": [{"key": "Content-Length", "value": "3"}],
            "via": [{"key": "via", "value": "1.1 a"}, {"key": "via", "value": "1.1 b"}],
            "authorization": [{"key": "authorization", "value": "Bearer x"}],
        },
    });
    CloudFrontRequest::deserialize(&sent).unwrap().into_owned()
}

/// The request in the event without its body, as its bytes are counted.
const SENT: &str = "/users/alice/a.txta=bhost: d.cloudfront.net\r\ncontent-length: 3\r\nvia: 1.1 a\r\nvia: 1.1 b\r\n\
    authorization: Bearer x\r\n";

fn violation(result: &Value) -> Option<Violation> {
    check(&sent(), result.to_string().as_bytes()).err()
}

/// The request as it came, with one edit.
fn edited(edit: impl FnOnce(&mut Value)) -> Value {
    let mut request = serde_json::to_value(sent()).unwrap();
    edit(&mut request);
    request
}

fn header(name: &str, key: &str, value: &str) -> Value {
    edited(|r| r["headers"][name] = json!([{"key": key, "value": value}]))
}

#[test]
fn what_a_function_may_change_is_accepted() {
    let accepted = [
        edited(|_| {}),
        edited(|r| r["uri"] = json!("/users/alice/%C3%A9%20%23")),
        edited(|r| r["querystring"] = json!("")),
        edited(|r| drop(r["headers"].as_object_mut().unwrap().remove("authorization"))),
        edited(|r| r["headers"]["host"] = json!([{"value": "d.cloudfront.net"}])),
        header("x-added", "X-Added", "ü"),
        edited(|r| r["origin"] = json!({"s3": {}})),
        edited(|r| r["uri"] = json!(format!("/{}", "a".repeat(8_186)))),
        header("cloudfront-is-mobile-viewer", "CloudFront-Is-Mobile-Viewer", "true"),
    ];
    for result in accepted {
        assert_eq!(violation(&result), None, "{result}");
        assert!(matches!(
            check(&sent(), result.to_string().as_bytes()),
            Ok(FunctionOutcome::Forward(request)) if request.uri == result["uri"].as_str().unwrap()
        ));
    }
}

#[test]
fn every_rule_about_a_returned_request_is_kept() {
    let read_only = |name: &str| Violation::ReadOnlyHeader(name.to_owned());
    let remove =
        |name: &'static str| edited(move |r| drop(r["headers"].as_object_mut().unwrap().remove(name)));
    let cases = [
        (json!(null), Violation::NotAnObject),
        (json!([]), Violation::NotAnObject),
        (json!("x"), Violation::NotAnObject),
        (edited(|r| r["clientIp"] = json!("192.0.2.2")), Violation::ClientIp),
        (edited(|r| drop(r.as_object_mut().unwrap().remove("clientIp"))), Violation::ClientIp),
        (edited(|r| r["method"] = json!("GET")), Violation::Method),
        (
            edited(|r| {
                r["body"] =
                    json!({"action": "replace", "encoding": "base64", "data": "", "inputTruncated": false})
            }),
            Violation::Body,
        ),
        (edited(|r| r["uri"] = json!("users")), Violation::UriNotRooted),
        (edited(|r| r["uri"] = json!("")), Violation::UriNotRooted),
        (edited(|r| r["uri"] = json!("https://other.example/")), Violation::UriNotRooted),
        (edited(|r| r["uri"] = json!("/a b")), Violation::UriCharacter),
        (edited(|r| r["uri"] = json!("/a\u{7f}")), Violation::UriCharacter),
        (edited(|r| r["uri"] = json!("/a\r\nx: y")), Violation::UriCharacter),
        (edited(|r| r["uri"] = json!("/a#b")), Violation::UriCharacter),
        (edited(|r| r["uri"] = json!("/a?acl")), Violation::UriCharacter),
        (edited(|r| r["querystring"] = json!("a b")), Violation::QueryCharacter),
        (edited(|r| r["querystring"] = json!("a#b")), Violation::QueryCharacter),
        (edited(|r| r["uri"] = json!(format!("/{}", "a".repeat(8_192)))), Violation::UriTooLong),
        (
            edited(|r| {
                r["uri"] = json!(format!("/{}", "a".repeat(8_186)));
                r["querystring"] = json!("b=cd");
            }),
            Violation::UriTooLong,
        ),
        (
            header("cloudfront-viewer-country", "CloudFront-Viewer-Country", "SE"),
            Violation::ViewerHeader("cloudfront-viewer-country".to_owned()),
        ),
        (
            header("x-a", "x-a", &"a".repeat(20_480)),
            Violation::RequestTooLarge(format!("{SENT}x-a: {}\r\n", "a".repeat(20_480)).len()),
        ),
        (remove("host"), read_only("host")),
        (remove("content-length"), read_only("content-length")),
        (remove("via"), read_only("via")),
        (header("host", "host", "bucket.s3.amazonaws.com"), read_only("host")),
        (header("content-length", "content-length", "4"), read_only("content-length")),
        (header("via", "via", "1.1 a"), read_only("via")),
        (header("transfer-encoding", "transfer-encoding", "chunked"), read_only("transfer-encoding")),
        (header("cdn-loop", "cdn-loop", "x"), read_only("cdn-loop")),
        (header("x-a", "X-B", "1"), Violation::HeaderKey { name: "x-a".to_owned(), key: "X-B".to_owned() }),
        (header("X-A", "X-A", "1"), Violation::HeaderName("X-A".to_owned())),
        (header("x a", "x a", "1"), Violation::HeaderName("x a".to_owned())),
        (header("x-a", "x-a", "1\r\nx-b: 2"), Violation::HeaderValue("x-a".to_owned())),
        (edited(|r| r["headers"]["x-a"] = json!("1")), Violation::HeaderForm("x-a".to_owned())),
        (edited(|r| r["headers"]["x-a"] = json!([{"key": "x-a"}])), Violation::HeaderForm("x-a".to_owned())),
        (edited(|r| r["headers"] = json!([])), Violation::HeaderForm("headers".to_owned())),
    ];
    for (result, expected) in cases {
        assert_eq!(violation(&result), Some(expected), "{result}");
    }
    for text in ["", "{", "undefined", "\u{feff}{}"] {
        assert_eq!(check(&sent(), text.as_bytes()).err(), Some(Violation::NotJson), "{text}");
    }
    for result in [
        json!({}),
        edited(|r| r["uri"] = json!(1)),
        edited(|r| drop(r.as_object_mut().unwrap().remove("uri"))),
    ] {
        assert!(matches!(violation(&result), Some(Violation::NotARequest(_))), "{result}");
    }
}

#[test]
fn no_disallowed_header_may_be_added_to_a_request_or_a_response() {
    for name in [
        "client-cert",
        "client-cert-chain",
        "cloudfront-viewer-cert-pem",
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-buffering",
        "x-accel-charset",
        "x-accel-limit-rate",
        "x-accel-redirect",
        "x-amz-cf-id",
        "x-amz-cf-anything",
        "x-amzn-auth",
        "x-amzn-cf-billing",
        "x-amzn-cf-id",
        "x-amzn-cf-xff",
        "x-amzn-errortype",
        "x-amzn-fle-profile",
        "x-amzn-header-count",
        "x-amzn-header-order",
        "x-amzn-lambda-integration-tag",
        "x-amzn-requestid",
        "x-amzn-trace-id",
        "x-cache",
        "x-edge-location",
        "x-forwarded-proto",
        "x-real-ip",
    ] {
        let expected = Some(Violation::DisallowedHeader(name.to_owned()));
        assert_eq!(violation(&header(name, name, "1")), expected);
        assert_eq!(violation(&json!({"status": "403", "headers": {name: [{"value": "1"}]}})), expected);
    }
}

#[test]
fn a_response_that_cloudfront_would_send_is_accepted() {
    let largest = "a".repeat(MAX_BODY);
    let accepted = [
        (json!({"status": "200"}), 200, &b""[..]),
        (json!({"status": "403", "body": "no"}), 403, b"no"),
        (json!({"status": "404", "body": "bm8=", "bodyEncoding": "base64"}), 404, b"no"),
        (json!({"status": "204", "body": ""}), 204, b""),
        (
            json!({"status": "599", "statusDescription": "x", "headers": {"x-a": [{"key": "X-A", "value": "1"}]}}),
            599,
            b"",
        ),
        (json!({"status": "200", "body": largest}), 200, largest.as_bytes()),
    ];
    for (result, status, body) in accepted {
        match check(&sent(), result.to_string().as_bytes()) {
            Ok(FunctionOutcome::Respond(response)) => {
                assert_eq!((response.status.as_u16(), &response.body[..]), (status, body));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// 40 KB.
const MAX_BODY: usize = 40_960;

#[test]
fn every_rule_about_a_generated_response_is_kept() {
    let cases = [
        (json!({"status": 403}), Violation::Status),
        (json!({"status": "199"}), Violation::Status),
        (json!({"status": "600"}), Violation::Status),
        (json!({"status": "0200"}), Violation::Status),
        (json!({"status": "+20"}), Violation::Status),
        (json!({"status": ""}), Violation::Status),
        (json!({"status": null}), Violation::Status),
        (json!({"status": "200", "body": 1}), Violation::ResponseField("body")),
        (
            json!({"status": "200", "statusDescription": "a\r\nb"}),
            Violation::ResponseField("statusDescription"),
        ),
        (json!({"status": "200", "bodyEncoding": "gzip"}), Violation::BodyEncoding),
        (json!({"status": "200", "bodyEncoding": "base64", "body": "?"}), Violation::BodyEncoding),
        (json!({"status": "204", "body": "x"}), Violation::BodyOnNoContent),
        (
            json!({"status": "200", "body": "a".repeat(MAX_BODY + 1)}),
            Violation::ResponseTooLarge(MAX_BODY + 1),
        ),
        (
            json!({"status": "200", "body": "a".repeat(MAX_BODY), "headers": {"x-a": [{"value": "1"}]}}),
            Violation::ResponseTooLarge(MAX_BODY + 4),
        ),
        (
            json!({"status": "200", "headers": {"content-length": [{"value": "1"}]}}),
            Violation::ReadOnlyHeader("content-length".to_owned()),
        ),
        (
            json!({"status": "200", "headers": {"x-a": [{"key": "x-b", "value": "1"}]}}),
            Violation::HeaderKey { name: "x-a".to_owned(), key: "x-b".to_owned() },
        ),
    ];
    for (result, expected) in cases {
        let text = result.to_string();
        assert_eq!(violation(&result), Some(expected), "{}", text.get(..80).unwrap_or(&text));
    }
}

proptest! {
    #[test]
    fn the_request_itself_is_always_accepted(
        path in "(/[a-zA-Z0-9%._~!$&'()*+,;=:@-]{0,12}){1,6}",
        querystring in "[a-zA-Z0-9%._~&=+/?-]{0,30}",
        method in "[A-Z]{3,7}",
        names in prop::collection::btree_map("[a-z][a-z0-9-]{0,16}", "[ -~ü]{0,20}", 0..6),
    ) {
        let mut request = sent();
        request.uri = path.into();
        request.querystring = querystring.into();
        request.method = method.into();
        for (name, value) in names {
            let line = CloudFrontHeader::new(name.clone(), value);
            request.headers.insert(name.into(), line.into());
        }
        let json = serde_json::to_vec(&request).unwrap();
        match check(&request, &json) {
            Ok(FunctionOutcome::Forward(returned)) => prop_assert_eq!(*returned, request),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn no_bytes_make_the_check_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(&sent(), &bytes);
    }
}
