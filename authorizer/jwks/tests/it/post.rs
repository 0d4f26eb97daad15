//! One POST of a form over plain HTTP.

use std::time::{Duration, Instant};

use authorizer_core::FetchUrl;
use authorizer_jwks::{Answered, FetchError, Fetcher, Form, MAX_ANSWER_BYTES};

use crate::stand_in::StandIn;

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(60);

/// A form in which everything is secret.
const FORM: Form<'static> = Form {
    authorization: Some("Basic czNjcjN0LWlkOnMzY3IzdC12YWx1ZQ=="),
    body: "grant_type=authorization_code&code=s3cr3t-code&code_verifier=s3cr3t-verifier",
};

async fn post(answer: &[u8]) -> Result<Answered, FetchError> {
    let server = StandIn::always(answer);
    let answered = Fetcher::new().unwrap().post(&server.url("/token?a=b"), FORM, LONG).await;
    assert_eq!(server.asked(), 1, "a code is good for one use");
    answered
}

#[tokio::test]
async fn the_form_is_sent_as_it_is_and_once() {
    let server = StandIn::always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let fetcher = Fetcher::new().unwrap();
    let url = server.url("/token?a=b");
    let authority = url.uri().authority().unwrap();
    fetcher.post(&url, FORM, LONG).await.unwrap();
    fetcher.post(&url, Form { authorization: None, body: "" }, LONG).await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 2);
    let (head, body) = received[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(body, FORM.body);
    let mut lines: Vec<_> = head.split("\r\n").collect();
    assert_eq!(lines.remove(0), "POST /token?a=b HTTP/1.1");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "accept: application/json",
            &format!("authorization: {}", FORM.authorization.unwrap()),
            "connection: close",
            &format!("content-length: {}", FORM.body.len()),
            "content-type: application/x-www-form-urlencoded",
            &format!("host: {authority}"),
            concat!("user-agent: authorizer/", env!("CARGO_PKG_VERSION")),
        ]
    );
    assert!(!received[1].to_lowercase().contains("authorization"), "{}", received[1]);
}

#[tokio::test]
async fn every_whole_answer_is_given_whatever_its_status_and_its_type() {
    for (answer, status, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"),
        (
            "HTTP/1.1 400 No\r\nContent-Length: 25\r\n\r\n{\"error\":\"invalid_grant\"}",
            400,
            "{\"error\":\"invalid_grant\"}",
        ),
        ("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 401, ""),
        ("HTTP/1.1 500 No\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<a/>", 500, "<a/>"),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n{}", 200, "{}"),
        ("HTTP/1.1 204 No\r\n\r\n", 204, ""),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, "{}"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"),
    ] {
        let answered = post(answer.as_bytes()).await.unwrap();
        assert_eq!((answered.status, &*answered.body), (status, body.as_bytes()), "{answer:?}");
    }
}

/// No error says what was sent, even where a server sends it back.
#[tokio::test]
async fn every_other_answer_is_an_error_that_tells_no_secret() {
    let echo = format!("{}&{}", FORM.authorization.unwrap(), FORM.body);
    let huge = format!("HTTP/1.1 400 No\r\nContent-Length: 262145\r\n\r\n{echo}");
    let endless = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", echo.repeat(3_000));
    for (answer, reason) in [
        (format!("HTTP/1.1 302 No\r\nLocation: /?{echo}\r\nContent-Length: 0\r\n\r\n"), "redirect"),
        ("HTTP/1.1 307 No\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n".to_owned(), "redirect"),
        ("HTTP/1.1 308 No\r\nContent-Length: 0\r\n\r\n".to_owned(), "redirect"),
        ("HTTP/1.1 304 No\r\n\r\n".to_owned(), "redirect"),
        (format!("{echo}\r\n\r\n"), "answer_broken"),
        (format!("HTTP/1.1 {echo}\r\n\r\n"), "answer_broken"),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{echo}"), "answer_broken"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}".to_owned(), "answer_broken"),
        (String::new(), "answer_broken"),
        (huge, "answer_too_large"),
        (endless, "answer_too_large"),
    ] {
        let error = post(answer.as_bytes()).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{answer:.80}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains("s3cr3t") && !told.contains("czNj"), "{told}");
    }
    let longest =
        [b"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n".to_vec(), vec![b' '; MAX_ANSWER_BYTES]].concat();
    assert_eq!(post(&longest).await.unwrap().body.len(), MAX_ANSWER_BYTES);
}

#[tokio::test]
async fn who_is_slow_is_not_waited_for() {
    let within = Duration::from_millis(200);
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{"] {
        let server = StandIn::stalling(answer.as_bytes());
        let started = Instant::now();
        let error = Fetcher::new().unwrap().post(&server.url("/"), FORM, within).await.unwrap_err();
        assert_eq!(error, FetchError::Deadline(within));
        assert!(started.elapsed() < LONG);
    }
}

#[tokio::test]
async fn who_is_not_there_or_speaks_no_tls_gets_no_secret() {
    let gone = StandIn::always(b"").url("/");
    let server = StandIn::always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let plain = FetchUrl::parse(&server.url("/").as_str().replace("http:", "https:")).unwrap();
    for url in [gone, plain] {
        let error = Fetcher::new().unwrap().post(&url, FORM, LONG).await.unwrap_err();
        assert_eq!(error.reason(), "unreachable", "{url}");
    }
    assert!(server.received().iter().all(|request| !request.contains("code")), "{:?}", server.received());
}

#[tokio::test]
async fn credentials_that_fit_in_no_header_are_an_error_that_does_not_tell_them() {
    let server = StandIn::always(b"");
    let form = Form { authorization: Some("Basic s3cr3t\r\nX: y"), body: "" };
    let error = Fetcher::new().unwrap().post(&server.url("/"), form, LONG).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
    assert_eq!(server.asked(), 0);
}
